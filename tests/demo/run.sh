#!/bin/sh
# A second master in a real cluster, on hosts that are made on this machine and thrown away.
#
#   run.sh HAENGINE up      everything, from nothing; the lab stays if all of it succeeded, and only then
#   run.sh HAENGINE down    the lab is gone
#
# The inventory, its key and the journals are in $HAENGINE_CACHE/demo, outside the checkout.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
haengine=$1
folder=${HAENGINE_CACHE:?run this through make}/demo
export HAENGINE_STATE_DIR="$folder/state"
begun=$(date +%s)

# ---- the demo

up() {
    if [ -d "$folder" ]; then
        say 'an earlier demo is there: taking it down'
        take_down
    fi
    trap broken EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP PIPE
    mkdir -p "$folder"
    cp "$here/site.yaml" "$folder/"
    cd "$folder"

    say "Kubernetes for the hosts (the first time it is built, about six minutes on two cores;
    KUBE_BIN_DIR=FOLDER takes official binaries instead)"
    lab kubernetes

    say 'four hosts: master1, master2, worker1, worker2 (the first time their image is built, about two minutes)'
    lab up -i site.yaml --kubernetes

    say 'from bare hosts to a cluster with one master'
    operator run bootstrap_cluster -i site.yaml images=/usr/local/lib/kubernetes/images.tar pause_image=pause:lab
    kubectl master1 get nodes

    say 'a plan: what would make master2 the second one? Nothing is touched'
    operator plan add_master -i site.yaml target=master2

    say 'the run: master2 becomes the second master'
    operator run add_master -i site.yaml target=master2
    runs=$(ours runs --json)
    run=$(printf '%s\n' "$runs" | sed -n '1s/.*"run":"\([^"]*\)".*/\1/p')
    # The undo that is offered below reads the same journal.
    ours show "$run" >/dev/null

    say 'the cluster sees it, asked through the new master'
    kubectl master2 get nodes
    kubectl master2 get endpoints kubernetes
    serves
    trap - EXIT INT TERM HUP PIPE
    look_around
}

# The recipe has verified all this already; the demo does not end well without it.
serves() {
    addresses=$(kubectl_quietly get endpoints kubernetes -o 'jsonpath={.subsets[*].addresses[*].ip}')
    case " $addresses " in
        *' 192.168.2.117 '*) ;;
        *) echo "the endpoints of kubernetes lack master2: $addresses" >&2; exit 1 ;;
    esac
    [ "$(kubectl_quietly get --raw /readyz)" = ok ]
    printf '\nmaster2 serves: its API server is ready, and the endpoints are %s\n' "$addresses"
}

look_around() {
    say "DONE in $(($(date +%s) - begun)) s. FOUR HOSTS STILL RUN, until: make demo-down"
    cat <<TEXT

Look around:
    cd $folder; export HAENGINE_STATE_DIR=\$PWD/state PATH=$(dirname "$haengine"):\$PATH
    haengine lab exec --name demo master2 -- kubectl get nodes
    haengine lab ssh  --name demo master2
    haengine show $run
    haengine lab exec --name demo -- haengine run add_master -i site.yaml target=master2     # 0 changed

Take master2 out again, every host as it was:
    haengine lab exec --name demo -- haengine undo $run

Take everything down:
    make demo-down
TEXT
}

down() {
    if [ ! -d "$folder" ]; then
        echo 'there is no demo'
        return
    fi
    take_down
}

# ---- its parts

say() { printf '\n==> [%3d s] %s\n' "$(($(date +%s) - begun))" "$1"; }

# Hosts that stay up shall not hold the lock.
ours() { "$haengine" "$@" 9>&-; }

lab() {
    verb=$1
    shift
    ours lab "$verb" --name demo "$@"
}

# What an operator types, shown as it is typed.
operator() {
    printf '\n$ haengine %s\n' "$*"
    lab exec -- haengine "$@"
}

kubectl() {
    host=$1
    shift
    printf '\n%s# kubectl %s\n' "$host" "$*"
    lab exec "$host" -- kubectl "$@"
}

kubectl_quietly() { lab exec master2 -- kubectl "$@"; }

take_down() {
    lab down
    rm -rf "$folder"
}

# Somebody pressed Ctrl-C, or a step failed. A key pressed now, or a closed terminal, does not leave half of it behind.
broken() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP PIPE
    set +e
    say "THE DEMO DID NOT SUCCEED (status $status). Taking its hosts down"
    lab down >/dev/null 2>&1 && rm -rf "$folder" && say 'nothing of it is left running' && exit "$status"
    say "TAKING IT DOWN FAILED, TOO. Try: make demo-down"
    exit "$status"
}

# ---- what is asked

if [ "$(id -u)" != 0 ]; then
    echo 'the demo makes hosts on this machine, which needs root' >&2
    exit 1
fi
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
if ! flock -n 9; then
    echo 'a demo is under way on this machine; end it with Ctrl-C there, or wait' >&2
    exit 1
fi
case $2 in
    up) up ;;
    down) down ;;
    *) echo 'write `up` or `down`' >&2; exit 1 ;;
esac
