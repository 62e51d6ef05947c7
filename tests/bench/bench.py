"""Times the same work done by haengine, pyinfra, Ansible and OpenSSH on the same lab hosts.

Usage: bench.py HAENGINE VENV_BIN HOSTS REPEAT

Each figure is the best of REPEAT runs, in seconds, of the whole command from start to end, connections included.
Everything runs on one machine, so the tools share its cores with the hosts: compare columns, not machines.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

COMMANDS = 20
FILES = 10

HAENGINE_COMMANDS = """
fn main() {
    for i in 0..%d { ssh::run(group("all"), "true"); }
}
""" % COMMANDS

HAENGINE_STATE = """
fn main() {
    let hosts = group("all");
    file::directory(hosts, "/opt/bench");
    for i in 0..%d { file::put(hosts, "/opt/bench/file" + i, "content of file " + i + "\\n"); }
    service::running(hosts, "nginx", #{ enabled: false });
    service::running(hosts, "haproxy", #{ enabled: false });
}
""" % FILES

PYINFRA_COMMANDS = """
from pyinfra.operations import server
for i in range(%d):
    server.shell(name=f"command {i}", commands=["true"])
""" % COMMANDS

PYINFRA_STATE = """
from io import StringIO
from pyinfra.operations import files, systemd
files.directory(path="/opt/bench")
for i in range(%d):
    files.put(src=StringIO(f"content of file {i}\\n"), dest=f"/opt/bench/file{i}")
for unit in ("nginx", "haproxy"):
    systemd.service(service=unit, running=True)
""" % FILES

ANSIBLE_COMMANDS = """
- hosts: all
  gather_facts: false
  tasks:
""" + "".join(
    "    - {{ name: command {0}, ansible.builtin.command: 'true', changed_when: true }}\n".format(i) for i in range(COMMANDS)
)

ANSIBLE_STATE = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.file: { path: /opt/bench, state: directory }
""" + "".join(
    "    - ansible.builtin.copy: {{ dest: /opt/bench/file{0}, content: \"content of file {0}\\n\" }}\n".format(i)
    for i in range(FILES)
) + """
    - ansible.builtin.systemd_service: { name: nginx, state: started }
    - ansible.builtin.systemd_service: { name: haproxy, state: started }
"""

CLEAN = "systemctl stop nginx haproxy; rm -rf /opt/bench"


class Bench:
    def __init__(self, haengine, venv, hosts, repeat):
        self.haengine, self.venv, self.repeat = haengine, venv, repeat
        self.folder = tempfile.mkdtemp(prefix="haengine-bench-")
        self.addresses = [f"192.168.2.{10 + i}" for i in range(hosts)]
        self.lab = ["--name", "bench"]
        self.environment = dict(
            os.environ,
            HAENGINE_STATE_DIR=self.path("state"),
            ANSIBLE_HOST_KEY_CHECKING="True",
            ANSIBLE_PIPELINING="True",
            ANSIBLE_FORKS=str(hosts),
            ANSIBLE_RETRY_FILES_ENABLED="False",
            ANSIBLE_SSH_ARGS=f"-o UserKnownHostsFile={self.path('known_hosts')} -o ControlMaster=auto -o ControlPersist=60s",
            PATH=venv + ":" + os.environ["PATH"],
        )

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def outside(self, *command, **options):
        return subprocess.run(command, env=self.environment, cwd=self.folder, check=True, **options)

    def inside(self, *command, check=True):
        """A command on the operator's side of the lab."""
        whole = [self.haengine, "lab", "exec", *self.lab, "--", *command]
        done = subprocess.run(whole, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def up(self):
        hosts = "".join(f"  h{i}: {{ address: {address} }}\n" for i, address in enumerate(self.addresses))
        defaults = "defaults: { user: root, identity_file: id_ed25519, known_hosts: known_hosts }\n"
        self.write("site.yaml", defaults + "hosts:\n" + hosts)
        atexit.register(self.down)
        self.outside(self.haengine, "lab", "up", *self.lab, "-i", "site.yaml", stdout=subprocess.DEVNULL)
        self.write("hosts.ini", "".join(
            f"h{i} ansible_host={a} ansible_user=root ansible_ssh_private_key_file={self.path('id_ed25519')} "
            f"ansible_python_interpreter=/usr/bin/python3\n" for i, a in enumerate(self.addresses)))
        names = ",\n".join(
            f"('{a}', {{'ssh_user': 'root', 'ssh_key': '{self.path('id_ed25519')}', "
            f"'ssh_known_hosts_file': '{self.path('known_hosts')}'}})" for a in self.addresses)
        self.write("inventory.py", f"hosts = [{names}]\n")
        self.write("ssh_config", "".join(
            f"Host h{i}\n  HostName {a}\n" for i, a in enumerate(self.addresses)) +
            f"Host *\n  User root\n  IdentityFile {self.path('id_ed25519')}\n"
            f"  UserKnownHostsFile {self.path('known_hosts')}\n"
            f"  ControlMaster auto\n  ControlPath {self.path('%C')}\n  ControlPersist 5\n")

    def down(self):
        subprocess.run([self.haengine, "lab", "down", *self.lab], env=self.environment, check=False,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def clean(self):
        self.on_hosts("sh", "-c", CLEAN)

    def timed(self, command, before=None):
        """The best of several runs, and the last one's output. Entering the lab is not part of the figure."""
        best, done = float("inf"), None
        for _ in range(self.repeat):
            if before:
                before()
            done = self.inside("sh", "-c", 'a=$(date +%s%N); "$@" 2>&1 || exit 1; b=$(date +%s%N); echo "NS $((b - a))"',
                               "sh", *command)
            best = min(best, int(done.stdout.rsplit("NS ", 1)[1]) / 1e9)
        return best, done.stdout

    def on_hosts(self, *command):
        """A command on every host, all at once."""
        hosts = [[self.haengine, "lab", "exec", *self.lab, f"h{i}", "--", *command] for i in range(len(self.addresses))]
        running = [subprocess.Popen(host, env=self.environment, stdout=subprocess.DEVNULL) for host in hosts]
        if any(process.wait() != 0 for process in running):
            sys.exit(f"{' '.join(command)} failed on a host")


def openssh(bench):
    """Hosts in parallel, each through one ControlMaster connection."""
    script = f"""for h in {' '.join(f'h{i}' for i in range(len(bench.addresses)))}; do
    ( for i in $(seq {COMMANDS}); do ssh -F {bench.path('ssh_config')} $h true; done ) &
done; wait"""
    return ["sh", "-c", script]


def main():
    haengine, venv, hosts, repeat = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    bench = Bench(haengine, venv, hosts, repeat)
    print(f"{hosts} lab hosts, best of {repeat}, seconds", flush=True)
    bench.up()
    # Ansible needs Python on the hosts; nobody else does.
    bench.on_hosts("apt-get", "install", "-qq", "-y", "python3")
    ours = [haengine, "run", "-i", "site.yaml", "--yes"]
    pyinfra = [f"{venv}/pyinfra", "-y", "inventory.py"]
    ansible = [f"{venv}/ansible-playbook", "-i", "hosts.ini"]
    tasks = {
        "haengine": (ours + [bench.write("commands.rhai", HAENGINE_COMMANDS)],
                     ours + [bench.write("state.rhai", HAENGINE_STATE)]),
        "pyinfra": (pyinfra + [bench.write("commands.py", PYINFRA_COMMANDS)],
                    pyinfra + [bench.write("state.py", PYINFRA_STATE)]),
        "OpenSSH": (openssh(bench), None),
        "Ansible": (ansible + [bench.write("commands.yaml", ANSIBLE_COMMANDS)],
                    ansible + [bench.write("state.yaml", ANSIBLE_STATE)]),
    }
    rows = {f"{COMMANDS} commands": {}, f"1 directory, {FILES} files, 2 services, first": {}, "the same again": {}}
    names = list(rows)
    for tool, (commands, state) in tasks.items():
        rows[names[0]][tool], _ = bench.timed(commands)
        if state:
            rows[names[1]][tool], _ = bench.timed(state, before=bench.clean)
            rows[names[2]][tool], _ = bench.timed(state)
        print(f"  {tool} done", flush=True)
    tools = list(tasks)
    print("\n| work on each host | " + " | ".join(tools) + " |")
    print("|---|" + "---|" * len(tools))
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[tool]:.2f}" if tool in row else "" for tool in tools) + " |")
    empty = bench.write("empty.rhai", "fn main() {}\n")
    print(f"\nstart, run an empty recipe: {bench.timed(ours + [empty])[0] * 1000:.0f} ms")


if __name__ == "__main__":
    main()
