//! Each guard is needed: without it a stranger loses something, and the law says so.

use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::User;
use crate::stranger::{Case, meet, moments};
use crate::{Later, Law};

/// A line of a script that keeps what is somebody else's.
struct Guard {
    verb: &'static str,
    example: usize,
    /// What is taken out.
    line: &'static str,
    /// What stands there instead.
    instead: &'static str,
    /// What somebody does, and where.
    deed: &'static str,
    path: &'static str,
    in_undo: bool,
}

const EDIT: &str = "adds to a file";
const SAVE: &str = "saves a file as editors do";
const WRITE: &str = "writes a file where nothing is";
const MAKE: &str = "makes a directory where nothing is";
const FILL: &str = "fills a directory";
const LINK: &str = "makes a link where nothing is";

const fn guard(verb: &'static str, example: usize, line: &'static str, instead: &'static str) -> Guard {
    Guard { verb, example, line, instead, deed: EDIT, path: "/etc/demo.conf", in_undo: false }
}

/// The first few are tried by `make test`.
const GUARDS: [Guard; 11] = [
    Guard {
        deed: WRITE,
        path: "/etc/motd",
        ..guard("file.put", 0, "ln -L -T -- /proc/self/fd/8", "mv -fT -- \"$temporary\"")
    },
    Guard {
        deed: FILL,
        path: "/opt/demo",
        in_undo: true,
        ..guard("file.directory", 0, "rmdir -- \"$place\" 2>/dev/null", "rm -rf -- \"$place\"")
    },
    guard("file.put", 1, "if ! same \"${10}\" \"${11}\"; then", "if false; then"),
    Guard {
        deed: SAVE,
        ..guard("file.put", 1, "if [ -L \"$path\" ] || ! [ \"$path\" -ef /proc/self/fd/7 ]; then fail 76; fi", ":")
    },
    Guard {
        path: "/etc/motd",
        in_undo: true,
        ..guard("file.put", 0, "if ! is_still \"$gone\"; then", "if false; then")
    },
    Guard { deed: SAVE, in_undo: true, ..guard("file.put", 1, "is_still \"$path\" || { drop; exit 76; }", ":") },
    Guard {
        deed: MAKE,
        path: "/opt/demo",
        ..guard("file.directory", 0, "{ [ -n \"$nonce\" ] && ! proof \"$level\" \"$place\"; }", "false")
    },
    Guard {
        deed: LINK,
        path: "/opt/demo/current",
        ..guard(
            "file.link",
            0,
            "ln -P -T -- \"$temporary\" \"$path\" 2>/dev/null",
            "mv -fT -- \"$temporary\" \"$path\"",
        )
    },
    Guard {
        deed: WRITE,
        in_undo: true,
        ..guard("file.absent", 0, "ln -P -T -- \"$kept\" \"$path\" 2>/dev/null", "mv -fT -- \"$kept\" \"$path\"")
    },
    Guard {
        deed: SAVE,
        path: "/srv/demo/cfg/a",
        ..guard("file.copy_tree", 1, "is_one \"$name\" \"$stage/links/$at/$name\" || return", ":")
    },
    guard("file.put", 4, "same_text \"$2\" || return 76", ":"),
];

/// So many are tried where time counts.
const FEW: usize = 2;

/// One trial for each guard.
pub fn trials(stage: &Later) -> Vec<Trial> {
    let trials = GUARDS.iter().enumerate().map(|(number, guard)| {
        let name = format!("{}::{}::guard_{number}", guard.verb, guard.example);
        trial(stage, name, User::Root, "", move |scene| needed(scene, guard)).with_ignored_flag(number >= FEW)
    });
    trials.collect()
}

fn needed(scene: &crate::scene::Scene, guard: &Guard) -> Law {
    let verbs = haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs);
    let verb = verbs.into_iter().find(|verb| verb.name() == guard.verb).ok_or("no such verb")?;
    let example = verb.examples().get(guard.example).ok_or("no such example")?;
    let counts = moments(scene, example, guard.in_undo)?;
    for (call, count) in counts {
        for commands in 0..count {
            let case = Case::of(guard.deed, guard.path, guard.in_undo, call, commands)?;
            if meet(scene, example, &case, Some((guard.line, guard.instead))).is_err() {
                return meet(scene, example, &case, None)
                    .map_err(|error| format!("also with the guard in its place: {error}"));
            }
        }
    }
    Err(format!("nobody misses `{}`", guard.line))
}
