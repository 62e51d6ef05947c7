# $1: the folder, or nothing. Then NAME=VALUE…, then `--`, then the program and its arguments.
[ -z "$1" ] || cd -- "$1" || exit 126
shift
# shellcheck disable=SC2163 # The value comes with it.
while [ "$1" != -- ]; do export "$1"; shift; done
shift
[ "$#:$1:$2" = 3:sh:-c ] || exec "$@"
shift 2
eval "shift; $1"
