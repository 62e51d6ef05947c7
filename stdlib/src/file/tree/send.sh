# Writes a tar stream of the paths named on standard input, each ended by NUL. Argument: the tree. Its blocks are as
# long as a pipe holds.
LC_ALL=C
export LC_ALL
cd "$1" || exit
exec tar -c -b 128 --format=posix --pax-option=delete=atime,delete=ctime --numeric-owner --sparse \
    --xattrs --xattrs-include=user.* \
    --null --no-unquote --no-recursion -f - -T -
