# What a data folder was made from, and for whom: $1: the snapshot, by its hash; $2: the folder, by what any use of its
# database changes; $3: a mark for what is wanted.
print_of() {
    sum=$(sha256sum <"$1")
    printf '%s %s %s' "${sum%% *}" "$(stat -c '%i %s %.9Y' -- "$2/member/snap/db")" "$3"
}
