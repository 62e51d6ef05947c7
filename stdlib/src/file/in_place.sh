# Writing into a file that stays: goes behind own.sh. The open file 7 is what is written to. A shorter text cuts it first, so
# that what somebody adds meanwhile is found.
staged=$folder/$name.new
kept=$folder/$name
# The file may be a mount of its own.
beside=$path

# Writes what is in $1 over the open file; 76 where that has not the hash $2 any more. Nothing may stand between this
# comparison and the writing.
pour() {
    bytes=$(stat -c %s -- "$1") && size=$(stat -L -c %s /proc/self/fd/7) || return
    if [ "$size" -gt "$bytes" ]; then
        same_text "$2" || return 76
        truncate -c -s "$bytes" -- /proc/self/fd/7 || return
    else
        same_text "$2" || return 76
    fi
    dd if="$1" of=/proc/self/fd/7 bs=1M conv=notrunc,nocreat,fsync status=none
}

hash_now() { hash_of=$(sha256sum </proc/self/fd/7) && hash_of=${hash_of%% *}; }

force() { dd if=/dev/null of="$1" oflag=append conv=notrunc,fsync status=none; }

# Copies the open file, whose hash is $2, to $1: all of it is on the disk before it has that name.
copy_to() {
    cp --preserve=all -L --reflink=auto -T -- /proc/self/fd/7 "$kept.part" && [ "$(sha256sum <"$kept.part")" = "$2  -" ] &&
        force "$kept.part" && mv -fT -- "$kept.part" "$1"
}

is_in_its_place() { ! [ -L "$path" ] && [ "$path" -ef /proc/self/fd/7 ]; }

# Gives the open file mode, owner, time and the like of what was there.
dress() {
    facts='%f %u %g %.9Y'
    [ "$(stat -L -c "$facts" /proc/self/fd/7)" = "$(stat -c "$facts" -- "$kept")" ] ||
        cp --attributes-only --preserve=all -L -T -- "$kept" /proc/self/fd/7
}

# Whether the open file holds nothing but what is staged and what is kept, each byte in its place. A writing that breaks off
# leaves a piece of each, and its undo, broken off as well, a third piece.
is_mixture() {
    size=$(stat -L -c %s /proc/self/fd/7) old=$(stat -c %s -- "$kept") new=$(stat -c %s -- "$staged") || return
    if [ "$size" -gt "$old" ] && [ "$size" -gt "$new" ] || [ "$size" -lt "$old" ] && [ "$size" -lt "$new" ]; then return 1; fi
    at=0
    for _ in 1 2 3; do
        like "$staged" "$new"
        far=$until
        like "$kept" "$old"
        if [ "$far" -gt "$until" ]; then until=$far; fi
        if [ "$until" -ge "$size" ]; then return 0; fi
        at=$until
    done
    return 1
}

# Sets $until to where the open file, $size bytes of it, is no more like $1, which has $2 bytes; it looks from $at on.
like() {
    until=$size
    if [ "$until" -gt "$2" ]; then until=$2; fi
    if [ "$until" -lt "$at" ]; then until=$at; fi
    differs=$(LC_ALL=C cmp -i "$at" -- /proc/self/fd/7 "$1" 2>/dev/null) || if [ $? -gt 1 ]; then until=$at; fi
    case $differs in
    *' differ: '*)
        differs=${differs##* differ: } differs=${differs#* }
        until=$((at + ${differs%%,*} - 1))
        ;;
    esac
}
