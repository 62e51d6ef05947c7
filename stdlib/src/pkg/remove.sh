# Takes away what an installation brought. $1: apt-get, dnf or yum; $2: what the change has kept. Prints four lists of
# places, each ended by an empty one: before, after, when undo began, and now.
manager=$1 kept=$2
umask 077
if ! [ -e "$kept/places.before" ]; then
    printf '\0\0\0\0'
    exit 0
fi
if ! [ -e "$kept/places.undo" ]; then
    list >"$kept/packages.undo" && places >"$kept/places.new" && mv "$kept/places.new" "$kept/places.undo" || exit 21
fi
for what in packages places; do
    if ! [ -e "$kept/$what.after" ]; then cp "$kept/$what.undo" "$kept/$what.after" || exit 21; fi
done
list >"$kept/packages.now" || exit 21

# Lines are NAME VERSION STATE. What somebody else installed since is in neither of the first two.
take() { cut -d ' ' -f 1 "$1" | sort -u; }
config() { sed -n 's/^\([^ ]*\) .* config-files$/\1/p' "$1" | sort -u; }
take "$kept/packages.before" >"$kept/names.before"
take "$kept/packages.after" >"$kept/names.after"
take "$kept/packages.now" >"$kept/names.now"
config "$kept/packages.before" >"$kept/config.before"
config "$kept/packages.now" >"$kept/config.now"
new=$(comm -13 "$kept/names.before" "$kept/names.after" | comm -12 - "$kept/names.now")
left=$(comm -12 "$kept/config.before" "$kept/names.now" | comm -23 - "$kept/config.now")
old=
while read -r name version state; do
    if [ "$state" = installed ] && ! grep -qxF -- "$name $version installed" "$kept/packages.now"; then
        if grep -qF -- "$name " "$kept/packages.after"; then old="$old $name=$version"; fi
    fi
done <<END
$(comm -23 "$kept/packages.before" "$kept/packages.after")
END
umask 022
{
    take_away "$new" "$left" "${old# }" || exit
    if [ -s "$kept/marks" ]; then
        marks | comm -23 "$kept/marks" - | while read -r name; do mark "$name"; done
    fi
} >&2
cat "$kept/places.before"
printf '\0'
cat "$kept/places.after"
printf '\0'
cat "$kept/places.undo"
printf '\0'
places
printf '\0'
