#!/bin/sh
# Builds what the lab's hosts are made from where it is not cached: their image, by bringing one host up and down again,
# and Kubernetes.
#
#   hosts.sh HAENGINE
set -eu
haengine=$1

if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: making hosts needs root; tests that use them will be skipped, and will say so"
    exit 0
fi
folder=$(mktemp -d)
lab() { "$haengine" lab "$1" --name image -i "$folder/one.yaml"; }
trap 'lab down; rm -rf "$folder"' EXIT
cat >"$folder/one.yaml" <<'YAML'
defaults: { identity_file: id_ed25519, known_hosts: known_hosts }
hosts: { one: { address: 192.168.2.10 } }
YAML
lab up
printf '\n==> %s\n' "Kubernetes for the hosts (the first time: it is built, about six minutes)"
"$haengine" lab kubernetes
