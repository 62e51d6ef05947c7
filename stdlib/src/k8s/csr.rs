//! Certificate signing requests: what they ask for, who asks, and whether it is what a kubelet may ask.

use std::net::{Ipv4Addr, Ipv6Addr};

use haengine_kernel::value::Value;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use crate::cert::public_key;

/// Who signs the client certificates of kubelets.
pub const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// Who signs the certificates that kubelets serve with.
pub const SERVING: &str = "kubernetes.io/kubelet-serving";
/// How the user of a node is called.
const NODE: &str = "system:node:";

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Csr {
    /// Its name.
    pub name: String,
    /// Whose certificate it asks for.
    pub signer: String,
    /// Who created it.
    pub requestor: String,
    /// The groups of who created it.
    pub groups: Vec<String>,
    /// What the certificate shall serve for.
    pub usages: Vec<String>,
    /// What is in the request itself; none when that cannot be read.
    pub asks: Option<Asks>,
    /// `pending`, `approved`, `denied` or `failed`.
    pub state: &'static str,
    /// True when there is a certificate.
    pub issued: bool,
    /// Why it was denied or failed.
    pub reason: String,
    /// RFC 3339; texts of this form sort by time.
    pub created: String,
    /// Of this request alone, whatever is called like it later.
    pub uid: String,
}

/// What a request for a certificate asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The common name.
    pub common_name: String,
    /// The organisations.
    pub organizations: Vec<String>,
    /// Names and other things that are no addresses, in the extension for alternative names.
    pub names: Vec<String>,
    /// Addresses there.
    pub addresses: Vec<String>,
    /// What the subject has besides.
    pub others: Vec<String>,
    /// SHA-256 of the public key with its algorithm, in hexadecimal.
    pub public_key: String,
}

/// What a kubelet's request must be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Its signer.
    pub signer: String,
    /// Users who may ask.
    pub requestors: Vec<String>,
    /// Groups whose members may ask.
    pub groups: Vec<String>,
}

impl Csr {
    /// What an object of the API says.
    pub fn of(object: &CertificateSigningRequest) -> Csr {
        let (spec, status) = (&object.spec, object.status.as_ref());
        let conditions = status.and_then(|status| status.conditions.clone()).unwrap_or_default();
        let condition = |sort: &str| conditions.iter().find(|condition| condition.type_ == sort);
        let (state, decisive) = match (condition("Denied"), condition("Failed"), condition("Approved")) {
            (Some(denied), _, _) => ("denied", Some(denied)),
            (_, Some(failed), _) => ("failed", Some(failed)),
            (_, _, Some(_)) => ("approved", None),
            _ => ("pending", None),
        };
        Csr {
            name: object.name_any(),
            signer: spec.signer_name.clone(),
            requestor: spec.username.clone().unwrap_or_default(),
            groups: spec.groups.clone().unwrap_or_default(),
            usages: spec.usages.clone().unwrap_or_default(),
            asks: Asks::parse(&spec.request.0),
            state,
            issued: status.and_then(|status| status.certificate.as_ref()).is_some_and(|bytes| !bytes.0.is_empty()),
            reason: decisive.and_then(|condition| condition.message.clone()).unwrap_or_default(),
            created: created(&object.metadata),
            uid: object.uid().unwrap_or_default(),
        }
    }

    /// The node for which it asks, or that asks.
    pub fn node(&self) -> Option<&str> {
        let asked = self.asks.as_ref().and_then(|asks| asks.common_name.strip_prefix(NODE));
        asked.or_else(|| self.requestor.strip_prefix(NODE))
    }

    /// True for one that waits for somebody's decision.
    pub fn is_pending(&self) -> bool {
        self.state == "pending"
    }

    /// True for one that a node which is already in the cluster makes for itself: a renewal, or a certificate to serve with.
    pub fn is_of_a_member(&self, node: &str) -> bool {
        self.requestor.strip_prefix(NODE) == Some(node)
    }

    /// How it differs from what the kubelet of `node` must ask for; nothing when it is that.
    pub fn differences(&self, node: &str, expected: &Expected) -> Vec<String> {
        let mut differs = Vec::new();
        if self.signer != expected.signer {
            differs.push(format!("its signer is `{}`, not `{}`", self.signer, expected.signer));
        }
        match &self.asks {
            Some(asks) => differs.extend(asks.differences(node)),
            None => differs.push("its request cannot be read".to_owned()),
        }
        differs.extend(usages_differ(&self.usages, "client auth"));
        let known = expected.requestors.contains(&self.requestor);
        if !known && !self.groups.iter().any(|group| expected.groups.contains(group)) {
            let groups = self.groups.join("`, `");
            differs.push(format!("`{}` of `{groups}`, who asks, is nobody who may", self.requestor));
        }
        differs
    }

    /// How it differs from what the kubelet of `node` may ask for, to serve with these names and addresses.
    pub fn differences_in_serving(&self, node: &str, names: &[String], addresses: &[String]) -> Vec<String> {
        let Some(asks) = &self.asks else { return vec!["its request cannot be read".to_owned()] };
        let mut differs = asks.subject_differences(node);
        differs.extend(usages_differ(&self.usages, "server auth"));
        let is_own = |name: &&String| *name == node || names.contains(name);
        let others = asks.names.iter().filter(|name| !is_own(name));
        let others = others.chain(asks.addresses.iter().filter(|address| !addresses.contains(address)));
        let others: Vec<&str> = others.map(String::as_str).collect();
        if !others.is_empty() {
            differs.push(format!("it asks for `{}`, which the host does not have", others.join("`, `")));
        }
        if asks.names.is_empty() && asks.addresses.is_empty() {
            differs.push("it asks for no name and no address".to_owned());
        }
        differs
    }

    /// The map that recipes see.
    pub fn value(&self) -> Value {
        let texts = |list: &[String]| Value::List(list.iter().map(|text| Value::from(text.as_str())).collect());
        let asks = self.asks.clone().unwrap_or_default();
        let common_name = if self.asks.is_some() { Value::from(asks.common_name) } else { Value::Null };
        Value::map([
            ("name", Value::from(self.name.as_str())),
            ("node", self.node().map_or(Value::Null, Value::from)),
            ("signer", Value::from(self.signer.as_str())),
            ("requestor", Value::from(self.requestor.as_str())),
            ("groups", texts(&self.groups)),
            ("usages", texts(&self.usages)),
            ("common_name", common_name),
            ("organizations", texts(&asks.organizations)),
            ("names", texts(&asks.names)),
            ("addresses", texts(&asks.addresses)),
            ("state", Value::from(self.state)),
            ("issued", Value::Boolean(self.issued)),
            ("created", Value::from(self.created.as_str())),
        ])
    }
}

impl Asks {
    /// What a request in PEM asks for; none when it cannot be read.
    pub fn parse(pem: &[u8]) -> Option<Asks> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem).ok()?;
        let (rest, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let info = &request.certification_request_info;
        let mut asks = Asks { public_key: public_key(&info.subject_pki), ..Asks::default() };
        let mut common_names = Vec::new();
        for attribute in info.subject.iter_attributes() {
            let text = attribute.as_str().ok()?.to_owned();
            match attribute.attr_type() {
                oid if *oid == x509_parser::oid_registry::OID_X509_COMMON_NAME => common_names.push(text),
                oid if *oid == x509_parser::oid_registry::OID_X509_ORGANIZATION_NAME => asks.organizations.push(text),
                oid => asks.others.push(format!("{oid}={text}")),
            }
        }
        // With two common names nobody knows which one counts.
        asks.common_name = common_names.drain(..common_names.len().min(1)).collect();
        asks.others.extend(common_names.into_iter().map(|name| format!("CN={name}")));
        for attribute in info.iter_attributes() {
            let ParsedCriAttribute::ExtensionRequest(requested) = attribute.parsed_attribute() else { continue };
            for extension in &requested.extensions {
                if extension.oid == x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME {
                    let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
                        return None;
                    };
                    names.general_names.iter().for_each(|name| asks.add(name));
                }
            }
        }
        Some(asks)
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.names.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => self.addresses.push(address(bytes)),
            other => self.names.push(other.to_string()),
        }
    }

    /// How it differs from what the kubelet of `node` asks for, to log in.
    pub fn differences(&self, node: &str) -> Vec<String> {
        let mut differs = self.subject_differences(node);
        let alternative: Vec<&str> = self.names.iter().chain(&self.addresses).map(String::as_str).collect();
        if !alternative.is_empty() {
            differs.push(format!("it asks for the names `{}`, where a client has none", alternative.join("`, `")));
        }
        differs
    }

    fn subject_differences(&self, node: &str) -> Vec<String> {
        let mut differs = Vec::new();
        let wanted = format!("{NODE}{node}");
        if self.common_name != wanted {
            differs.push(format!("its common name is `{}`, not `{wanted}`", self.common_name));
        }
        if self.organizations != ["system:nodes"] {
            differs.push(format!("its organisation is `{}`, not `system:nodes`", self.organizations.join("`, `")));
        }
        if !self.others.is_empty() {
            differs.push(format!("its subject has `{}` too", self.others.join("`, `")));
        }
        differs
    }
}

/// The usages of who shall do this with it; encipherment goes with RSA keys only.
fn usages_differ(usages: &[String], auth: &str) -> Option<String> {
    let has = |usage: &str| usages.iter().any(|one| one == usage);
    let known = ["digital signature", "key encipherment", auth];
    let right = has("digital signature") && has(auth) && usages.iter().all(|one| known.contains(&one.as_str()));
    (!right).then(|| format!("its usages are `{}`, which are not those of `{auth}`", usages.join("`, `")))
}

fn address(bytes: &[u8]) -> String {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ipv4Addr::from(four).to_string();
    }
    <[u8; 16]>::try_from(bytes).map_or_else(|_| format!("{bytes:?}"), |sixteen| Ipv6Addr::from(sixteen).to_string())
}

/// When an object was made, RFC 3339.
pub fn created(metadata: &kube::core::ObjectMeta) -> String {
    metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

    use super::*;

    fn request(names: &[(DnType, &str)], alternative: Vec<SanType>) -> Option<Asks> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, text) in names {
            params.distinguished_name.push(kind.clone(), *text);
        }
        params.subject_alt_names = alternative;
        let key = KeyPair::generate().unwrap();
        Asks::parse(params.serialize_request(&key).unwrap().pem().unwrap().as_bytes())
    }

    fn kubelets() -> Csr {
        let names = [(DnType::OrganizationName, "system:nodes"), (DnType::CommonName, "system:node:m2")];
        Csr {
            name: "csr-a".to_owned(),
            signer: "kubernetes.io/kube-apiserver-client-kubelet".to_owned(),
            requestor: "system:bootstrap:abcdef".to_owned(),
            groups: vec!["system:bootstrappers".to_owned(), "system:authenticated".to_owned()],
            usages: ["digital signature", "key encipherment", "client auth"].map(str::to_owned).to_vec(),
            asks: request(&names, Vec::new()),
            state: "pending",
            ..Csr::default()
        }
    }

    fn expected() -> Expected {
        Expected {
            signer: "kubernetes.io/kube-apiserver-client-kubelet".to_owned(),
            requestors: vec!["kubelet-bootstrap".to_owned()],
            groups: vec!["system:bootstrappers".to_owned()],
        }
    }

    #[test]
    fn a_kubelets_request_is_what_is_expected() {
        let csr = kubelets();
        assert_eq!(csr.node(), Some("m2"));
        assert_eq!(csr.differences("m2", &expected()), Vec::<String>::new());
        let by_name = Csr { requestor: "kubelet-bootstrap".to_owned(), groups: Vec::new(), ..csr };
        assert!(by_name.differences("m2", &expected()).is_empty());
    }

    #[test]
    fn each_difference_is_seen() {
        let differs = |csr: Csr, word: &str| {
            let all = csr.differences("m2", &expected());
            assert!(all.len() == 1 && all[0].contains(word), "{word}: {all:?}");
        };
        differs(Csr { signer: "kubernetes.io/kubelet-serving".to_owned(), ..kubelets() }, "signer");
        differs(
            Csr { requestor: "eve".to_owned(), groups: vec!["system:authenticated".to_owned()], ..kubelets() },
            "`eve`",
        );
        differs(Csr { usages: vec!["digital signature".to_owned(), "server auth".to_owned()], ..kubelets() }, "usages");
        differs(Csr { usages: vec!["client auth".to_owned()], ..kubelets() }, "usages");
        differs(Csr { asks: None, ..kubelets() }, "cannot be read");
        let (o, cn) = ((DnType::OrganizationName, "system:nodes"), (DnType::CommonName, "system:node:m2"));
        let asks = |names: &[(DnType, &str)], alternative| Csr { asks: request(names, alternative), ..kubelets() };
        differs(asks(&[o.clone(), (DnType::CommonName, "system:node:m3")], vec![]), "common name");
        differs(asks(&[(DnType::OrganizationName, "system:masters"), cn.clone()], vec![]), "organisation");
        differs(asks(&[o.clone(), cn.clone(), (DnType::OrganizationalUnitName, "x")], vec![]), "subject has");
        differs(asks(&[o.clone(), cn.clone()], vec![SanType::IpAddress([10, 0, 0, 1].into())]), "10.0.0.1");
        differs(asks(&[o, cn], vec![SanType::DnsName("a.example".try_into().unwrap())]), "a.example");
    }

    #[test]
    fn a_kubelet_serves_under_its_own_names_alone() {
        let (o, cn) = ((DnType::OrganizationName, "system:nodes"), (DnType::CommonName, "system:node:m2"));
        let own = |alternative| Csr {
            usages: ["digital signature", "server auth"].map(str::to_owned).to_vec(),
            asks: request(&[o.clone(), cn.clone()], alternative),
            ..kubelets()
        };
        let name = |name: &str| SanType::DnsName(name.try_into().unwrap());
        let address = |last| SanType::IpAddress([192, 0, 2, last].into());
        let differs = |csr: &Csr| csr.differences_in_serving("m2", &["host2".to_owned()], &["192.0.2.2".to_owned()]);
        assert_eq!(differs(&own(vec![name("m2"), name("host2"), address(2)])), Vec::<String>::new());
        for (alternative, word) in [
            (vec![name("m2"), name("kubernetes.default")], "kubernetes.default"),
            (vec![name("m2"), address(3)], "192.0.2.3"),
            (vec![], "no name"),
        ] {
            let told = differs(&own(alternative));
            assert!(told.len() == 1 && told[0].contains(word), "{word}: {told:?}");
        }
        let usages = Csr { usages: vec!["client auth".to_owned()], ..own(vec![name("m2")]) };
        assert!(differs(&usages)[0].contains("usages"));
    }

    #[test]
    fn a_node_that_asks_for_itself_is_in_the_cluster() {
        let serving = Csr {
            signer: "kubernetes.io/kubelet-serving".to_owned(),
            requestor: "system:node:m2".to_owned(),
            ..kubelets()
        };
        assert!(serving.is_of_a_member("m2"));
        assert!(!Csr { requestor: "eve".to_owned(), ..serving }.is_of_a_member("m2"));
    }
}
