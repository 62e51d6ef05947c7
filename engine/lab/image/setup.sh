# Runs inside the image, after its packages are unpacked, and makes it a bare host of the lab.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
repository=/var/lib/haengine-lab/repository

# What recipes install comes from a folder, because hosts of the lab have no route to anywhere.
mkdir -p $repository
apt-get -q update
apt-get -q -y --download-only -o Dir::Cache::archives=$repository install $(echo "$REPOSITORY" | tr , ' ')
rm -rf $repository/partial $repository/lock
cd $repository
for deb in *.deb; do
    dpkg-deb --field "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done > Packages
cd /
# The archives of Debian are not reached from here on.
sh -eu /var/lib/haengine-lab/images.sh /usr/local/lib/kubernetes/images.tar
echo "deb [trusted=yes] file:$repository ./" > /etc/apt/sources.list
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
apt-get -q update
# dpkg writes its list of packages in its own form the first time that it changes something: now, so that an
# installation that is undone leaves the same list.
apt-get install -qq -y tree
apt-get purge -qq -y tree
apt-get clean

# Fixed numbers, so that the lab can give the users their keys from outside.
useradd --uid 2001 --gid users --create-home --shell /bin/bash --password '*' operator
useradd --uid 2002 --gid users --create-home --shell /bin/bash --password '*' keeper
useradd --uid 2003 --gid users --create-home --shell /bin/bash --password '*' guest
echo 'keeper:lab-password' | chpasswd

# Hosts start bare: only sshd runs. Recipes enable the rest.
find /etc/systemd/system -path '*.target.wants/*' ! -name ssh.service -delete
systemctl mask console-getty.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer
systemctl set-default multi-user.target
mkdir -p /usr/lib/systemd/system/sysinit.target.wants
ln -s ../lab-control-groups.service /usr/lib/systemd/system/sysinit.target.wants/

# Each host makes its own identity.
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/hostname /etc/resolv.conf /usr/sbin/policy-rc.d
: > /etc/machine-id
: > /etc/resolv.conf
printf '127.0.0.1 localhost\n::1 localhost\n' > /etc/hosts
rm -rf /var/log/journal /var/cache/apt/*.bin
