# Removes what an installation brought, up to what only a purge takes. $1: apt-get, dnf or yum; $2: the run's folder; $3:
# this change's name in it. Prints four lists of places, each ended by an empty one: before, after, when undo began, and
# now; then what is known of the packages.
manager=$1 folder=$2 kept=$2/$3
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
changed_packages || exit 21
if ! [ -e "$kept/scripts" ]; then
    owned "$brought" >"$kept/owned"
    { scripts "$brought"; grep '/sysusers\.d/' "$kept/owned" | xargs -r cat 2>/dev/null; } >"$kept/scripts.new"
    mv "$kept/scripts.new" "$kept/scripts" || exit 21
fi
note_accounts || exit 21
umask 022
remove "$new" >&2 || exit
# A removal first configures what was only unpacked.
note_accounts || exit 21
for list in before after undo; do
    cat "$kept/places.$list"
    printf '\0'
done
places
printf '\0'
tell() { sed "s/^/$1/" | tr '\n' '\0'; }
plain "$brought" | tr -s ' ' '\n' | tell n
tell n <"$kept/accounts"
tell o <"$kept/owned"
registered "$(plain "$brought")" | tell u
edited "$brought" | tell e
