#!/bin/sh
# Looks with libFuzzer for bytes that haengine does not bear: run.sh CACHE SECONDS, so long for each target. What it
# found earlier lies in CACHE, and is where it begins, beside the examples that the test `hostile` mutates.
set -eu
cd "$(dirname "$0")/../.."
cache=$1 seconds=$2 version=0.13.2
PATH=$PATH:$cache/tools/bin

skip() {
    echo "NOT FUZZED: $1" >&2
    exit 0
}

command -v c++ >/dev/null 2>&1 || skip 'libFuzzer needs a C++ compiler (Debian: apt-get install g++)'
echo 'fn main() {}' | rustc -Cpasses=sancov-module --emit=obj -o /dev/null - 2>/dev/null ||
    skip "$(rustc --version) does not instrument"
if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $version" ]; then
    echo "building cargo-fuzz $version (the first time: a minute)"
    export CARGO_TARGET_DIR="$cache/tools/target"
    cargo install --quiet --locked --debug --force --root "$cache/tools" cargo-fuzz@$version
    unset CARGO_TARGET_DIR
    rm -rf "$cache/tools/target"
fi

# The versions that haengine has.
cp Cargo.lock tests/fuzz/Cargo.lock
cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none --target-dir "$cache/fuzz/target"

failed=
for source in tests/fuzz/targets/*.rs; do
    target=$(basename "$source" .rs)
    program=$(echo "$cache"/fuzz/target/*/release/"$target")
    mkdir -p "$cache/fuzz/corpus/$target" "$cache/fuzz/found"
    echo "fuzzing $target for $seconds s"
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=400 -max_len=65536 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="$cache/fuzz/found/$target-" \
        "$cache/fuzz/corpus/$target" "tests/fixtures/hostile/$target" || failed="$failed $target"
done
[ -z "$failed" ] || echo "FOUND SOMETHING:$failed: see $cache/fuzz/found" >&2
[ -z "$failed" ]
