# What is on a node; sockets/look.sh follows. $1 the root of the cluster's files, or empty; $2 a kubeconfig beside those that
# flags name, or empty; then units beside those of its programs. A part begins with `@NAME`; see said.rs.
# shellcheck disable=SC2046,SC2086 # Units and paths are lists; no word of them has a blank.
root=$1 kubeconfig=$2
shift 2
# sudo often leaves out where people put programs by hand.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin

# The node's programs, by the names of their processes.
known=
for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in
    kube-* | kubelet | hyperkube | k3s* | etcd | containerd | dockerd | cri-dockerd | crio) known="$known ${process#/proc/}" ;;
    esac
done

# Those of a node's programs: who started them, and what with. Words may have any character but one.
units=
for process in $known; do
    cd "/proc/$process" 2>/dev/null || continue
    echo "@process $process"
    while read -r group; do
        echo "group $group"
        group=${group##*/}
        case $group in *.service) units="$units $group" ;; esac
    done <cgroup
    echo "words $(base64 -w0 <cmdline)"
    if { read -r name <./comm; } && [ "$name" = etcd ]; then
        tr '\0' '\n' <environ 2>/dev/null | sed -n 's/^ETCD_/variable &/p'
    fi
done
cd /

# Older systemd has no --value. Units are told apart by empty lines.
echo "@units"
for unit in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy etcd containerd docker "$@"; do
    case $unit in
    *.*) ;;
    *) unit=$unit.service ;;
    esac
    case " $units " in *" $unit "*) ;; *) units="$units $unit" ;; esac
done
systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState -p FragmentPath -p DropInPaths -p EnvironmentFile \
    -p EnvironmentFiles -p MainPID $(printf '%s\n' $units | sort -u)

if [ -n "$root" ]; then
    echo "@size"
    du -sk --exclude=logs "$root" 2>/dev/null | cut -f1
    echo "@free"
    folder=$root
    while ! [ -d "$folder" ]; do folder=${folder%/*}/. folder=${folder%/.}; folder=${folder:-/}; done
    stat -f -c '%a %S' "$folder"
fi
echo "@swap"
tail -n +2 /proc/swaps

echo "@tools"
if command -v etcdctl >/dev/null || [ -x /opt/etcd/bin/etcdctl ]; then echo etcdctl; fi
if command -v curl >/dev/null; then echo curl; fi
echo "@cni"
for folder in /opt/cni/bin /usr/lib/cni /usr/libexec/cni; do if [ -x "$folder/host-local" ]; then echo "$folder"; fi; done
echo "@programs"
found=$(for program in containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 ctr runc crictl dockerd docker docker-init docker-proxy /opt/cni/bin/host-local /usr/lib/cni/host-local; do
    path=$(command -v "$program") && real=$(readlink -f "$path") && echo "${program##*/} $path $real"
done)
reals=$(printf '%s\n' "$found" | cut -d' ' -f3)
# `PACKAGE: PATH`; a path that no package has is left out.
owned=$({ ! command -v dpkg || dpkg -S $reals; ! command -v rpm || for real in $reals; do
    package=$(rpm -qf --qf '%{NAME}\n' "$real") && echo "$(printf '%s\n' "$package" | head -n 1): $real"
done; } 2>/dev/null)
printf '%s\n' "$found" | while read -r program path real; do
    if [ -z "$program" ]; then continue; fi
    package=$(printf '%s\n' "$owned" | sed -n "s|: $real\$||p" | head -n 1)
    echo "$program $path $real ${package%%:*}"
done

echo "@named"
todo=$kubeconfig known_files=
for process in $known; do
    todo="$todo $(tr '\0' '\n' <"/proc/$process/cmdline" 2>/dev/null | tail -n +2 | sed -n 's/^-[^=]*=\(\/.*\)/\1/p; s/^\(\/.*\)/\1/p')"
done
# A file of configuration names a kubeconfig, which names certificates.
while [ -n "$todo" ]; do
    next=
    for path in $todo; do
        case " $known_files " in *" $path "*) continue ;; esac
        [ -f "$path" ] || continue
        known_files="$known_files $path"
        [ "$(stat -L -c %s "$path")" -gt 65536 ] || next="$next $(sed -n "s/^[ -]*[A-Za-z-]*: *[\"']\{0,1\}\(\/[^\"' ]*\)[\"']\{0,1\} *\$/\1/p" "$path")"
    done
    todo=${next# }
done
for path in $known_files; do
    if grep -q '^-----BEGIN' "$path"; then echo "pem $path"; else echo "text $path"; fi
done
