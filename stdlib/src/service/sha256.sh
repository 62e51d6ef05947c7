# Prints the hash of a file. Programs are large, and openssl hashes four times as fast where the processor helps.
sha256() {
    hash=$(openssl dgst -sha256 -r <"$1" 2>/dev/null) || hash=$(sha256sum <"$1") || return
    echo "${hash%% *}"
}
