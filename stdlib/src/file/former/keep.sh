# Shared by the scripts that replace or remove something. $path, $prefix, $folder, $run and $name are set:
# what is replaced, how our temporary files begin, and where the old thing is kept.
umask 077

# The marks of a removal by copy stay for the undo of the change that set them.
clear_temporary() {
    for stale in "$prefix"*; do
        case $stale in *.copy | *.part) continue ;; esac
        if [ -e "$stale" ] || [ -L "$stale" ]; then rm -f -- "$stale"; fi
    done
}

# What an undo that broke off was about to put back.
drop_undo() {
    if [ -e "$prefix$name.undo" ] || [ -L "$prefix$name.undo" ]; then rm -f -- "$prefix$name.undo"; fi
}

# The kept files' folder on the mount of $path.
area() {
    area=$(stat -c %m -- "${path%/*}/") || return
    area=${area%/}/.haengine/$run
}

# Keeps what is at $path, which stays: a second name for it, or a copy where the mount allows none.
keep() {
    if mkdir -p -- "$folder" 2>/dev/null && ln -T -- "$path" "$folder/$name" 2>/dev/null; then return; fi
    area || return
    if mkdir -p -- "$area" 2>/dev/null && ln -T -- "$path" "$area/$name" 2>/dev/null; then return; fi
    rmdir -- "$area" "${area%/*}" 2>/dev/null
    cp -a --reflink=auto -T -- "$path" "$folder/$name.part" && mv -T -- "$folder/$name.part" "$folder/$name"
}

# Where it was kept: sets $kept, empty when nothing was.
find_kept() {
    kept=$folder/$name
    if [ -e "$kept" ] || [ -L "$kept" ]; then return; fi
    area || return
    kept=$area/$name
    if [ -e "$kept" ] || [ -L "$kept" ]; then return; fi
    kept=
}

# Folders that hold nothing more go. The one on the root's mount goes with the run.
drop_area() {
    if [ -n "${area-}" ]; then rmdir -- "$area" "${area%/*}" 2>/dev/null; fi
    return 0
}
