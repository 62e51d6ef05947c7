//! Keys in every form, passphrases and the agent.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Local, Stdio};

use haengine_kernel::inventory::{HostSpec, SecretRef};

use crate::sshd::{Operator, Sshd, keygen, refused, run, sh};

const PASSPHRASE: &str = "open sesame";

async fn gets_in(operator: &Operator, host: &HostSpec) {
    let node = operator.connect(host).await.unwrap();
    assert_eq!(sh(&*node, "id -un").await.text(), "root\n");
    node.close().await;
}

#[tokio::test]
async fn keys_of_every_kind_and_form() {
    let Some(sshd) = Sshd::start() else { return };
    let forms = [
        ("ed25519", "RFC4716"),
        ("ecdsa", "RFC4716"),
        ("ecdsa", "PEM"),
        ("ecdsa", "PKCS8"),
        ("rsa", "RFC4716"),
        ("rsa", "PEM"),
        ("rsa", "PKCS8"),
    ];
    for (kind, form) in forms {
        let file = sshd.path(&format!("id_{kind}_{form}"));
        keygen(&file, kind, "");
        run("ssh-keygen", &["-q", "-p", "-N", "", "-m", form, "-f", &file.display().to_string()]);
        sshd.authorize(&file);
        gets_in(&Operator::default(), &HostSpec { identity_files: vec![file], ..sshd.host("node") }).await;
    }
}

/// Its secret number is 31 bytes long, which is so with one of 256 keys.
const SHORT: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAAZszap1igHwsdn5whVHPSoi+TI8YoG8+k7FbIRYPcHoAoGCCqGSM49
AwEHoUQDQgAEZfPw3kXaOQ7diVDptS60vdtvwQTPP7gvpJ7Xi/jCfWYuBlEkut16
NYK7f0kgw8s62Q4ywkJw3eBZHQ8w+V93dg==
-----END EC PRIVATE KEY-----
";

#[tokio::test]
async fn a_key_whose_number_is_short() {
    let Some(sshd) = Sshd::start() else { return };
    let operator = Operator { secrets: vec![("KEY", PASSPHRASE), ("WRONG", "guess")], ..Operator::default() };
    let file = sshd.path("id_short");
    let name = file.display().to_string();
    let key = |name: &str| Some(SecretRef::Environment(name.to_owned()));
    let host = HostSpec { identity_files: vec![file.clone()], passphrase: key("KEY"), ..sshd.host("node") };
    for (form, passphrase) in [("PEM", ""), ("PKCS8", ""), ("RFC4716", ""), ("RFC4716", PASSPHRASE)] {
        std::fs::write(&file, SHORT).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        run("ssh-keygen", &["-q", "-p", "-N", passphrase, "-m", form, "-f", &name]);
        let public = run("ssh-keygen", &["-y", "-P", passphrase, "-f", &name]);
        std::fs::write(sshd.path("id_short.pub"), public).unwrap();
        sshd.authorize(&file);
        gets_in(&operator, &host).await;
    }
    let error = refused(&operator, &HostSpec { passphrase: key("WRONG"), ..host }).await;
    assert!(error.message().contains("the passphrase does not open it"), "{error}");
}

#[tokio::test]
async fn encrypted_keys_and_their_passphrase() {
    let Some(sshd) = Sshd::start() else { return };
    let operator = Operator { secrets: vec![("KEY", PASSPHRASE), ("WRONG", "guess")], ..Operator::default() };
    for (kind, form) in [("ed25519", "RFC4716"), ("rsa", "PKCS8"), ("rsa", "PEM"), ("ecdsa", "PKCS8")] {
        let file = sshd.path(&format!("id_{kind}_{form}"));
        keygen(&file, kind, "");
        let name = file.display().to_string();
        run("ssh-keygen", &["-q", "-p", "-N", PASSPHRASE, "-m", form, "-f", &name]);
        sshd.authorize(&file);
        let host = HostSpec { identity_files: vec![file.clone()], ..sshd.host("node") };
        let key = |name: &str| Some(SecretRef::Environment(name.to_owned()));
        gets_in(&operator, &HostSpec { passphrase: key("KEY"), ..host.clone() }).await;
        let error = refused(&operator, &HostSpec { passphrase: key("WRONG"), ..host.clone() }).await;
        assert!(error.message().contains("the passphrase does not open it"), "{form}: {error}");
        let error = refused(&operator, &host).await;
        assert!(error.message().contains("encrypted, and the inventory names no `passphrase`"), "{form}: {error}");
        let error = refused(&operator, &HostSpec { passphrase: key("GONE"), ..host }).await;
        assert!(error.message().contains("`GONE` is not set"), "{form}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_was_offered_and_what_was_not() {
    let Some(sshd) = Sshd::start() else { return };
    let (stranger, open, text) = (sshd.path("stranger"), sshd.path("open"), sshd.path("text"));
    keygen(&stranger, "ed25519", "");
    keygen(&open, "ed25519", "");
    run("chmod", &["644", &open.display().to_string()]);
    std::fs::write(&text, "no key").unwrap();
    run("chmod", &["600", &text.display().to_string()]);
    let missing = sshd.path("missing");
    let files = vec![stranger.clone(), open.clone(), text.clone(), missing.clone()];
    let host = HostSpec { identity_files: files, agent: true, ..sshd.host("node") };
    let error = refused(&Operator::default(), &host).await;
    assert_eq!(error.code(), "ssh.authentication");
    let (offered, not_offered) = error.message().split_once("; not offered: ").unwrap();
    assert!(offered.contains(&format!("`{}` (ssh-ed25519 SHA256:", stranger.display())), "{error}");
    assert!(not_offered.contains(&format!("`{}`: mode 0644 lets others read it", open.display())), "{error}");
    assert!(not_offered.contains(&format!("`{}`: not a private key", text.display())), "{error}");
    assert!(not_offered.contains(&format!("`{}`: no such file", missing.display())), "{error}");
    assert!(not_offered.contains("the agent: none is running"), "{error}");
    assert!(error.advice().unwrap().contains("authorized_keys"));
}

#[tokio::test]
async fn a_server_that_takes_no_keys() {
    let Some(sshd) = Sshd::with("PubkeyAuthentication no\nPasswordAuthentication yes\n") else { return };
    let error = refused(&Operator::default(), &sshd.host("node")).await;
    assert_eq!(error.code(), "ssh.authentication");
    assert!(error.advice().unwrap().contains("PubkeyAuthentication"), "{:?}", error.advice());
}

struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent.sock");
        let mut command = Local::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Agent { child, socket }
    }

    fn add(&self, key: &Path) {
        let added = Local::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).status().unwrap();
        assert!(added.success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test]
async fn the_agent_signs() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd.path(""));
    let operator = Operator { agent: Some(agent.socket.clone()), ..Operator::default() };
    let host = HostSpec { identity_files: vec![], agent: true, ..sshd.host("node") };
    let error = refused(&operator, &host).await;
    assert!(error.message().contains("the agent: it holds no keys"), "{error}");
    for kind in ["ed25519", "rsa", "ecdsa"] {
        let key = sshd.path(&format!("agents_{kind}"));
        keygen(&key, kind, "");
        agent.add(&key);
        if kind == "rsa" {
            sshd.authorize(&key);
        }
    }
    gets_in(&operator, &host).await;
    assert!(sshd.log().contains("Accepted publickey for root") && sshd.log().contains("ssh2: RSA"));
    let unasked = refused(&operator, &HostSpec { agent: false, ..host }).await;
    assert!(unasked.message().contains("no key could be offered"), "{unasked}");
}
