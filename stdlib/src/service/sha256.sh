# Prints the hash of a file. Programs are large, and openssl hashes four times as fast where the processor helps.
sha256() {
    if command -v openssl >/dev/null; then hash=$(openssl dgst -sha256 -r <"$1"); else hash=$(sha256sum <"$1"); fi || return
    echo "${hash%% *}"
}
