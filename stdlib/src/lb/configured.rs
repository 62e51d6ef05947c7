//! What a configuration has as listeners and backends. Only what hands connections on is of interest; the rest is
//! passed over, whoever wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// As many ports as there are; a configuration with more repeats itself.
const MOST: usize = 65_536;

/// So many servers are told of all listeners together; those after them have none. A range of ports before a long list of
/// servers would fill the memory.
const ROOM: usize = 262_144;

/// A port, and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listener {
    pub name: String,
    pub port: u16,
    pub backends: Vec<String>,
}

/// The listeners of nginx's `stream`.
pub(crate) fn nginx(text: &str) -> Vec<Listener> {
    let mut stream = Block::default();
    for block in blocks(words(text)).blocks {
        if block.head.first().is_some_and(|word| word == "stream") {
            stream.blocks.extend(block.blocks);
        }
    }
    let mut upstreams: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for block in &stream.blocks {
        if let [word, name] = block.head.as_slice()
            && word == "upstream"
        {
            let servers = block.lines.iter().filter(|line| line[0] == "server");
            upstreams.insert(name, servers.filter_map(|line| line.get(1).cloned()).collect());
        }
    }
    let mut listeners = Listeners::default();
    for block in stream.blocks.iter().filter(|block| block.head == ["server"]) {
        let Some(pass) = said(block, "proxy_pass").next() else { continue };
        let alone = [pass.clone()];
        let backends = upstreams.get(pass.as_str()).map_or(&alone[..], Vec::as_slice);
        listeners.add(pass, said(block, "listen").filter_map(|address| ports_of(address)).flatten(), backends);
    }
    listeners.all
}

/// Listeners as they are found, as many as there is room for.
struct Listeners {
    all: Vec<Listener>,
    room: usize,
}

impl Default for Listeners {
    fn default() -> Self {
        Listeners { all: Vec::new(), room: ROOM }
    }
}

impl Listeners {
    fn add(&mut self, name: &str, ports: impl Iterator<Item = u16>, backends: &[String]) {
        for port in ports.take(MOST - self.all.len()) {
            let fits = backends.len() <= self.room;
            let backends = if fits { backends.to_vec() } else { Vec::new() };
            self.room -= backends.len();
            self.all.push(Listener { name: name.to_owned(), port, backends });
        }
    }
}

/// The first words behind this name, of each line of a block.
fn said<'a>(block: &'a Block, name: &'a str) -> impl Iterator<Item = &'a String> {
    block.lines.iter().filter(move |line| line[0] == name).filter_map(|line| line.get(1))
}

/// The listeners of haproxy that are no pages of its own. One of which nobody can tell the servers has none.
pub(crate) fn haproxy(text: &str) -> Vec<Listener> {
    let mut sections = vec![Section::default()];
    // What a section leads to that does not say so itself.
    let mut usual = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(section) = sections.last_mut() else { continue };
        match words.as_slice() {
            [kind @ ("frontend" | "backend" | "listen"), name, ..] => {
                sections.push(Section { usual: usual.clone(), ..Section::new(kind, name) });
            }
            [
                kind @ ("global" | "defaults" | "userlist" | "peers" | "resolvers" | "cache" | "program" | "ring"),
                ..,
            ] => {
                sections.push(Section::new(kind, ""));
                usual.clear();
            }
            ["bind", addresses, ..] => section.ports.extend(addresses.split(',').filter_map(ports_of)),
            ["default_backend", name] if section.kind == "defaults" => usual = vec![(*name).to_owned()],
            ["default_backend" | "use_backend", name, ..] => section.leads_to.push((*name).to_owned()),
            ["server", _, address, ..] => section.servers.push((*address).to_owned()),
            ["server-template", _, _, address, ..] => section.servers.push((*address).to_owned()),
            ["stats" | "monitor-uri", ..] => section.is_page = true,
            _ => {}
        }
    }
    // From the last on, so that of two with one name the first stays.
    let backends = sections.iter().rev().filter(|section| section.kind == "backend");
    let backends: BTreeMap<&str, &Section> = backends.map(|section| (section.name.as_str(), section)).collect();
    let listens = |section: &&Section| matches!(section.kind.as_str(), "frontend" | "listen");
    let mut listeners = Listeners::default();
    for section in sections.iter().filter(listens).filter(|section| !section.is_its_own_page()) {
        let servers = section.servers_behind(&backends, listeners.room);
        listeners.add(&section.name, section.ports.iter().cloned().flatten(), &servers);
    }
    listeners.all
}

#[derive(Default)]
struct Section {
    kind: String,
    name: String,
    ports: Vec<RangeInclusive<u16>>,
    leads_to: Vec<String>,
    usual: Vec<String>,
    servers: Vec<String>,
    is_page: bool,
}

impl Section {
    fn new(kind: &str, name: &str) -> Section {
        Section { kind: kind.to_owned(), name: name.to_owned(), ..Section::default() }
    }

    fn is_its_own_page(&self) -> bool {
        self.is_page && self.servers.is_empty() && self.leads_to.is_empty()
    }

    /// The servers that it leads to; none where they are more than there is room for.
    fn servers_behind(&self, backends: &BTreeMap<&str, &Section>, room: usize) -> Vec<String> {
        let leads_to = if self.leads_to.is_empty() { &self.usual } else { &self.leads_to };
        let names: BTreeSet<&String> = leads_to.iter().collect();
        let behind = || names.iter().filter_map(|name| backends.get(name.as_str()));
        let count: usize = behind().map(|section| section.servers.len()).sum();
        if self.ports.is_empty() || self.servers.len() + count > room {
            return Vec::new();
        }
        self.servers.iter().chain(behind().flat_map(|section| &section.servers)).cloned().collect()
    }
}

/// Of `16443`, `*:16443`, `[::]:16443`, `192.0.2.1:16443`, and of `*:16443-16445`.
fn ports_of(address: &str) -> Option<RangeInclusive<u16>> {
    let said = address.rsplit(':').next().unwrap_or_default();
    let (first, last) = said.split_once('-').unwrap_or((said, said));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// `name words { … }`: the lines that end with a semicolon, and the blocks in it.
#[derive(Default)]
struct Block {
    head: Vec<String>,
    lines: Vec<Vec<String>>,
    blocks: Vec<Block>,
}

/// A block this deep is of no interest, and what a host has must not fill the stack.
const DEEPEST: usize = 16;

fn blocks(words: Vec<String>) -> Block {
    // The blocks that are open, the outermost first; how many more are, which are passed over.
    let (mut open, mut deeper) = (vec![Block::default()], 0);
    let mut line = Vec::new();
    for word in words {
        match word.as_str() {
            "{" if deeper > 0 || open.len() > DEEPEST => deeper += 1,
            "}" if deeper > 0 => deeper -= 1,
            _ if deeper > 0 => {}
            "{" => open.push(Block { head: std::mem::take(&mut line), ..Block::default() }),
            "}" if open.len() == 1 => break,
            "}" => close(&mut open),
            ";" if line.is_empty() => {}
            ";" => open.last_mut().into_iter().for_each(|block| block.lines.push(std::mem::take(&mut line))),
            _ => {
                line.push(word);
                continue;
            }
        }
        line.clear();
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.remove(0)
}

/// The innermost block is whole.
fn close(open: &mut Vec<Block>) {
    let inner = open.pop();
    open.last_mut().into_iter().zip(inner).for_each(|(outer, inner)| outer.blocks.push(inner));
}

/// The words of nginx's language; `{`, `}` and `;` are words of their own unless they are quoted.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => word.extend(characters.next()),
            '\'' | '"' if word.is_empty() => {
                let quoted = characters.by_ref().take_while(|other| *other != c);
                words.push(quoted.collect());
            }
            '#' if word.is_empty() => {
                let _ = characters.by_ref().find(|other| *other == '\n');
            }
            '{' | '}' | ';' => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                words.push(c.to_string());
            }
            c if c.is_whitespace() => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &str, port: u16, backends: &[&str]) -> Listener {
        let backends = backends.iter().map(|backend| (*backend).to_owned()).collect();
        Listener { name: name.to_owned(), port, backends }
    }

    #[test]
    fn nginx_says_what_is_behind_its_ports() {
        let text = "user nginx;\nevents { worker_connections 1024; }\n# four layers: { not read\nstream {\n\
            log_format main '$remote_addr; {x} $status';\n upstream k8s-apiserver {\n  zone a 64k;\n\
            server 192.168.2.117:6443 max_fails=1;  # Master1\n server 192.168.2.119:6443;\n }\n\
            server { listen 16443; proxy_pass k8s-apiserver; }\n server { listen 192.0.2.1:53 udp; proxy_pass 192.0.2.2:53; }\n}\n\
            http { server { listen 80 default_server; location / { } } }\n";
        let wanted = [
            listener("k8s-apiserver", 16443, &["192.168.2.117:6443", "192.168.2.119:6443"]),
            listener("192.0.2.2:53", 53, &["192.0.2.2:53"]),
        ];
        assert_eq!(nginx(text), wanted);
        assert!(nginx("http { server { listen 80; } }").is_empty());
        assert!(nginx("stream { server { listen 1").is_empty());
    }

    #[test]
    fn every_port_of_nginx_is_seen() {
        let text = "stream { server { listen 16443; listen [::]:16443; listen 192.0.2.1:80-82; proxy_pass a:1; } }";
        let ports: Vec<u16> = nginx(text).iter().map(|listener| listener.port).collect();
        assert_eq!(ports, [16443, 16443, 80, 81, 82]);
    }

    #[test]
    fn every_port_of_haproxy_is_seen_whatever_leads_from_it() {
        let text = "defaults\n  default_backend rest\nfrontend web\n  bind *:80,192.0.2.1:8080\n  bind :::443 ssl crt /a\n\
            use_backend shop if { hdr(host) shop }\n  use_backend %[req.hdr(host)]\nfrontend plain\n  bind *:9090\n\
            frontend moved\n  bind *:81\n  http-request redirect scheme https\nbackend shop\n  server a 192.0.2.7:80\n\
            backend rest\n  server-template b 1-3 rest.example:80\nlisten page\n  bind *:9000\n  stats uri /\n\
            defaults\nfrontend bare\n  bind unix@/run/a\n  bind *:7000-7001\n";
        let wanted = [
            listener("web", 80, &["192.0.2.7:80"]),
            listener("web", 8080, &["192.0.2.7:80"]),
            listener("web", 443, &["192.0.2.7:80"]),
            listener("plain", 9090, &["rest.example:80"]),
            listener("moved", 81, &["rest.example:80"]),
            listener("bare", 7000, &[]),
            listener("bare", 7001, &[]),
        ];
        assert_eq!(haproxy(text), wanted);
    }

    #[test]
    fn ranges_of_ports_before_many_servers_fill_no_memory() {
        let servers: String = (0..20_000).map(|number| format!("  server s{number} 192.0.2.1:{number}\n")).collect();
        let many = "frontend f\n  bind *:1-65535\n  default_backend b\n  use_backend b if x\n".repeat(50);
        let found = haproxy(&format!("{many}backend b\n{servers}"));
        assert_eq!((found.len(), found[0].backends.len(), found[100].backends.len()), (MOST, 20_000, 0));
        let servers: String = (0..20_000).map(|number| format!("server 192.0.2.1:{number};")).collect();
        let found =
            nginx(&format!("stream {{ upstream b {{ {servers} }} server {{ listen 1-65535; proxy_pass b; }} }}"));
        assert_eq!((found.len(), found[0].backends.len(), found[100].backends.len()), (65_535, 20_000, 0));
    }

    #[test]
    fn no_depth_of_blocks_fills_the_stack() {
        let deep = format!("{}{}", "a { b; ".repeat(200_000), "} ".repeat(200_000));
        let text = format!("{deep} stream {{ server {{ listen 1; x {{ y; }} proxy_pass a:2; }} }} {deep}");
        assert_eq!(nginx(&text), [listener("a:2", 1, &["a:2"])]);
        assert!(nginx(&"{".repeat(200_000)).is_empty());
    }

    #[test]
    fn haproxy_says_what_is_behind_its_ports() {
        let text = "global\n  log /dev/log local0\ndefaults\n  mode tcp\nfrontend in-apiserver\n  bind *:16443\n  mode tcp\n\
            default_backend apiserver-cluster\nbackend apiserver-cluster\n  server app1 10.211.55.9:6443 check\n\
            server app2 10.211.55.10:6443 check # the second\nlisten etcd\n  bind [::]:12379 v4v6\n  server a 192.0.2.1:2379\n\
            listen page\n  bind *:9000\n  stats enable\n";
        let wanted = [
            listener("in-apiserver", 16443, &["10.211.55.9:6443", "10.211.55.10:6443"]),
            listener("etcd", 12379, &["192.0.2.1:2379"]),
        ];
        assert_eq!(haproxy(text), wanted);
    }
}
