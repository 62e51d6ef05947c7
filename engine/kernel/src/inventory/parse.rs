//! One file of the inventory, checked as far as a file can be on its own.

use std::collections::BTreeMap;

use super::Variable;
use super::address;
use super::name;
use super::node::{Entry, Node, Tree};
use super::secret_ref::{SecretRef, looks_like_reference};
use super::settings::{self, Settings};
use super::source::{Mark, Source, Spot, quoted};
use super::suggest;
use super::table::{Table, entries, wrong_type};
use crate::error::{Error, Result};

const TOP: [&str; 4] = ["defaults", "hosts", "groups", "vars"];
const OF_HOSTS: [&str; 4] = ["address", "jump", "node_name", "vars"];

/// What one file says.
pub(super) struct Draft<'a> {
    pub source: &'a Source,
    pub defaults: Settings,
    pub hosts: Vec<HostDraft<'a>>,
    pub groups: Vec<GroupDraft<'a>>,
    pub vars: BTreeMap<String, Variable>,
    /// Where hosts would be: an inventory without any points here.
    pub hosts_spot: Spot<'a>,
}

/// A host without the defaults.
pub(super) struct HostDraft<'a> {
    pub name: String,
    pub spot: Spot<'a>,
    pub address: Option<String>,
    pub settings: Settings,
    /// Where its own `become_password` is.
    pub password_spot: Option<Spot<'a>>,
    pub jump: Option<(String, Spot<'a>)>,
    pub node_name: Option<String>,
    pub vars: BTreeMap<String, Variable>,
}

/// A group whose members may be unknown.
pub(super) struct GroupDraft<'a> {
    pub name: String,
    pub spot: Spot<'a>,
    pub members: Vec<(String, Spot<'a>)>,
}

/// Reads one file.
///
/// # Errors
/// At the first thing that is wrong, with its place and what to do.
pub(super) fn parse(source: &Source) -> Result<Draft<'_>> {
    let root = Node::read(source)?;
    let table = Table::open(source, &root, "the inventory", &TOP, misplaced)?;
    let hosts_mark = table.entry("hosts").map_or(Mark { line: 1, column: 1, length: 1 }, |entry| entry.mark);
    Ok(Draft {
        source,
        defaults: table.entry("defaults").map(|entry| defaults(source, entry)).transpose()?.unwrap_or_default(),
        hosts: children(&table, "hosts")?.iter().map(|entry| host(source, entry)).collect::<Result<_>>()?,
        groups: children(&table, "groups")?.iter().map(|entry| group(source, entry)).collect::<Result<_>>()?,
        vars: vars(&table, "")?,
        hosts_spot: source.spot(hosts_mark),
    })
}

fn children<'n>(table: &Table<'_, 'n>, key: &str) -> Result<&'n [Entry]> {
    table.entry(key).map_or(Ok(&[]), |entry| entries(table.source, &entry.node, &format!("`{key}`")))
}

/// Where a key belongs that stands at the top.
fn misplaced(key: &str) -> Option<String> {
    let known = settings::KEYS.contains(&key) || OF_HOSTS.contains(&key);
    let near = suggest::nearest(key, TOP);
    (known && near.is_none()).then(|| format!("move `{key}` to a host, or to `defaults` if it holds for all"))
}

fn defaults(source: &Source, entry: &Entry) -> Result<Settings> {
    let elsewhere = |key: &str| {
        OF_HOSTS.contains(&key).then(|| match key {
            "vars" => "move `vars` to the top of the file; there they hold for all hosts".to_owned(),
            _ => format!("move `{key}` to each host that needs it"),
        })
    };
    let table = Table::open(source, &entry.node, "`defaults`", &settings::KEYS, elsewhere)?;
    Settings::read(&table, "in `defaults`")
}

fn host<'a>(source: &'a Source, entry: &Entry) -> Result<HostDraft<'a>> {
    name::check(source, entry, "a host")?;
    let known: Vec<&str> = OF_HOSTS[..1].iter().chain(&settings::KEYS).chain(&OF_HOSTS[1..]).copied().collect();
    let table = Table::open(source, &entry.node, &quoted_host(&entry.key), &known, |_| None)?;
    let whose = format!("of `{}`", entry.key);
    Ok(HostDraft {
        name: entry.key.clone(),
        spot: source.spot(entry.mark),
        address: address::read(&table)?,
        settings: Settings::read(&table, &whose)?,
        password_spot: table.entry("become_password").map(|password| source.spot(password.mark)),
        jump: table.text("jump")?.map(str::to_owned).zip(table.spot("jump")),
        node_name: table.text("node_name")?.map(str::to_owned),
        vars: vars(&table, &whose)?,
    })
}

fn quoted_host(name: &str) -> String {
    format!("the host {}", quoted(name))
}

fn group<'a>(source: &'a Source, entry: &Entry) -> Result<GroupDraft<'a>> {
    name::check(source, entry, "a group")?;
    let members = match &entry.node.tree {
        Tree::List(nodes) => nodes.iter().map(|node| member(source, node)).collect::<Result<Vec<_>>>()?,
        Tree::Null => Vec::new(),
        _ => {
            let what = format!("the group {}", quoted(&entry.key));
            return Err(wrong_type(source.spot(entry.node.mark), &what, "a list of hosts", entry.node.kind())
                .hint("write the hosts' names in brackets: `[master1, master2]`"));
        }
    };
    for (index, (name, spot)) in members.iter().enumerate() {
        if members[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(twice_in_group(name, &entry.key, *spot));
        }
    }
    Ok(GroupDraft { name: entry.key.clone(), spot: source.spot(entry.mark), members })
}

fn twice_in_group(name: &str, group: &str, spot: Spot<'_>) -> Error {
    spot.error("inventory.duplicate_member", &format!("{} is twice in the group {}", quoted(name), quoted(group)))
        .hint("remove one of the two")
}

fn member<'a>(source: &'a Source, node: &Node) -> Result<(String, Spot<'a>)> {
    let spot = source.spot(node.mark);
    match &node.tree {
        Tree::Text(name) => Ok((name.clone(), spot)),
        // A host may be called `1`; it is written so among the hosts too.
        Tree::Number(number) => Ok((number.to_string(), spot)),
        _ => Err(wrong_type(spot, "a member of a group", "the name of a host", node.kind())
            .hint("write the hosts' names in brackets: `[master1, master2]`")),
    }
}

/// The variables under `vars`. `whose` completes a secret's name: "of `master1`", or nothing at the top.
fn vars(table: &Table<'_, '_>, whose: &str) -> Result<BTreeMap<String, Variable>> {
    let read = |entry: &Entry| Ok((entry.key.clone(), variable(table.source, entry, whose)?));
    children(table, "vars")?.iter().map(read).collect()
}

/// A text in the form of a reference is a secret; anything else is plain data.
fn variable(source: &Source, entry: &Entry, whose: &str) -> Result<Variable> {
    if let Tree::Text(text) = &entry.node.tree
        && names_secret(text)
    {
        let what = format!("the variable {} {whose}", quoted(&entry.key));
        let parsed = SecretRef::parse(text, source.base(), source.home(), what.trim_end());
        return parsed.map(Variable::Secret).map_err(|error| {
            let drawn = source.spot(entry.mark).error_at_key("inventory.secret", error.message());
            drawn.hint(error.advice().unwrap_or_default())
        });
    }
    refuse_nested_secrets(source, &entry.node)?;
    Ok(Variable::Plain(entry.node.to_json()))
}

/// `file://…` is a URL that packages come from more often than a secret.
fn names_secret(text: &str) -> bool {
    looks_like_reference(text) && !text.starts_with("file://")
}

/// A reference inside of a list or a map would reach a host as the text that it is; better to say so.
fn refuse_nested_secrets(source: &Source, node: &Node) -> Result<()> {
    let inner: Vec<&Node> = match &node.tree {
        Tree::List(nodes) => nodes.iter().collect(),
        Tree::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        _ => return Ok(()),
    };
    for node in inner {
        match &node.tree {
            Tree::Text(text) if text != "prompt" && names_secret(text) => {
                return Err(source
                    .spot(node.mark)
                    .error("inventory.secret", "a secret cannot be part of a list or a map")
                    .hint("make it a variable of its own, directly under `vars`"));
            }
            _ => refuse_nested_secrets(source, node)?,
        }
    }
    Ok(())
}
