# Tells what is at a data folder: `nothing`, `restored` for what was made from this snapshot and never used since, or
# `other`. $1: the snapshot; $2: the folder; $3: a mark for what is wanted.
if ! [ -e "$2" ] && ! [ -L "$2" ]; then
    echo nothing
elif [ -f "$1" ] && [ "$(cat -- "$2/member/haengine-restored" 2>/dev/null)" = "$(print_of "$1" "$2" "$3")" ]; then
    echo restored
else
    echo other
fi
