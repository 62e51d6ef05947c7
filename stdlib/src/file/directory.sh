# Makes a folder. $6 mode, $7 owner:group or empty, $8 "exact" when the recipe names the mode, $9 how many folders above it are
# made too. A folder has no second name, so it is renamed, by mv that takes no other's place (RENAME_NOREPLACE). Mode and owner
# are given from within: its name could mean somebody else's by then.
mode=$6 owner=$7 exact=$8 above=$9
# Makes $1, written down as $2, with mode $3 and owner $4; fails where something is there.
make() {
    case $1 in /*/*) cd -P -- "${1%/*}" ;; *) cd / ;; esac || exit 71
    at=$(pwd -P) ours=.haengine-$nonce-$name-$2
    if [ -e "./${1##*/}" ] || [ -L "./${1##*/}" ]; then return 1; fi
    if [ -d "./$ours" ] && [ -O "./$ours" ]; then rmdir -- "./$ours" || exit 71; fi
    mkdir -m 700 -- "./$ours" && cd -P -- "./$ours" && [ "$(pwd -P)" = "${at%/}/$ours" ] || exit 71
    # One that is empty gives nothing away, should somebody have exchanged it.
    if ! [ -O . ] || [ -n "$(ls -A .)" ]; then exit 71; fi
    record "$2" . || exit 75
    if [ -n "$4" ]; then chown -- "$4" . || exit 72; fi
    chmod -- "$3" . || exit 71
    mv -nT -- "${at%/}/$ours" "${at%/}/${1##*/}"
    if [ "${at%/}/${1##*/}" -ef . ]; then return; fi
    rmdir -- "${at%/}/$ours" 2>/dev/null
    return 1
}
home || exit 75
beside=.
clear "$made"
while [ "$above" -gt 0 ]; do
    level=$path left=$above
    while [ "$left" -gt 0 ]; do level=${level%/*} left=$((left - 1)); done
    # One that somebody else has made meanwhile serves as well.
    make "$level" "$above" 755 "" || [ -d "$level" ] || exit 76
    above=$((above - 1))
done
# Four digits leave the set-group-id bit that the folder above hands down.
if [ "$exact" != exact ]; then mode=${mode#0}; fi
make "$path" 0 "$mode" "$owner" || exit 76
