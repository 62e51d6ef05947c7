# Lines of `name value`, then whole files behind lines of `== name`. Builtins where they do: each fork costs.
say() { printf '%s %s\n' "$1" "$2"; }
first() { [ -r "$2" ] && { IFS= read -r value <"$2" || [ -n "$value" ]; } 2>/dev/null && say "$1" "$value"; }
date +'before %s%N'
first hostname /proc/sys/kernel/hostname
first machine_id /etc/machine-id
first boot_id /proc/sys/kernel/random/boot_id
first kernel /proc/sys/kernel/osrelease
first uptime /proc/uptime
first memory /proc/meminfo
first selinux /sys/fs/selinux/enforce
say arch "$(uname -m)"
say cpus "$(nproc)"
for tool in apt-get dnf yum zypper apk pacman; do
    command -v "$tool" >/dev/null && say package_manager "${tool%-get}" && break
done
if [ -d /run/systemd/system ]; then
    say init systemd
    say systemd "$(systemctl --version)"
else
    first init /proc/1/comm
fi
if [ -L /etc/localtime ]; then say timezone "$(readlink /etc/localtime)"; else first timezone /etc/timezone; fi
date +'after %s%N'
echo '== os'
if [ -r /etc/os-release ]; then cat /etc/os-release; else cat /usr/lib/os-release 2>/dev/null; fi
echo
echo '== ipv6'
cat /proc/net/if_inet6 2>/dev/null
echo '== ipv4'
head -c 4000000 /proc/net/fib_trie 2>/dev/null
:
