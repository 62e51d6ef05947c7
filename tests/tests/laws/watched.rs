//! Who watches a file by its inode, as kube-apiserver watches its certificate, sees it go when it is replaced: what a run
//! keeps of it is another file.

use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::{Scene, User};
use crate::{Later, Law};

const CALLS: [(&str, &str); 4] = [
    ("file.put", r#"file::put(h, "/srv/demo/f", "new\n")"#),
    ("file.line", r#"file::line(h, "/srv/demo/f", "another")"#),
    ("file.absent", r#"file::absent(h, "/srv/demo/f")"#),
    ("file.copy_tree", r#"file::copy_tree(h, "/opt/demo", h, "/srv/demo")"#),
];

const GIVEN: &str = "rm -rf /srv/demo /opt/demo; mkdir -p /srv/demo /opt/demo
printf 'old\\n' >/srv/demo/f; printf 'newer\\n' >/opt/demo/f
systemd-run -q --unit=laws-watcher -p StandardInput=file:/srv/demo/f sleep 600";

const NAMES: &str =
    "stat -L -c %h /proc/$(systemctl show --value -p MainPID laws-watcher)/fd/0; systemctl stop laws-watcher";

/// One trial for each verb, as root and through sudo in turns.
pub fn trials(stage: &Later) -> Vec<Trial> {
    let one = |(index, (verb, code)): (usize, (&'static str, &'static str))| {
        let user = if index % 2 == 0 { User::Root } else { User::Sudo };
        trial(stage, format!("{verb}::watched::{}", user.name()), user, "", move |scene| law(scene, code))
    };
    CALLS.into_iter().enumerate().map(one).collect()
}

fn law(scene: &Scene, code: &str) -> Law {
    scene.given(GIVEN)?;
    let done = scene.run(code)?.well("run")?;
    let names = scene.stage.sh(scene.lane.hosts()[0], NAMES, &[])?;
    if names != b"0\n" {
        let names = String::from_utf8_lossy(&names).trim().to_owned();
        return Err(format!("the former file has {names} names still: who watches it never sees it go"));
    }
    scene.undo(&done.run)?.map_or(Ok(()), |undone| undone.well("undo").map(drop))
}
