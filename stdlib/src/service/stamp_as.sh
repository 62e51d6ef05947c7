# Writes the stamp of a unit. $1: the unit; then its lines. The folder is ours, or nothing is written: whoever has another's place in it
# would choose what a unit is believed to run with.
stamp_as() {
    stamp=/run/haengine/$1.stamp new=/run/haengine/.$1.stamp
    shift
    mkdir -m 755 /run/haengine 2>/dev/null
    if [ ! -d /run/haengine ] || [ -L /run/haengine ] || ! [ -O /run/haengine ]; then return 1; fi
    new=$(mktemp "$new.XXXXXXXXXX") && printf '%s\n' "$@" >"$new" && chmod 644 "$new" && mv -fT -- "$new" "$stamp"
}
