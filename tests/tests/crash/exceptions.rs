//! What is not compared: read from the page of the book that says it, so that there is one list.

const PAGE: &str = include_str!("../../../book/src/dev/crash.md");

/// Left out everywhere.
pub fn nowhere() -> Vec<&'static str> {
    paths("### Nowhere")
}

/// Left out on hosts whose units run.
pub fn running() -> Vec<&'static str> {
    paths("### Not where")
}

/// Compared by what it says, where two runs are compared.
pub fn said() -> Vec<&'static str> {
    paths("### By what")
}

/// Left out where the ends of two runs are compared.
pub fn end() -> Vec<&'static str> {
    paths("### Not at the end")
}

/// The first column of a section's table.
fn paths(heading: &str) -> Vec<&'static str> {
    let section = PAGE.split_once(heading).expect("the page has this section").1;
    let section = section.split("\n#").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let paths: Vec<_> = rows.filter(|path| path.starts_with('/')).collect();
    assert!(!paths.is_empty(), "the table is not read: {section}");
    paths
}
