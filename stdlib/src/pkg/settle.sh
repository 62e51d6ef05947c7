# Puts places back, or out of the way. $2: the run's folder; $3: this change's number; $4: `last` where nothing comes
# after it. Standing input: steps, each a letter, what it needs to know, a tab and a path. Prints what stays, and at last
# what was moved.
folder=$2 change=$3 kept=$2/$3
umask 022
place_of() { find "$1" -maxdepth 0 -printf '%y %m %U:%G %s %T@ %l' 2>/dev/null; }
inode() { stat -c %d:%i -- "$1"; }
about() { stat -c '%F %a %u:%g' -- "$1"; }
own='it changed while the packages were installed, and nothing says who did it'
since='somebody else changed it'

# A copy of what was kept of $1, on its mount, that nobody else can reach: sets $made. Where root has not the folder to
# itself, nothing is made in it.
remake() {
    copy=$kept$1 beside=$kept/beside
    [ -O "${1%/*}" ] || return
    if [ "$(stat -c %m -- "${1%/*}/")" != "$(stat -c %m -- "$kept")" ]; then
        beside=${1%/*}/.haengine-${folder##*/}-$change
    fi
    private "$beside" || return
    made=$beside/made
    rm -f -- "$made" && cp -a --reflink=auto -T -- "$copy" "$made"
}

# Puts $made in the place of $1, if that is $2 until then. What somebody writes to it meanwhile goes back with what was written.
exchange() {
    was=$beside/was
    if exists "$was"; then
        # A try that broke off had not looked at it again.
        IFS='	' read -r whose seen <"$beside/seen"
        if [ "$(place_of "$was")" != "$seen" ] && [ "$(inode "$was")" != "$(inode "$whose")" ]; then
            aside "$was" "somebody wrote to $whose while it was put back" || return
        fi
        rm -f -- "$was"
    fi
    printf '%s\t%s\n' "$1" "$2" >"$beside/seen" || return
    if ! ln -P -T -- "$1" "$was" 2>/dev/null; then
        left "$1" 'it cannot be put back'
    elif [ "$(place_of "$was")" != "$2" ] || [ "$(inode "$was")" != "$(inode "$1")" ]; then
        left "$1" "$since"
    else
        ours=$(inode "$made")
        mv -fT -- "$made" "$1" || return
        if [ "$(place_of "$was")" != "$2" ]; then
            if [ "$(inode "$1")" = "$ours" ]; then mv -fT -- "$was" "$1" || return; fi
            left "$1" "$since"
        fi
    fi
    rm -f -- "$was" "$beside/seen"
}

# Puts back what was kept of $1, which is missing or $2.
restore() {
    copy=$kept$1
    if ! exists "$copy"; then return 0; fi
    if [ "$(place_of "$1")" != "$2" ]; then
        left "$1" "$since"
    elif [ -d "$copy" ] && ! [ -L "$copy" ]; then
        mkdir -m 700 -- "$1" && chown --reference="$copy" -- "$1" && chmod --reference="$copy" -- "$1"
    elif ! remake "$1"; then
        left "$1" 'it cannot be put back'
    else
        if [ -z "$2" ]; then ln -T -- "$made" "$1" || left "$1" "$since"; else exchange "$1" "$2"; fi
        status=$?
        rm -f -- "$made" && rmdir -- "$beside"
        return "$status"
    fi
}

# The same, if that changes no more than its time. $2: what it is.
same() {
    copy=$kept$1 reason=$own
    case $2 in !*) reason=$since ;; esac
    if [ -L "$copy" ] && [ -L "$1" ]; then
        [ "$(readlink "$copy")" = "$(readlink "$1")" ]
    else
        [ -f "$copy" ] && ! [ -L "$1" ] && [ "$(about "$copy")" = "$(about "$1")" ] && cmp -s -- "$copy" "$1"
    fi && restore "$1" "${2#[!=]}" || left "$1" "$reason"
}

# Puts what was moved aside in its place again: it was there before.
bring_back() {
    back=$(awk -F '\t' -v path="$1" '$1 == path { place = $2 } END { print place }' "$kept/asides" 2>/dev/null)
    if [ -n "$back" ] && exists "$back" && ! exists "$1"; then
        mv -nT -- "$back" "$1"
    elif ! exists "$1"; then
        left "$1" 'it is gone, and somebody else had changed it before'
    fi
}

[ -d "$kept" ] || exit 0
while IFS='	' read -r step path; do
    what=${step#?}
    case $step in
    a*) is_hollow "$path" || aside "$path" "$what" || exit ;;
    m*)
        if is_hollow "$path"; then find "$path" -xdev -depth -type d -exec rmdir -- {} +; fi
        aside "$path" "$what" || exit
        ;;
    f*) if [ -d "$path" ] && ! [ -L "$path" ]; then rmdir -- "$path" 2>/dev/null || :; fi ;;
    # A link of the packages' own, and files in which ucf alone keeps its records.
    l*) if [ "$(place_of "$path")" = "$what" ]; then rm -f -- "$path" || exit; fi ;;
    r*) restore "$path" "$what" || exit ;;
    s*) same "$path" "$what" ;;
    b*) bring_back "$path" || exit ;;
    n*) if is_hollow "$path"; then printf 'empty\t%s\0' "$path"; else left "$path" "$what"; fi ;;
    p*) accounts || exit ;;
    esac
done <<END
$(tr '\0' '\n')
END
if [ "$4" = last ]; then
    if [ -e "$kept/asides" ]; then
        while IFS='	' read -r path place what; do
            if exists "$place"; then printf 'kept\t%s\t%s\t%s\0' "$path" "$place" "$what"; fi
        done <"$kept/asides"
    fi
    # Seen once on an overlay: it told of an entry late.
    rm -rf -- "$kept" || rm -rf -- "$kept"
fi
