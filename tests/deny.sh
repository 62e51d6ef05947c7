#!/bin/sh
# Checks the licences, sources and known faults of what haengine is built from: deny.sh CACHE
set -eu
cd "$(dirname "$0")/.."
version=0.20.2
PATH=$PATH:$1/tools/bin

if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $version" ]; then
    echo "building cargo-deny $version (the first time: some minutes)"
    # Unoptimised it is built in half the time, and quick enough.
    export CARGO_TARGET_DIR="$1/tools/target"
    cargo install --quiet --locked --debug --force --root "$1/tools" cargo-deny@$version
    unset CARGO_TARGET_DIR
    rm -rf "$1/tools/target"
fi

cargo fetch --quiet --locked
check() { cargo deny --workspace --frozen --config .deny.toml check "$@"; }

check licenses bans sources

database=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs
if [ -n "$(find "$database" -mindepth 2 -name '*.md' -print -quit 2>/dev/null)" ]; then
    check advisories
else
    echo "NOT CHECKED: advisories, for their database is not in $database (\`cargo deny fetch db\` brings it)" >&2
fi
