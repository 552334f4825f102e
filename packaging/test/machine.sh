# Small Debian machines to install packages in: made by mmdebstrap, booted by systemd-nspawn without a network.
# Read by install.sh (`.`). Needs root, and $cache, a folder for the machines' files.

# What the tests of the package need inside: a service manager, a database, a broker, and a serial node.
inside_packages=systemd-sysv,dbus,udev,mariadb-server,mariadb-client,mosquitto,mosquitto-clients,socat

# The mirror that this machine itself uses, for `main` of any release.
mirror() {
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | sed 1q
}

# make_files RELEASE: its files as $cache/RELEASE.tar, made once.
make_files() {
    [ ! -e "$cache/$1.tar" ] || return 0
    from=$(mirror)
    [ -n "$from" ] || { echo "field-test: apt names no Debian mirror here" >&2; return 1; }
    echo "field-test: making Debian $1 in $cache (some minutes, once)"
    mkdir -p "$cache"
    nice mmdebstrap --quiet --variant=minbase --include="$inside_packages" "$1" "$cache/$1.part.tar" "deb $from $1 main"
    mv "$cache/$1.part.tar" "$cache/$1.tar"
}

# boot RELEASE SHARED: boots fresh files of RELEASE, with the folder SHARED at /shared.
boot() {
    machine=fieldgate-$1-$$
    root=$cache/$machine
    mkdir "$root"
    tar -xf "$cache/$1.tar" -C "$root"
    mkdir "$root/shared"
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
    start_nspawn "$2" </dev/null >"$root.console" 2>&1 &
    nspawn=$!
    wait_until "Debian $1 to boot" booted || { cat "$root.console" >&2; return 1; }
}

# Mount namespace and cgroup are its own, so that it works in containers and beside any service manager. Reading the
# kernel's clock state is allowed as it is on a real machine; setting the clock is not.
start_nspawn() {
    exec unshare --mount --propagation private sh -c '
        umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 1
        mkdir "/sys/fs/cgroup/$1" && echo $$ >"/sys/fs/cgroup/$1/cgroup.procs" || exit 1
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --boot --directory="$2" --machine="$1" \
            --bind="$3:/shared" --register=no --keep-unit --private-network --link-journal=no --console=pipe \
            --system-call-filter="adjtimex clock_adjtime"
    ' sh "$machine" "$root" "$1"
}

# The machine's first process is the only child of systemd-nspawn.
booted() {
    leader=$(ps -o pid= --ppid "$nspawn" | tr -d ' ' | sed 1q)
    [ -n "$leader" ] && inside systemctl is-system-running 2>/dev/null | grep -Eq '^(running|degraded)$'
}

# inside COMMAND...: runs it in the booted machine.
inside() {
    nsenter --target "$leader" --all --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# Ends the machine, if one runs, and removes what it left.
shut_down() {
    [ -n "${nspawn:-}" ] || return 0
    kill "$nspawn" 2>/dev/null || true
    wait "$nspawn" 2>/dev/null || true
    nspawn=
    unshare --mount --propagation private sh -c '
        umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 1
        find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +
    ' sh "$machine" 2>/dev/null || true
    rm -rf "$root" "$root.console"
}

# wait_until WORDS COMMAND...: until the command succeeds, 60 s at most.
wait_until() {
    awaited=$1
    shift
    deadline=$(($(date +%s) + 60))
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || { echo "field-test: waited 60 s for $awaited" >&2; return 1; }
        sleep 0.2
    done
}
