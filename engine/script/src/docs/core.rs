//! The functions of the language itself. The one list of them: help, the book and `check` read it.

use haengine_kernel::signature::{Absent, Param, ParamKind};

/// A function of the language.
pub(crate) struct Core {
    /// As recipes write it: `step`, `param::host`; `.or` for a method.
    pub name: &'static str,
    /// Its arguments, for each way to call it.
    pub shapes: &'static [&'static [Argument]],
    /// The keys of its options.
    pub options: &'static [Param],
    /// What it does, in Markdown; the first line stands alone.
    pub about: &'static str,
    /// What it is for, and the recipe's lines.
    pub example: &'static str,
}

/// An argument of a function.
pub(crate) struct Argument {
    pub name: &'static str,
    pub takes: Takes,
}

/// What an argument takes.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    /// What a verb's argument takes.
    Value(Param),
    /// A map with the function's options.
    Options,
    /// `|| …`
    Closure,
}

impl Core {
    /// The calls, one for each shape: `rolling(hosts, options, body)`.
    pub fn calls(&self) -> Vec<String> {
        let names = |shape: &[Argument]| shape.iter().map(|argument| argument.name).collect::<Vec<_>>().join(", ");
        self.shapes.iter().map(|shape| format!("{}({})", self.name, names(shape))).collect()
    }
}

/// The names of all functions.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// The function that recipes call by this name.
pub(crate) fn named(name: &str) -> Option<&'static Core> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

const fn value(name: &'static str, kind: ParamKind) -> Argument {
    Argument { name, takes: Takes::Value(Param::new(name, kind, "")) }
}

const HOSTS: Argument = value("hosts", ParamKind::Hosts);
const ITEMS: Argument = value("hosts_or_names", ParamKind::Any);
const NAME: Argument = value("name", ParamKind::String);
const ABOUT: Argument = value("about", ParamKind::String);
const GROUP: Argument = value("group", ParamKind::String);
const CHECKS: Argument = value("checks", ParamKind::Any);
const OPTIONS: Argument = Argument { name: "options", takes: Takes::Options };
const BODY: Argument = Argument { name: "body", takes: Takes::Closure };
const DECLARE: &[&[Argument]] = &[&[ABOUT]];

const fn function(
    name: &'static str,
    shapes: &'static [&'static [Argument]],
    about: &'static str,
    example: &'static str,
) -> Core {
    Core { name, shapes, options: &[], about, example }
}

/// A type of parameter that takes nothing but its description.
const fn parameter(name: &'static str, about: &'static str, example: &'static str) -> Core {
    function(name, DECLARE, about, example)
}

pub(crate) static FUNCTIONS: &[Core] = &[
    function(
        "host",
        &[&[NAME]],
        "The inventory's host of this name.\n\nA verb that gets one host gives the bare result.",
        r#"let first = host("master1");"#,
    ),
    function(
        "group",
        &[&[NAME]],
        "The hosts of a group, in the order of the inventory; `all` is every host.\n\n\
         A verb that gets an array of hosts works on all of them at once and gives a map of results by host.",
        r#"for h in group("masters") { log(h.name); }"#,
    ),
    Core {
        name: "step",
        shapes: &[&[NAME, BODY], &[NAME, OPTIONS, BODY]],
        options: &[Param::option(
            "together",
            ParamKind::Boolean,
            Absent::Boolean(false),
            "Its hosts need each other, as members of one etcd do: where undo is stuck on one of them, it stops on the others too.",
        )],
        about: "A named part of the recipe; gives what the closure gives.\n\n\
         Steps are what a person follows in the output, and where the journal places each change. They may be nested.",
        example: r#"step("write the configuration", || {
    log("to be done");
});"#,
    },
    function(
        "verify",
        &[&[NAME, BODY]],
        "A check: the run fails unless the closure gives `true`, or nothing, and raises no error.\n\n\
         A plan only prints that it would verify.",
        r#"verify("there are three masters", || group("masters").len() == 3);"#,
    ),
    function(
        "preflight",
        &[&[CHECKS], &[GROUP, CHECKS]],
        "Does all checks at once, and tells each in a line; the run ends when one of them refuses.\n\n\
         All checks are done first: one error carries all that refuses, in the order of the list. Reads are real also in a \
         plan; what changes something is refused inside of a check. Captured values are copied in, as for `each`; \
         `--forks` bounds how many checks are done beside each other.",
        r#"preflight("the masters", [
    check("there are three", || {
        let count = group("masters").len();
        if count != 3 { refuse(`there are ${count}`, "correct the group `masters`"); }
        `${count} masters`
    }),
]);"#,
    ),
    function(
        "audit",
        &[&[CHECKS], &[GROUP, CHECKS]],
        "Does all checks as `preflight` does, for a recipe that only looks.\n\n\
         What could not be looked at is a finding like what refuses: the run ends well only when all was looked at, and \
         nothing refused.",
        r#"audit("the inventory", [check("every master is called by its own address", || {
    for h in group("masters") { if h.address == "127.0.0.1" { refuse(`${h.name} has ${h.address}`, "write its own"); } }
})]);"#,
    ),
    function(
        "check_group",
        &[&[GROUP, CHECKS]],
        "The same checks under a name: what they are about. One preflight may have several groups.",
        r#"preflight([
    check_group("the inventory", [check("it has masters", || !group("masters").is_empty())]),
    check_group("every master", group("masters").map(|h| check(h.name, || h.address))),
]);"#,
    ),
    Core {
        name: "check",
        shapes: &[&[NAME, BODY], &[NAME, OPTIONS, BODY]],
        options: &[Param::option(
            "before_first_change",
            ParamKind::Boolean,
            Absent::Boolean(false),
            "It would refuse what the run itself has done: when the run goes on after a change, its recorded answer is shown.",
        )],
        about: "A check for the list of a preflight.\n\n\
         `refuse` and `warn` say what it finds, several times if need be; with none of them it has passed. The text that it \
         gives is shown beside its name; `false` refuses. An error, or a value known only when run, makes it *not checked*, \
         which is no pass and does not refuse; `fail` refuses and ends it.",
        example: r#"let odd = check("the masters are odd in number", || {
    if group("masters").len() % 2 == 0 { warn("an even number of masters", "add one more: it costs no tolerance"); }
});
preflight([odd]);"#,
    },
    function(
        "refuse",
        &[&[value("message", ParamKind::String), value("hint", ParamKind::String)]],
        "In a check: why the run must not begin, and what to do about it. The check goes on.",
        r#"preflight([check("there are masters", || {
    if group("masters").is_empty() { refuse("the group `masters` is empty", "add a host to it"); }
})]);"#,
    ),
    function(
        "each",
        &[&[ITEMS, BODY]],
        "Calls the closure with each host, all hosts at once; gives a map of the results by host.\n\n\
         Captured values are copied in: what the closure assigns to them stays inside. `--forks` bounds how many hosts \
         are worked on at once. When hosts fail, the others finish first; then one error carries `failed` and `results`.\n\n\
         It takes names too, an array of different strings, for things that stand side by side on one host: \
         `each([\"kube-proxy\", \"kubelet\"], |unit| service::running(h, unit))` starts both at once. Each name is a step of its own. \
         What two of them make of the same file or unit is made one after the other. One host does about three things at a time.",
        r#"let names = each(group("masters"), |h| h.name);"#,
    ),
    Core {
        name: "rolling",
        shapes: &[&[HOSTS, BODY], &[HOSTS, OPTIONS, BODY]],
        options: &[Param::option(
            "batch",
            ParamKind::Integer,
            Absent::Integer(1),
            "How many hosts are worked on at once.",
        )],
        about: "As `each`, a batch of hosts after the other.\n\nA batch in which a host fails is the last.",
        example: r#"rolling(group("masters"), #{ batch: 1 }, |h| log(h.name));"#,
    },
    Core {
        name: "retry",
        shapes: &[&[BODY], &[OPTIONS, BODY]],
        options: &[
            Param::option("times", ParamKind::Integer, Absent::Integer(3), "How often it is tried."),
            Param::option("every", ParamKind::Duration, Absent::String("1s"), "The pause between two tries."),
        ],
        about: "Calls the closure until it raises no error; gives what it gives.\n\nThe error of the last try goes on.",
        example: r#"let name = retry(#{ times: 5, every: "2s" }, || host("master1").name);"#,
    },
    Core {
        name: "wait_until",
        shapes: &[&[value("what", ParamKind::String), BODY], &[value("what", ParamKind::String), OPTIONS, BODY]],
        options: &[
            Param::option("timeout", ParamKind::Duration, Absent::String("60s"), "After this the run fails."),
            Param::option("every", ParamKind::Duration, Absent::String("500ms"), "The pause between two looks."),
        ],
        about: "Waits until the closure gives `true`.\n\nA plan does not wait.",
        example: r#"wait_until("the masters are three", #{ timeout: "2m" }, || group("masters").len() == 3);"#,
    },
    function(
        "sleep",
        &[&[value("span", ParamKind::Duration)]],
        "Waits for a time span; ends early when the run is interrupted.\n\n\
         A plan does not wait. Mostly `wait_until` is what is meant.",
        r#"sleep("500ms");"#,
    ),
    function(
        "log",
        &[&[value("value", ParamKind::Any)]],
        "A line for the reader.\n\nMaps and arrays are shown as JSON, secrets as a word.",
        r#"log("the old file is kept");"#,
    ),
    function(
        "warn",
        &[&[value("value", ParamKind::Any)], &[value("value", ParamKind::Any), value("hint", ParamKind::String)]],
        "A line that stands out; in a check, a finding that does not end the run.",
        r#"warn("two members tolerate no failure");"#,
    ),
    function(
        "fail",
        &[
            &[value("message", ParamKind::String)],
            &[value("message", ParamKind::String), value("hint", ParamKind::String)],
        ],
        "Ends the run with a message, and with the next step for its reader.\n\n\
         Before the first change it is a refusal: nothing was touched.",
        r#"if group("masters").is_empty() {
    fail("there is no master", "add one to the group `masters`");
}"#,
    ),
    function(
        "confirm",
        &[&[value("question", ParamKind::String)]],
        "Asks the operator; ends the run when the answer is no.\n\nA plan does not ask; `--yes` answers yes.",
        r#"confirm("Restart all masters now?");"#,
    ),
    parameter(
        "param::host",
        "A host of the inventory.",
        r#"fn params() { #{ target: param::host("The new master.") } }"#,
    ),
    parameter(
        "param::hosts",
        "A group, or hosts with commas between.",
        r#"fn params() { #{ hosts: param::hosts("Where.").or("all") } }"#,
    ),
    parameter("param::string", "A text.", r#"fn params() { #{ pool: param::string("The pool's name.") } }"#),
    parameter(
        "param::integer",
        "A whole number.",
        r#"fn params() { #{ replicas: param::integer("How many.").or(3) } }"#,
    ),
    parameter(
        "param::boolean",
        "`true` or `false`.",
        r#"fn params() { #{ force: param::boolean("Whether to go on.").or(false) } }"#,
    ),
    parameter(
        "param::address",
        "An IP address or a host name.",
        r#"fn params() { #{ vip: param::address("The shared address.") } }"#,
    ),
    parameter(
        "param::path",
        "An absolute path on a host.",
        r#"fn params() { #{ root: param::path("Where it is installed.").or("/opt/kubernetes") } }"#,
    ),
    parameter(
        "param::duration",
        "A time span such as `30s`.",
        r#"fn params() { #{ timeout: param::duration("How long to wait.").or("2m") } }"#,
    ),
    parameter(
        "param::secret",
        "A reference to a secret: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`.",
        r#"fn params() { #{ token: param::secret("What opens the registry.") } }"#,
    ),
    parameter(
        "param::list",
        "Texts with commas between, or an array.",
        r#"fn params() { #{ servers: param::list("Where the time comes from.") } }"#,
    ),
    function(
        "param::choice",
        &[&[value("words", ParamKind::Strings), ABOUT]],
        "One of these words.",
        r#"fn params() { #{ mode: param::choice(["tcp", "http"], "How to balance.").or("tcp") } }"#,
    ),
    function(
        ".or",
        &[&[value("default", ParamKind::Any)]],
        "What holds when a parameter is not given.",
        r#"fn params() { #{ source: param::host("Which master to clone.").or("master1") } }"#,
    ),
    function(
        ".optional",
        &[&[]],
        "A parameter that need not be given; the recipe sees `()` then.",
        r#"fn params() { #{ proxy: param::string("The proxy, if any.").optional() } }"#,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::library::Library;

    /// Functions by name with their numbers of arguments, as the engine has them beside Rhai's own.
    fn registered() -> BTreeMap<String, Vec<usize>> {
        let library = Library::new(Vec::new(), CancellationToken::new());
        let functions = library.engine.collect_fn_metadata(
            None,
            |function| {
                let (module, name) = (function.namespace.as_str(), function.metadata.name.as_str());
                let is_word =
                    rhai::is_valid_identifier(name) && !["to_string", "to_debug", "in", "exit"].contains(&name);
                let name = if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
                is_word.then_some((name, function.metadata.num_params))
            },
            false,
        );
        let mut counts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (name, count) in functions {
            counts.entry(name).or_default().push(count);
        }
        for counts in counts.values_mut() {
            counts.sort_unstable();
            counts.dedup();
        }
        counts
    }

    #[test]
    fn the_list_is_what_the_engine_has() {
        let listed: BTreeMap<String, Vec<usize>> = FUNCTIONS
            .iter()
            .map(|function| {
                // A method's first argument is what it is called on.
                let own = usize::from(function.name.starts_with('.'));
                let counts = function.shapes.iter().map(|shape| shape.len() + own).collect();
                (function.name.trim_start_matches('.').to_owned(), counts)
            })
            .collect();
        assert_eq!(listed, registered());
    }
}
