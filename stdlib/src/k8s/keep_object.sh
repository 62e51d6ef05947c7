# $1: the run's folder of kept files, $2: the name of the file. What is kept comes from standing input.
umask 077
mkdir -p -- "$1" || exit 71
dd of="$1/$2.part" bs=64k conv=fsync status=none || exit 71
mv -fT -- "$1/$2.part" "$1/$2" || exit 71
