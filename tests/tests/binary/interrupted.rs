//! Ctrl-C, SIGKILL, and two operators at once.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::site::{Site, ended, possible};

/// A command with children that sleep long enough to be found.
const SLEEPS: &str = r#"
fn main() {
    step("before", || file::put(host("m1"), "/etc/placed-by-a-test", "text"));
    step("wait", || ssh::run(host("m1"), "sleep 98765 & sh -c 'sleep 98766; true'"));
}
"#;
const RUNNING: &str = "pgrep -f 'sleep 9876[5]' && pgrep -f 'sleep 9876[6]'";
const GONE: &str = "! pgrep -f 'sleep 9876[56]'";

pub(crate) fn signal(name: &str, child: &Child) {
    // The binary is started through a program that enters the lab's network and then becomes it.
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

fn interrupt(site: &Site, inventory: &str) {
    let child = site.start(&["run", "sleeps.rhai", "-i", inventory]);
    site.until("m1", RUNNING);
    let asked = Instant::now();
    signal("INT", &child);
    let given = ended(child).ended_with(130);
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    assert!((given.out + &given.errors).contains("interrupted"));
    site.until("m1", GONE);
}

#[test]
fn an_interrupt_ends_what_runs_on_the_host_as_root_and_through_sudo() {
    if !possible() {
        return;
    }
    let site = Site::new("int", 1);
    site.write("sleeps.rhai", SLEEPS);
    site.inventory("sudo.yaml", "user: operator, become: true");
    site.inventory("password.yaml", "user: keeper, become: true, become_password: \"file:password\"");
    site.write("password", "lab-password\n");
    for inventory in ["site.yaml", "sudo.yaml", "password.yaml"] {
        interrupt(&site, inventory);
    }
    let runs = site.haengine(&["runs"]).ended_with(0);
    assert_eq!(runs.out.matches("interrupted").count(), 3, "{}", runs.out);
}

/// A command that nothing but SIGKILL ends, and that is asked with SIGTERM first.
const STUBBORN: &str = r#"
fn params() { #{ stay: param::boolean("Whether to stay on the host.").or(false) } }

fn main(p) {
    step("before", || file::put(host("m1"), "/etc/placed-by-a-test", "text"));
    if p.stay { ssh::run(host("m1"), "trap '' TERM; exec sleep 98767"); }
}
"#;

#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_run_takes_over() {
    if !possible() {
        return;
    }
    let site = Site::new("twice", 1);
    site.write("stubborn.rhai", STUBBORN);
    let mut child = site.start(&["run", "stubborn.rhai", "-i", "site.yaml", "stay=true"]);
    site.until("m1", "pgrep -f 'sleep 9876[7]'");
    signal("INT", &child);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "the first interrupt still waits for the host");
    let asked = Instant::now();
    signal("INT", &child);
    let given = ended(child).ended_with(130);
    assert!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());
    assert!(given.errors.contains("press Ctrl-C again"), "{}", given.errors);
    let next = site.haengine(&["run", "stubborn.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    assert_eq!(next.finished()["ok"], 1, "{}", next.out);
    site.until("m1", "! pgrep -f 'sleep 9876[7]'");
    let runs = site.haengine(&["runs", "--json"]).ended_with(0);
    let left = runs.events().into_iter().find(|run| run["outcome"] == "interrupted").expect("the run that was left");
    site.haengine(&["undo", left["run"].as_str().unwrap(), "--yes"]).ended_with(0);
    assert_eq!(site.on("m1", "ls /etc/placed-by-a-test 2>/dev/null"), "");
}

#[test]
fn a_killed_run_is_undone_and_its_lock_is_taken_over() {
    if !possible() {
        return;
    }
    let site = Site::new("kill", 1);
    site.write("sleeps.rhai", SLEEPS);
    let mut child = site.start(&["run", "sleeps.rhai", "-i", "site.yaml"]);
    site.until("m1", RUNNING);
    let second = site.haengine(&["run", "sleeps.rhai", "-i", "site.yaml"]).ended_with(5);
    assert!((second.out + &second.errors).contains("held the lock since"), "it says who holds it");
    signal("KILL", &child);
    child.wait().unwrap();
    let runs = site.haengine(&["runs", "--json"]).ended_with(0);
    let died = runs.events().into_iter().find(|run| run["outcome"] == "died").expect("a run that died");
    let undo = site.haengine(&["undo", died["run"].as_str().unwrap(), "--yes"]).ended_with(0);
    assert_eq!(site.on("m1", "ls /etc/placed-by-a-test /var/lib/haengine 2>/dev/null"), "", "{}", undo.out);
}
