"""Times the runbook of a second master, as a shell script and as `haengine run add_master`, on the same cluster.

Usage: add_master.py HAENGINE REPEAT

The cluster is bootstrapped once on the lab and frozen; every measurement begins with the frozen disks. The API server's
certificate has the new master's address already: the runbook cannot extend it, and nobody shall wait for it.
"""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime

OLD, OLD_NAME, NEW, NEW_NAME = "192.168.2.119", "k8s-master1", "192.168.2.117", "k8s-master2"
UNITS = {f"{name}.service" for name in
         ("containerd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")}


class Cluster:
    """A cluster with one master on the lab, and a bare host beside it."""

    def __init__(self, haengine):
        self.haengine = haengine
        self.here = os.path.dirname(os.path.abspath(__file__))
        self.folder = tempfile.mkdtemp(prefix="haengine-bench-")
        self.environment = dict(os.environ, HAENGINE_STATE_DIR=os.path.join(self.folder, "state"))

    def lab(self, *words, **options):
        verb, *rest = words
        done = subprocess.run([self.haengine, "lab", verb, "--name", "bench-master", *rest], env=self.environment,
                              cwd=self.folder, capture_output=True, text=True, check=False, **options)
        if done.returncode != 0:
            sys.exit(f"lab {' '.join(words)} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def on(self, host, *command, **options):
        return self.lab("exec", host, "--", *command, **options)

    def up(self):
        shutil.copy(os.path.join(self.here, "..", "demo", "site.yaml"), self.folder)
        atexit.register(self.down)
        self.lab("up", "-i", "site.yaml", "--kubernetes")
        self.lab("exec", "--", "haengine", "run", "bootstrap_cluster", "-i", "site.yaml", f"addresses={NEW}", f"names={NEW_NAME}",
                 "images=/usr/local/lib/kubernetes/images.tar", "pause_image=pause:lab")
        # What the runbook's person has: a way from the first master to the second.
        with open(os.path.join(self.folder, "id_ed25519"), encoding="utf-8") as key:
            self.on("master1", "sh", "-c", f"umask 077; mkdir -p /root/.ssh; cat >/root/.ssh/id_ed25519; "
                    f"ssh-keyscan -t ed25519 {NEW} >/root/.ssh/known_hosts", input=key.read())
        self.lab("snapshot", "bare")

    def fresh(self):
        """The frozen cluster, with all its nodes ready, and with leaders: those of before hold their leases for a while."""
        self.lab("restore", "bare")
        self.on("master1", "sh", "-c", "until kubectl get --raw /readyz >/dev/null 2>&1; do sleep 0.5; done; "
                "kubectl wait --for=condition=Ready node --all --timeout=120s; "
                "for name in kube-controller-manager kube-scheduler; do until "
                "renewed=$(kubectl -n kube-system get lease $name -o 'jsonpath={.spec.renewTime}') && "
                "[ $(($(date +%s) - $(date -d \"$renewed\" +%s))) -lt 5 ]; do sleep 0.5; done; done")
        time.sleep(10)

    def down(self):
        subprocess.run([self.haengine, "lab", "down", "--name", "bench-master"], env=self.environment, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Requests:
    """Watches the requests for certificates: when one appeared, and when it was approved, on one clock."""

    def __init__(self, cluster):
        self.appeared = self.approved = None
        command = [cluster.haengine, "lab", "exec", "--name", "bench-master", "master1", "--", "kubectl", "get", "csr",
                   "--watch-only", "--no-headers", "-o", "custom-columns=N:.metadata.name,C:.status.conditions[*].type"]
        self.process = subprocess.Popen(command, env=cluster.environment, cwd=cluster.folder, text=True,
                                        stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()
        # A watch that is not there yet misses the first request.
        time.sleep(2)

    def read(self):
        for line in self.process.stdout:
            self.appeared = self.appeared or time.time()
            if "Approved" in line:
                self.approved = self.approved or time.time()

    def taken(self):
        """Seconds from the request's appearing to its approval."""
        time.sleep(1)
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        if self.appeared is None or self.approved is None:
            sys.exit("no request for a certificate was seen, or none was approved")
        return self.approved - self.appeared


def shell(cluster):
    with open(os.path.join(cluster.here, "runbook.sh"), encoding="utf-8") as script:
        text = script.read()
    requests = Requests(cluster)
    said = cluster.on("master1", "sh", "-s", OLD, OLD_NAME, NEW, NEW_NAME, input=text)
    marks = {name: int(ns) / 1e9 for name, ns in re.findall(r"NS (\w+) (\d+)", said)}
    return {"started": marks["started"], "approved": marks["approved"], "appeared to approved": requests.taken()}


def haengine(cluster):
    requests = Requests(cluster)
    begun = time.time()
    said = cluster.lab("exec", "--", "haengine", "run", "add_master", "-i", "site.yaml", "target=master2", "--json", "--yes")
    requests_took = requests.taken()
    events = [json.loads(line) for line in said.splitlines()]
    changes = [event for event in events if event["event"] == "change"]
    started = [event for event in changes
               if event["op"] == "service.running" and event["host"] == "master2" and event["status"] == "changed"]
    missing = UNITS - {event["target"] for event in started}
    if missing:
        sys.exit(f"these units were not started by the run: {sorted(missing)}")
    last = events[-1]
    undo = json.loads(cluster.lab("exec", "--", "haengine", "undo", last["run"], "--json", "--yes").splitlines()[-1])
    when = {event["target"]: moment(event) for event in started}
    return {
        "started": max(when.values()) - begun,
        # The recipe starts the others when the new API server is ready.
        "ready": when["kube-controller-manager.service"] - when["kube-apiserver.service"],
        "approved": requests.approved - begun,
        "appeared to approved": requests_took,
        "whole": last["seconds"],
        "waited": last["waited"],
        "own": last["seconds"] - last["waited"],
        "undo": undo["seconds"],
        "undo waited": undo["waited"],
        "undo own": undo["seconds"] - undo["waited"],
    }


def moment(event):
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", event["time"].replace("Z", "+00:00"))).timestamp()


ROWS = {
    "until all units were started": "started",
    "of it, until the new API server was ready": "ready",
    "until the kubelet's request was approved": "approved",
    "from its appearing to its approval": "appeared to approved",
    "the whole run, checks and verifications included": "whole",
    "of it, waiting for the hosts' own work": "waited",
    "of it, our own": "own",
    "its undo, every step verified": "undo",
    "of the undo, waiting for units to stop": "undo waited",
    "of the undo, our own": "undo own",
}


def main():
    program, repeat = sys.argv[1], int(sys.argv[2])
    cluster = Cluster(program)
    print(f"a second master, best of {repeat}, seconds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    cluster.up()
    best = {}
    for name, measure in (("shell script", shell), ("haengine", haengine)):
        runs = []
        for _ in range(repeat):
            cluster.fresh()
            runs.append(measure(cluster))
            print(f"  {name}: " + ", ".join(f"{key} {value:.2f}" for key, value in runs[-1].items()), flush=True)
        # One run, not the best of each row: its figures belong together.
        best[name] = min(runs, key=lambda run: run["approved"])
    print("\n| a second master | shell script | haengine |\n|---|---|---|")
    for row, key in ROWS.items():
        cells = [f"{best[name][key]:.2f}" if key in best[name] else "" for name in best]
        print(f"| {row} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
