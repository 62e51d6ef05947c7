# Tells what is where a copy placed something, and what the run's copies wrote down. Arguments: its staging folder, the tree.
# Prints the boot and the file system, then `INODE BIRTH DEVICE` and the path of each thing; behind an empty item the same as each
# copy of the run wrote it down: a later attempt may have placed it again.
stage=$1 to=$2
[ -e "$stage/made" ] || exit 0
near=$to
while [ -n "$near" ] && ! [ -d "$near" ]; do near=${near%/*}; done
read -r boot </proc/sys/kernel/random/boot_id
file_system_of "${near:-/}"
printf '%s %s\0' "$boot" "$fs"
if [ -d "$to" ]; then
    (cd "$to" && xargs -0 -r stat --printf '%i %.9W %d\0%n\0' -- <"$stage/names" 2>/dev/null)
fi
for made in "${stage%/*}"/*.tree/made; do
    if [ "$(readlink "${made%/made}/to")" = "$to" ]; then
        printf '\0'
        cat "$made"
    fi
done
exit 0
