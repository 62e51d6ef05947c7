//! One request for a certificate on its way: it is approved, and the certificate comes.

use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::PostParams;

use super::cluster::Cluster;
use super::csr::Csr;
use super::watch;

/// Whose requests are approved, and how long that may take.
pub struct Signing<'a> {
    pub cluster: &'a Cluster,
    /// Through which the API is reached.
    pub host: &'a Host,
    /// The node, for what is told.
    pub node: &'a str,
    pub deadline: Instant,
    /// From the beginning to the deadline.
    pub patience: Duration,
}

impl Signing<'_> {
    /// All requests of the cluster.
    pub fn requests(&self) -> Api<CertificateSigningRequest> {
        Api::all(self.cluster.client.clone())
    }

    /// Approves a request. The version that was judged is the one that is approved: anything else is a conflict.
    ///
    /// # Errors
    /// `k8s.conflict`, when it has changed since; `k8s.missing`, when it is gone.
    pub async fn approve(&self, csr: &CertificateSigningRequest) -> Result<()> {
        let mut approved = csr.clone();
        let now = Some(Time(Timestamp::now()));
        let condition = CertificateSigningRequestCondition {
            type_: "Approved".to_owned(),
            status: "True".to_owned(),
            reason: Some("HaengineApprove".to_owned()),
            message: Some("checked and approved by haengine".to_owned()),
            last_update_time: now.clone(),
            last_transition_time: now,
        };
        approved.status.get_or_insert_default().conditions.get_or_insert_default().push(condition);
        let (requests, name) = (self.requests(), csr.metadata.name.clone().unwrap_or_default());
        let parameters = PostParams::default();
        let request = requests.replace_subresource("approval", &name, &parameters, &approved);
        self.cluster.ask(self.host, request).await.map(drop)
    }

    /// Approves this request and no other of its name, and gives the certificate, PEM. One that the cluster approves by
    /// itself is as good.
    ///
    /// # Errors
    /// `k8s.csr`, when the request is no longer what was asked for; `k8s.csr_unsigned`, when no certificate comes.
    pub async fn certify(&self, asked: &CertificateSigningRequest) -> Result<Vec<u8>> {
        let name = asked.metadata.name.clone().unwrap_or_default();
        loop {
            let requests = self.requests();
            let now = self.cluster.ask(self.host, requests.get_opt(&name)).await?.ok_or_else(|| self.gone(&name))?;
            self.same(asked, &now)?;
            let csr = Csr::of(&now);
            match csr.state {
                "pending" => {}
                "approved" => break,
                _ => return Err(self.failed(&csr)),
            }
            match self.approve(&now).await {
                Ok(()) => break,
                Err(error) if error.code() == "k8s.conflict" && Instant::now() < self.deadline => {}
                Err(error) => return Err(error),
            }
        }
        let issued = self.issued(&name).await?;
        self.same(asked, &issued)?;
        Ok(issued.status.and_then(|status| status.certificate).unwrap_or_default().0)
    }

    /// Waits until an approved request has its certificate.
    ///
    /// # Errors
    /// `k8s.csr_unsigned`.
    pub async fn issued(&self, name: &str) -> Result<CertificateSigningRequest> {
        self.host.awaits(&format!("the certificate of the kubelet of `{}`", self.node));
        let fields = format!("metadata.name={name}");
        let requests = self.requests();
        let signed = watch::until(self.cluster, &requests, Some(&fields), self.deadline, |all| {
            let Some(object) = all.get(name) else { return Err(self.gone(name)) };
            let csr = Csr::of(object);
            match csr.state {
                "failed" | "denied" => Err(self.failed(&csr)),
                _ => Ok(csr.issued.then(|| object.clone())),
            }
        });
        self.host.waiting(signed).await?.ok_or_else(|| self.unsigned(name))
    }

    /// What is approved is what was asked for: the very object, with the very key.
    fn same(&self, asked: &CertificateSigningRequest, now: &CertificateSigningRequest) -> Result<()> {
        if asked.metadata.uid == now.metadata.uid && asked.spec.request == now.spec.request {
            return Ok(());
        }
        let name = asked.metadata.name.as_deref().unwrap_or_default();
        let message =
            format!("`{name}` is no longer the request that was made for `{}`: it is not approved", self.node);
        Err(Error::new(Kind::Refused, "k8s.csr", message)
            .hint(format!("look at who made it with `kubectl get csr {name} -o yaml`; delete it, then run again")))
    }

    fn unsigned(&self, name: &str) -> Error {
        let message = format!("`{name}` is approved, and no certificate was issued within {:?}", self.patience);
        Error::new(Kind::Failed, "k8s.csr_unsigned", message)
            .hint("check that kube-controller-manager runs and has --cluster-signing-cert-file and --cluster-signing-key-file")
    }

    fn failed(&self, csr: &Csr) -> Error {
        let message = format!("`{}`, the request for `{}`, is {}: {}", csr.name, self.node, csr.state, csr.reason);
        Error::new(Kind::Failed, "k8s.csr_unsigned", message)
            .hint("look at who denied it, and at the log of kube-controller-manager")
    }

    fn gone(&self, name: &str) -> Error {
        Error::new(Kind::Failed, "k8s.csr_unsigned", format!("`{name}` was deleted before it had its certificate"))
            .hint("look who deletes certificate signing requests, then run again")
    }
}
