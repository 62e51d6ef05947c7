# Gives up what a run kept on this host. $1: the run; $2: its folder on the root's mount; $3: what stays in it, or nothing.
# `give_up` is the one place of the kernel that deletes folders with all in them: those of kept things alone.
run=$1 folder=$2 but=$3
# Whether nobody but root can exchange what is in $1.
is_safe() {
    case $(stat -c %A -- "$1") in
    ?????w* | ????????w*) [ -k "$1" ] || return ;;
    esac
    [ -O "$1" ]
}
# $1: a run's folder. Somebody else's is not entered. The folder above goes with its last run.
give_up() {
    if timeout --signal=KILL 5 test -d "$1" && ! [ -L "$1" ] && [ -O "$1" ] && ! [ -L "${1%/*}" ] && [ -O "${1%/*}" ]; then
        du -sk -- "$1"
        for kept in "$1"/* "$1"/.[!.]*; do
            if [ -z "$but" ] || [ "$kept" != "$1/$but" ]; then rm -rf --one-file-system -- "$kept" || return; fi
        done
        rmdir -- "$1" 2>/dev/null
    fi
    rmdir -- "${1%/*}" 2>/dev/null
    return 0
}
findmnt --noheadings --list --output TARGET | sort -u | while IFS= read -r mount; do
    if timeout --signal=KILL 5 test -d "${mount%/}/.haengine" && is_safe "$mount"; then give_up "${mount%/}/.haengine/$run" || exit; fi
done || exit
if ! [ -O / ] && [ -d "$HOME/.haengine" ]; then give_up "$HOME/.haengine/$run" || exit; fi
if [ -d "${folder%/*}" ]; then give_up "$folder"; fi
