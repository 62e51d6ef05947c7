# Prints the process groups that have the word $1 in the arguments of one of their shells, each with a minus before it,
# but not the group $2. The pattern does not find itself; a sudo only waits for its shell.
at_work() {
    grep -ls -e "[${1%"${1#?}"}]${1#?}" /proc/[0-9]*/cmdline | while IFS=/ read -r _ _ process _; do
        { read -r _ name _ _ group _ <"/proc/$process/stat"; } 2>/dev/null || continue
        if [ "$name" != '(sudo)' ] && [ "$group" != "$2" ]; then echo "-$group"; fi
    done
}
