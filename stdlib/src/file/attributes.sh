# Changes mode, owner and time of a file or a folder. $1 path, $2 mode, $3 owner:group or empty, $4 modification time or
# empty, $5 its inode as it was seen. The open file is what is changed: a name may lead elsewhere by then.
if [ -L "$1" ] || ! { [ -f "$1" ] || [ -d "$1" ]; }; then exit 76; fi
exec 7<"$1"
case $1 in /*/*) folder=${1%/*} ;; *) folder=/ ;; esac
folder=$(cd -P -- "$folder" && pwd -P) || exit 71
# Its inode, and no other name: another mount has the same numbers.
[ "$(stat -L -c %i /proc/self/fd/7)" = "$5" ] && [ "$(readlink /proc/self/fd/7)" = "${folder%/}/${1##*/}" ] || exit 76
# A new owner takes set-user-id away, so the mode comes second.
if [ -n "$3" ]; then chown -- "$3" /proc/self/fd/7 || exit 72; fi
chmod -- "$2" /proc/self/fd/7 || exit 71
if [ -n "$4" ]; then touch -d "@$4" -- /proc/self/fd/7 || exit 71; fi
