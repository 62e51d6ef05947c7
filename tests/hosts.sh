#!/bin/sh
# Builds the image of the lab's hosts where it is not cached, by bringing one host up and down again.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: making hosts needs root; tests that use them will be skipped, and will say so"
    exit 0
fi
folder=$(mktemp -d)
lab() { cargo run --locked -q -p haengine -- lab "$1" --name image -i "$folder/one.yaml"; }
trap 'lab down; rm -rf "$folder"' EXIT
cat >"$folder/one.yaml" <<'YAML'
defaults: { identity_file: id_ed25519, known_hosts: known_hosts }
hosts: { one: { address: 192.168.2.10 } }
YAML
lab up
