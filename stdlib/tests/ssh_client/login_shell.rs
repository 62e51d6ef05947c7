//! The login shell of the user is whatever the host has, and what it says when it starts nothing is told.
//!
//! sshd gives a login shell its command as `SHELL -c COMMAND`; so does the forced command here.

use std::sync::Arc;

use haengine_kernel::error::Kind;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Exit, Transport};

use crate::sshd::{Operator, Sshd, refused, sh};

const SHELLS: [&str; 8] = ["sh", "bash", "dash", "zsh", "fish", "tcsh", "mksh", "busybox sh"];

/// What breaks one shell or the other, if a shell sees it.
const AWKWARD: &str = "it's \"$HOME\" `id` !! \\ {a,b} *\n\tend";

async fn behind(shell: &str) -> Option<(Sshd, Arc<dyn Transport>)> {
    let program = shell.split(' ').next().unwrap();
    let is_there = std::process::Command::new("which").arg(program).output().unwrap().status.success();
    if !is_there {
        eprintln!("SKIPPED: this machine has no {program}");
        return None;
    }
    let sshd = Sshd::with(&format!("ForceCommand exec {shell} -c \"$SSH_ORIGINAL_COMMAND\"\n"))?;
    let host = sshd.connect().await;
    Some((sshd, host))
}

#[tokio::test]
async fn every_login_shell_starts_what_it_is_given() {
    for shell in SHELLS {
        let Some((_sshd, host)) = behind(shell).await else { continue };
        let short = host.exec(&Command::new("printf").arg("%s").arg(AWKWARD)).await.unwrap();
        assert_eq!(short.text(), AWKWARD, "{shell}");
        let script = Command::script("cat; printf '%s!\\n' \"$1\"\necho 'it'\\''s' >&2; exit 3").arg(AWKWARD);
        let alone = host.exec(&script.stdin(Secret::new("from here\n".into()))).await.unwrap();
        assert_eq!(alone.text(), format!("from here\n{AWKWARD}!\n"), "{shell}");
        assert_eq!(alone.stderr, b"it's\n", "{shell}");
        assert_eq!(alone.exit, Exit::Status(3), "{shell}");
        host.close().await;
    }
}

#[tokio::test]
async fn programs_of_usr_local_are_found_everywhere() {
    let environment = "SetEnv PATH=/usr/bin:/bin\n";
    let Some(sshd) = Sshd::with(environment) else { return };
    let path = sh(&*sshd.connect().await, "echo \"$PATH\"").await.text();
    let folders: Vec<&str> = path.trim().split(':').collect();
    for folder in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin"] {
        assert!(folders.contains(&folder), "{path}");
    }
}

/// A cloud's image lets root in only to be told who else to be, and says so on its standard output.
#[tokio::test]
async fn what_a_forced_command_says_is_told() {
    let says = "Please login as the user \"debian\" rather than the user \"root\".";
    let Some(sshd) = Sshd::with(&format!("ForceCommand echo '{says}'; echo; sleep 1; exit 142\n")) else { return };
    let error = refused(&Operator::default(), &sshd.host("node")).await;
    assert_eq!((error.kind(), error.code()), (Kind::Unreachable, "ssh.exec"));
    assert_eq!(error.causes(), [says]);
    assert!(error.advice().unwrap().contains("log in as a user"), "{:?}", error.advice());
}
