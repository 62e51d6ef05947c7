//! The lines of earlier sessions, kept for whoever wrote them alone. A line with what looks like a secret is not kept.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::value::Value;
use reedline::{FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, SearchQuery};

/// So many lines are kept.
const LINES: usize = 2_000;

/// The history on disk.
pub struct Kept(FileBackedHistory);

impl Kept {
    /// The history below the state folder.
    ///
    /// # Errors
    /// When the file cannot be made or read.
    pub fn open(folder: &Path) -> Result<Kept> {
        let path = folder.join("history");
        let open = || {
            std::fs::create_dir_all(folder)?;
            let made = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            made.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        };
        let unkept = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::Local, "repl.history", format!("the history cannot be kept in `{}`", path.display()))
                .hint("check its permissions, or name another folder with `--state-dir`")
                .because(error)
        };
        open().map_err(|error| unkept(error.into()))?;
        FileBackedHistory::with_file(LINES, path.clone()).map(Kept).map_err(|error| unkept(error.to_string().into()))
    }
}

/// True when the journal would keep this text as it is.
fn is_harmless(line: &str) -> bool {
    Value::String(line.to_owned()).journalled() == line
}

impl History for Kept {
    fn save(&mut self, item: HistoryItem) -> reedline::Result<HistoryItem> {
        if is_harmless(&item.command_line) { self.0.save(item) } else { Ok(item) }
    }

    fn load(&self, id: HistoryItemId) -> reedline::Result<HistoryItem> {
        self.0.load(id)
    }

    fn count(&self, query: SearchQuery) -> reedline::Result<i64> {
        self.0.count(query)
    }

    fn search(&self, query: SearchQuery) -> reedline::Result<Vec<HistoryItem>> {
        self.0.search(query)
    }

    fn update(&mut self, id: HistoryItemId, updater: &dyn Fn(HistoryItem) -> HistoryItem) -> reedline::Result<()> {
        self.0.update(id, updater)
    }

    fn clear(&mut self) -> reedline::Result<()> {
        self.0.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> reedline::Result<()> {
        self.0.delete(id)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.0.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.0.session()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_line_with_a_secret_is_not_kept_and_nobody_else_reads_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path()).unwrap();
        for line in ["ssh::facts(m1)", "let x = \"password=canary-hunter2\"", "1 + 1"] {
            kept.save(HistoryItem::from_command_line(line)).unwrap();
        }
        kept.sync().unwrap();
        let path = folder.path().join("history");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ssh::facts(m1)\n1 + 1\n");
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
