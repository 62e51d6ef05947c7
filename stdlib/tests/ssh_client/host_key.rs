//! known_hosts: nobody talks to a host that is not who it should be.

use std::os::unix::fs::PermissionsExt;

use haengine_kernel::inventory::{HostKeyPolicy, HostSpec};
use haengine_stdlib::ssh::client::Notice;

use crate::sshd::{Operator, Sshd, refused, run, sh};

#[tokio::test]
async fn a_hashed_name_is_known() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("known_hosts");
    run("ssh-keygen", &["-q", "-H", "-f", &file.display().to_string()]);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("|1|"));
    assert_eq!(sh(&*sshd.connect().await, "echo in").await.text(), "in\n");
}

#[tokio::test]
async fn a_host_known_by_its_rsa_key_alone_is_known() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know(&["rsa"]);
    assert_eq!(sh(&*sshd.connect().await, "echo in").await.text(), "in\n");
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_the_way_to_accept_it() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know(&[]);
    let error = refused(&Operator::default(), &sshd.host("node")).await;
    assert_eq!(error.code(), "ssh.host_key_unknown");
    let fingerprint = run("ssh-keygen", &["-lf", &sshd.path("host_ed25519.pub").display().to_string()]);
    let fingerprint = fingerprint.split(' ').nth(1).unwrap();
    assert!(error.message().contains(fingerprint) && error.message().contains("ssh-ed25519"), "{error}");
    let advice = error.advice().unwrap();
    assert!(!advice.contains("ssh-keyscan") && advice.contains(&sshd.public_key("ed25519")), "{advice}");
    let start = advice.find("`echo").unwrap();
    let command = advice[start..].trim_matches('`');
    run("sh", &["-c", command]);
    assert_eq!(sh(&*sshd.connect().await, "echo in").await.text(), "in\n");
    assert!(!sshd.log().contains("Accepted publickey for root") || sshd.log().matches("Connection from").count() > 2);
}

#[tokio::test]
async fn accept_new_writes_the_key_once_and_says_so() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("new/known_hosts");
    let host = HostSpec { known_hosts: file.clone(), host_key: HostKeyPolicy::AcceptNew, ..sshd.host("node") };
    let operator = Operator::default();
    for _ in 0..2 {
        assert_eq!(sh(&*operator.connect(&host).await.unwrap(), "echo in").await.text(), "in\n");
    }
    let line = format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.public_key("ed25519"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), line);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let notices = operator.notices.lock().unwrap();
    let [Notice::HostKeyAccepted { host, fingerprint, .. }] = notices.as_slice() else { panic!("{notices:?}") };
    assert!(host == "node" && fingerprint.starts_with("SHA256:"));
}

#[tokio::test]
async fn a_changed_key_is_refused_whatever_the_inventory_says() {
    let Some(sshd) = Sshd::start() else { return };
    let other = sshd.path("other");
    crate::sshd::keygen(&other, "ed25519", "");
    let key = std::fs::read_to_string(other.with_extension("pub")).unwrap();
    let file = sshd.path("known_hosts");
    for kind in ["same kind", "another kind"] {
        let key = if kind == "same kind" {
            key.clone()
        } else {
            crate::sshd::keygen(&sshd.path("ecdsa"), "ecdsa", "");
            std::fs::read_to_string(sshd.path("ecdsa.pub")).unwrap()
        };
        let text = format!("# a comment\n[127.0.0.1]:{} {key}", sshd.port);
        std::fs::write(&file, &text).unwrap();
        for host_key in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
            let error = refused(&Operator::default(), &HostSpec { host_key, ..sshd.host("node") }).await;
            assert_eq!(error.code(), "ssh.host_key_changed", "{kind}");
            assert!(error.message().contains(&format!("{}:2", file.display())), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let text = format!("@revoked * {}\n", sshd.public_key("ed25519"));
    std::fs::write(sshd.path("known_hosts"), text).unwrap();
    let host = HostSpec { host_key: HostKeyPolicy::AcceptNew, ..sshd.host("node") };
    assert_eq!(refused(&Operator::default(), &host).await.code(), "ssh.host_key_revoked");
}

/// Signs the host's key; sshd shows the certificate once it is there. `words` are for ssh-keygen.
fn certify(folder: &std::path::Path, words: &[&str]) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    run("ssh-keygen", &[&["-q", "-s", &path("ca"), "-I", "test"][..], words, &[&path("host_ed25519.pub")]].concat());
    std::fs::read_to_string(folder.join("ca.pub")).unwrap()
}

/// A server that shows a certificate, and the line of its authority.
fn certified(words: &[&str]) -> Option<(Sshd, String, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let sshd = Sshd::with(&format!("HostCertificate {}/cert.pub", folder.path().display()))?;
    crate::sshd::keygen(&sshd.path("ca"), "ed25519", "");
    let authority = certify(sshd.path("ca").parent().unwrap(), words);
    std::fs::copy(sshd.path("host_ed25519-cert.pub"), folder.path().join("cert.pub")).unwrap();
    // It has begun without one.
    sshd.reload();
    Some((sshd, authority, folder))
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_proof_enough() {
    let Some((sshd, authority, _folder)) = certified(&["-h", "-n", "127.0.0.1"]) else { return };
    let patterns = format!("[127.0.0.1]:{}", sshd.port);
    std::fs::write(sshd.path("known_hosts"), format!("@cert-authority {patterns} {authority}")).unwrap();
    assert_eq!(sh(&*sshd.connect().await, "echo in").await.text(), "in\n");
    let system = sshd.path("system");
    std::fs::rename(sshd.path("known_hosts"), &system).unwrap();
    let operator = Operator { system: vec![system.clone()], ..Operator::default() };
    assert_eq!(sh(&*operator.connect(&sshd.host("node")).await.unwrap(), "echo in").await.text(), "in\n");
    let text = format!("@cert-authority * {authority}@revoked * {}\n", sshd.public_key("ed25519"));
    std::fs::write(&system, text).unwrap();
    assert_eq!(refused(&operator, &sshd.host("node")).await.code(), "ssh.host_key_revoked");
    std::fs::write(&system, format!("@cert-authority * {authority}@revoked * {authority}")).unwrap();
    assert_eq!(refused(&operator, &sshd.host("node")).await.code(), "ssh.host_key_revoked");
}

#[tokio::test]
async fn a_certificate_that_is_not_right_is_refused_with_the_reason() {
    for (words, why) in [
        (&["-h", "-n", "10.9.9.9"][..], "it is for 10.9.9.9"),
        (&["-h", "-n", "127.0.0.1", "-V", "20200101:20200102"], "it is not valid at this time"),
        (&["-h"], "it is for nobody in particular"),
    ] {
        let Some((sshd, authority, _folder)) = certified(words) else { return };
        std::fs::write(sshd.path("known_hosts"), format!("@cert-authority * {authority}")).unwrap();
        let error = refused(&Operator::default(), &sshd.host("node")).await;
        assert_eq!(error.code(), "ssh.host_certificate", "{error}");
        assert!(error.message().ends_with(why), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_is_no_more_than_its_key() {
    let Some((sshd, _, _folder)) = certified(&["-h", "-n", "127.0.0.1"]) else { return };
    let other = sshd.path("other");
    crate::sshd::keygen(&other, "ed25519", "");
    let authority = std::fs::read_to_string(other.with_extension("pub")).unwrap();
    std::fs::write(sshd.path("known_hosts"), format!("@cert-authority * {authority}")).unwrap();
    assert_eq!(refused(&Operator::default(), &sshd.host("node")).await.code(), "ssh.host_key_unknown");
    sshd.know(&["ed25519"]);
    assert_eq!(sh(&*sshd.connect().await, "echo in").await.text(), "in\n");
}

#[tokio::test]
async fn the_systems_known_hosts_are_known() {
    let Some(sshd) = Sshd::start() else { return };
    let system = sshd.path("system");
    std::fs::rename(sshd.path("known_hosts"), &system).unwrap();
    let operator = Operator { system: vec![system.clone()], ..Operator::default() };
    assert_eq!(sh(&*operator.connect(&sshd.host("node")).await.unwrap(), "echo in").await.text(), "in\n");
    sshd.know(&["ed25519"]);
    std::fs::write(&system, format!("@revoked * {}\n", sshd.public_key("ed25519"))).unwrap();
    let error = refused(&operator, &sshd.host("node")).await;
    assert_eq!(error.code(), "ssh.host_key_revoked");
    assert!(error.message().contains(&format!("{}:1", system.display())), "{error}");
}
