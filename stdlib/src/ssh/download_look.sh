# $1: a file on the host, $2: the size of the copy that is there already, or nothing.
# Says `file SIZE SHA256`, without the hash where the sizes differ; or why it cannot be had.
if [ -d "$1" ]; then echo directory; exit; fi
if [ ! -e "$1" ]; then echo absent; exit; fi
if [ ! -f "$1" ]; then echo special; exit; fi
if [ ! -r "$1" ]; then echo unreadable; exit; fi
size=$(stat -L -c %s -- "$1") || exit
# Files of the kernel have a size only once they are read.
if [ "$size" = 0 ]; then size=$(head -c 67108864 -- "$1" | wc -c) || exit; fi
if [ "$size" = "$2" ]; then sum=$(sha256sum <"$1") || exit; else sum=; fi
echo "file $size ${sum%% *}"
