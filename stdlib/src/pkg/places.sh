# Lists what packages change besides their own files: configuration in full, state by its upper folders. Each place is
# type, mode, owner, size, time and link target, then a tab and its path. What changes all the time by itself is left out;
# of folders full of containers only that they are there is told.
places() {
    command -v find >/dev/null || return 0
    form='%y %m %U:%G %s %T@ %l\t%p\0'
    find /etc -xdev \( -path /etc/resolv.conf -o -path /etc/hostname -o -path /etc/machine-id -o -path /etc/adjtime \
        -o -path /etc/mtab -o -name .haengine \) -prune -o -printf "$form"
    if [ -d /var/lib/ucf ]; then find /var/lib/ucf -printf "$form"; fi
    for root in /var/lib /var/spool /var/opt /usr/local /opt /srv; do
        if [ -d "$root" ]; then
            find "$root" -xdev -mindepth 1 -maxdepth 3 \( -path /var/lib/ucf -o -path /var/lib/dpkg -o -path /var/lib/apt \
                -o -path /var/lib/rpm -o -path /var/lib/dnf -o -path /var/lib/yum -o -path /var/lib/haengine \
                -o -path /var/lib/systemd/timers -o -path /var/lib/systemd/coredump -o -name .haengine \) -prune -o \
                \( -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/lib/kubelet \) -prune -printf "$form" \
                -o -printf "$form"
        fi
    done
}
