# Makes a folder. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce, $6 mode,
# $7 owner:group or empty, $8 "exact" when the recipe names the mode, $9 how many folders above it are made too.
# A folder gets its own name at once, and mode and owner from within: by its name somebody else's could be meant.
mode=$6 owner=$7 exact=$8 above=$9
# Makes $1 and goes into it; $2 is what it is written down as.
make() {
    case $1 in /*/*) cd -P -- "${1%/*}" ;; *) cd / ;; esac || exit 71
    at=$(pwd -P) || exit 71
    said=$(mkdir -m 700 -- "./${1##*/}" 2>&1) || {
        if [ -d "$1" ]; then return 1; fi
        echo "$said" >&2
        exit 71
    }
    cd -P -- "./${1##*/}" && [ "$(pwd -P)" = "${at%/}/${1##*/}" ] || exit 71
    record "$2" . || exit 75
}
home || exit 75
beside=.
rm -f -- "$made"
while [ "$above" -gt 0 ]; do
    level=$path left=$above
    while [ "$left" -gt 0 ]; do level=${level%/*} left=$((left - 1)); done
    # One that somebody else has made meanwhile serves as well.
    if make "$level" "$above"; then chmod -- 755 . || exit 71; fi
    above=$((above - 1))
done
if ! make "$path" 0; then
    rm -f -- "$made"
    exit 76
fi
if [ -n "$owner" ]; then chown -- "$owner" . || exit 72; fi
# Four digits leave the set-group-id bit that the folder above hands down.
if [ "$exact" != exact ]; then mode=${mode#0}; fi
chmod -- "$mode" . || exit 71
