#!/bin/sh
# Installs the Debian package in booted Debian 12 and 13 and tries what its users do: `make field-test`.
# Takes root, for booting machines. RELEASES="trixie" tries that one only.
set -eu
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
    echo "field-test: SKIPPED, NOTHING WAS TRIED: booting machines takes root; run it as root" >&2
    exit 1
fi
sh tests/setup.sh field-test

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/machines" "$target/deb/shared"
cache=$(cd "$target/machines" && pwd)
shared=$(cd "$target/deb/shared" && pwd)
. packaging/test/machine.sh

# The package, and one of a later version for the upgrade; the program in both is the same.
make_packages() {
    version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
    rm -f "$shared"/*
    for suffix in "" +1; do
        VERSION_SUFFIX=$suffix sh packaging/deb.sh
        cp "$target/deb/fieldgate_$version${suffix}_$(dpkg --print-architecture).deb" "$shared/fieldgate$suffix.deb"
    done
    cp packaging/test/inside.sh "$shared"
}

trap shut_down EXIT
trap 'exit 130' INT TERM

make_packages
for release in ${RELEASES:-bookworm trixie}; do
    make_files "$release"
    echo "field-test: Debian $release"
    boot "$release" "$shared"
    inside sh /shared/inside.sh
    shut_down
done
echo "field-test: passed"
echo "not in this run: real serial adapters (a pseudo terminal stands in) and I2C, which such a machine has not; arm64 and armhf"
