# Puts the stamp of a unit back. $1: the unit; $2: what it said, or nothing when there was none.
if [ -n "$2" ]; then
    mkdir -p /run/haengine &&
        printf '%s\n' "$2" >"/run/haengine/.$1.stamp" && mv -f "/run/haengine/.$1.stamp" "/run/haengine/$1.stamp"
else
    rm -f "/run/haengine/$1.stamp" "/run/haengine/.$1.stamp" && { rmdir /run/haengine 2>/dev/null || :; }
fi
