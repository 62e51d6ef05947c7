# Takes a placed tree back, from wherever its placing stopped. Arguments: its staging folder, the tree, and the sizes of
# the first two of three lists on standard input, whose items end with NUL: directories whose files gave way, paths
# that were new (below the tree; the tree itself is `.`), and `MODE OWNER PATH` of what only changed its rights.
set -e
stage=$1 to=$2 folder=${1%/*}
umask 077
mkdir -p "$stage"
head -c "$3" >"$stage/merged"
head -c "$4" >"$stage/created"
cat >"$stage/rights"
if [ -d "$to" ]; then
    cd "$to"
    if [ -d "$stage/old" ] && [ -s "$stage/merged" ]; then
        # What was kept and not replaced yet is one file under two names, which `mv` refuses.
        find "$stage/old" ! -type d -exec sh -c '
            old=$1 to=$2
            shift 2
            for kept do
                inodes=$(stat -c %i "$kept" "$to/${kept#"$old"/}" 2>/dev/null) || continue
                one=${inodes%%[!0-9]*}
                [ "$inodes" != "$one
$one" ] || rm -f "$kept"
            done' sh "$stage/old" "$to" {} +
        xargs -0 sh -c '
            old=$1 to=$2
            shift 2
            for dir do
                [ -d "$old/$dir" ] || continue
                find "$old/$dir" -mindepth 1 -maxdepth 1 ! -type d -exec mv -f -t "$to/$dir" -- {} + || exit 255
            done' sh "$stage/old" "$to" <"$stage/merged"
    fi
    if [ "$(cat "$stage/created")" = . ]; then
        cd /
        rm -rf --one-file-system "$to"
    elif [ -s "$stage/created" ]; then
        xargs -0 rm -rf --one-file-system -- <"$stage/created"
    fi
    if [ -s "$stage/rights" ]; then
        xargs -0 sh -c '
            for item do
                mode=${item%% *} item=${item#* }
                owner=${item%% *} path=${item#* }
                [ "$owner" = - ] || chown -h "$owner" "$path" || exit 255
                chmod "$mode" "$path" || exit 255
            done' sh <"$stage/rights"
    fi
fi
rm -rf "$stage"
rmdir "$folder" "${folder%/*}" 2>/dev/null || :
