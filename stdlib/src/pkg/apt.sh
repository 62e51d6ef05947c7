# What is particular to apt: functions for the scripts beside this one. DPkg::Lock::Timeout waits for another apt.
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
apt() {
    apt-get -q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

list() { dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n' | grep -v ' not-installed$' | sort; }

refresh() { apt update; }

install() { apt --no-remove --allow-downgrades install -- "$@"; }

marks() { apt-mark showauto | sort; }

mark() { apt-mark -q auto "$@"; }

# $1: names to purge; $2: names to remove; $3: name=version to bring back. An interrupted dpkg is mended first.
take_away() {
    # Where dpkg has its own lock nobody else unpacks: what lies there is of a dpkg that was killed.
    dpkg --force-confold --configure -a && rm -rf /var/lib/dpkg/tmp.ci || :
    if [ -n "$1" ]; then
        # apt would take along whatever needs them, and that is not ours.
        others=$(apt-get -s purge -- $1 2>/dev/null | sed -n 's/^Purg \([^ ]*\).*/\1/p; s/^Remv \([^ ]*\).*/\1/p' | sort -u)
        printf '%s\n' $1 | sed 's/:.*//' | sort -u >"$kept/ours"
        others=$(printf '%s\n' "$others" | sed 's/:.*//' | sort -u | comm -13 "$kept/ours" - | tr '\n' ' ')
        if [ -n "${others% }" ]; then
            echo "needed by: ${others% }"
            return 23
        fi
        apt --allow-change-held-packages purge -- $1 || dpkg --force-remove-reinstreq --purge $1 || return
    fi
    if [ -n "$2" ]; then apt --allow-change-held-packages remove -- $2 || return; fi
    if [ -n "$3" ]; then apt --allow-downgrades --allow-change-held-packages install -- $3 || return; fi
}
