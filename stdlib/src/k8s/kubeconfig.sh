# $1: the kubeconfig, or empty for the first of the usual places; the others: files that it names.
# Gives `path PATH`, then `file NAME CONTENT` for it, with an empty name, or for each of the others, the content in base64;
# `none NAME` for one that cannot be read. What a kubeconfig names is found by who can read one.
give() {
    if [ -f "$2" ] && [ -r "$2" ]; then
        printf 'file %s ' "$1"
        base64 -w0 <"$2" || exit 71
        echo
    else
        printf 'none %s\n' "$1"
    fi
}
path=$1
if [ -z "$path" ]; then
    for place in ~/.kube/config /etc/kubernetes/admin.conf /root/.kube/config; do
        if [ -f "$place" ] && [ -r "$place" ]; then
            path=$place
            break
        fi
    done
fi
if [ -z "$path" ]; then
    printf 'home %s\n' ~
    exit 0
fi
printf 'path %s\n' "$path"
if [ "$#" -lt 2 ]; then
    give "" "$path"
    exit 0
fi
shift
for name in "$@"; do
    case $name in
    /*) give "$name" "$name" ;;
    *) give "$name" "${path%/*}/$name" ;;
    esac
done
