# Takes folders away that were made. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce,
# $6 how many folders above it were missing. Prints the level and `used` where something is in one, `left` where it is not ours.
above=$6
level=0 place=$path
while [ "$level" -le "$above" ]; do
    beside=${place%/*}/
    if [ -e "$place" ] || [ -L "$place" ]; then
        # Before hosts held records, nothing says whose it is; an empty one may go.
        if ! [ -d "$place" ] || [ -L "$place" ] || { [ -n "$nonce" ] && ! proof "$level" "$place"; }; then
            echo "$level left"
        elif ! rmdir -- "$place" 2>/dev/null; then
            echo "$level used"
        fi
    fi
    level=$((level + 1)) place=${place%/*}
done
