# The files $2…, those below folders, and those that patterns mean: first `host NAME`, then for each file where links lead
# `file MODE CONTENT PATH`, the content in base64, and `link PATH` for each other path to it. A file of more than 1 MiB is told only
# if it has one of the words $1, which stand on lines of their own, and with `-` for its content.
words=$1 last=
shift
tab=$(printf '\t')
echo "host $(uname -n)"
IFS=
for pattern do
    for path in $pattern; do find -H "$path" \( -type f -o -type l \) 2>/dev/null; done
done | while read -r path; do
    if [ -f "$path" ] && [ -r "$path" ]; then printf '%s\t%s\n' "$(readlink -f -- "$path")" "$path"; fi
done | sort -u | while IFS=$tab read -r file path; do
    if [ "$file" != "$last" ]; then
        last=$file content=
        if [ "$(stat -c %s -- "$file")" -le 1048576 ]; then content=$(base64 -w0 <"$file") told=yes
        elif [ "$words" ] && grep -qaF -e "$words" -- "$file"; then content=- told=yes
        else told=
        fi
        if [ "$told" ]; then echo "file $(stat -c %a -- "$file") $content $file"; fi
    fi
    if [ "$told" ] && [ "$path" != "$file" ]; then echo "link $path"; fi
done
exit 0
