//! What a recipe says reaches the terminal as text, whatever it would do there.

use crate::Site;

/// A title, a cleared screen, the clipboard, a line over the last one, hidden text, C1, direction.
const EVIL: &str = "a\\x1b]0;t\\x07b\\x1b[2Jc\\x1b]52;c;aGk=\\x07d\\re\\x1b[8mf\\u009b2Jg\\u202eh\\u2066";

fn is_evil(c: char) -> bool {
    (c.is_control() && !"\n\t\u{1b}".contains(c)) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every escape is a colour that we use.
fn assert_harmless(text: &str, words: &[&str]) {
    assert!(!text.contains(is_evil), "{words:?}: {text:?}");
    for escape in text.split('\u{1b}').skip(1) {
        let end = escape.find('m').unwrap_or_else(|| panic!("{words:?}: {escape:?}"));
        let is_known =
            |number: &str| ["0", "1", "2", "31", "32", "33", "36", "91", "92", "93", "94", "96", ""].contains(&number);
        assert!(escape[1..end].split(';').all(is_known), "{words:?}: {escape:?}");
    }
}

fn site() -> Site {
    let site = Site::new();
    let raw = EVIL.replace("\\x1b", "\u{1b}").replace("\\x07", "\u{7}").replace("\\r", "\r");
    let raw = raw.replace("\\u009b", "\u{9b}").replace("\\u202e", "\u{202e}").replace("\\u2066", "\u{2066}");
    let comment = raw.replace('\r', "");
    site.write(
        "evil.rhai",
        &format!(
            "//! {comment}\n//!\n//! {comment}\n\nfn params() {{\n    #{{\n        one: param::choice([\"{EVIL}\"], \"{EVIL}\").or(\"{EVIL}\"),\n    }}\n}}\n\n\
             fn main(p) {{\n    // {comment}\n    step(\"{EVIL}\", || {{\n        log(\"{EVIL}\");\n        warn(\"{EVIL}\");\n        fail(\"{EVIL}\", \"{EVIL}\");\n    }});\n}}\n"
        ),
    );
    site.write("broken.rhai", &format!("//! {comment}\nfn main(p) {{ let a = `{comment}; }}\n"));
    site.write("unknown.rhai", &format!("fn main(p) {{ /* {comment} */ nothing(); }}\n"));
    site
}

#[test]
fn no_way_to_the_terminal_lets_it_pass() {
    let site = site();
    let all: [&[&str]; 9] = [
        &["list"],
        &["describe", "evil"],
        &["describe", "broken"],
        &["check", "evil", "broken", "unknown"],
        &["check", "unknown"],
        &["plan", "evil"],
        &["run", "evil", "--verbose"],
        &["run", "evil", "one=\u{1b}[2J"],
        &["runs"],
    ];
    for words in all {
        for colour in [true, false] {
            for json in [true, false] {
                let mut command = site.command(words);
                if colour {
                    command.env("CLICOLOR_FORCE", "1");
                }
                if json {
                    command.arg("--json");
                }
                let output = command.output().unwrap();
                for bytes in [output.stdout, output.stderr] {
                    let text = String::from_utf8(bytes).unwrap();
                    assert_harmless(&text, words);
                    assert!(colour || !text.contains('\u{1b}'), "{words:?}: {text:?}");
                }
            }
        }
    }
}

#[test]
fn a_program_is_told_what_it_is() {
    let site = site();
    let given = site.run(&["run", "evil", "--json"]);
    let step = given.json().into_iter().find(|line| line["event"] == "step_started").unwrap();
    assert!(step["step"].as_str().unwrap().contains("\u{1b}[2Jc"), "{step}");
}
