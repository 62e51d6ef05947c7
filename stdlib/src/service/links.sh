# Shared by the scripts that enable and disable. The record of what they do is on the host, in the run's folder.
record() {
    (umask 077 && mkdir -p -- "${1%/*}") && [ ! -L "${1%/*}" ] && [ -O "${1%/*}" ] &&
        dd of="$1.part" conv=fsync 2>/dev/null && mv -fT -- "$1.part" "$1" || exit 16
}

# Disables a unit, once its links are recorded: also one that somebody made since the unit was looked at comes back then.
# $1: the unit; $2: the run's folder; $3: the record's name in it.
disable() {
    names=$(systemctl show -p Names -- "$1")
    for path in /etc/systemd/system/* /etc/systemd/system/*/* /run/systemd/system/* /run/systemd/system/*/*; do
        case " ${names#Names=} " in
        *" ${path##*/} "*) if [ -L "$path" ]; then printf 'was\t%s\t%s\n' "$(readlink "$path")" "$path"; fi ;;
        esac
    done | record "$2/$3" || return
    systemctl -q disable -- "$1" || return 12
    if [ "$(systemctl is-enabled -- "$1")" = enabled-runtime ]; then systemctl -q disable --runtime -- "$1" || return 12; fi
}

# Enables a unit, and records on the host which links that made: systemctl tells. $1: the unit; $2: the run's folder; $3: the
# record's name in it. It is there before the first link, and says `end` after the last.
make_links() {
    record "$2/$3" </dev/null
    newline='
'
    before=$newline$(ls -d /etc/systemd/system/*/ 2>/dev/null)$newline
    if ! said=$(systemctl enable -- "$1" 2>&1); then
        printf '%s\n' "$said" >&2
        return 12
    fi
    printf '%s\n' "$said" | sed -n "s/^Created symlink \(from \)\{0,1\}'\{0,1\}\(\/[^ ']*\).*/\2/p" | {
        while IFS= read -r link; do
            folder=${link%/*}
            case $before in
            *"$newline$folder/$newline"*) ;;
            *) [ "$folder" = /etc/systemd/system ] || printf 'folder\t%s\t%s\n' "$(TZ=UTC stat -c '%i %w' -- "$folder")" "$folder" ;;
            esac
            before=$before$folder/$newline
            printf 'link\t%s\t%s\n' "$(TZ=UTC stat -c '%i %w' -- "$link")" "$link"
        done
        echo end
    } | record "$2/$3"
}
