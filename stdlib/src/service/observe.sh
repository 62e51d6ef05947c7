# Reads a unit: its state, the stamp of its last start, the files that it is restarted for and the paths that it owns.
# $1: the unit; $2: `enabled`, `disabled` or `-`: the enablement that makes its links uninteresting;
# $3: how many files follow; then the files; then the owned paths. Tokens end with NUL, tables with an empty token.
# shellcheck disable=SC2086 # Without IFS a pattern becomes paths, and no path is split.
unit=$1 wanted=$2 files=$3
shift 3
owned=$(($# - files))
show=$(TZ=UTC LC_ALL=C systemctl show -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,CanReload \
    -p InactiveExitTimestamp,InactiveExitTimestampMonotonic,Names,FragmentPath,DropInPaths -- "$unit") || exit
read -r boot </proc/sys/kernel/random/boot_id
while read -r word booted _; do
    if [ "$word" = btime ]; then break; fi
done </proc/stat
stamp=
if [ -f "/run/haengine/$unit.stamp" ]; then stamp=$(cat "/run/haengine/$unit.stamp"); fi
printf '%s\0%s\0%s\0%s\0' "$show" "$boot" "$booted" "$stamp"

case $show in
*LoadState=not-found*) known=$(systemctl list-unit-files --no-legend --no-pager) ;;
*) known= ;;
esac
printf '%s\0' "$known"

# The links that enable the unit, and folders of such links that are empty: systemctl removes any that it meets.
state=${show#*UnitFileState=} names=${show#*Names=}
if [ "$wanted" != - ] && [ "${state%%"$newline"*}" != "$wanted" ]; then
    for folder in /etc/systemd/system /run/systemd/system /etc/systemd/system/*/ /run/systemd/system/*/; do
        for path in "${folder%/}"/*; do
            if [ -L "$path" ]; then
                case " ${names%%"$newline"*} " in
                *" ${path##*/} "*) printf '%s\0%s\0' "$path" "$(readlink "$path")" ;;
                esac
            elif [ "${path##*/}" = '*' ] && [ -d "$folder" ]; then
                printf '%s\0\0' "${folder%/}"
            fi
        done
    done
fi
printf '\0'

while [ "$files" -gt 0 ]; do
    path=$1 files=$((files - 1))
    shift
    if [ -f "$path" ]; then
        printf 'file\0'
        set -- "$@" "$path"
    elif [ -e "$path" ]; then
        printf 'other\0'
    else
        printf 'absent\0'
    fi
done
printf '\0'

# What is mounted at or below the owned paths, then what is at each of them, or matches it.
places=
left=$owned
for path do
    if [ "$left" = 0 ]; then break; fi
    left=$((left - 1))
    case $path in
    *'*'*) ;;
    *) if mounts "$path"; then places=$places$(printf '%s' "$mounted" | cut -d ' ' -f 1)$newline; fi ;;
    esac
done
printf '%s\0' "$places"
list() {
    for entry do
        if [ -e "$entry" ] || [ -L "$entry" ]; then printf '%s\0' "${entry#"$within"}"; fi
    done
}
while [ "$owned" -gt 0 ]; do
    path=$1 owned=$((owned - 1)) within=
    shift
    case $path in
    *'*'*)
        printf 'matches\0'
        ifs=$IFS IFS=
        list $path
        IFS=$ifs
        ;;
    *)
        if [ -d "$path" ] && [ ! -L "$path" ]; then
            printf 'folder\0'
            within=$path/
            list "$path"/* "$path"/.[!.]* "$path"/..?*
        elif [ -e "$path" ] || [ -L "$path" ]; then
            printf 'there\0'
        else
            printf 'absent\0'
        fi
        ;;
    esac
    printf '\0'
done

# What is left are the files that exist. With what a unit will be started is hashed then.
case $show in
*ActiveState=active* | *ActiveState=reloading*) ;;
*) set -- ;;
esac
if [ $# -gt 0 ]; then
    for file do sha256 "$file" || exit; done
    stat -L -c %Z -- "$@"
fi
