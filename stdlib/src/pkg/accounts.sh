# The accounts of a host, which packages and people change alike. $kept/accounts has the names that are the packages'.
# shellcheck disable=SC2086 # $FILES is a list of them.

FILES='passwd group shadow gshadow subuid subgid'

# The names that are there and were not before.
new_accounts() {
    for file in passwd group; do
        cut -d : -f 1 "/etc/$file" | sort -u >"$kept/names.there"
        if [ -e "$kept/etc/$file" ]; then cut -d : -f 1 "$kept/etc/$file" | sort -u | comm -13 - "$kept/names.there"; fi
    done | sort -u
}

# Notes those that came with the installation and that the packages' own scripts make: others are not theirs.
note_accounts() {
    if ! [ -e "$kept/accounts.brought" ]; then new_accounts >"$kept/accounts.brought"; fi
    { cat "$kept/accounts" 2>/dev/null; new_accounts | comm -12 - "$kept/accounts.brought"; } | sort -u | while read -r name; do
        if sed -e ':a' -e '/\\$/{ N; s/\\\n//; ta' -e '}' "$kept/scripts" |
            grep -E 'useradd|adduser|groupadd|addgroup|sysusers|USER|GROUP|^[ugm]!?[[:space:]]' | grep -qwF -- "$name"; then echo "$name"; fi
    done >"$kept/accounts.new" && mv "$kept/accounts.new" "$kept/accounts"
}

# A file of accounts without the packages' own, also as members of groups.
without_own() {
    if [ -e "$1" ]; then
        awk -F : -v OFS=: 'FILENAME == ARGV[1] { own[$1]; next } $1 in own { next } /:/ {
            count = split($NF, all, ","); members = ""
            for (i = 1; i <= count; i++) if (!(all[i] in own)) members = members (members == "" ? "" : ",") all[i]
            $NF = members } { print }' "$kept/accounts" "$1" | sort
    fi
}

# Puts the files of accounts back if nobody else has an account more or less; else it only says what of ours is left. Their own
# tools take a lock of fcntl, which a shell cannot hold: flock knows it since util-linux 2.41 alone. So each is compared with
# what it was before it was read, until it has its place.
accounts() {
    for path in $(printf '/etc/%s\n' $FILES | sed 'p; s/$/-/'); do
        printf '%s\t%s\n' "$path" "$(place_of "$path")"
    done >"$kept/accounts.seen"
    for file in $FILES; do
        without_own "/etc/$file" >"$kept/accounts.now"
        if without_own "$kept/etc/$file" | cmp -s - "$kept/accounts.now"; then continue; fi
        while read -r name; do
            if grep -q "^$name:" /etc/passwd /etc/group; then left "the account $name" 'the lists of accounts were changed by others too: it is not taken out'; fi
        done <"$kept/accounts"
        return 0
    done
    while IFS='	' read -r path seen; do
        if exists "$kept$path"; then
            restore "$path" "$seen" || return
        elif [ "$(place_of "$path")" = "$seen" ]; then
            rm -f -- "$path"
        fi
    done <"$kept/accounts.seen"
}
