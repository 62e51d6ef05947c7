# $1 path, $2 mode, $3 owner:group or empty, $4 modification time or empty.
# A new owner takes set-user-id away, so the mode comes second.
if [ -n "$3" ]; then chown -h -- "$3" "$1" || exit 72; fi
chmod -- "$2" "$1" || exit 71
if [ -n "$4" ]; then touch -d "@$4" -- "$1" || exit 71; fi
