# What is particular to dnf and yum: functions for the scripts beside this one. $manager is either.
# shellcheck disable=SC2086,SC2154 # Packages come as a list; $manager is of the script behind.
export LC_ALL=C

list() { rpm -qa --qf '%{NAME}.%{ARCH} %{VERSION}-%{RELEASE} installed\n' | sort; }

refresh() { "$manager" -q -y makecache; }

install() {
    left=$#
    while [ "$left" -gt 0 ]; do
        case $1 in
        *=*) set -- "$@" "${1%%=*}-${1#*=}" ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        left=$((left - 1))
    done
    "$manager" -q -y install "$@"
}

marks() { :; }

mark() { :; }

# $1: packages; which files are theirs.
owned() { rpm -ql $1 2>/dev/null | sort -u; }

# rpm itself keeps what was edited.
registered() { :; }
edited() { :; }

# $1: packages; what their scripts do.
scripts() { rpm -q --scripts --provides $1 2>/dev/null; }

# $1: names to remove. rpm refuses what something else needs.
remove() { if [ -n "$1" ]; then rpm -e $1; fi; }

# $3: name=version to bring back.
take_away() {
    if [ -n "$3" ]; then
        set -- $3
        left=$#
        while [ "$left" -gt 0 ]; do
            set -- "$@" "${1%%=*}-${1#*=}"
            shift
            left=$((left - 1))
        done
        "$manager" -q -y downgrade "$@" || return
    fi
}

# $1: names with their architecture; without it.
plain() { printf '%s\n' $1 | sed 's/\.[^.]*$//' | tr '\n' ' '; }
