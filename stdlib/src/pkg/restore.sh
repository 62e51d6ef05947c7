# Puts places back. $1: what the change has kept; standard input: `r` or `d` and a path each: restore it from there, or
# delete it. Ends with the kept things themselves.
kept=$1
restore() {
    copy=$kept$1
    if [ -d "$copy" ] && [ ! -L "$copy" ]; then
        mkdir -p -- "$1" && chmod --reference="$copy" -- "$1" && chown --reference="$copy" -- "$1"
    elif [ -e "$copy" ] || [ -L "$copy" ]; then
        new=${1%/*}/.${1##*/}.haengine
        rm -rf -- "$new" && cp -a --reflink=auto -- "$copy" "$new" && mv -fT -- "$new" "$1"
    fi
}
tr '\0' '\n' | while IFS= read -r line; do
    case $line in
    r*) restore "${line#r}" || exit ;;
    d*) rm -rf -- "${line#d}" || exit ;;
    esac
done || exit
rm -rf -- "$kept"
