# Places what comes from the standard input and is followed by its SHA-256 as text and a line end. $1: the place.
path=$1
is_free "$path"
umask 077
trap 'exit 1' HUP INT TERM
begin "${path%/*}"
cat >snapshot || exit 33
size=$(($(stat -c %s snapshot) - 65))
[ "$size" -ge 0 ] || exit 34
told=$(tail -c 65 snapshot)
truncate -s "$size" snapshot
sum=$(sha256sum <snapshot)
# One that broke off does not end with its own hash.
[ "${sum%% *}" = "$told" ] || exit 34
place snapshot "$path"
