# Goes before scripts that keep things on a host: whose a folder is, and what tells a file system from others.

# Whether nobody but us can exchange what is in the folder $1, a mount's root.
is_safe() {
    case $(stat -c %A -- "$1") in
    ?????w* | ????????w*) [ -k "$1" ] || return ;;
    esac
    [ -O "$1" ]
}

# Makes the folder $1, and says whether it is ours: somebody else's could be exchanged under our hands.
own() {
    if ! [ -e "$1" ] && ! [ -L "$1" ]; then mkdir -m 700 -- "$1" 2>/dev/null; fi
    [ -d "$1" ] && ! [ -L "$1" ] && [ -O "$1" ]
}

# Sets $fs to the UUID of the file system of the folder $1, else to its type and where it is mounted.
file_system_of() {
    fs=$(findmnt -n -o UUID -T "$1" 2>/dev/null | tail -n 1)
    if [ -z "$fs" ]; then fs=$(findmnt -n -o FSTYPE,TARGET -T "$1" 2>/dev/null | tail -n 1); fi
    if [ -z "$fs" ]; then fs=unknown; fi
}
