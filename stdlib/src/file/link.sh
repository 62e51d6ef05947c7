# $1 path, $2 temporary prefix, $3 keep folder, $4 run, $5 name of the kept file, $6 "new" or "old", $7 target.
path=$1 prefix=$2 folder=$3 run=$4 name=$5
temporary=$prefix$name
clear_temporary
ln -sT -- "$7" "$temporary" || exit 71
if [ "$6" = old ]; then
    keep || {
        rm -f -- "$temporary"
        exit 75
    }
fi
mv -fT -- "$temporary" "$path" || exit 71
