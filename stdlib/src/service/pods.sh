# What runs a kubelet's pods: containerd, docker, or both. $1: `list` prints their sandboxes and containers, a line each; `end` ends
# them, but for those that follow: they were there before. They are told to end, and killed ten seconds later. Then go the mounts
# that they had, and their networks: a pod's folder is no longer in use then.
# shellcheck disable=SC2086 # $left is a list of words.
what=$1
shift
known=" $* "
export LC_ALL=C
socket=unix:///run/containerd/containerd.sock
containerd() { timeout -k 5 30 ctr -n k8s.io "$@" 2>/dev/null; }
if command -v ctr >/dev/null && [ -S /run/containerd/containerd.sock ]; then has_containerd=1; else has_containerd=; fi
if command -v docker >/dev/null && [ -S /run/docker.sock ]; then has_docker=1; else has_docker=; fi

list_containerd() { if [ -n "$has_containerd" ]; then containerd containers list -q; fi; }
list_docker() {
    if [ -n "$has_docker" ]; then timeout -k 5 30 docker ps -aq --no-trunc --filter label=io.kubernetes.pod.uid 2>/dev/null; fi
}
# Of the ids on the standard input, those that were not there before.
new() {
    while read -r id; do
        case $known in *" $id "*) ;; *) echo "$id" ;; esac
    done
}

if [ "$what" = list ]; then
    list_containerd
    list_docker
    exit 0
fi

# It takes down what it made of networks, where it is there.
if [ -n "$has_containerd" ] && command -v crictl >/dev/null; then
    for id in $(timeout -k 5 30 crictl -r "$socket" pods -q 2>/dev/null | new); do
        timeout -k 5 60 crictl -r "$socket" stopp "$id" >/dev/null 2>&1
        timeout -k 5 60 crictl -r "$socket" rmp "$id" >/dev/null 2>&1
    done
fi

ids=$(list_containerd | new)
if [ -n "$ids" ]; then
    networks=$(for id in $ids; do containerd containers info "$id"; done | grep -o '"[^"]*/netns/cni-[^"/]*"' | tr -d '"' | sort -u)
    running() { containerd tasks list | grep -F "$ids" | grep -q RUNNING; }
    for id in $ids; do containerd tasks kill -s SIGTERM "$id"; done
    tries=50
    while [ "$tries" -gt 0 ] && running; do
        tries=$((tries - 1))
        sleep 0.2
    done
    for id in $ids; do
        containerd tasks kill -a -s SIGKILL "$id"
        containerd tasks rm -f "$id"
        containerd containers rm "$id"
        awk -v id="/$id/" 'index($5 "/", id) { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r place; do
            timeout -k 5 20 umount -- "$place"
        done
    done >/dev/null 2>&1
    for network in $networks; do
        timeout -k 5 20 umount -- "$network" 2>/dev/null && rm -f -- "$network"
    done
fi

for id in $(list_docker | new); do
    timeout -k 5 30 docker stop -t 10 "$id"
    timeout -k 5 30 docker rm -f "$id"
done >/dev/null 2>&1

left=$({ list_containerd; list_docker; } | new)
if [ -n "$left" ]; then
    echo "these did not end:" $left >&2
    exit 1
fi
