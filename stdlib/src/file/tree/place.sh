# Puts a staged tree into place. Arguments: its staging folder, the tree, `fresh` where the tree is new, and the sizes of the first
# four of five lists on standard input, whose items end with NUL (those of the fourth with a newline): files and links that are
# new, folders that are new as a whole, files and links that give way, how these were seen, and `INODE MODE OWNER PATH` of what
# only changes its rights. Ends with 76 where somebody else was faster and nothing was done, with 79 where something was.
set -e
stage=$1 to=$2
umask 077
# mv takes no other's place (RENAME_NOREPLACE); what it did not move is still where it was.
if [ "$3" = fresh ]; then
    mv -nT -- "$stage/new" "$to" || exit 76
    if [ -e "$stage/new" ]; then exit 76; fi
    exit 0
fi
facts='%i %a %u %g %s %.9Y'
mkdir -p "$stage"
head -c "$4" >"$stage/files"
head -c "$5" >"$stage/folders"
head -c "$6" >"$stage/replaced"
head -c "$7" >"$stage/seen"
cat >"$stage/rights"
is_seen() { [ "$(cd "$1" && xargs -0 stat -c "$facts" -- <"$stage/replaced" 2>/dev/null)" = "$(cat "$stage/seen")" ]; }
cd "$to" || exit 76
# A folder in the tree that leads elsewhere is none of it.
cat "$stage/files" "$stage/folders" "$stage/replaced" >"$stage/paths"
xargs -0 -r sh -c '
    to=$(cd -P -- "$1" && pwd -P) || exit 255
    shift
    for one do
        case $one in */*) [ "$(cd -P -- "$to/${one%/*}" 2>/dev/null && pwd -P)" = "${to%/}/${one%/*}" ] || exit 255 ;; esac
    done' sh "$to" <"$stage/paths" || exit 76
if [ -s "$stage/replaced" ]; then
    is_seen "$to" || exit 76
    mkdir "$stage/linking"
    linked=yes
    if xargs -0 cp -P --link --parents -t "$stage/linking" -- <"$stage/replaced" 2>/dev/null; then
        is_seen "$stage/linking" || exit 76
    else
        # A file system without hard links.
        linked=no
        rm -rf -- "$stage/linking"
        mkdir "$stage/linking"
        xargs -0 cp -a --reflink=auto --parents -t "$stage/linking" -- <"$stage/replaced"
        is_seen "$to" || exit 76
    fi
    # Kept whole, or not at all: undo trusts what is below `links`.
    mv -T "$stage/linking" "$stage/links"
fi
if [ -s "$stage/files" ]; then
    (cd "$stage/new" && xargs -0 cp -P --link --parents -t "$to" -- <"$stage/files") 2>/dev/null || exit 79
fi
if [ -s "$stage/folders" ]; then
    xargs -0 sh -c '
        stage=$1 to=$2
        shift 2
        for one do
            mv -nT -- "$stage/new/$one" "$to/$one" && ! [ -e "$stage/new/$one" ] || exit 255
        done' sh "$stage" "$to" <"$stage/folders" || exit 79
fi
if [ -s "$stage/replaced" ]; then
    xargs -0 sh -c '
        stage=$1 to=$2 linked=$3
        shift 3
        for one do
            [ "$linked" = no ] || [ "$(stat -c %d:%i -- "$to/$one")" = "$(stat -c %d:%i -- "$stage/links/$one")" ] || exit 255
            mv -fT -- "$stage/new/$one" "$to/$one" || exit 255
        done' sh "$stage" "$to" "$linked" <"$stage/replaced" || exit 79
    # What was written to in place until now goes back with what was written.
    if [ "$linked" = yes ] && ! is_seen "$stage/links"; then
        xargs -0 sh -c '
            seen=$1 from=$2 to=$3
            shift 3
            for one do
                now=$(stat -c "%i %a %u %g %s %.9Y" -- "$from/$one")
                grep -qxF -- "$now" "$seen" || mv -fT -- "$from/$one" "$to/$one" || exit 255
            done' sh "$stage/seen" "$stage/links" "$to" <"$stage/replaced"
        exit 79
    fi
    # Who watches a file by its inode shall see it go; only large ones and those with other names are kept by one more name.
    mkdir "$stage/copying"
    (cd "$stage/links" && find . ! -type d \( ! -type f -o -size -32769 -links 1 \) -print0 |
        xargs -0 -r cp -a --reflink=auto --parents -t "$stage/copying" --)
    (cd "$stage/links" && find . -type f ! \( -size -32769 -links 1 \) -print0 |
        xargs -0 -r cp -P --link --parents -t "$stage/copying" --)
    mv -T "$stage/copying" "$stage/old"
    rm -rf -- "$stage/links"
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
        done' sh <"$stage/rights" || exit 79
fi
rm -rf -- "$stage/new" "$stage/paths" "$stage/files" "$stage/folders" "$stage/replaced" "$stage/seen" "$stage/rights"
