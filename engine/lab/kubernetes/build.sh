#!/bin/sh
# Builds Kubernetes from Debian's source package: build.sh WORK SUITE MIRROR VERSION PROGRAMS
# (a folder of its own, the result is in WORK/bin; a Debian suite and its mirror; the version that it has to be;
# a list of programs with commas).
# It runs in namespaces of its own, so that nothing of it outlives a build that is killed.
set -eu
work=$1 suite=$2 mirror=$3 version=$4 programs=$(echo "$5" | tr , ' ')
export LC_ALL=C HOME="$work" TMPDIR="$work/tmp" GOPATH="$work/go" GOCACHE="$work/go-cache"

# Lists, sources and keys of its own: the machine's apt never hears of the source package.
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/parts" "$work/bin" "$TMPDIR"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/apt/sources.list"
: >"$work/apt/status"
private() {
    apt-get -q -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts="$work/apt/parts" \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::State::Status="$work/apt/status" \
        -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root "$@"
}

echo "I: fetching the source package"
cd "$work"
private update
private --download-only source kubernetes golang-github-modern-go-reflect2

echo "I: unpacking it"
tree=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$GOPATH/src/k8s.io"
# apt has checked the sums and signatures already.
dpkg-source --no-check -x "$work"/kubernetes_*.dsc "$tree"
packaged=$(dpkg-parsechangelog -l "$tree/debian/changelog" -S Version)
case $packaged in
    "$version"[-+~]* | *really"$version"[-+~]*) ;;
    *) echo "$mirror has kubernetes $packaged in $suite, and $version is wanted" >&2; exit 1 ;;
esac

# The copy of reflect2 that Kubernetes brings reads maps as Go did before 1.18; built with a newer Go it writes to
# memory that is not its own, and every program crashes sooner or later. Debian's package has the repaired one.
dpkg-source --no-check -x "$work"/golang-github-modern-go-reflect2_*.dsc "$work/reflect2"
vendored=$tree/vendor/github.com/modern-go/reflect2
rm "$vendored"/*.go "$vendored"/*.s
cp "$work"/reflect2/*.go "$work"/reflect2/*.s "$vendored"
rm -f "$vendored"/*_test.go
grep -q 'go1.18' "$vendored"/*.go || { echo "the mirror's reflect2 is older than Go 1.18" >&2; exit 1; }

what=
for program in $programs; do what="$what cmd/$program"; done
major=${version%%.*} minor=${version#*.}
cd "$tree"
echo "I: compiling $programs"
GO111MODULE=auto GOFLAGS= GOPROXY=off CGO_ENABLED=0 KUBE_GIT_VERSION="v$version" KUBE_GIT_MAJOR="$major" \
    KUBE_GIT_MINOR="${minor%%.*}" KUBE_GIT_TREE_STATE=archive make WHAT="$what"

echo "I: checking that it runs"
for program in $programs; do
    install -m 755 "_output/bin/$program" "$work/bin/$program"
    case $program in
        kubectl) said=$("$work/bin/$program" version --client --short) ;;
        kubeadm) said=$("$work/bin/$program" version -o short) ;;
        *) said=$("$work/bin/$program" --version) ;;
    esac
    case $said in
        *"v$version") ;;
        *) echo "$program says '$said', and v$version is wanted" >&2; exit 1 ;;
    esac
done
# Reads and writes maps, which is what a reflect2 that does not fit the compiler cannot do.
"$work/bin/kubectl" config set-credentials lab --username=lab --kubeconfig="$work/config"
"$work/bin/kubectl" config get-users --kubeconfig="$work/config"
