//! One request of a client that checks the certificate, over a connection of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::reach::connect;
use crate::cert::endpoint_of;

/// Where a client asks, and for what.
#[derive(Clone)]
pub(super) struct Place {
    pub address: String,
    pub port: u16,
    path: String,
    server_name: ServerName<'static>,
}

/// How a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// `refused`, `timeout`, `unreachable`, `cut`, `tls`, or the status of the answer.
    pub what: String,
    /// True when its connection stood by then.
    pub open: bool,
}

impl Place {
    /// `https://address:port/path`.
    pub(super) fn parse(url: &str) -> Result<Place> {
        let wrong = || {
            Error::new(Kind::Usage, "vip.url", format!("`{url}` cannot be asked"))
                .hint("write `https://address:port/path`")
        };
        let rest = url.strip_prefix("https://").ok_or_else(wrong)?;
        let (endpoint, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (address, port) = endpoint_of(endpoint).map_err(|_| wrong())?;
        let server_name = ServerName::try_from(address.clone()).map_err(|_| wrong())?;
        let is_plain = path.chars().all(|c| c.is_ascii_graphic());
        if is_plain { Ok(Place { address, port, path: path.to_owned(), server_name }) } else { Err(wrong()) }
    }
}

/// A client that trusts these authorities alone, and checks the certificate anew each time.
pub(super) fn client(roots: RootCertStore) -> Result<TlsConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Local, "vip.tls", "this machine cannot speak TLS").because(error))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Asks once. The outer error is one of the way to the host.
pub(super) async fn ask(
    host: &Host,
    place: &Place,
    client: &TlsConnector,
    patience: Duration,
) -> Result<Result<(), Failure>> {
    let since = Instant::now();
    let stream = match connect(host, &place.address, place.port, patience).await? {
        Ok(stream) => stream,
        Err(closed) => return Ok(Err(Failure { what: closed.word().to_owned(), open: false })),
    };
    let open = |what: String| Err(Failure { what, open: true });
    let talk = async {
        let mut stream = client.connect(place.server_name.clone(), stream).await?;
        let (path, address) = (&place.path, &place.address);
        let text = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        while answer.len() < HEAD.len() + 3 && stream.read_buf(&mut answer).await? > 0 {}
        Ok::<_, std::io::Error>(answer)
    };
    Ok(match tokio::time::timeout(patience.saturating_sub(since.elapsed()), talk).await {
        Err(_) => open("timeout".to_owned()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => open(format!("tls: {error}")),
        Ok(Err(_)) => open("cut".to_owned()),
        Ok(Ok(answer)) => match status(&answer) {
            Some("200") => Ok(()),
            Some(status) => open(status.to_owned()),
            None => open("cut".to_owned()),
        },
    })
}

/// How an answer begins, before its status.
const HEAD: &str = "HTTP/1.1 ";

fn status(answer: &[u8]) -> Option<&str> {
    std::str::from_utf8(answer.get(HEAD.len()..HEAD.len() + 3)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_has_an_endpoint_and_a_path() {
        let place = Place::parse("https://192.0.2.88:16443/readyz?verbose").unwrap();
        assert_eq!((place.address.as_str(), place.port, place.path.as_str()), ("192.0.2.88", 16443, "/readyz?verbose"));
        assert_eq!(Place::parse("https://api.example:443").unwrap().path, "/");
        for wrong in ["http://192.0.2.88:1/", "192.0.2.88:1", "https://192.0.2.88/", "https://a:1/x y"] {
            assert_eq!(Place::parse(wrong).err().unwrap().code(), "vip.url", "{wrong}");
        }
    }

    #[test]
    fn the_status_is_behind_the_version() {
        assert_eq!(status(b"HTTP/1.1 503 Service Unavailable"), Some("503"));
        assert_eq!(status(b"HTTP/1.1"), None);
    }
}
