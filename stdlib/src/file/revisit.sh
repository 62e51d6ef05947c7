# Tells what a change left, before look.sh tells what is there. $1 path, $2 the run's folder of kept things, $3 run, $4 name of
# the change in it, $5 nonce, $6 what the script behind takes as $3. Prints `midway` or `-`, `kept` or `-`, and for each thing that was written down what it is and
# whether it is still there: `file=ours`, `0=other`.
midway=- kept=-
for left in "$temporary" "$temporary.old" "$temporary.gone"; do
    if [ -e "$left" ] || [ -L "$left" ]; then midway=midway; fi
done
if [ -e "$folder/$name.folders" ] || [ -e "$folder/$name.new" ]; then midway=midway; fi
if [ -e "$folder/$name" ] || [ -L "$folder/$name" ]; then
    kept=kept
elif [ -d "${path%/*}/" ] && area && { [ -e "$area/$name" ] || [ -L "$area/$name" ]; }; then
    kept=kept
fi
proofs=
if [ -e "$made" ]; then
    # shellcheck disable=SC2013 # A tag is a word.
    for tag in $(sed '/^like-/d; s/ .*//' "$made" | sort -u); do
        place=$path
        case $tag in
        [0-9]*)
            level=$tag
            while [ "$level" -gt 0 ]; do place=${place%/*} level=$((level - 1)); done
            if [ -d "${place%/*}/.haengine-$nonce-$name-$tag" ]; then midway=midway; fi
            ;;
        esac
        beside=${place%/*}/
        if [ "$tag" = poured ]; then beside=$place; fi
        proof "$tag" "$place" || :
        proofs="$proofs $tag=$proof"
    done
fi
echo "$midway $kept$proofs"
set -- "$path" 0 "${6-}"
