# Tells one endpoint something, once. $1: the only program that may, or nothing; $2: the endpoint; $3: the gateway's path;
# $4: what it is sent; then etcdctl's words for the same. What comes is as if it were asked, the question being `told`.
[ -z "$1" ] || program=$1
command -v "$program" >/dev/null || exit 20

with_etcdctl() {
    endpoint=$2
    shift 4
    with_options "$endpoint" -w json "$@"
}
with_curl() {
    over_http -w '\n%{http_code} %{time_total}' "$2$3" -d "$4"
}
said=$(told "$@")
printf '%s\036%s\037told\037%s\036' "$program" 0 "$said"
