#!/bin/sh
# Installs what the tests use and this machine does not have. Only on Debian and its kin, only as root.
set -eu

# Debian 12's own Rust is too old, and where another comes from is the person's choice.
if ! command -v cargo >/dev/null 2>&1; then
    echo 'THERE IS NO RUST: install 1.90 or newer, see https://rustup.rs, and open a new shell' >&2
    exit 1
fi

missing=
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] || missing="$missing $2"
}

need debootstrap debootstrap
need systemd-nspawn systemd-container
need ip iproute2
need sshd openssh-server
need ssh openssh-client
need nsenter util-linux
need apt-ftparchive apt-utils
need tmux tmux
# Login shells that users of a host have.
need zsh zsh
need fish fish
need tcsh tcsh
need mksh mksh
need busybox busybox
need strace strace
need shellcheck shellcheck
need cc gcc
# gcc alone brings no headers.
[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"

if [ -z "$missing" ]; then
    echo "all there"
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "NOT INSTALLED:$missing (needs root and apt-get); what uses it will be skipped, and will say so"
    exit 0
fi
echo "installing:$missing"
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
