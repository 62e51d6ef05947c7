# $1 path, $2 temporary prefix, $3 keep folder, $4 run, $5 name of the kept file.
# The temporary file is there from the first step to the last: while it is, undo has something to do.
path=$1 prefix=$2 folder=$3 run=$4 name=$5
clear_temporary
area || exit 71
: >"$prefix$name" || exit 71
mkdir -p -- "$folder" 2>/dev/null
here=$(stat -c %m -- "${path%/*}/")
there=
if [ -d "$folder" ]; then there=$(stat -c %m -- "$folder"); fi
place= status=0
if [ "$here" = "$there" ]; then
    place=$folder
elif mkdir -p -- "$area" 2>/dev/null; then
    place=$area
fi
# An overlay does not rename a directory of its lower layer, and mv would fall back to a copy that can break off.
if [ -d "$path" ] && ! [ -L "$path" ] && [ "$(stat -f -c %T -- "$path")" = overlayfs ]; then place=; fi
if [ -n "$place" ]; then
    mv -T -- "$path" "$place/$name" || status=71
    if [ "$status" != 0 ]; then drop_area; fi
    rm -f -- "$prefix$name"
    exit "$status"
fi
drop_area
mv -- "$prefix$name" "$prefix$name.copy" || exit 71
if ! { [ -d "$folder" ] && cp -a --reflink=auto -T -- "$path" "$folder/$name.part" &&
    mv -T -- "$folder/$name.part" "$folder/$name"; }; then
    rm -f -- "$prefix$name.copy"
    exit 75
fi
# From here on the thing may be there in part.
mv -- "$prefix$name.copy" "$prefix$name.part" || exit 71
rm -rf --one-file-system -- "$path" || exit 71
rm -f -- "$prefix$name.part"
