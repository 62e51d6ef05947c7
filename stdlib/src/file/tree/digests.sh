# Hashes of files named on standard input, each name ended by NUL, as `HASH  NAME` ended by NUL. Argument: the tree.
cd "$1" || exit
exec xargs -0 -r sha256sum -z --
