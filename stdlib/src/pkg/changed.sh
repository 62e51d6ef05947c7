# Compares the lists of packages. Sets $brought: what came in; $new: what of it is there; $left: what only configuration
# was there of; $old: name=version of what had another version.
# shellcheck disable=SC2086,SC2116 # A list of lines becomes one of words.
changed_packages() {
    take() { cut -d ' ' -f 1 "$1" | sort -u; }
    config() { sed -n 's/^\([^ ]*\) .* config-files$/\1/p' "$1" | sort -u; }
    list >"$kept/packages.now" || return
    # Lines are NAME VERSION STATE. What somebody else installed since is in neither of the first two.
    take "$kept/packages.before" >"$kept/names.before"
    take "$kept/packages.after" >"$kept/names.after"
    take "$kept/packages.now" >"$kept/names.now"
    config "$kept/packages.before" >"$kept/config.before"
    config "$kept/packages.now" >"$kept/config.now"
    brought=$(comm -13 "$kept/names.before" "$kept/names.after")
    # What another installation brought meanwhile is in no list of what apt had dpkg unpack for an attempt of this run.
    if [ -e "$kept/asked" ]; then
        cat "$folder"/*/asked | sort -u >"$kept/names.asked"
        brought=$(for name in $brought; do if grep -qxF -- "${name%:*}" "$kept/names.asked"; then echo "$name"; fi; done)
    fi
    new=$(printf '%s\n' "$brought" | comm -12 - "$kept/names.now")
    left=$(comm -12 "$kept/config.before" "$kept/names.now" | comm -23 - "$kept/config.now")
    old=
    while read -r name version state; do
        if [ "$state" = installed ] && ! grep -qxF -- "$name $version installed" "$kept/packages.now"; then
            if grep -qF -- "$name " "$kept/packages.after"; then old="$old $name=$version"; fi
        fi
    done <<END
$(comm -23 "$kept/packages.before" "$kept/packages.after")
END
    brought=$(echo $brought) new=$(echo $new) left=$(echo $left) old=${old# }
}
