#!/bin/sh
# Sees to it that what a target needs is there; the argument says which:
#   tests (or none)  what tests, demo and bench start: MariaDB, mosquitto, setpriv and a C linker; for root, also what
#                    mounts and logs disks
#   soak             what mounts and logs disks, and a C linker
#   build            a C linker
#   deb              what packs the Debian package
#   firmware         what builds the mailbox's firmware and simulates a board
#   field-test       what makes and boots the machines in which the package is installed
# Names what is missing as one apt line, then runs that line. With NO_INSTALL=1 it names the line and fails.
set -eu

purpose=${1:-tests}

# The rigs look there too: a user's PATH often lacks the system folders.
PATH="$PATH:/usr/sbin:/sbin"
export PATH

service=mosquitto.service
packages=""

has() {
    command -v "$1" >/dev/null 2>&1
}

# gcc only recommends the C library's own start files, and nothing links without them.
can_link() {
    has cc && [ -e "$(cc -print-file-name=Scrt1.o)" ]
}

add() {
    packages="$packages $*"
}

find_for_tests() {
    { has mariadbd && has mariadb-install-db; } || add mariadb-server-core
    has mariadb || add mariadb-client-core
    { has mariadb-dump && has mariadb-binlog; } || add mariadb-client
    { has mosquitto && has mosquitto_passwd; } || add mosquitto
    { has mosquitto_pub && has mosquitto_sub; } || add mosquitto-clients
    has setpriv || add util-linux
    # Only root can mount, and what cannot run needs nothing.
    [ "$(id -u)" -ne 0 ] || find_for_soak
}

find_for_soak() {
    has qemu-storage-daemon || add "$(package_of_storage_daemon)"
    has mkfs.ext4 || add e2fsprogs
    { has mount && has losetup; } || add mount
    { has setpriv && has nsenter && has unshare; } || add util-linux
}

# It has moved between two packages.
package_of_storage_daemon() {
    case $(cat /etc/debian_version 2>/dev/null) in
        12* | bookworm*) echo qemu-system-common ;;
        *) echo qemu-utils ;;
    esac
}

find_for_deb() {
    { has dh && has dpkg-buildpackage; } || add debhelper
}

find_for_firmware() {
    has avr-gcc || add gcc-avr
    [ -e /usr/lib/avr/include/avr/io.h ] || add avr-libc
    [ -e /usr/include/simavr/sim_avr.h ] || add libsimavr-dev
    [ -e /usr/include/libelf.h ] || add libelf-dev
}

find_for_field_test() {
    find_for_deb
    has mmdebstrap || add mmdebstrap
    has systemd-nspawn || add systemd-container
    { has nsenter && has unshare; } || add util-linux
    has ps || add procps
}

find_missing() {
    case $purpose in
        tests) find_for_tests ;;
        soak) find_for_soak ;;
        build) ;;
        deb) find_for_deb ;;
        firmware) find_for_firmware ;;
        field-test) find_for_field_test ;;
        *) echo "setup: no such purpose: $purpose" >&2 && exit 2 ;;
    esac
    can_link || add gcc libc6-dev
    packages="${packages# }"
}

# Under systemd, Debian starts a broker on port 1883 as soon as mosquitto is installed, and at every boot. The rigs start
# their own ones, and another broker may have that port. A mask in /run stops the first start and ends with this script,
# or at the next boot if the script is killed; no file of the system is changed, as a policy-rc.d would need.
# Disabling stops the later starts. Without systemd (containers) nothing is started.
hold_service_back() {
    trap let_service_go EXIT
    trap 'exit 130' INT TERM
    $root systemctl --quiet mask --runtime "$service"
}

let_service_go() {
    $root systemctl --quiet unmask --runtime "$service"
    if [ -n "$(systemctl list-unit-files --no-legend "$service")" ]; then
        $root systemctl --quiet disable "$service"
        echo "setup: the mosquitto service is installed but off; systemctl enable --now mosquitto turns it on"
    fi
}

install_missing() {
    case " $packages " in
        *" mosquitto "*) if [ -d /run/systemd/system ]; then hold_service_back; fi ;;
    esac
    # A fresh machine has no package lists yet. The words are split on purpose.
    $root env DEBIAN_FRONTEND=noninteractive apt-get --quiet update
    $root env DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends --yes $packages
}

if ! has cargo; then
    echo "setup: cargo is not here; install Rust 1.88 or newer (https://rustup.rs), then start again" >&2
    exit 1
fi

find_missing
if [ -z "$packages" ]; then
    echo "setup: everything needed is installed"
    exit 0
fi

root=""
if [ "$(id -u)" -ne 0 ] && has sudo; then root="sudo"; fi

echo "setup: missing; this line installs it:"
echo "    ${root:+$root }apt-get install --no-install-recommends --yes $packages"
if [ "${NO_INSTALL:-0}" = 1 ]; then
    echo "setup: NO_INSTALL=1, so nothing was installed; run the line, then start again" >&2
    exit 1
fi
if ! has apt-get || { [ "$(id -u)" -ne 0 ] && [ -z "$root" ]; }; then
    echo "setup: this needs Debian's apt-get and root; install these packages yourself, then start again" >&2
    exit 1
fi
install_missing
