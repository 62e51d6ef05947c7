# Puts the enablement of a unit back. $1: the unit; $2: 1 to disable it where nothing tells which links the run made; $3: the record of
# these; $4: 1 where there would be one if the unit had been enabled; then links as they were, with their targets. A link without a target
# is a folder. Prints `left PATH WHY` for each link that is somebody else's; each token ends with NUL.
unit=$1 disable=$2 record=$3 recorded=$4
shift 4
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
changed=
is_ours() { [ "$(TZ=UTC stat -c '%i %w' -- "$2" 2>/dev/null)" = "$1" ]; }
if [ -f "$record" ] && [ "$(tail -n 1 "$record")" = end ]; then
    tab=$(printf '\t')
    while IFS=$tab read -r kind proof path; do
        if [ "$kind" = link ] && [ -L "$path" ] && is_ours "$proof" "$path"; then rm -f -- "$path" && changed=1; fi
    done <"$record"
    while IFS=$tab read -r kind proof path; do
        if [ "$kind" = folder ] && [ ! -L "$path" ] && is_ours "$proof" "$path"; then rmdir -- "$path" 2>/dev/null && changed=1; fi
    done <"$record"
elif grep -q '^was' "$record" 2>/dev/null; then
    tab=$(printf '\t')
    while IFS=$tab read -r kind target path; do
        if [ "$kind" = was ] && [ ! -L "$path" ]; then
            mkdir -p -- "${path%/*}" && ln -s -- "$target" "$path" || exit
            changed=1
        fi
    done <"$record"
elif [ "$disable" = 1 ] && { [ "$recorded" != 1 ] || [ -f "$record" ]; }; then
    systemctl -q disable -- "$unit" || exit
fi
was=' '
if [ -s "$record" ]; then was=" $(sed -n 's/^was\t[^\t]*\t//p' "$record" | tr '\n' ' ')"; fi
while [ $# -gt 1 ]; do
    was="$was$1 "
    if [ -z "$2" ]; then
        mkdir -p -- "$1" || exit
    elif [ ! -L "$1" ]; then
        mkdir -p -- "${1%/*}" && ln -s -- "$2" "$1" || exit
        changed=1
    fi
    shift 2
done
if [ -n "$changed" ]; then systemctl daemon-reload || exit; fi
names=$(systemctl show -p Names -- "$unit")
for path in /etc/systemd/system/* /etc/systemd/system/*/*; do
    case " ${names#Names=} " in
    *" ${path##*/} "*) ;;
    *) continue ;;
    esac
    case $was in *" $path "*) continue ;; esac
    if [ -L "$path" ]; then printf 'left\0%s\0somebody else made it: the unit starts by it\0' "$path"; fi
done
