# Who listens on this host and who is connected, read from the kernel: no program of the host is asked. Each part is behind a
# line `@NAME`. $1...: units whose main processes are told.
echo "@names"
for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null && echo "${process#/proc/} $name"
done
echo "@sockets"
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
echo "@open"
# shellcheck disable=SC2010 # One process for all of them; no name here is a person's.
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc/' -e 'socket:\['
echo "@mains"
for unit do echo "$unit $(systemctl show -p MainPID "$unit")"; done
