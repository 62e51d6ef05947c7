# Asks each endpoint each question, all at once. $1: the questions; then the endpoints. First comes the program that asks,
# then for each answer: the endpoint's number, the question, what the program said on its standard error, its status, and
# its standard output. Fields end with US, answers with RS.
questions=$1
shift

with_etcdctl() {
    endpoint=$1
    case $2 in
    health) set -- endpoint health ;;
    status) set -- endpoint status ;;
    members) set -- member list ;;
    alarms) set -- alarm list ;;
    esac
    with_options "$endpoint" -w json "$@"
}
with_curl() {
    case $2 in
    health) set -- "$1/health" ;;
    status) set -- "$1/v3/maintenance/status" -d '{}' ;;
    members) set -- "$1/v3/cluster/member/list" -d '{}' ;;
    alarms) set -- "$1/v3/maintenance/alarm" -d '{"action":"GET"}' ;;
    esac
    over_http -w '\n%{http_code} %{time_total}' "$@"
}
# One printf an answer, so that answers which come at once do not mix.
ask() {
    said=$(told "$2" "$3")
    printf '%s\037%s\037%s\036' "$1" "$3" "$said"
}

printf '%s\036' "$program"
number=0
for endpoint; do
    for question in $questions; do ask "$number" "$endpoint" "$question" & done
    number=$((number + 1))
done
wait
