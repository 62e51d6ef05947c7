//! What a line gives, drawn.

use std::fmt::Write;

use haengine_script::session::Answer;
use serde::Serialize;
use serde_json::{Map, Value};

use haengine_kernel::harmless::{harmless, one_line};

use crate::report::{Paint, table};

/// An answer for a program.
#[derive(Serialize)]
pub struct Given {
    value: Value,
}

/// An answer for a program; none where there is none.
pub fn value(answer: &Answer) -> Option<Given> {
    match answer {
        Answer::Nothing => None,
        Answer::Value(value) => Some(Given { value: value.clone() }),
        Answer::Kind(kind) => Some(Given { value: Value::String((*kind).to_owned()) }),
    }
}

/// An answer for a person: rows where there are rows.
pub fn draw(answer: &Answer, paint: Paint) -> String {
    match answer {
        Answer::Nothing => String::new(),
        Answer::Kind(kind) => paint.dim(kind) + "\n",
        Answer::Value(value) => drawn(value, paint),
    }
}

fn drawn(value: &Value, paint: Paint) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "#{}\n".to_owned(),
        Value::Object(map) => match columns(map.values()) {
            Some(columns) => rows(&columns, map.iter().map(|(name, row)| (Some(name.as_str()), row))),
            None => pairs(map, paint),
        },
        Value::Array(items) if items.is_empty() => "[]\n".to_owned(),
        Value::Array(items) => match columns(items.iter()) {
            Some(columns) => rows(&columns, items.iter().map(|row| (None, row))),
            None => items.iter().map(|item| lines(&word(item))).collect(),
        },
        other => lines(&word(other)),
    }
}

/// The keys of maps that all have the same ones; none where the values are something else.
fn columns<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Vec<String>> {
    let mut columns: Option<Vec<String>> = None;
    for value in values {
        let keys: Vec<String> = value.as_object()?.keys().cloned().collect();
        if *columns.get_or_insert_with(|| keys.clone()) != keys {
            return None;
        }
    }
    columns.filter(|columns| !columns.is_empty())
}

/// A row for each value, named where they have names. Texts of several lines go on below.
fn rows<'a>(columns: &[String], values: impl Iterator<Item = (Option<&'a str>, &'a Value)>) -> String {
    let mut body = Vec::new();
    let mut is_named = false;
    for (name, row) in values {
        is_named |= name.is_some();
        let cells = columns.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null)));
        body.push(name.map(one_line).into_iter().chain(cells).collect::<Vec<String>>());
    }
    let names = columns.iter().map(|column| column.to_uppercase());
    let headings = is_named.then(String::new).into_iter().chain(names).collect();
    table::columns(headings, body)
}

fn cell(value: &Value) -> String {
    harmless(word(value).trim_end()).into_owned()
}

/// A name and its value in each line; of several lines, the others below the first.
fn pairs(map: &Map<String, Value>, paint: Paint) -> String {
    let width = map.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in map {
        let shown = harmless(word(value).trim_end()).replace('\n', &format!("\n{}", " ".repeat(width + 2)));
        let _ = writeln!(text, "{}  {shown}", paint.cyan(&format!("{name:width$}")));
    }
    text
}

/// Texts as they are, all else as JSON.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "()".to_owned(),
        other => other.to_string(),
    }
}

fn lines(text: &str) -> String {
    format!("{}\n", harmless(text.trim_end_matches('\n')))
}

/// The line of the language that asks hosts for what a command prints, however it ends.
pub fn everywhere(hosts: &[String], command: &str) -> String {
    let hosts: Vec<String> = hosts.iter().map(|name| format!("host({name:?})")).collect();
    let statuses: Vec<String> = (0..=255).map(|status| status.to_string()).collect();
    let (hosts, statuses, command) = (hosts.join(", "), statuses.join(", "), Value::String(command.to_owned()));
    format!("ssh::query([{hosts}], {command}, #{{ ok: [{statuses}], on_error: \"continue\" }})")
}

/// Equal outputs once, below the hosts that gave them.
pub fn grouped(answer: &Answer, paint: Paint) -> String {
    let Answer::Value(given) = answer else { return String::new() };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (host, result) in given["results"].as_object().into_iter().flatten() {
        let output = output(result);
        match groups.iter_mut().find(|(text, _)| *text == output) {
            Some((_, hosts)) => hosts.push(host.clone()),
            None => groups.push((output, vec![host.clone()])),
        }
    }
    let mut text = String::new();
    for (output, hosts) in groups {
        let _ = writeln!(text, "{}", paint.bold(&one_line(&hosts.join(", "))));
        harmless(&output).lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    for host in given["failed"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "{}", paint.red(&format!("{}: could not be asked", one_line(host))));
    }
    text
}

fn output(result: &Value) -> String {
    let part = |name: &str| result[name].as_str().unwrap_or_default().trim_end().to_owned();
    let mut text = part("stdout");
    let errors = part("stderr");
    if !errors.is_empty() {
        text = [text, errors].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("\n");
    }
    match result["status"].as_i64() {
        Some(0) | None => text,
        Some(status) => format!("{text}\n(ended with status {status})").trim_start().to_owned(),
    }
}
