//! What is written in place: over a file that is a mount of its own, broken off between two bytes, and met by somebody
//! else there. The file is the same one all the time.

use haengine_kernel::event::Event;
use haengine_kernel::op::Example;
use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::{Looks, Scene, Told, User};
use crate::state::restored;
use crate::wire::Wire;
use crate::{Later, Law, broken, state, stranger};

/// A file that nothing can be renamed over.
const MOUNTED: Example = Example {
    about: "Write into a file that is a mount of its own.",
    given: "umount /etc/demo.mounted 2>/dev/null; rm -rf /opt/demo; mkdir -p /opt/demo
printf 'what was there\\n' >/opt/demo/f; chmod 640 /opt/demo/f; touch -d @1600000000.25 /opt/demo/f
: >>/etc/demo.mounted; mount --bind /opt/demo/f /etc/demo.mounted",
    code: r#"file::put(h, "/etc/demo.mounted", "new\n", #{ mode: 0o600, in_place: true })"#,
    gives: "",
};

const REPLACED: &str = r#"file::put(h, "/etc/demo.mounted", "new\n", #{ mode: 0o600 })"#;

const UNMOUNT: &str = "umount /etc/demo.mounted; rm -rf /etc/demo.mounted /opt/demo /run/laws.*";

/// Files of which the new text is longer, and shorter, than the old one.
const CALLS: [(&str, &str); 2] = [
    ("longer", r#"file::put(h, "/etc/demo.conf", "a new text, longer than the old one\n", #{ in_place: true })"#),
    ("shorter", r#"file::line(h, "/etc/demo.conf", "swap", #{ present: false, in_place: true })"#),
];

const GIVEN: &str = "printf 'one\\nswap\\ntwo\\nthree\\n' >/etc/demo.conf; chmod 640 /etc/demo.conf; touch -d @1600000000.25 /etc/demo.conf";

/// What writes, and what stands there instead where all goes dark after some bytes.
const WRITES: &str = "dd if=\"$1\" of=/proc/self/fd/7 bs=1M conv=notrunc,nocreat,fsync status=none";

/// A word that is nowhere else.
const WORD: &str = "laws-in-place-5d81";

/// One trial for the mount, and two for each call.
pub fn trials(stage: &Later) -> Vec<Trial> {
    let mut trials: Vec<Trial> = [User::Root, User::Sudo]
        .map(|user| trial(stage, format!("file.put::in_place::mounted::{}", user.name()), user, "", mounted))
        .into();
    for (name, code) in CALLS {
        trials.push(trial(stage, format!("file::in_place::{name}::broken"), User::Root, "", move |scene| {
            cut_off(scene, code)
        }));
        trials.push(trial(stage, format!("file::in_place::{name}::stranger"), User::Sudo, "", move |scene| {
            cut_off_and_met(scene, code)
        }));
    }
    trials
}

fn mounted(scene: &Scene) -> Law {
    scene.given(MOUNTED.given)?;
    let (before, file) = (scene.look("h")?, inode(scene, "/etc/demo.mounted")?);
    let refused = scene.run(REPLACED)?;
    match &refused.result {
        Err(error) if error.contains("file.mounted") && error.contains("`in_place: true`") => {}
        other => return Err(format!("a mount is no reason to refuse, or not well told: {other:?}")),
    }
    restored(scene, &refused).or_else(|error| if error.contains("nothing to undo") { Ok(()) } else { Err(error) })?;
    scene.brought_back(&before, "after what was refused")?;
    state::law(scene, &Example { given: ":", ..MOUNTED })?;
    broken::law(scene, &Example { given: ":", ..MOUNTED }, broken::POINTS)?;
    scene.brought_back(&before, "after all was broken")?;
    same_file(scene, "/etc/demo.mounted", &file)?;
    stranger::law(scene, &MOUNTED, std::process::id().into(), stranger::CASES)?;
    scene.given(UNMOUNT)
}

/// Where a run is cut off, and its undo as well, the next undo finds its way back; and so does that of a second run.
fn cut_off(scene: &Scene, code: &str) -> Law {
    scene.given(GIVEN)?;
    let (before, file) = (scene.look("h")?, inode(scene, "/etc/demo.conf")?);
    for (bytes, in_undo) in [(0, None), (3, None), (9, Some(5)), (9, Some(0)), (100, Some(11))] {
        let at = |error| format!("cut off after {bytes} bytes, in undo after {in_undo:?}: {error}");
        for again in [false, true] {
            let run = dark(scene, code, bytes)?;
            if again {
                restored(scene, &scene.run(code)?.well("run again").map_err(at)?).map_err(at)?;
            }
            if let Some(bytes) = in_undo {
                scene.undo_over(&run.run, &Wire::met(None, Some((WRITES, &after(bytes, "")))))?;
            }
            if let Some(undone) = scene.undo(&run.run)? {
                undone.well("undo").map_err(at)?;
            }
            scene.brought_back(&before, "after undo").map_err(at)?;
            same_file(scene, "/etc/demo.conf", &file).map_err(at)?;
        }
    }
    Ok(())
}

/// What somebody wrote into a file that is half written is kept and named, and what was there before comes back.
fn cut_off_and_met(scene: &Scene, code: &str) -> Law {
    scene.given(GIVEN)?;
    let (before, file) = (scene.look("h")?, inode(scene, "/etc/demo.conf")?);
    let deed = format!("printf {WORD} >>\"$path\";");
    let met = Wire::met(None, Some((WRITES, &after(5, &deed))));
    let run = fails(scene.run_over(code, &met)?)?;
    let undone = scene.undo_over(&run.run, &Wire::whole())?.ok_or("nothing to undo")?.well("undo")?;
    let named = undone.events.iter().find_map(|stamped| match &stamped.event {
        Event::Remnant { remnant, .. } => remnant.kept.clone(),
        _ => None,
    });
    let place = named.ok_or("what somebody wrote is not named")?;
    scene.stage.sh(scene.lane.hosts()[0], "grep -qF \"$2\" \"$1\"", &[&place, WORD])?;
    brought_back(scene, &before, &file)
}

fn brought_back(scene: &Scene, before: &Looks, file: &str) -> Law {
    scene.brought_back(before, "after undo")?;
    same_file(scene, "/etc/demo.conf", file)
}

/// A run that ends after so many bytes.
fn dark(scene: &Scene, code: &str, bytes: usize) -> Law<Told> {
    fails(scene.run_over(code, &Wire::met(None, Some((WRITES, &after(bytes, "")))))?)
}

fn after(bytes: usize, deed: &str) -> String {
    format!("head -c {bytes} \"$1\" | dd of=/proc/self/fd/7 conv=notrunc status=none; {deed} kill -9 $$")
}

fn fails(run: Told) -> Law<Told> {
    if run.result.is_err() { Ok(run) } else { Err("the run was not cut off".to_owned()) }
}

fn inode(scene: &Scene, path: &str) -> Law<String> {
    let said = scene.stage.sh(scene.lane.hosts()[0], "stat -c %d:%i \"$1\"", &[path])?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

fn same_file(scene: &Scene, path: &str, file: &str) -> Law {
    let now = inode(scene, path)?;
    if now == file { Ok(()) } else { Err(format!("`{path}` was the file {file} and is {now}")) }
}
