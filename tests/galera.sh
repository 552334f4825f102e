#!/bin/sh
# What turns the MariaDB servers of the rigs into members of a Galera cluster.
#   sh tests/galera.sh fetch FOLDER  sees to it that it is in FOLDER: if not, fetches the packages that hold it from
#                                    where this machine has its own packages, and takes the few files out of them.
#                                    Nothing is installed, and the system's own package lists stay as they are.
set -eu

[ "${1:-}" = fetch ] && [ -n "${2:-}" ] || { echo "usage: sh tests/galera.sh fetch FOLDER" >&2 && exit 2; }
folder=$2

give_up() {
    [ ! -s "${work:-/nonexistent}/log" ] || cat "$work/log" >&2
    echo "galera: $1" >&2
    exit 1
}

# apt with the sources of this machine, and with lists and a cache of its own.
own() {
    apt-get --quiet=2 -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
        -o Acquire::Retries=2 -o Debug::NoLocking=true "$@" >"$work/log" 2>&1
}

# The cluster's library, the scripts that bring a new member the data of another one, and rsync, which they do it with.
fetch() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages" "$work/root" "$work/galera/bin" \
        "$work/galera/lib"
    own update || give_up "the package lists cannot be fetched"
    (cd "$work/packages" && own download galera-4 mariadb-server rsync libpopt0) ||
        give_up "the packages cannot be fetched"
    for package in "$work"/packages/*.deb; do
        dpkg --extract "$package" "$work/root"
    done
    for program in rsync wsrep_sst_common wsrep_sst_rsync; do
        take "usr/bin/$program" bin
    done
    take usr/lib/galera/libgalera_smm.so lib
    take "$(cd "$work/root" && find usr/lib -name libpopt.so.0)" lib
}

take() {
    cp --dereference "$work/root/$1" "$work/galera/$2/" || give_up "the packages hold no $1"
}

if [ -d "$folder" ]; then
    exit 0
fi
{ command -v apt-get && command -v dpkg; } >/dev/null || give_up "fetching it needs Debian's apt-get"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# apt may fetch as a user of its own.
chmod 755 "$work"

echo "galera: fetching what a Galera cluster needs into $folder" >&2
fetch

# Whole or not at all.
mkdir -p "$(dirname "$folder")"
rm -rf "$folder.new"
mv "$work/galera" "$folder.new"
mv "$folder.new" "$folder"
