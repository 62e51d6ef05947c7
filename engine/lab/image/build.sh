#!/bin/sh
# Builds the root folder of the lab's hosts: build.sh ROOT FILES DEBS SUITE MIRROR PACKAGES REPOSITORY
# (three folders: the result, what is copied into it, a cache of packages; a Debian suite and its mirror;
# two lists of packages with commas).
# It runs in mount and pid namespaces of its own, so that nothing of it outlives a build that is killed.
set -eu
root=$1 files=$2 debs=$3 suite=$4 mirror=$5 packages=$6 repository=$7
eval "$(apt-config shell http_proxy Acquire::http::Proxy 2>/dev/null || true)"
[ -z "${http_proxy:-}" ] || export http_proxy

debootstrap --variant=minbase --cache-dir="$debs" --include="$packages" "$suite" "$root" "$mirror"

# The folders of the image keep their own modes.
tar -C "$files" -c . | tar -C "$root" -x --no-overwrite-dir --no-same-owner

# Package scripts must not start a service while the image is made.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
REPOSITORY=$repository chroot "$root" /bin/sh -eu /var/lib/haengine-lab/setup.sh
umount "$root/proc"
rm -rf "$root/var/lib/haengine-lab/setup.sh" "$root/var/lib/haengine-lab/images.sh"
