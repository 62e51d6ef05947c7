# A hash over the names, modes, owners, sizes, times and link targets of all that is in a folder.
digest() {
    find "$1" -mindepth 1 \( -type f -printf '%P\t%y %m %U %G %T@ %s\0' -o -printf '%P\t%y %m %U %G %T@ %l\0' \) |
        LC_ALL=C sort -z | sha256sum
}
