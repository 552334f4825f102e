#!/bin/sh
# Builds the Debian package for this machine's architecture: target/deb/fieldgate_VERSION_ARCH.deb. `make deb` calls it.
# With VERSION_SUFFIX=+1 the package says VERSION+1, for trying upgrades.
set -eu
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/deb"
out=$(cd "$target/deb" && pwd)
stage=$out/stage

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | sed 1q)
packaged=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
if [ "$version" != "$packaged" ]; then
    echo "deb: Cargo.toml says $version and packaging/debian/changelog says $packaged; make them equal" >&2
    exit 1
fi
full=$version${VERSION_SUFFIX:-}
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH

# The same bytes wherever the tree lies. Other flags mean another build: a folder of its own spares the usual one.
build_program() {
    flags="--remap-path-prefix=$PWD=/usr/src/fieldgate --remap-path-prefix=$out=/usr/src/fieldgate/target"
    flags="$flags --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/usr/src/cargo"
    RUSTFLAGS="${RUSTFLAGS:-} $flags" \
        cargo build --locked --release --package fieldgate --bin fieldgate --target-dir "$out/cargo"
}

write_pages() {
    cargo run --quiet --locked --package fieldgate --example man_and_completion -- "$stage/man"
    mkdir "$stage/completions"
    mv "$stage/man/fieldgate.bash" "$stage/completions/fieldgate"
}

# Everything that debhelper packs lies in one folder, so that the tree stays clean.
lay_out() {
    rm -rf "$stage"
    mkdir -p "$stage/man"
    cp -R packaging/debian packaging/schema packaging/examples packaging/fieldgate.toml "$stage"
    mkdir "$stage/pages"
    cp README.md ARCHITECTURE.md CHANGELOG.md "$stage/pages"
    cp "$out/cargo/release/fieldgate" "$stage"
    sed -i "1s/($version)/($full)/" "$stage/debian/changelog"
}

pack() {
    if ! (cd "$stage" && dpkg-buildpackage --build=binary --no-sign) >"$out/pack.log" 2>&1; then
        cat "$out/pack.log" >&2
        echo "deb: debhelper failed; the lines above say why" >&2
        exit 1
    fi
}

echo "deb: building the release program"
build_program
lay_out
echo "deb: manual pages and completion, from the program's own command line"
write_pages
echo "deb: packing"
pack
changes=$out/fieldgate_${full}_$(dpkg --print-architecture).changes
package=${changes%.changes}.deb
if command -v lintian >/dev/null 2>&1; then
    echo "deb: lintian"
    # root is who builds in a container; lintian asks for a word about it.
    lintian --allow-root --display-info --pedantic --display-experimental --fail-on error,warning "$changes"
else
    echo "deb: lintian is not installed, so nothing looked for mistakes in the package"
fi
echo "deb: $package"
