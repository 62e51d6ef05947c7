export KUBE_API=https://192.168.2.119:6443
