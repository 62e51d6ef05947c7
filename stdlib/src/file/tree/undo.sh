# Takes a placed tree back, as far as it is proven to be ours. Arguments: its staging folder, the tree, the device and inode with
# which the tree was seen, and the sizes of the first four of five lists on standard input, whose items end with NUL (those of the
# fourth with a newline): files and links to remove, files and links to put back, folders to remove (`.` is the tree), how the
# first two were seen, and `INODE MODE OWNER PATH` of rights to give back. What is in one folder follows each other. Prints the
# folders that stay, since something is in them. Ends with 76 where somebody else was faster.
set -e
stage=$1 to=$2 folder=${1%/*}
umask 077
own_stage
mkdir -p "$stage"
old=$stage/old
if ! [ -d "$old" ]; then old=$stage/links; fi
# What an undo that broke off had taken away and not yet looked at again. Nobody else's is lost in it.
if [ -d "$stage/gone" ]; then
    if ! all_seen "$stage/gone" "$stage/both"; then
        enter_tree "$to" "$3" && give_back "$stage/gone" "$stage/both" || exit 71
    fi
    rm -rf -- "$stage/gone"
fi
head -c "$4" >"$stage/removed"
head -c "$5" >"$stage/restored"
head -c "$6" >"$stage/folders"
head -c "$7" >"$stage/seen"
cat >"$stage/rights"

# Puts back what was there, over what is there by one more name in `gone` as well.
restore() {
    linked=yes
    make_folders "$stage/restored" "$stage/gone"
    in_parts "$stage/restored" '
        act() { ln -P -t "$stage/gone/$at" -- "$@"; }
        from=
        each_folder "$@"' 2>/dev/null || linked=no
    if [ "$linked" = no ] && links_work; then return 1; fi
    all_seen "$stage/gone" "$stage/both" || return
    export linked
    # What is kept stays whole, for an undo that breaks off.
    rm -rf -- "$stage/back"
    mkdir "$stage/back"
    (cd "$old" && xargs -0 cp -P --link --parents -t "$stage/back" -- <"$stage/restored" 2>/dev/null ||
        xargs -0 cp -a --remove-destination --parents -t "$stage/back" -- <"$stage/restored") || exit 78
    in_parts "$stage/restored" '
        act() {
            for name do
                [ "$linked" = no ] || is_one "$name" "$stage/gone/$at/$name" || return
                mv -fT -- "$stage/back/$at/$name" "$name" || return
            done
        }
        from=
        each_folder "$@"'
}

# Takes away what was new: it moves to `gone`, and is looked at there.
remove() {
    make_folders "$stage/removed" "$stage/gone"
    in_parts "$stage/removed" '
        act() { mv -t "$stage/gone/$at" -- "$@"; }
        from=
        each_folder "$@"'
}

if [ -d "$to" ]; then
    enter_tree "$to" "$3" || exit 76
    cat "$stage/removed" "$stage/restored" >"$stage/both"
    if [ -s "$stage/both" ]; then
        [ "$(xargs -0 stat -c "$facts" -- <"$stage/both" 2>/dev/null)" = "$(cat "$stage/seen")" ] || exit 76
        mkdir "$stage/gone"
        overtaken=no
        if [ -s "$stage/restored" ]; then restore || overtaken=yes; fi
        if [ "$overtaken" = no ]; then remove || overtaken=yes; fi
        if ! all_seen "$stage/gone" "$stage/both"; then
            give_back "$stage/gone" "$stage/both" || exit 71
            overtaken=yes
        fi
        if [ "$overtaken" = yes ]; then exit 76; fi
    fi
    export to
    in_parts "$stage/folders" '
        # The tree itself goes from the folder that it is in.
        enter_above() {
            above=${root%/*} above=${above:-/}
            ! [ -L "$to" ] && cd -P -- "$above" && [ "$(readlink /proc/self/cwd)" = "$above" ]
        }
        act() {
            for name do
                case $at/$name in
                ././.) path=. name=./${root##*/} && enter_above || return ;;
                ././*) path=${name#./} ;;
                *) path=$at/${name#./} ;;
                esac
                rmdir -- "$name" 2>/dev/null || ! [ -d "$name" ] || printf "%s\0" "$path"
            done
        }
        from=
        each_folder "$@"' || exit 76
    in_parts "$stage/rights" 'give_rights "$@"'
fi
rm -rf -- "$stage"
rmdir "$folder" "${folder%/*}" 2>/dev/null || :
