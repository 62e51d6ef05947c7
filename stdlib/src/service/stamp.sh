# Puts the stamp of a unit back. $1: the unit; $2: what it said, or nothing when there was none.
if [ -n "$2" ]; then
    stamp_as "$1" "$2"
elif [ -d /run/haengine ] && [ ! -L /run/haengine ] && [ -O /run/haengine ]; then
    rm -f "/run/haengine/$1.stamp" "/run/haengine/.$1.stamp"* && { rmdir /run/haengine 2>/dev/null || :; }
fi
