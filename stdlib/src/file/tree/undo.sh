# Takes a placed tree back, as far as it is proven to be ours. Arguments: its staging folder, the tree, and the sizes of the first
# four of five lists on standard input, whose items end with NUL (those of the fourth with a newline): files and links to remove,
# files and links to put back, folders to remove (`.` is the tree), how the first two were seen, and `INODE MODE OWNER PATH` of
# rights to give back. Prints the folders that stay, since something is in them. Ends with 76 where somebody else was faster.
set -e
stage=$1 to=$2 folder=${1%/*}
umask 077
mkdir -p "$stage"
head -c "$3" >"$stage/removed"
head -c "$4" >"$stage/restored"
head -c "$5" >"$stage/folders"
head -c "$6" >"$stage/seen"
cat >"$stage/rights"
is_seen() {
    [ "$(cd "$1" && xargs -0 stat -c '%i %a %u %g %s %.9Y' -- <"$stage/both" 2>/dev/null)" = "$(cat "$stage/seen")" ]
}
old=$stage/old
if ! [ -d "$old" ]; then old=$stage/links; fi
if [ -d "$to" ]; then
    cd "$to"
    cat "$stage/removed" "$stage/restored" >"$stage/both"
    if [ -s "$stage/both" ]; then
        is_seen "$to" || exit 76
        # A folder in the tree that leads elsewhere is none of it.
        xargs -0 sh -c '
            to=$(cd -P -- "$1" && pwd -P) || exit 255
            shift
            for one do
                case $one in */*) [ "$(cd -P -- "$to/${one%/*}" 2>/dev/null && pwd -P)" = "${to%/}/${one%/*}" ] || exit 255 ;; esac
            done' sh "$to" <"$stage/both" || exit 76
        rm -rf -- "$stage/gone"
        mkdir "$stage/gone"
        linked=yes
        xargs -0 cp -P --link --parents -t "$stage/gone" -- <"$stage/both" 2>/dev/null || linked=no
        if [ "$linked" = yes ]; then is_seen "$stage/gone" || exit 76; fi
        xargs -0 -r sh -c '
            old=$1 to=$2 back=$3 gone=$4 linked=$5
            shift 5
            for one do
                [ "$linked" = no ] || [ "$(stat -c %d:%i -- "$to/$one")" = "$(stat -c %d:%i -- "$gone/$one")" ] || exit 255
                rm -f -- "$back"
                ln -P -T -- "$old/$one" "$back" 2>/dev/null || cp -a -T -- "$old/$one" "$back" || exit 255
                mv -fT -- "$back" "$to/$one" || exit 255
            done' sh "$old" "$to" "$stage/back" "$stage/gone" "$linked" <"$stage/restored" || exit 76
        xargs -0 -r sh -c '
            to=$1 gone=$2 linked=$3
            shift 3
            for one do
                [ "$linked" = no ] || [ "$(stat -c %d:%i -- "$to/$one")" = "$(stat -c %d:%i -- "$gone/$one")" ] || exit 255
                rm -f -- "$to/$one" || exit 255
            done' sh "$to" "$stage/gone" "$linked" <"$stage/removed" || exit 76
        # What was written to in place until now goes back with what was written.
        if [ "$linked" = yes ] && ! is_seen "$stage/gone"; then
            xargs -0 sh -c '
                seen=$1 from=$2 to=$3
                shift 3
                for one do
                    now=$(stat -c "%i %a %u %g %s %.9Y" -- "$from/$one")
                    grep -qxF -- "$now" "$seen" || mv -fT -- "$from/$one" "$to/$one" || exit 255
                done' sh "$stage/seen" "$stage/gone" "$to" <"$stage/both"
            exit 76
        fi
    fi
    if [ -s "$stage/folders" ]; then
        xargs -0 sh -c '
            to=$1
            shift
            for one do
                place=$to/$one
                if [ "$one" = . ]; then place=$to; fi
                rmdir -- "$place" 2>/dev/null || ! [ -d "$place" ] || printf "%s\0" "$one"
            done' sh "$to" <"$stage/folders"
    fi
    if [ -s "$stage/rights" ]; then
        xargs -0 sh -c '
            for item do
                inode=${item%% *} item=${item#* }
                mode=${item%% *} item=${item#* }
                owner=${item%% *} path=${item#* }
                if [ -L "$path" ] || ! { [ -f "$path" ] || [ -d "$path" ]; }; then exit 255; fi
                exec 7<"$path"
                [ "$(stat -L -c %i /proc/self/fd/7)" = "$inode" ] && [ "$(readlink /proc/self/fd/7)" = "$(pwd -P)/${path#./}" ] || exit 255
                [ "$owner" = - ] || chown -- "$owner" /proc/self/fd/7 || exit 255
                chmod "$mode" /proc/self/fd/7 || exit 255
            done' sh <"$stage/rights"
    fi
fi
rm -rf -- "$stage"
rmdir "$folder" "${folder%/*}" 2>/dev/null || :
