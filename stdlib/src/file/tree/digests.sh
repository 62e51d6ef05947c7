# Hashes of files named on standard input, each name ended by NUL, as lines `HASH  NAME`; a name that is no line is escaped, and
# its line begins with a backslash. Argument: the tree. coreutils before 8.30 cannot end lines with NUL.
cd "$1" || exit
exec xargs -0 -r sha256sum --
