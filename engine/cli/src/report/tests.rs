//! Both reporters over recorded events.

use std::io::Write;
use std::sync::{Arc, Mutex};

use haengine_kernel::event::Stamped;

use crate::report::failure::Drawings;
use crate::report::human::Look;
use crate::report::{Human, Json, Out, Paint, Reporter, Screen};

/// What was written, for a look afterwards.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A reader that has gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Events as JSON, one a line; their times do not matter here.
fn events(lines: &str) -> Vec<Stamped> {
    let stamped = |line: &str| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["time"] = "2026-03-14T09:15:02Z".into();
        serde_json::from_value(event).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(stamped).collect()
}

fn human(lines: &str, verbose: bool) -> String {
    let written = Written::default();
    let look = Look { out: Paint::plain(), errors: Paint::plain(), verbose };
    // One stream for both shows the order in which a person reads them.
    let (out, errors) = (Out::new(written.clone()), Out::new(written.clone()));
    let mut reporter = Human::new(out, errors, look, Screen::still(), Drawings::default());
    for event in events(lines) {
        reporter.take(event);
        reporter.flush();
    }
    written.text()
}

const RUN: &str = r#"
    {"event":"run_started","run":"20260314-091502-kqzt","command":"run","recipe":"time_sync"}
    {"event":"connected","host":"m1","seconds":0.021}
    {"event":"step_started","step":"configure"}
    {"event":"change","host":"m1","op":"file.put","target":"/etc/a","status":"unchanged","step":"configure","seconds":0.0}
    {"event":"change","host":"m2","op":"file.put","target":"/etc/a","status":"unchanged","step":"configure","seconds":0.0}
    {"event":"change_started","host":"m1","op":"file.put","target":"/etc/b"}
    {"event":"change_started","host":"m2","op":"file.put","target":"/etc/b"}
    {"event":"change","host":"m1","op":"file.put","target":"/etc/b","status":"changed","step":"configure","summary":"new, 3 lines","seconds":0.6}
    {"event":"change","host":"m2","op":"file.put","target":"/etc/b","status":"changed","step":"configure","summary":"new, 3 lines","seconds":0.7}
    {"event":"log","level":"warning","host":"m2","message":"not locked against other runs"}
    {"event":"step_finished","step":"configure","seconds":1.0,"failed":false}
    {"event":"verified","name":"the clocks agree","outcome":"passed","seconds":0.1}
    {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"succeeded","ok":2,"changed":2,"skipped":0,"failed":0,"unreachable":0,"seconds":1.25,"waited":0.0}
"#;

#[test]
fn a_run_groups_hosts_and_folds_what_did_not_change() {
    insta::assert_snapshot!(human(RUN, false), @"
    run time_sync as 20260314-091502-kqzt
    configure
      m1, m2: file.put /etc/b changed: new, 3 lines (0.7 s)
      warning: m2: not locked against other runs
      unchanged: 2 file.put
      verified the clocks agree
    run succeeded in 1.2 s: 2 changed, 2 unchanged
    see it with `haengine show 20260314-091502-kqzt`, take it back with `haengine undo 20260314-091502-kqzt`
    ");
}

#[test]
fn names_are_folded_when_their_step_ends() {
    let lines = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"run","recipe":"add_master"}
        {"event":"step_started","step":"start"}
        {"event":"change","host":"m1","op":"service.running","target":"a","status":"unchanged","step":"start / a","seconds":0.0}
        {"event":"change","host":"m1","op":"service.running","target":"b","status":"unchanged","step":"start / b","seconds":0.0}
        {"event":"step_finished","step":"start","seconds":1.0,"failed":false}
        {"event":"verified","name":"they run","outcome":"passed","seconds":0.1}
    "#;
    insta::assert_snapshot!(human(lines, false), @"
    run add_master as 20260314-091502-kqzt
    start
    start / a
      unchanged: 1 service.running
    start / b
      unchanged: 1 service.running
      verified they run
    ");
}

#[test]
fn a_verbose_run_tells_all() {
    insta::assert_snapshot!(human(RUN, true), @"
    run time_sync as 20260314-091502-kqzt
      m1: connected in 21 ms
    configure
      m1, m2: file.put /etc/a unchanged
      m1, m2: file.put /etc/b changed: new, 3 lines (0.7 s)
      warning: m2: not locked against other runs
      verified the clocks agree
    run succeeded in 1.2 s: 2 changed, 2 unchanged
    see it with `haengine show 20260314-091502-kqzt`, take it back with `haengine undo 20260314-091502-kqzt`
    ");
}

#[test]
fn a_plan_shows_diffs() {
    let plan = r#"
        {"event":"run_started","run":"plan","command":"plan","recipe":"time_sync"}
        {"event":"step_started","step":"configure"}
        {"event":"change","host":"m1","op":"file.put","target":"/etc/b","status":"planned","step":"configure","summary":"content","diff":"@@ -1 +1 @@\n-a\n+b\n","seconds":0.0}
        {"event":"change","host":"m2","op":"file.put","target":"/etc/b","status":"planned","step":"configure","summary":"content","diff":"@@ -1 +1 @@\n-a\n+b\n","seconds":0.0}
        {"event":"step_finished","step":"configure","seconds":0.1,"failed":false}
        {"event":"verified","name":"the clocks agree","outcome":"would verify","seconds":0.0}
        {"event":"run_finished","run":"plan","outcome":"succeeded","ok":0,"changed":2,"skipped":0,"failed":0,"unreachable":0,"seconds":0.25,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(plan, false), @"
    plan of time_sync: nothing is touched
    configure
      m1, m2: file.put /etc/b would change: content
          @@ -1 +1 @@
          -a
          +b
      would verify the clocks agree
    plan succeeded in 0.2 s: 2 would change, 0 unchanged
    nothing was touched; `haengine run` with the same words makes these changes
    ");
}

#[test]
fn a_failure_has_cause_hint_and_what_to_do() {
    let failed = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"run","recipe":"time_sync"}
        {"event":"step_started","step":"restart"}
        {"event":"change_started","host":"m1","op":"service.running","target":"chrony"}
        {"event":"change","host":"m1","op":"service.running","target":"chrony","status":"failed","step":"restart","seconds":2.0,"error":{"kind":"failed","code":"service.start","message":"`chrony` did not start","causes":["exit status 1\u001b[31m"]}}
        {"event":"step_finished","step":"restart","seconds":2.1,"failed":true}
        {"event":"error","host":"m1","kind":"failed","code":"service.start","message":"`chrony` did not start","hint":"read `journalctl -u chrony` on the host"}
        {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"failed","ok":0,"changed":1,"skipped":0,"failed":1,"unreachable":0,"seconds":130.0,"waited":12.0}
    "#;
    insta::assert_snapshot!(human(failed, false), @"
    run time_sync as 20260314-091502-kqzt
    restart
      m1: service.running chrony failed: `chrony` did not start (2.0 s)
        because: exit status 1�[31m
      failed after 2.1 s
    error[service.start]: m1: `chrony` did not start
    hint: read `journalctl -u chrony` on the host
    run failed in 2 min 10 s, 12 s of it waiting for the hosts' own work: 1 changed, 0 unchanged, 1 failed
    go on with `haengine resume 20260314-091502-kqzt`, take it back with `haengine undo 20260314-091502-kqzt`
    ");
}

#[test]
fn a_failure_before_the_first_change_says_that_nothing_was_touched() {
    let failed = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"run","recipe":"time_sync"}
        {"event":"change","host":"m1","op":"file.put","target":"/etc/b","status":"unreachable","step":"","seconds":0.0,"error":{"kind":"unreachable","code":"ssh.refused","message":"10.0.0.1:22 refused the connection"}}
        {"event":"error","host":"m1","kind":"unreachable","code":"ssh.refused","message":"10.0.0.1:22 refused the connection"}
        {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"failed","ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":1,"seconds":0.05,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(failed, false), @"
    run time_sync as 20260314-091502-kqzt
      m1: file.put /etc/b unreachable: 10.0.0.1:22 refused the connection
    error[ssh.refused]: m1: 10.0.0.1:22 refused the connection
    run failed in 50 ms: 0 changed, 0 unchanged, 1 unreachable
    nothing was touched
    ");
}

#[test]
fn what_is_refused_before_it_begins_has_no_summary() {
    let refused = r#"
        {"event":"error","kind":"usage","code":"param.unknown","message":"the recipe has no parameter `x`","hint":"write `y=…`"}
        {"event":"run_finished","run":"","outcome":"failed","ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":0,"seconds":0.0,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(refused, false), @"
    error[param.unknown]: the recipe has no parameter `x`
    hint: write `y=…`
    ");
}

#[test]
fn a_preflight_is_a_line_a_check_with_findings_below() {
    let refused = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"run","recipe":"add_master"}
        {"event":"check","group":"the target","check":"room under /opt","status":"passed","detail":"512 GB free","findings":[],"seconds":0.1}
        {"event":"check","group":"the target","check":"its clock agrees","status":"warning","findings":[{"status":"warning","message":"0.8 s apart from master1","hint":"let chrony correct it","place":"add_master.rhai:8:9"}],"seconds":1.2}
        {"event":"check","group":"the target","check":"its ports are free","status":"refused","findings":[{"status":"warning","message":"10249 is held"},{"status":"refused","message":"port 6443 is held by nginx\u001b[31m (pid 812)","hint":"stop it, or choose another target","place":"add_master.rhai:9:9"}],"seconds":0.1}
        {"event":"check","group":"the cluster","check":"etcd is healthy","status":"not_checked","findings":[{"status":"not_checked","message":"m1: 10.0.0.1:22 refused the connection","hint":"start sshd on the host","place":"add_master.rhai:12:9"}],"seconds":0.1}
        {"event":"error","kind":"refused","code":"preflight.refused","message":"port 6443 is held by nginx (pid 812)","hint":"stop it, or choose another target"}
        {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"failed","ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":1,"seconds":1.25,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(refused, false), @"
    run add_master as 20260314-091502-kqzt
    the target
      ✓ room under /opt: 512 GB free
      ! its clock agrees (1.2 s)
          warning: 0.8 s apart from master1
            hint: let chrony correct it
      ✗ its ports are free
          warning: 10249 is held
          refused: port 6443 is held by nginx�[31m (pid 812)
            hint: stop it, or choose another target
    the cluster
      ? etcd is healthy
          not checked: m1: 10.0.0.1:22 refused the connection
            hint: start sshd on the host
            at add_master.rhai:12:9
    error[preflight.refused]: port 6443 is held by nginx (pid 812)
    hint: stop it, or choose another target
    checks: 1 passed, 1 with a warning, 1 not checked, 1 refused
    run failed in 1.2 s: 0 changed, 0 unchanged, 1 unreachable
    nothing was touched
    ");
}

#[test]
fn an_answer_of_an_earlier_attempt_is_told_as_such() {
    let resumed = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"resume","recipe":"add_master"}
        {"event":"check","group":"the target","check":"nobody has begun","status":"passed","detail":"bare","findings":[],"recorded":true,"seconds":0.0}
        {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"succeeded","ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":0,"seconds":0.5,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(resumed, false), @"
    resume of 20260314-091502-kqzt, which runs add_master
    the target
      ✓ nobody has begun: bare (recorded before the first change)
    checks: 1 passed
    resume succeeded in 0.5 s: 0 changed, 0 unchanged
    ");
}

#[test]
fn an_undo_says_when_nothing_is_left() {
    let undo = r#"
        {"event":"run_started","run":"20260314-091502-kqzt","command":"undo","recipe":"time_sync"}
        {"event":"log","level":"info","message":"nothing to undo"}
        {"event":"run_finished","run":"20260314-091502-kqzt","outcome":"succeeded","ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":0,"seconds":0.0,"waited":0.0}
    "#;
    insta::assert_snapshot!(human(undo, false), @"
    undo of 20260314-091502-kqzt, which ran time_sync
      nothing to undo
    undo succeeded in 0 ms: 0 taken back, 0 unchanged
    ");
}

#[test]
fn json_lines_are_the_events_as_they_came() {
    let written = Written::default();
    let mut reporter = Json::new(Out::new(written.clone()));
    events(RUN).into_iter().for_each(|event| reporter.take(event));
    assert_eq!(written.text(), "", "lines are written together");
    reporter.flush();
    let lines: Vec<serde_json::Value> =
        written.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), events(RUN).len());
    assert!(lines.iter().all(|line| line["event"].is_string() && line["time"].is_string()));
    assert_eq!(lines.last().unwrap()["event"], "run_finished");
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    let mut reporter = Json::new(Out::new(Gone));
    events(RUN).into_iter().for_each(|event| {
        reporter.take(event);
        reporter.flush();
    });
}
