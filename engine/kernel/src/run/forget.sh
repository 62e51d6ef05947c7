# Gives up what a run kept on this host. $1: the run; $2: its folder on the root's mount; $3: what stays in it, or nothing.
# `give_up` is the one place of the kernel that deletes folders with all in them: those of kept things alone.
run=$1 folder=$2 but=$3
# $1: a run's folder. Somebody else's is not entered.
give_up() {
    if ! timeout --signal=KILL 5 test -d "$1" || [ -L "$1" ] || ! [ -O "$1" ]; then return 0; fi
    du -sk -- "$1"
    for kept in "$1"/* "$1"/.[!.]*; do
        if [ -z "$but" ] || [ "$kept" != "$1/$but" ]; then rm -rf --one-file-system -- "$kept" || return; fi
    done
    rmdir -- "$1" "${1%/*}" 2>/dev/null
    return 0
}
findmnt --noheadings --list --output TARGET | sort -u | while IFS= read -r mount; do
    give_up "${mount%/}/.haengine/$run" || exit
done || exit
give_up "$folder"
