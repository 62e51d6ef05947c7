//! Who owns a folder may exchange its names at any moment, and gets nothing of root's by that: no content before it has its
//! place, and no file of the system by a change of owner or mode.

use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::{Scene, User};
use crate::wire::{COUNTS, Visit, Wire, counted};
use crate::{Later, Law};

/// What is done in a folder that belongs to the user `games`, and the file or folder that it is about.
const CALLS: [(&str, &str); 7] = [
    ("new file", r#"file::put(h, "/srv/demo/f", "new\n", #{ owner: "games", mode: 0o666 })"#),
    ("old file", r#"file::put(h, "/srv/demo/old", "new\n", #{ owner: "games", mode: 0o666 })"#),
    ("file in place", r#"file::put(h, "/srv/demo/old", "new\n", #{ owner: "games", mode: 0o666, in_place: true })"#),
    ("mode alone", r#"file::put(h, "/srv/demo/old", "old\n", #{ owner: "games", mode: 0o666 })"#),
    ("directory", r#"file::directory(h, "/srv/demo/d", #{ owner: "games", mode: 0o777 })"#),
    ("tree", r#"file::copy_tree(h, "/srv/source", h, "/srv/demo")"#),
    ("directory's mode", r#"file::directory(h, "/srv/demo/sub", #{ owner: "games", mode: 0o777 })"#),
];

const GIVEN: &str =
    "rm -rf /srv/demo /srv/source /etc/demo.victim /etc/demo.folder /run/laws.visited /run/laws.done /run/laws.counts
mkdir -p /srv/demo/sub /srv/source/sub/more /etc/demo.folder && printf 'old\\n' | tee /srv/demo/old >/srv/demo/sub/old
for name in old sub/old sub/new sub/more/x; do echo tree >/srv/source/$name; done; chown -R games /srv/demo /srv/source
printf 'root\\n' >/etc/demo.folder/old
printf 'root alone\\n' >/etc/demo.victim && chmod 600 /etc/demo.victim && chmod 700 /etc/demo.folder";

/// Each name in the folder leads to root's own from now on.
const EXCHANGE: &str = "cd /srv/demo && for name in .haengine-* f old d sub; do
    if [ -d \"$name\" ] && ! [ -L \"$name\" ]; then
        mv \"$name\" \"away-$name\" && ln -s /etc/demo.folder \"$name\"
    elif [ -e \"$name\" ]; then
        mv \"$name\" \"away-$name\" && ln -s /etc/demo.victim \"$name\"
    fi
done; : >/run/laws.done";

const VICTIMS: &str = "stat -c '%n %a %U' /etc/demo.victim /etc/demo.folder; cat /etc/demo.victim
find /etc/demo.folder -mindepth 1 -printf '%P %m %u %s\\n'; cat /etc/demo.folder/old";

/// One trial for each call, as root and through sudo in turns.
pub fn trials(stage: &Later) -> Vec<Trial> {
    let one = |(index, (name, code)): (usize, (&'static str, &'static str))| {
        let user = if index % 2 == 0 { User::Root } else { User::Sudo };
        let name = format!("a folder's owner::{name}::{}", user.name());
        trial(stage, name, user, "", move |scene| law(scene, code))
    };
    CALLS.into_iter().enumerate().map(one).collect()
}

fn law(scene: &Scene, code: &str) -> Law {
    let host = scene.lane.hosts()[0];
    scene.given(GIVEN)?;
    let victims = scene.stage.sh(host, VICTIMS, &[])?;
    let counting = Wire::counting();
    scene.run_over(code, &counting)?.well("run")?;
    let counts = scene.stage.sh(host, &format!("grep -H . {COUNTS}/*"), &[])?;
    for (call, count) in counted(&String::from_utf8_lossy(&counts)) {
        for commands in (0..count).step_by(5) {
            scene.given(GIVEN)?;
            let deed = EXCHANGE.to_owned();
            let visit = Visit { call, commands, deed, but_before: &[], crash: false };
            let done = scene.run_over(code, &Wire::met(Some(visit), None))?;
            scene.undo_over(&done.run, &Wire::whole())?;
            if scene.stage.sh(host, VICTIMS, &[])? != victims {
                return Err(format!("root's own has changed, after {commands} commands of call {call}"));
            }
        }
    }
    let made = "rm -rf /srv/source /etc/demo.victim /etc/demo.folder /run/laws.visited /run/laws.done";
    scene.stage.sh(host, made, &[]).map(drop)
}
