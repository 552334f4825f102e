#!/bin/sh
# Runs in a booted machine, as root: installs the package and tries what its users do. The first thing that is not as
# promised ends it, with the service's journal.
set -eu

state=/var/lib/fieldgate
settings=/etc/fieldgate/fieldgate.toml

say() {
    echo "  ok: $*"
}

fail() {
    trap - EXIT
    echo "  NOT AS PROMISED: $*" >&2
    journalctl --unit fieldgate --no-pager --lines 40 >&2
    exit 1
}

# expect WORDS COMMAND...: it has to succeed.
expect() {
    words=$1
    shift
    "$@" || fail "$words"
    say "$words"
}

# await WORDS COMMAND...: it has to succeed within 60 s.
await() {
    words=$1
    shift
    deadline=$(($(date +%s) + 60))
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$words (waited 60 s)"
        sleep 0.2
    done
    say "$words"
}

shows() { # PROPERTY VALUE
    [ "$(systemctl show fieldgate --property "$1" --value)" = "$2" ]
}

status_says() {
    fieldgate status --json 2>/dev/null | grep -Eq "$1"
}

publish() { # COUNT
    seq "$1" | mosquitto_pub -h localhost -q 1 -u shed -P node-password -t plants/shed/air -l
}

rows_are() {
    [ "$(mariadb --skip-column-names --execute 'SELECT COUNT(*) FROM field.readings')" = "$1" ]
}

waiting_are() {
    status_says "\"waiting\":$1,"
}

# install FILE
install() {
    said=$(dpkg --install "/shared/$1" 2>&1) || fail "$1 cannot be installed: $said"
}

unconfigured() {
    install fieldgate.deb
    await "unconfigured: it runs and is ready" shows ActiveState active
    await "unconfigured: its status names what is in the way" status_line 'localhost.*Connection refused.*is away'
    expect "unconfigured: its status says what to do" \
        status_line "to set it up: .* $settings, .*fieldgate check.*fieldgate db schema"
    expect "unconfigured: so does its journal" journal_says "to set it up: "
    expect "unconfigured: the shipped settings have no problems" quietly fieldgate check
    expect "the groups of the devices are there" quietly getent group gpio i2c
    expect "manual page and completion are there" \
        quietly ls /usr/share/man/man1/fieldgate.1.gz /usr/share/bash-completion/completions/fieldgate
}

status_line() {
    systemctl status fieldgate --no-pager --full --lines 0 | grep -Eq "Status: .*$1"
}

journal_says() {
    journalctl --unit fieldgate --no-pager | grep -q "$1"
}

quietly() {
    "$@" >/dev/null
}

wrong_settings() {
    cp --preserve=all "$settings" "$settings.good"
    echo 'nonsense = 1' >>"$settings"
    systemctl restart fieldgate 2>/dev/null || true
    await "wrong settings: it ends with 78" shows ExecMainStatus 78
    expect "wrong settings: and is not started again" shows NRestarts 0
    expect "wrong settings: the journal names the line" journal_says "$settings:.*nonsense"
    mv "$settings.good" "$settings"
}

# As examples/mosquitto.conf, README.md and the annotations of the settings say.
configure() {
    cp /usr/share/doc/fieldgate/examples/mosquitto.conf /etc/mosquitto/conf.d/fieldgate.conf
    mosquitto_passwd -b -c /etc/mosquitto/fieldgate.passwd fieldgate broker-password
    mosquitto_passwd -b /etc/mosquitto/fieldgate.passwd shed node-password
    chown mosquitto: /etc/mosquitto/fieldgate.passwd
    expect "examples/mosquitto.conf: mosquitto takes it" systemctl restart mosquitto
    systemctl start mariadb
    fieldgate db schema | sed "s/'choose a password'/'database-password'/" | mariadb || fail "the schema is refused"
    mkdir -p --mode 700 /etc/credstore
    (umask 077 && echo database-password >/etc/credstore/fieldgate.mysql-password)
    (umask 027 && echo broker-password >/etc/fieldgate/mqtt-password)
    chgrp fieldgate /etc/fieldgate/mqtt-password
    sed -i '/^\[\[mqtt]]/,$ { s/^#\(user = \)/\1/; s/^#\(password_file = .*mqtt-password\)/\1/ }' "$settings"
    expect "configured: fieldgate check finds no problems" quietly fieldgate check
    systemctl restart fieldgate
}

# Before the first subscription a broker has nobody to keep messages for, and MQTT 5 says so: RC:16.
first_reading_is_taken() {
    mosquitto_pub -V mqttv5 -d -h localhost -q 1 -u shed -P node-password -t plants/shed/air -m 0 | grep -q 'RC:0)'
}

configured() {
    await "configured: the first reading has somebody to go to" first_reading_is_taken
    publish 19
    await "configured: 20 readings became 20 rows" rows_are 20
    expect "configured: it is ready, with the watchdog on" shows WatchdogUSec 30s
    expect "configured: the clock's quality is shown" status_says '"quality":"(Synced|Holdover|Unset)"'
}

# Whether the kernel says so or not: with a clock that is not synchronised, status shows the same for "it says no" and
# for "it may not be asked". So a program that asks runs in the service's place.
clock_may_be_asked() {
    case $(uname -m) in
        x86_64) adjtimex=159 ;;
        aarch64) adjtimex=171 ;;
        *) adjtimex=124 ;;
    esac
    echo "\$timex = \"\\0\" x 256; exit(syscall($adjtimex, \$timex) < 0)" >/run/ask-clock.pl
    sed 's|^Type=.*|Type=oneshot|; s|^ExecStart=.*|ExecStart=/usr/bin/perl /run/ask-clock.pl|; /^Restart/d' \
        /lib/systemd/system/fieldgate.service >/run/systemd/system/ask-clock.service
    systemctl daemon-reload
    expect "inside the sandbox: the kernel may be asked how good its clock is" systemctl start ask-clock
    sed -i '/adjtimex/d' /run/systemd/system/ask-clock.service
    systemctl daemon-reload
    expect "inside the sandbox: only because the unit allows it" refused systemctl start ask-clock
}

refused() {
    ! "$@" 2>/dev/null
}

sandbox() {
    pid=$(systemctl show fieldgate --property MainPID --value)
    for line in 'CapEff:.0000000000000000' 'CapBnd:.0000000000000000' 'NoNewPrivs:.1' 'Seccomp:.2'; do
        expect "inside the sandbox: $line" grep -q "^$line$" "/proc/$pid/status"
    done
    expect "inside the sandbox: it is the user fieldgate" [ "$(stat --format %U "/proc/$pid")" = fieldgate ]
    for folder in /usr /etc/fieldgate /var; do
        ! nsenter --target "$pid" --mount touch "$folder/written" 2>/dev/null || fail "$folder can be written to"
        say "inside the sandbox: $folder is read-only"
    done
    exposure=$(systemd-analyze security fieldgate --no-pager | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    expect "exposure $exposure is at most 2.1" awk "BEGIN { exit !(\"$exposure\" != \"\" && $exposure <= 2.1) }"
}

upgrade() {
    systemctl stop mariadb
    publish 30
    await "upgrade: 30 readings wait in the queue" waiting_are 30
    install fieldgate+1.deb
    expect "upgrade: the later version is installed" [ "$(dpkg-query --show --showformat '${Version}' fieldgate)" != "$before" ]
    await "upgrade: it runs, and the 30 still wait" waiting_are 30
    expect "upgrade: the settings are the user's" grep -q '^user = "fieldgate"$' "$settings"
    systemctl start mariadb
    await "upgrade: all 50 are rows" rows_are 50
    expect "upgrade: fieldgate db reconcile finds nothing lost or doubled" reconciled
}

# The auditor needs the password; the service's own is in its credential.
reconciled() {
    systemd-run --quiet --pipe --wait --property LoadCredential=fieldgate.mysql-password --uid fieldgate \
        fieldgate db reconcile >/dev/null
}

# A pseudo terminal in the place of an adapter: the unit's device policy lets both through.
serial() {
    cp --preserve=all "$settings" "$settings.good"
    echo 'while echo "{\"level\": 20.5}"; do sleep 0.2; done' >/run/silo-node
    socat pty,link=/run/silo,rawer,user=fieldgate,mode=600 exec:'sh /run/silo-node' &
    node=$!
    printf '\n[[serial]]\nport = "/run/silo"\nnode = "silo"\n' >>"$settings"
    expect "serial: fieldgate check finds no problems" quietly fieldgate check
    systemctl restart fieldgate
    await "inside the sandbox: lines from a serial port become rows" has_rows_of silo
    kill "$node"
    await "serial: a port that goes away is said" status_says '"name":"/run/silo","connected":false'
    mv "$settings.good" "$settings"
    systemctl restart fieldgate
    await "serial: all that came is in the database" waiting_are 0
}

has_rows_of() {
    [ "$(mariadb --skip-column-names --execute "SELECT COUNT(*) > 0 FROM field.readings JOIN field.channels USING (channel_id) WHERE node = '$1' AND value = 20.5")" = 1 ]
}

removed() {
    systemctl stop mariadb
    publish 7
    await "remove: 7 readings wait" waiting_are 7
    expect "so far it was not started again by itself" shows NRestarts 0
    dpkg --remove fieldgate >/dev/null 2>&1 || fail "the package cannot be removed"
    expect "remove: settings and queue stay" [ -e "$settings" -a -d "$state/queue" ]
    expect "remove: the program is gone" [ ! -e /usr/bin/fieldgate ]
    purged "with 7 readings that no database has"
}

purged() {
    said=$(dpkg --purge fieldgate 2>&1) || fail "the package cannot be purged: $said"
    case $said in
        *"$1"*) say "purge: it says \"$1\"" ;;
        *) fail "purge says: $said" ;;
    esac
    expect "purge: settings and queue are gone" [ ! -e "$settings" -a ! -e "$state" ]
}

purged_after_a_kill() {
    install fieldgate.deb
    await "installed again: it runs" shows ActiveState active
    systemctl kill --signal KILL fieldgate
    await "killed: it is started again by itself" shows NRestarts 1
    await "killed: it runs again" shows ActiveState active
    systemctl kill --signal KILL fieldgate
    await "killed again: it is down" shows ActiveState activating
    purged "how many readings in it no database has is not known"
}

trap 'fail "a command failed"' EXIT
# Debian starts both at boot, and the database at any connection.
systemctl --quiet mask --runtime --now mariadb.socket
systemctl stop mariadb mosquitto
unconfigured
before=$(dpkg-query --show --showformat '${Version}' fieldgate)
wrong_settings
configure
configured
sandbox
clock_may_be_asked
upgrade
serial
removed
purged_after_a_kill
trap - EXIT
