# The files at $1…, with what they lead to: `file MODE CONTENT PATH`, the content in base64, `-` for one of more than 1 MiB;
# `none PATH` for what is no file or cannot be read.
for path do
    if ! [ -f "$path" ] || ! [ -r "$path" ]; then
        echo "none $path"
    elif [ "$(stat -L -c %s -- "$path")" -gt 1048576 ]; then
        echo "file $(stat -L -c %a -- "$path") - $path"
    else
        echo "file $(stat -L -c %a -- "$path") $(base64 -w0 <"$path") $path"
    fi
done
