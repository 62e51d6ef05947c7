# Takes folders away that were made. $6 how many folders above it were missing. Prints the level and `used` where something is in one, `left` where it is not ours.
above=$6
level=0 place=$path
while [ "$level" -le "$above" ]; do
    beside=${place%/*}/
    # It broke off before this one had its name.
    ours=${place%/*}/.haengine-$nonce-$name-$level
    if [ -n "$nonce" ] && [ -d "$ours" ] && { [ -O "$ours" ] || proof "$level" "$ours"; }; then rmdir -- "$ours" || exit 71; fi
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
