# Prints which scripts the sources given put together with `concat!`, a line each: pieces apart by tabs, `=TEXT` where
# one is a text.

FNR == 1 { print_wholes(); folder = FILENAME; sub(/[^\/]*$/, "", folder) }
{ source = source $0 "\n" }
END { print_wholes() }

function print_wholes(    start) {
    while ((start = index(source, "concat!(")) > 0) {
        source = substr(source, start + length("concat!("))
        print_whole()
    }
    source = ""
}

# Takes the pieces that the rest of the source begins with.
function print_whole(    whole, is_script) {
    while (sub(/^[ \n,]+/, "", source) || 1) {
        if (match(source, /^include_str!\("[^"]*\.sh"\)/)) {
            whole = whole "\t" folder substr(source, 15, RLENGTH - 16)
            is_script = 1
        } else if (match(source, /^"[^"\\]*(\\n)?"/)) {
            whole = whole "\t=" substr(source, 2, RLENGTH - 2)
        } else break
        source = substr(source, RLENGTH + 1)
    }
    if (is_script) print substr(whole, 2)
}
