#!/bin/sh
# Times haengine beside pyinfra, Ansible and OpenSSH on the same ten lab hosts, in one run; then the runbook of a second
# master, as a shell script and as a recipe; and, without hosts, a recipe that is edited. The others are installed from PyPI
# into a folder of the cache, for this alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${HAENGINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/haengine}
venv=$cache/bench-venv
haengine=${CARGO_TARGET_DIR:?run this through make}/release/haengine

python3 "$here/reload.py" "$haengine"
echo
if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: the bench makes hosts on this machine, which needs root" >&2
    exit 0
fi
if [ ! -x "$venv/bin/pyinfra" ] || [ ! -x "$venv/bin/ansible-playbook" ]; then
    echo "installing pyinfra and Ansible into $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q 'pyinfra>=3.5,<4' 'ansible-core>=2.17,<2.21'
fi
python3 "$here/bench.py" "$haengine" "$venv/bin" "${HOSTS:-10}" "${REPEAT:-3}"
echo
python3 "$here/add_master.py" "$haengine" "${REPEAT:-3}"
