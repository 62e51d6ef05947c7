# What is particular to apt: functions for the scripts beside this one. DPkg::Lock::Timeout waits for another apt.
# shellcheck disable=SC2086 # Packages come as a list.
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
apt() {
    apt-get -q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

list() { dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n' | grep -v ' not-installed$' | sort; }

refresh() { apt update; }

# What dpkg is about to unpack is written down before it does.
install() {
    : >"$kept/asked" || return 21
    asks='while read -r file; do dpkg-deb -f "$file" Package; done'
    apt -o DPkg::Pre-Install-Pkgs::="{ $asks; } >>'$kept/asked'; sync" --no-remove --allow-downgrades install -- "$@"
}

marks() { apt-mark showauto | sort; }

mark() { apt-mark -q auto "$@"; }

# $1: packages; which files are theirs.
owned() { dpkg-query -L $1 2>/dev/null | sort -u; }

# $1: packages; the files for which ucf asks in their name, and those that are no longer as the packages brought them.
registered() { awk -v names="$1" 'index(" " names " ", " " $1 " ") { print $2 }' /var/lib/ucf/registry 2>/dev/null; }
edited() {
    {
        dpkg-query -W -f '${Conffiles}\n' $1 | awk 'NF > 1 { print $2 "  " $1 }'
        registered "$(plain "$1")" | while read -r path; do grep -F -- "  $path" /var/lib/ucf/hashfile; done
    } 2>/dev/null | md5sum -c --quiet 2>/dev/null | sed -n 's/: FAILED$//p'
}

# $1: packages; what their scripts do.
scripts() {
    for name in $1; do
        for script in preinst postinst config; do
            cat "/var/lib/dpkg/info/${name%:*}.$script" "/var/lib/dpkg/info/$name.$script" 2>/dev/null
        done
    done
}

# $1: names to remove, as far as nobody else needs them. An interrupted dpkg is mended first.
remove() {
    # Where dpkg has its own lock nobody else unpacks: what lies there is of a dpkg that was killed.
    if dpkg --force-confold --configure -a; then rm -f -- /var/lib/dpkg/tmp.ci/* && rmdir /var/lib/dpkg/tmp.ci 2>/dev/null; fi
    if [ -z "$1" ]; then return 0; fi
    # apt would take along whatever needs them, and that is not ours.
    others=$(apt-get -s purge -- $1 2>/dev/null | sed -n 's/^Purg \([^ ]*\).*/\1/p; s/^Remv \([^ ]*\).*/\1/p' | sort -u)
    plain "$1" | tr ' ' '\n' | sort -u >"$kept/ours"
    others=$(printf '%s\n' "$others" | sed 's/:.*//' | sort -u | comm -13 "$kept/ours" - | tr '\n' ' ')
    if [ -n "${others% }" ]; then
        echo "needed by: ${others% }"
        return 23
    fi
    apt --allow-change-held-packages remove -- $1 || dpkg --force-remove-reinstreq --remove $1
}

# $1: names to purge; $2: names to remove; $3: name=version to bring back.
take_away() {
    if [ -n "$1" ]; then
        apt --allow-change-held-packages purge -- $1 || dpkg --force-remove-reinstreq --purge $1 || return
    fi
    if [ -n "$2" ]; then apt --allow-change-held-packages remove -- $2 || return; fi
    if [ -n "$3" ]; then apt --allow-downgrades --allow-change-held-packages install -- $3 || return; fi
}

# $1: names with their architecture; without it.
plain() { printf '%s\n' $1 | sed 's/:.*//' | tr '\n' ' '; }
