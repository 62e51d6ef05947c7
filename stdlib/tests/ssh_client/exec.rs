//! Short commands of ops: the persistent shell.

use std::time::{Duration, Instant};

use futures::future::join_all;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Exit};

use crate::sshd::{Sshd, sh};

#[tokio::test]
async fn output_comes_byte_for_byte_with_stderr_apart() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let output = sh(&*host, r"printf 'a\0b\377\n\n'; printf 'e\036\0' >&2; exit 3").await;
    assert_eq!(output.exit, Exit::Status(3));
    assert_eq!(output.stdout, b"a\0b\xff\n\n");
    assert_eq!(output.stderr, b"e\x1e\0");
    let big = sh(&*host, "head -c 3000000 /dev/zero | tr '\\0' x").await;
    assert_eq!(big.stdout.len(), 3_000_000);
    host.close().await;
}

#[tokio::test]
async fn arguments_and_environment() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let command = Command::new("printf").arg("%s|%s").arg("it's $HOME").arg("a\nb");
    assert_eq!(host.exec(&command).await.unwrap().stdout, b"it's $HOME|a\nb");
    let script = Command::script("printf %s \"$2$1\"").arg("x y").arg("'\"");
    assert_eq!(host.exec(&script).await.unwrap().stdout, b"'\"x y");
    assert_eq!(sh(&*host, "echo $LC_ALL; command -v sysctl >/dev/null; pwd").await.text(), "C\n/root\n");
}

#[tokio::test]
async fn nothing_breaks_the_shell() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let shell = sh(&*host, "echo $$").await.text();
    for script in [
        "if then (",
        "echo '",
        "exit 5",
        "exec false",
        "set -e; false; echo no",
        "cat",
        "cd /; umask 0; x=1",
        "}",
        "done <<E",
        "return 3",
        "exec >&- 2>&-",
        "trap 'echo bye' EXIT",
        "readonly PATH",
        "haengine_end 1 0 >/dev/null 2>&1",
    ] {
        host.exec(&Command::script(script).deadline(Duration::from_secs(5))).await.unwrap();
    }
    assert_ne!(sh(&*host, "if then (").await.exit, Exit::Status(0));
    assert!(sh(&*host, "if then (").await.stderr.len() > 5);
    assert_eq!(sh(&*host, "echo $$ $x; pwd").await.text(), format!("{}\n/root\n", shell.trim()));
}

#[tokio::test]
async fn input_of_every_length_arrives_and_is_in_no_argument() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    for length in [0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 3_000_000] {
        let text: String = (0..length).map(|number| char::from((number % 128) as u8)).collect();
        let output = host.exec(&Command::new("cat").stdin(Secret::new(text.clone()))).await.unwrap();
        assert!(output.stdout == text.as_bytes(), "{length} bytes");
    }
    let look = "cat >/dev/null; cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    for length in [10, 20_000] {
        let text = format!("correct-horse-{}", "x".repeat(length));
        let output = host.exec(&Command::script(look).stdin(Secret::new(text))).await.unwrap();
        assert!(output.text().contains("sshd") && !output.text().contains("correct-horse-xxx"));
        assert!(!output.text().contains("Y29ycmVjdC1ob3JzZS14"));
    }
    // Nobody has to read it.
    let unread = Command::new("true").stdin(Secret::new("x".repeat(1_000_000)));
    assert!(host.exec(&unread).await.unwrap().success());
}

#[tokio::test]
async fn a_thousand_in_flight_come_back_in_their_places() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let commands: Vec<Command> = (0..1000)
        .map(|number| Command::script(format!("echo {number}; echo e{number} >&2; exit {}", number % 7)))
        .collect();
    let started = Instant::now();
    let outputs = join_all(commands.iter().map(|command| host.exec(command))).await;
    eprintln!("1000 commands in {:?}", started.elapsed());
    for (number, output) in outputs.into_iter().enumerate() {
        let output = output.unwrap();
        assert_eq!((output.text(), output.stderr), (format!("{number}\n"), format!("e{number}\n").into_bytes()));
        assert_eq!(output.exit, Exit::Status((number % 7) as i32));
    }
}

#[tokio::test]
async fn what_stays_in_the_background_holds_nobody_up() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let started = Instant::now();
    let output = sh(&*host, "sleep 30 & echo $!").await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(sh(&*host, "echo next").await.text(), "next\n");
    sh(&*host, &format!("kill {}", output.text())).await;
}

#[tokio::test]
async fn a_long_command_does_not_hold_up_the_short_ones() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let long = async { sh(&*host, "sleep 3; echo long").await };
    let short = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let started = Instant::now();
        for _ in 0..20 {
            sh(&*host, "true").await;
        }
        started.elapsed()
    };
    let (long, short) = tokio::join!(long, short);
    assert_eq!(long.text(), "long\n");
    assert!(short < Duration::from_secs(1), "{short:?}");
}

#[tokio::test]
async fn a_deadline_ends_the_command_with_its_children() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let command = Command::script("sleep 4711 & (sleep 4711); echo").deadline(Duration::from_millis(300));
    let behind = async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        sh(&*host, "echo behind").await
    };
    let started = Instant::now();
    let (error, behind) = tokio::join!(host.exec(&command), behind);
    let error = error.unwrap_err();
    assert_eq!(error.code(), "host.timeout", "{error}");
    assert_eq!(error.host(), Some("node"));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    // It had not started: it ran in another shell, once.
    assert_eq!(behind.text(), "behind\n");
    assert_eq!(sh(&*host, "pgrep -fx 'sleep 4711' | wc -l").await.text().trim(), "0");
}

#[tokio::test]
async fn giving_up_ends_the_command() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let trace = sshd.path("trace");
    let command = Command::script("sleep 4712; touch \"$1\"").arg(trace.display().to_string());
    let given_up = tokio::time::timeout(Duration::from_millis(200), host.exec(&command)).await;
    assert!(given_up.is_err());
    host.close().await;
    let host = sshd.connect().await;
    assert_eq!(sh(&*host, "pgrep -fx 'sleep 4712' | wc -l").await.text(), "0\n");
    assert!(!trace.exists());
}

#[tokio::test]
async fn a_shell_that_dies_fails_its_command_and_no_other() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let (killed, second) = (Command::script("kill -KILL $$; sleep 1"), Command::script("echo second"));
    let (killed, second) = tokio::join!(host.exec(&killed), host.exec(&second));
    assert_eq!(killed.unwrap_err().code(), "ssh.exec");
    assert_eq!(second.unwrap().text(), "second\n");
    let group = host.exec(&Command::script("kill -TERM 0; sleep 1")).await.unwrap_err();
    assert_eq!(group.code(), "ssh.exec");
    assert_eq!(sh(&*host, "echo third").await.text(), "third\n");
}

#[tokio::test]
async fn endless_output_is_cut_off() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let error = host.exec(&Command::new("yes").arg("4714")).await.unwrap_err();
    assert!(error.to_string().contains("64 MiB"), "{error}");
    assert_eq!(sh(&*host, "pgrep -fx 'yes 4714' | wc -l").await.text().trim(), "0");
}
