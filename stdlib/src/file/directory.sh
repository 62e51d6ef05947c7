# $1 path, $2 mode, $3 owner:group or empty, $4 "parents" or empty, $5 "exact" when the recipe names the mode.
umask 022
if [ "$4" = parents ]; then
    mkdir -p -m "$2" -- "$1" || exit 71
else
    mkdir -m "$2" -- "$1" || exit 71
fi
if [ -n "$3" ]; then chown -- "$3" "$1" || exit 72; fi
# A folder with the set-group-id bit hands it down; a new owner may take bits away.
if [ -n "$3" ] || { [ "$5" = exact ] && [ -g "${1%/*}/" ]; }; then chmod -- "$2" "$1" || exit 71; fi
