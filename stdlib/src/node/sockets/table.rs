//! The kernel's tables of sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::node::said::Said;

const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// A socket of a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Socket {
    /// The address of this end.
    pub local: SocketAddr,
    /// The address of the other end; none where it listens.
    pub peer: Option<SocketAddr>,
    /// The process' number; 0 where it is of another namespace, or of nobody whose files may be looked at.
    pub process: i64,
}

/// All TCP sockets that listen or are connected.
pub(super) fn all(said: &Said<'_>) -> Vec<Socket> {
    let owners = owners(said.lines("open"));
    said.lines("sockets").iter().filter_map(|line| socket(line, &owners)).collect()
}

/// `sl local remote state queues timer retransmissions uid timeout inode`.
fn socket(line: &str, owners: &BTreeMap<&str, i64>) -> Option<Socket> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (local, remote, state, inode) = (words.get(1)?, words.get(2)?, *words.get(3)?, words.get(9)?);
    let peer = match state {
        LISTENING => None,
        ESTABLISHED => Some(address(remote)?),
        _ => return None,
    };
    Some(Socket { local: address(local)?, peer, process: owners.get(inode).copied().unwrap_or(0) })
}

/// `0100007F:1F90`: words of 32 bits in the host's order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = (0..address.len() / 8).map(|i| u32::from_str_radix(address.get(i * 8..i * 8 + 8)?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_le_bytes).collect();
    let address = match bytes.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// Which process has which socket, by its inode. A child that has it, too, is not told.
fn owners<'a>(lines: &[&'a str]) -> BTreeMap<&'a str, i64> {
    let (mut owners, mut process) = (BTreeMap::new(), 0);
    for line in lines {
        if let Some(number) = line.strip_prefix("/proc/").and_then(|rest| rest.strip_suffix("/fd:")) {
            process = number.parse().unwrap_or(0);
        } else if let Some((_, inode)) = line.split_once("socket:[") {
            owners.entry(inode.trim_end_matches(']')).or_insert(process);
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "@sockets
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 7502A8C0:A000 7702A8C0:192B 01 00000000:00000000 00:00000000 00000000     0        0 12 1
   2: 7502A8C0:A001 7702A8C0:192B 06 00000000:00000000 00:00000000 00000000     0        0 0 1
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 13
   1: 0000000000000000FFFF00007502A8C0:A002 0000000000000000FFFF00007702A8C0:192B 01 00000000:00000000 00:00000000 00000000 0 0 14
   2: B80D0120000000000000000001000000:A003 B80D0120000000000000000002000000:192B 01 00000000:00000000 00:00000000 00000000 0 0 15
@open
/proc/7/fd:
lrwx------ 1 root root 64 Nov 30 00:00 3 -> 'socket:[11]'
lrwx------ 1 root root 64 Nov 30 00:00 4 -> socket:[12]
/proc/9/fd:
lrwx------ 1 root root 64 Nov 30 00:00 3 -> socket:[11]
lrwx------ 1 root root 64 Nov 30 00:00 3 -> socket:[14]
";

    #[test]
    fn both_families_are_read() {
        let sockets = all(&Said::new(&SAID.replace("'socket:[11]'", "socket:[11]")));
        let told: Vec<String> = sockets
            .iter()
            .map(|one| {
                format!("{} {} {}", one.process, one.local, one.peer.map_or("-".into(), |peer| peer.to_string()))
            })
            .collect();
        assert_eq!(
            told,
            [
                "7 0.0.0.0:6443 -",
                "7 192.168.2.117:40960 192.168.2.119:6443",
                "0 [::]:22 -",
                "9 192.168.2.117:40962 192.168.2.119:6443",
                "0 [2001:db8::1]:40963 [2001:db8::2]:6443"
            ]
        );
    }
}
