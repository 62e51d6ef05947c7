# Installs packages, and keeps what undo needs. $1: apt-get, dnf or yum; $2: the run's folder; $3: this change's name in it;
# $4: 1 to bring the lists of packages up to date first; then NAME or NAME=VERSION.
manager=$1 folder=$2 kept=$2/$3 refresh=$4
shift 4
umask 077
# From here on undo has something to look at.
mkdir -p /var/lib/haengine && private "$folder" && private "$kept" && : >"$kept/packages" || exit 21
if ! [ -e "$kept/places.before" ]; then
    marks >"$kept/marks"
    cp -a --parents --reflink=auto /etc "$kept" || exit 21
    # cp --parents looks for the folders of an absolute path below the current one.
    cd / || exit 21
    if [ -d /var/lib/ucf ]; then cp -a --parents --reflink=auto /var/lib/ucf "$kept" || exit 21; fi
    list >"$kept/packages.before" || exit 21
    places >"$kept/places.new" && mv "$kept/places.new" "$kept/places.before" || exit 21
fi
umask 022
if [ "$refresh" = 1 ]; then refresh || exit 22; fi
install "$@"
status=$?
umask 077
new_accounts >"$kept/accounts.brought"
list >"$kept/packages.new" && mv "$kept/packages.new" "$kept/packages.after"
places >"$kept/places.new" && mv "$kept/places.new" "$kept/places.after"
exit "$status"
