#!/bin/sh
# A MySQL server for the rigs.
#   sh tests/mysql.sh find FOLDER    prints the path of a mysqld: the one that MYSQLD names, or one fetched into FOLDER, or an
#                                    installed one. Without any it prints nothing and fails.
#   sh tests/mysql.sh fetch FOLDER   the same, and without any fetches a server of Debian's unstable distribution: its
#                                    programs and the libraries they need are unpacked into FOLDER and run from there.
#                                    Nothing is installed, and the system's own package lists stay as they are.
set -eu

verb=$1
folder=$2

# MariaDB puts a program of this name beside its own.
is_mysql() {
    [ -x "$1" ] && "$1" --no-defaults --version 2>/dev/null | grep -v MariaDB | grep -q Ver
}

find_server() {
    if [ -n "${MYSQLD:-}" ]; then
        is_mysql "$MYSQLD" || { echo "mysql: MYSQLD=$MYSQLD is not a MySQL server" >&2 && return 1; }
        echo "$MYSQLD"
        return
    fi
    for candidate in "$folder/mysqld" "$(command -v mysqld || true)" /usr/sbin/mysqld; do
        if is_mysql "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

give_up() {
    [ ! -s "${work:-/nonexistent}/log" ] || cat "$work/log" >&2
    echo "mysql: $1" >&2
    exit 1
}

# The apt sources of this machine say where it has Debian from.
find_mirror() {
    sed -nE 's#^(URIs: *|deb +(\[[^]]*\] +)?)([a-z]+://[^ ]+/debian/?)( .*)?$#\3#p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1
}

# apt with lists, a status and a cache of its own.
sid() {
    apt-get --quiet=2 \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::Etc::Preferences=- -o Dir::Etc::PreferencesParts=- \
        -o Dir::State="$work" -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work" -o Dir::Cache::Archives="$work/archives" \
        -o APT::Install-Recommends=false -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
        -o Acquire::Retries=2 -o Debug::NoLocking=true "$@" >"$work/log" 2>&1
}

# Unpacks the server, its client and every library they need, down to the C library, into $work/root.
fetch() {
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(find_mirror)
    [ -n "$mirror" ] || give_up "the apt sources of this machine name no Debian archive"
    [ -e "$keyring" ] || give_up "$keyring is not here (package debian-archive-keyring)"
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
    : >"$work/status"
    echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"
    sid update || give_up "the package lists cannot be fetched"
    # With no package installed, all that they need comes along.
    sid --yes --download-only install mysql-server-core mysql-client-core || give_up "the packages cannot be fetched"
    for package in "$work"/archives/*.deb; do
        dpkg --extract "$package" "$work/root"
    done
    # Nobody reads them here.
    rm -rf "$work/root/usr/share/doc" "$work/root/usr/share/man" "$work/root/usr/share/locale"
}

# A program beside the folders, started by the loader that came with it, so that it finds the libraries that came with it.
wrap() {
    program=$1
    shift
    [ -x "$work/root/$program" ] || give_up "the packages hold no $program"
    libraries=$(cd "$work/root" && find usr -name libc.so.6 | head -n 1)
    libraries=${libraries%/libc.so.6}
    loader=$(cd "$work/root" && find "$libraries" -name 'ld-linux*' | head -n 1)
    {
        echo '#!/bin/sh'
        echo 'root=$(cd "$(dirname "$0")" && pwd -P)'
        echo "exec \"\$root/$loader\" --library-path \"\$root/$libraries\" --argv0 \"\$root/$program\" \\"
        echo "    \"\$root/$program\" \"\$@\" $*"
    } >"$work/root/$(basename "$program")"
    chmod 755 "$work/root/$(basename "$program")"
}

if found=$(find_server); then
    echo "$found"
    exit 0
fi
[ "$verb" = fetch ] || exit 1
[ -z "${MYSQLD:-}" ] || exit 1
{ command -v apt-get && command -v dpkg; } >/dev/null || give_up "fetching a server needs Debian's apt-get"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# apt may fetch as a user of its own.
chmod 755 "$work"

echo "mysql: fetching a MySQL server into $folder" >&2
fetch
wrap usr/bin/mysql
wrap usr/sbin/mysqld '--basedir="$root/usr"' '--plugin-dir="$root/usr/lib/mysql/plugin"' \
    '--lc-messages-dir="$root/usr/share/mysql"' '--character-sets-dir="$root/usr/share/mysql/charsets"'

# Whole or not at all.
mkdir -p "$(dirname "$folder")"
rm -rf "$folder" "$folder.new"
mv "$work/root" "$folder.new"
mv "$folder.new" "$folder"
is_mysql "$folder/mysqld" || give_up "the fetched server does not start here"
echo "$folder/mysqld"
