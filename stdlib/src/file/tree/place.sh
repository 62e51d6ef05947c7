# Puts a staged tree into place. Arguments: its staging folder, the tree, `fresh` where the tree is new, and the sizes
# of the first two of three lists on standard input, whose items end with NUL: files to keep before they give way,
# directories that exist and get something new (deepest first), and `MODE OWNER PATH` of what only changes its rights.
set -e
stage=$1 to=$2
if [ "$3" = fresh ]; then
    mv -T "$stage/new" "$to"
    rm -rf "$stage"
    exit 0
fi
umask 077
mkdir -p "$stage"
head -c "$4" >"$stage/replaced"
head -c "$5" >"$stage/merged"
cat >"$stage/rights"
cd "$to"
if [ -s "$stage/replaced" ]; then
    mkdir "$stage/keeping"
    if ! xargs -0 cp -a --link --parents -t "$stage/keeping" -- <"$stage/replaced" 2>/dev/null; then
        rm -rf "$stage/keeping"
        mkdir "$stage/keeping"
        xargs -0 cp -a --reflink=auto --parents -t "$stage/keeping" -- <"$stage/replaced"
        sync -f "$stage/keeping"
    fi
    # Kept whole, or not at all: undo trusts what is below `old`.
    mv -T "$stage/keeping" "$stage/old"
fi
# What is left in the directory above once a deeper one is done is new as a whole and moves as a whole.
if [ -s "$stage/merged" ]; then
    xargs -0 sh -c '
        new=$1 to=$2
        shift 2
        for dir do
            find "$new/$dir" -mindepth 1 -maxdepth 1 -exec mv -f -t "$to/$dir" -- {} + || exit 255
            [ "$dir" = . ] || rmdir "$new/$dir" || exit 255
        done' sh "$stage/new" "$to" <"$stage/merged"
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
rm -rf "$stage/new" "$stage/replaced" "$stage/merged" "$stage/rights"
[ -d "$stage/old" ] || rm -rf "$stage"
