//! The certificate of a kubelet on its node: what is there, a key that never leaves the node, and the two put in place.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::remnant::Remains;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Exit};

use crate::cert::{Certificate, now};
use crate::file::place::{RESTORE, left_at};
use crate::file::succeed::{because, failed, succeed};

const LOOK: &str = include_str!("credential_look.sh");
const KEY: &str =
    concat!(include_str!("../file/own.sh"), include_str!("../file/area.sh"), include_str!("credential_key.sh"));
const PLACE: &str =
    concat!(include_str!("../file/own.sh"), include_str!("../file/area.sh"), include_str!("credential_place.sh"));
const FORGET: &str = concat!(include_str!("../file/own.sh"), "rm -f -- \"$folder/$name.key\"\n");

/// The link that a kubelet follows to its certificate, in the folder of its certificates.
const CURRENT: &str = "kubelet-client-current.pem";

/// The certificate of one node's kubelet.
pub struct Credential<'a> {
    /// The folder of its certificates.
    pub folder: &'a str,
    /// The node's name in the cluster.
    pub node: &'a str,
}

impl Credential<'_> {
    /// The link to the certificate.
    pub fn current(&self) -> String {
        format!("{}/{CURRENT}", self.folder)
    }

    /// What a change calls the file with its key and certificate.
    pub fn name(&self, keep: &Keep) -> String {
        format!("kubelet-client-{}.pem", keep.nonce)
    }

    /// Why what is there does not serve; nothing where it does.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn lacks(&self, host: &Host) -> Result<Option<String>> {
        let said = host.ok(&Command::script(LOOK).arg(self.current())).await?.text();
        Ok(self.judge(&said, now()))
    }

    fn judge(&self, said: &str, now: i64) -> Option<String> {
        let (key, text) = said.split_once('\n').unwrap_or_default();
        if key.is_empty() {
            return Some("it has none".to_owned());
        }
        let Ok(certificate) = Certificate::first(&self.current(), text) else {
            return Some("what is there is no certificate".to_owned());
        };
        let name = format!("system:node:{}", self.node);
        match () {
            () if certificate.common_name.as_deref() != Some(&name)
                || certificate.organizations != ["system:nodes"] =>
            {
                Some(format!("the one there is of `{}`", certificate.subject))
            }
            () if certificate.is_out_of_time(now) => Some("the time of the one there is over".to_owned()),
            () if key != "fits" => Some("the key of the one there is another's".to_owned()),
            () => None,
        }
    }

    /// Makes a key on the node, and gives the request for its certificate, PEM.
    ///
    /// # Errors
    /// `k8s.openssl`, where the node has no openssl.
    pub async fn request(&self, host: &Host, keep: &Keep) -> Result<String> {
        let output = host.exec(&self.script(KEY, keep).arg(self.node)).await?;
        match output.exit {
            Exit::Status(0) => Ok(output.text()),
            Exit::Status(69) => {
                Err(Error::new(Kind::Failed, "k8s.openssl", "there is no `openssl` to make a key with")
                    .hint("install it there with `pkg::installed(h, \"openssl\")`")
                    .on(host.name()))
            }
            Exit::Status(71) => Err(because(
                Error::new(Kind::Failed, "k8s.openssl", "no key or no request could be made with `openssl`")
                    .hint("look at the cause")
                    .on(host.name()),
                &output,
            )),
            _ => Err(failed(&self.current(), &output.exit, &output)),
        }
    }

    /// Puts the key and the certificate that came for it into one file.
    ///
    /// # Errors
    /// When the host cannot do it.
    pub async fn place(&self, host: &Host, keep: &Keep, certificate: Vec<u8>) -> Result<()> {
        let certificate = String::from_utf8_lossy(&certificate).into_owned();
        let command = self.script(PLACE, keep).stdin(Secret::new(certificate));
        succeed(host, &command, &self.file(keep)).await.map(drop)
    }

    /// Takes that file and whatever is left of the key away.
    ///
    /// # Errors
    /// When the host cannot do it.
    pub async fn take_back(&self, host: &Host, keep: &Keep) -> Result<Remains> {
        host.ok(&self.script(FORGET, keep)).await?;
        let file = self.file(keep);
        let command = self.script(RESTORE, keep).args(["file", "new", ""]);
        if succeed(host, &command, &file).await?.text().contains("left") {
            return left_at(host, &file, None).await;
        }
        Ok(Remains::new())
    }

    fn file(&self, keep: &Keep) -> String {
        format!("{}/{}", self.folder, self.name(keep))
    }

    /// It keeps its things beside those of the link.
    fn script(&self, text: &str, keep: &Keep) -> Command {
        let name = format!("{}.1", keep.name());
        Command::script(text).args([&self.file(keep), &keep.folder(), &keep.run, &name, &keep.nonce])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(said: &str) -> Option<String> {
        Credential { folder: "/pki", node: "m2" }.judge(said, now())
    }

    fn certificate(node: &str) -> String {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:nodes");
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("system:node:{node}"));
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn one_that_serves_is_this_nodes_with_its_key() {
        assert_eq!(judged(&format!("fits\n{}", certificate("m2"))), None);
        let lacks = |said: &str, word: &str| assert!(judged(said).unwrap().contains(word), "{word}");
        lacks("", "none");
        lacks("fits\n", "no certificate");
        lacks(&format!("fits\n{}", certificate("m1")), "system:node:m1");
        lacks(&format!("other\n{}", certificate("m2")), "key");
    }
}
