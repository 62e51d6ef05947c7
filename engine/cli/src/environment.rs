//! What the operator's environment says, read once at the start.

#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::ffi::OsString;
use std::path::PathBuf;

/// The variables that haengine looks at; a secret's `env:NAME` is read when it is needed.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `HOME`: what `~/` means.
    pub home: Option<PathBuf>,
    /// `HAENGINE_STATE_DIR`.
    pub state: Option<PathBuf>,
    /// `XDG_STATE_HOME`, else `~/.local/state`.
    pub state_home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, else `~/.cache`.
    pub cache_home: Option<PathBuf>,
    /// `HAENGINE_LOG`: which internals to log.
    pub log: Option<String>,
    /// `HAENGINE_AGE_IDENTITY`: the file with the keys of `age:` secrets.
    pub age_identity: Option<PathBuf>,
    /// `KUBE_BIN_DIR`: a folder with Kubernetes' programs, for the lab.
    pub kubernetes: Option<PathBuf>,
    /// `SSH_AUTH_SOCK`: where an agent listens.
    pub agent: Option<PathBuf>,
    /// `NO_COLOR` is set, or `TERM` is `dumb`.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set: colours also when piped.
    pub force_color: bool,
    /// `TERM` says that the terminal cannot move its cursor.
    pub dumb: bool,
    /// `HAENGINE_CRASH`: where a test wants this process to be killed.
    pub crash: Option<String>,
    /// `_CLAP_COMPLETE_INDEX`: which word a shell wants to be completed.
    pub completed_word: Option<usize>,
    /// Who runs this: user and machine.
    pub operator: String,
    /// This machine's name.
    pub machine: String,
}

impl Environment {
    /// Reads the environment of this process.
    pub fn read() -> Environment {
        let home = path("HOME");
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let machine = machine();
        Environment {
            state: path("HAENGINE_STATE_DIR"),
            state_home: base("XDG_STATE_HOME").or_else(|| below_home(".local/state")),
            cache_home: base("XDG_CACHE_HOME").or_else(|| below_home(".cache")),
            log: value("HAENGINE_LOG").and_then(|text| text.into_string().ok()),
            age_identity: path("HAENGINE_AGE_IDENTITY"),
            kubernetes: path("KUBE_BIN_DIR"),
            agent: path("SSH_AUTH_SOCK"),
            no_color: value("NO_COLOR").is_some() || dumb,
            force_color: value("CLICOLOR_FORCE").is_some_and(|text| text != "0"),
            dumb,
            crash: value("HAENGINE_CRASH").and_then(|text| text.into_string().ok()),
            completed_word: value("_CLAP_COMPLETE_INDEX").and_then(|text| text.to_str()?.parse().ok()),
            operator: format!("{}@{machine}", user()),
            machine,
            home,
        }
    }
}

/// An empty variable counts as one that is not set.
fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|text| !text.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    value(name).map(PathBuf::from)
}

/// The base folders of the XDG specification; relative ones are to be ignored.
fn base(name: &str) -> Option<PathBuf> {
    path(name).filter(|path| path.is_absolute())
}

fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| value(name)?.into_string().ok());
    named.unwrap_or_else(|| {
        let id = nix::unistd::Uid::current();
        let known = nix::unistd::User::from_uid(id).ok().flatten();
        known.map_or_else(|| format!("uid {id}"), |user| user.name)
    })
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}
