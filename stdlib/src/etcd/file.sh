# What is known of snapshots, and how what is made from etcd gets its place.

# etcd ends a snapshot with the SHA-256 of all before it.
is_whole() {
    [ "$(($(stat -c %s -- "$1") % 512))" = 32 ] || return
    sum=$(head -c -32 -- "$1" | sha256sum) && sum=${sum%% *}
    [ "$sum" = "$(tail -c 32 -- "$1" | od -An -v -tx1 | tr -d ' \n')" ]
}
# What etcd's own programs know of it; not all of them do.
status_of() {
    { etcdutl snapshot status "$1" -w json || ETCDCTL_API=3 etcdctl snapshot status "$1" -w json; } 2>/dev/null | head -n 1
}
tell_of() {
    sum=$(sha256sum <"$1")
    printf 'etcdctl %s %s %s\n' "$(stat -c %s -- "$1")" "${sum%% *}" "$(status_of "$1")"
}
# What is there is never written over.
is_free() {
    [ -d "${1%/*}/" ] || exit 30
    if [ -e "$1" ] || [ -L "$1" ]; then exit 31; fi
}
# $1: a folder. From then on the work is done in a folder of our own below it, whoever exchanges names above.
begin() {
    made=$(mktemp -d -- "${1:-/}/.haengine-XXXXXXXXXX") && cd -P -- "$made" || exit 33
    case $(pwd -P) in */"${made##*/}") stage=. ;; *) exit 33 ;; esac
    trap end EXIT
}
end() {
    rm -rf -- "$stage/snapshot" "$stage/snapshot.part" "$stage/data"
    rmdir -- "$made" 2>/dev/null
}
force() { sync -- "$1" 2>/dev/null || sync; }
# $1: a file that is whole; $2: its place.
place() {
    force "$1"
    if ! ln -T -- "$1" "$2"; then
        is_free "$2"
        exit 33
    fi
    force "${2%/*}/"
}
