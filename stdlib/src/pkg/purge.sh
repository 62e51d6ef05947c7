# Takes away what a removal leaves of packages, and brings back what was there before. $1: apt-get, dnf or yum; $2: the
# run's folder; $3: this change's name in it. Prints the places that there are then.
manager=$1 folder=$2 kept=$2/$3
umask 077
if ! [ -e "$kept/places.before" ]; then
    printf '\0'
    exit 0
fi
changed_packages || exit 21
umask 022
{
    take_away "$new" "$left" "$old" || exit
    if [ -s "$kept/marks" ]; then
        marks | comm -23 "$kept/marks" - | while read -r name; do mark "$name"; done
    fi
} >&2
places
printf '\0'
