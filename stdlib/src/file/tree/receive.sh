# Receives a tar stream into a staging folder that nobody else can read and prints what arrived. Arguments: the
# folder of the run's kept files, the name of this change in it, the tree.
LC_ALL=C
export LC_ALL
umask 077
folder=$1 stage=$1/$2
own_stage || exit
# What an attempt that was cut off left of the same tree.
for stale in "$folder"/*.tree; do
    if [ -d "$stale/new" ] && [ "$(readlink "$stale/to")" = "$3" ]; then
        rm -rf -- "$stale/new" "$stale/linking" "$stale/copying"
    fi
done
# What is ours, before it gets its place.
write_down() {
    read -r boot </proc/sys/kernel/random/boot_id
    file_system_of .
    find . -print0 >"$stage/names" && printf '%s %s\0' "$boot" "$fs" >"$stage/made" &&
        xargs -0 stat --printf '%i %.9W %d\0%n\0' -- <"$stage/names" >>"$stage/made" &&
        dd if=/dev/null of="$stage/made" oflag=append conv=notrunc,fsync status=none
}
mkdir "$stage" "$stage/new" && ln -s "$3" "$stage/to" || exit
trap 'rm -rf -- "$stage"; exit 143' HUP INT TERM
# Of attributes only those that mean nothing to the system: a capability is a right that no plan has shown.
tar -x -p -b 128 --numeric-owner --xattrs --xattrs-include=user.* -C "$stage/new" -f - && { sync -f "$stage/new" 2>/dev/null || sync; } && cd "$stage/new" && write_down &&
    exec find . -printf '%y %m %U %G %s %T@ %D %i\0%P\0%l\0'
status=$?
rm -rf -- "$stage"
exit $status
