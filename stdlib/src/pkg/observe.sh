# Tells which package manager the host has and what it knows of packages; for what is missing, apt says what it would do.
# $1: names; $2: NAME or NAME=VERSION of each. Neither has blanks in it. Tokens end with NUL.
# shellcheck disable=SC2086 # Packages come as a list.
names=$1 specs=$2 manager=none root=no
export LC_ALL=C
for word in apt-get dnf yum; do
    if command -v "$word" >/dev/null; then
        manager=$word
        break
    fi
done
if [ -w /etc/passwd ]; then root=yes; fi
case $manager in
apt-get) form='${Package} ${Package}:${Architecture} ${Version} ${db:Status-Status}\n' known=$(dpkg-query -W -f "$form" -- $names 2>/dev/null) ;;
dnf | yum) known=$(rpm -q --qf '%{NAME} %{NAME}.%{ARCH} %{VERSION}-%{RELEASE} installed\n' $names 2>/dev/null) ;;
*) known= ;;
esac

missing=
for spec in $specs; do
    found=no
    while read -r name full version status; do
        case $status:$spec in
        "installed:$name" | "installed:$full") found=yes ;;
        "installed:$name=$version" | "installed:$full=$version" | "installed:$name=${version%-*}") found=yes ;;
        esac
    done <<END
$known
END
    if [ "$found" = no ]; then missing="$missing $spec"; fi
done

said='' status=0
if [ -n "$missing" ] && [ "$manager" = apt-get ]; then
    # Without these two, even a simulation writes apt's caches, and looking must touch nothing.
    said=$(apt-get -q -y --allow-downgrades -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -s install -- $missing 2>&1)
    status=$?
fi
printf '%s\0%s\0%s\0%s\0%s\0%s\0' "$manager" "$root" "$known" "$missing" "$status" "$said"
# Where an earlier attempt has kept what its undo needs.
for kept in /var/lib/haengine/*/*/packages; do
    if [ -e "$kept" ]; then printf '%s\0' "${kept%/packages}"; fi
done
