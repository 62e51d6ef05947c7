//! What a configuration has as listeners and backends. Only what hands connections on is of interest; the rest is
//! passed over, whoever wrote it.

use std::collections::BTreeMap;

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
    let mut listeners = Vec::new();
    for block in stream.blocks.iter().filter(|block| block.head == ["server"]) {
        let said = |name: &str| block.lines.iter().find(|line| line[0] == name).and_then(|line| line.get(1));
        let (Some(listen), Some(pass)) = (said("listen"), said("proxy_pass")) else { continue };
        let Some(port) = port_of(listen) else { continue };
        let backends = upstreams.get(pass.as_str()).cloned().unwrap_or_else(|| vec![pass.clone()]);
        listeners.push(Listener { name: pass.clone(), port, backends });
    }
    listeners
}

/// The listeners of haproxy that are no pages of its own.
pub(crate) fn haproxy(text: &str) -> Vec<Listener> {
    let mut sections = vec![Section::default()];
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(section) = sections.last_mut() else { continue };
        match words.as_slice() {
            [kind @ ("frontend" | "backend" | "listen"), name, ..] => sections.push(Section::new(kind, name)),
            ["global" | "defaults" | "userlist" | "peers" | "resolvers", ..] => sections.push(Section::default()),
            ["bind", address, ..] => section.port = port_of(address),
            ["default_backend", name] => section.leads_to = (*name).to_owned(),
            ["server", _, address, ..] => section.servers.push((*address).to_owned()),
            _ => {}
        }
    }
    // From the last on, so that of two with one name the first stays.
    let backends = sections.iter().rev().filter(|section| section.kind == "backend");
    let backends: BTreeMap<&str, &Section> = backends.map(|section| (section.name.as_str(), section)).collect();
    let servers_of = |name: &str| backends.get(name).map(|backend| backend.servers.clone()).unwrap_or_default();
    let mut listeners = Vec::new();
    for section in sections.iter().filter(|section| matches!(section.kind.as_str(), "frontend" | "listen")) {
        let Some(port) = section.port else { continue };
        let mut backends = section.servers.clone();
        backends.extend(servers_of(&section.leads_to));
        if !backends.is_empty() {
            listeners.push(Listener { name: section.name.clone(), port, backends });
        }
    }
    listeners
}

#[derive(Default)]
struct Section {
    kind: String,
    name: String,
    port: Option<u16>,
    leads_to: String,
    servers: Vec<String>,
}

impl Section {
    fn new(kind: &str, name: &str) -> Section {
        Section { kind: kind.to_owned(), name: name.to_owned(), ..Section::default() }
    }
}

/// `16443`, `*:16443`, `[::]:16443`, `192.0.2.1:16443`.
fn port_of(address: &str) -> Option<u16> {
    address.rsplit(':').next()?.parse().ok()
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
