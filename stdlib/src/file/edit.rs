//! Editing a text that is on the host: what `replace` and `line` share.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Plan;
use haengine_kernel::text::Text;
use haengine_kernel::value::Unknown;

use crate::file::look::{Seen, Sort, look};
use crate::file::place::{Before, Placement};

/// What is larger is data, not configuration.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Looks at a file that is to be edited, with its whole content.
///
/// # Errors
/// When the host cannot be asked.
pub async fn look_whole(host: &Host, path: &str) -> Result<Seen> {
    look(host, path, LIMIT).await
}

/// Plans the file's content as `edit` makes it of the old one. `edit` gets the content, and gives none where the text
/// that it works with is known only when run.
///
/// # Errors
/// Those of `edit`, and when there is no text to edit.
pub fn plan(placement: &Placement, seen: &Seen, edit: impl Fn(&str) -> Result<Option<String>>) -> Result<Plan<Before>> {
    let wanted = match (&seen.found, &seen.text) {
        (Some(found), Some(text)) if found.sort == Sort::File => edited(placement, text, edit)?,
        (Some(found), None) if found.sort == Sort::File => return Err(not_text(&placement.path, found.size)),
        // Refused by the placement, which says why.
        (Some(_), _) => unknown(&placement.path),
        (None, _) => match &seen.awaited {
            Some(origin) => Text::Unknown(Unknown { origin: origin.clone() }),
            None => return Err(missing(&placement.path)),
        },
    };
    placement.plan(seen, &wanted)
}

fn edited(placement: &Placement, text: &Text, edit: impl Fn(&str) -> Result<Option<String>>) -> Result<Text> {
    let (Text::Plain(_) | Text::Secret(_)) = text else { return Ok(unknown(&placement.path)) };
    let content = text.content()?;
    let Some(new) = edit(content.expose())? else { return Ok(unknown(&placement.path)) };
    // A second run must find nothing to do.
    if edit(&new)?.as_ref() != Some(&new) {
        let message = format!("editing `{}` again would change it again", placement.path);
        return Err(Error::new(Kind::Refused, "file.unstable", message)
            .hint("make the pattern match the old text and not the new one"));
    }
    Ok(match text {
        Text::Secret(_) => Text::Secret(haengine_kernel::secret::Secret::new(new)),
        _ => Text::Plain(new),
    })
}

/// The text once more, as one that is never shown.
pub fn hide(seen: &Seen) -> Seen {
    let text = match &seen.text {
        Some(Text::Plain(text)) => Some(Text::Secret(haengine_kernel::secret::Secret::new(text.clone()))),
        other => other.clone(),
    };
    Seen { text, ..seen.clone() }
}

fn unknown(path: &str) -> Text {
    Text::Unknown(Unknown { origin: format!("the content of `{path}`") })
}

fn not_text(path: &str, size: u64) -> Error {
    let why = if size > LIMIT { "is larger than 4 MiB" } else { "is not UTF-8 text" };
    Error::new(Kind::Refused, "file.not_text", format!("`{path}` {why}"))
        .hint("change it with a command of its own kind through `ssh::run`")
}

fn missing(path: &str) -> Error {
    Error::new(Kind::Refused, "file.missing", format!("there is no `{path}` to edit"))
        .hint("correct the path, or place the file with `file::put`")
}

/// The pattern of a call.
///
/// # Errors
/// When it is no regular expression; the message shows where.
pub fn pattern(function: &str, option: &str, text: &str) -> Result<regex::Regex> {
    regex::RegexBuilder::new(text).multi_line(true).build().map_err(|error| {
        Error::new(Kind::Usage, "file.pattern", format!("`{option}` of `{function}` is no regular expression"))
            .because(error)
            .hint("correct it, or escape what is meant literally with `\\\\`")
    })
}
