# Puts a certificate, from standing input, and the key that was made for it into one new file.
key=$folder/$name.key
home || exit 75
clear "$made" "$temporary"
(set -C && : >"$temporary") && { cat && cat -- "$key"; } >>"$temporary" || exit 71
sync -- "$temporary" 2>/dev/null || sync
record file "$temporary" || exit 75
ln -P -T -- "$temporary" "$path" 2>/dev/null || mv -nT -- "$temporary" "$path" || exit 71
rm -f -- "$temporary"
proof file "$path" || exit 76
rm -f -- "$key"
