//! What `%n` and its like stand for in a unit (systemd.unit(5), "Specifiers").

use haengine_kernel::error::Result;

use super::traced::{Files, Letter, Place};

/// What the specifiers of a unit are about.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The unit's name, like `kubelet.service` or `etcd@one.service`.
    pub unit: &'a str,
    /// The host's own name, where it is known.
    pub hostname: Option<&'a str>,
}

impl Named<'_> {
    fn stem(&self) -> &str {
        self.unit.rsplit_once('.').map_or(self.unit, |(stem, _)| stem)
    }

    fn meaning(&self, specifier: char) -> Option<&str> {
        let (prefix, instance) = self.stem().split_once('@').unwrap_or((self.stem(), ""));
        match specifier {
            '%' => Some("%"),
            'n' => Some(self.unit),
            'N' => Some(self.stem()),
            'p' => Some(prefix),
            'i' => Some(instance),
            't' => Some("/run"),
            'H' => self.hostname,
            _ => None,
        }
    }
}

/// These letters with the specifiers replaced.
///
/// # Errors
/// `node.specifier` for one that only the host itself can tell.
pub(super) fn resolved(files: &Files, letters: &[Letter], named: Named<'_>) -> Result<Vec<Letter>> {
    let (mut done, mut at) = (Vec::new(), 0);
    while let Some(letter) = letters.get(at) {
        at += 1;
        let next = letters
            .get(at)
            .filter(|next| letter.char == '%' && (next.char.is_ascii_alphanumeric() || next.char == '%'));
        let Some(next) = next else {
            done.push(*letter);
            continue;
        };
        let place = letter.at.to(next.at);
        let meaning = named.meaning(next.char).ok_or_else(|| unknown(files, place, next.char))?;
        done.extend(meaning.chars().map(|char| Letter { char, at: place, ..*letter }));
        at += 1;
    }
    Ok(done)
}

fn unknown(files: &Files, place: Place, specifier: char) -> haengine_kernel::error::Error {
    let message = format!("what `%{specifier}` stands for only the host's systemd can tell");
    files.refused("node.specifier", place, &message).hint("write what it stands for, or `%%` for a percent sign")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::traced::text;

    fn with(template: &str, unit: &str) -> Result<String> {
        let mut files = Files::default();
        let file = files.add("/unit", template);
        let named = Named { unit, hostname: Some("master1") };
        resolved(&files, &files.letters(file), named).map(|letters| text(&letters))
    }

    #[test]
    fn names_are_put_in_and_what_is_unknown_is_refused() {
        assert_eq!(
            with("%n %N %p %i %H 100%% 5% %-é", "etcd@one.service").unwrap(),
            "etcd@one.service etcd@one etcd one master1 100% 5% %-é"
        );
        assert_eq!(with("%p%i", "kubelet.service").unwrap(), "kubelet");
        let refused = with("\n%m", "kubelet.service").unwrap_err();
        assert_eq!(refused.message(), "/unit:2: what `%m` stands for only the host's systemd can tell");
    }
}
