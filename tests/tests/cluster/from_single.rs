//! `ha_from_single`: a second master, an address before both, and workers that use it, while clients read all the time.

use std::time::Duration;

use haengine_tests::site::{differences, ended};

use crate::look::{is_second_master, steady, touched};
use crate::reader::Reader;
use crate::repointed::{DOOR, MASTER, WORKERS, use_endpoint};
use crate::stage::{Needs, Stage};

const WORDS: [&str; 5] = ["ha_from_single", "-i", "site.yaml", "target=master2", "vip=192.168.2.88"];

pub fn scenario(stage: &mut Stage) {
    let site = &stage.site;
    let given = |command: &str| site.haengine(&[&[command], &WORDS[..], &["--json", "--yes"]].concat());
    let (before, bare) = (steady(&site.manifest(), "master2"), touched(site));
    let plan = given("plan").ended_with(0);
    assert_eq!(differences(&bare, &touched(site)), "", "the plan touched something");

    let reader = Reader::of(site, MASTER, 50);
    let child = site.start(&[&["run"], &WORDS[..], &["--json", "--yes"]].concat());
    // Somebody has to read what it tells.
    let running = std::thread::spawn(move || ended(child));
    let serves =
        || site.on("worker1", "curl -sk --max-time 1 https://192.168.2.88:16443/readyz -o /dev/null && echo serves");
    while !running.is_finished() && serves().is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let through = (!running.is_finished()).then(|| Reader::of(site, DOOR, 50));
    let run = running.join().unwrap().ended_with(0);
    through.expect("the run ended before the address served").stop();
    reader.stop();
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    is_second_master(site);
    use_endpoint(site, &WORKERS, DOOR);
    assert_eq!(given("run").ended_with(0).finished()["changed"], 0);

    let reader = Reader::of(site, MASTER, 50);
    stage.undo(&run).ended_with(0);
    reader.stop();
    use_endpoint(site, &WORKERS, MASTER);
    assert_eq!(differences(&before, &steady(&site.manifest(), "master2")), "", "undo left something");
    stage.wait();
    stage.stands(Needs::Founded);
}
