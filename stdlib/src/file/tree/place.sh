# Puts a staged tree into place. Arguments: its staging folder, the tree, `fresh` where the tree is new, the device and inode with
# which the tree was seen, and the sizes of the first four of five lists on standard input, whose items end with NUL (those of the
# fourth with a newline): files and links that are new, folders that are new as a whole, files and links that give way, how these
# were seen, and `INODE MODE OWNER PATH` of what only changes its rights. What is in one folder follows each other. Ends with 76
# where somebody else was faster and nothing was done, with 79 where something was.
set -e
stage=$1 to=$2 folder=${1%/*} old=$1/old
umask 077
# A file keeps the label of the folder in which it was staged; SELinux goes by that of its place.
label() {
    if command -v selinuxenabled >/dev/null && selinuxenabled; then restorecon -R -0 -f -; fi
}
# mv takes no other's place (RENAME_NOREPLACE); what it did not move is still where it was.
if [ "$3" = fresh ]; then
    mv -nT -- "$stage/new" "$to" || exit 76
    if [ -e "$stage/new" ]; then exit 76; fi
    printf '%s\0' "$to" | label
    exit 0
fi
own_stage
mkdir -p "$stage"
head -c "$5" >"$stage/files"
head -c "$6" >"$stage/folders"
head -c "$7" >"$stage/replaced"
head -c "$8" >"$stage/seen"
cat >"$stage/rights"
is_seen() { [ "$(cd "$1" && xargs -0 stat -c "$facts" -- <"$stage/replaced" 2>/dev/null)" = "$(cat "$stage/seen")" ]; }
enter_tree "$to" "$4" || exit 76
# A folder in the tree that leads elsewhere is none of it. Here the shell may say where it is.
cat "$stage/files" "$stage/folders" "$stage/replaced" >"$stage/paths"
in_parts "$stage/paths" '
    enter() { go "$1" && [ "$PWD" = "$here" ]; }
    act() { :; }
    from=
    each_folder "$@"' || exit 76
if [ -s "$stage/replaced" ]; then
    is_seen . || exit 76
    mkdir "$stage/linking"
    linked=yes
    # By path, since a link that leads elsewhere shows in what arrives.
    if xargs -0 cp -P --link --parents -t "$stage/linking" -- <"$stage/replaced" 2>/dev/null; then
        is_seen "$stage/linking" || exit 76
    elif links_work; then
        exit 76
    else
        # A file system without hard links.
        linked=no
        rm -rf -- "$stage/linking"
        mkdir "$stage/linking"
        xargs -0 cp -a --reflink=auto --parents -t "$stage/linking" -- <"$stage/replaced"
        is_seen . || exit 76
    fi
    export linked
    # Kept whole, or not at all: undo trusts what is below `links`.
    mv -T "$stage/linking" "$stage/links"
fi
if [ -s "$stage/files" ]; then
    in_parts "$stage/files" '
        act() { ln -P -t . -- "$@"; }
        from=$stage/new
        each_folder "$@"' 2>/dev/null || exit 79
fi
if [ -s "$stage/folders" ]; then
    in_parts "$stage/folders" '
        act() {
            # Where somebody has mounted something, mv would copy.
            [ "$(stat -c %d .)" = "$device" ] || return
            for name do
                mv -nT -- "$stage/new/$at/$name" "$name" && ! [ -e "$stage/new/$at/$name" ] || return
            done
        }
        from=
        each_folder "$@"' || exit 79
fi
if [ -s "$stage/replaced" ]; then
    in_parts "$stage/replaced" '
        act() {
            for name do
                [ "$linked" = no ] || is_one "$name" "$stage/links/$at/$name" || return
                mv -fT -- "$stage/new/$at/$name" "$name" || return
            done
        }
        from=
        each_folder "$@"' || exit 79
    if [ "$linked" = yes ] && ! is_seen "$stage/links"; then
        give_back "$stage/links" "$stage/replaced" || :
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
    in_parts "$stage/rights" 'give_rights "$@"' || exit 79
fi
cat "$stage/files" "$stage/folders" "$stage/replaced" | label
rm -rf -- "$stage/new" "$stage/paths" "$stage/files" "$stage/folders" "$stage/replaced" "$stage/seen" "$stage/rights"
