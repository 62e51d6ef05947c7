# Makes an archive of container images, because hosts of the lab reach no registry: images.sh ARCHIVE
# One image with two names: `pause:lab`, which holds a pod together, and `busybox:lab`, for tests to run in one.
archive=$1
work=$(mktemp -d)
mkdir -p "$work/root/bin" "$work/root/tmp" "$work/image" "${archive%/*}"
chmod 755 "$work" "$work/root"
cd "$work"
apt-get -q download busybox-static
dpkg-deb -x busybox-static_*.deb deb
cp deb/bin/busybox root/bin/busybox
for applet in $(root/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "root/bin/$applet"
done
tar -C root --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf image/layer.tar .
layer=$(sha256sum image/layer.tar | cut -d ' ' -f 1)
wait="trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"
cat > image/config.json <<JSON
{"architecture": "$(dpkg --print-architecture)", "os": "linux",
 "config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/sh", "-c", "$wait"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]}}
JSON
echo '[{"Config": "config.json", "RepoTags": ["pause:lab", "busybox:lab"], "Layers": ["layer.tar"]}]' > image/manifest.json
tar -C image --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$archive" .
rm -rf "$work"
