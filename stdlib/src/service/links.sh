# Enables a unit, and records on the host which links that made: systemctl tells. $1: the unit; $2: the run's folder; $3: the
# record's name in it. It is there before the first link, and says `end` after the last.
enable() {
    (umask 077 && mkdir -p -- "$2") && [ ! -L "$2" ] && [ -O "$2" ] && : >"$2/$3" && sync || return 16
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
            *) [ "$folder" = /etc/systemd/system ] || printf 'folder\t%s\t%s\n' "$(stat -c %i.%W -- "$folder")" "$folder" ;;
            esac
            before=$before$folder/$newline
            printf 'link\t%s\t%s\n' "$(stat -c %i.%W -- "$link")" "$link"
        done
        echo end
    } | dd of="$2/$3" conv=fsync 2>/dev/null
}
