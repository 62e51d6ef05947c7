//! What an undo leaves: things that it cannot prove to be the run's own.

use serde::{Deserialize, Serialize};

/// Something that undo did not take away, because somebody else may have made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remnant {
    /// What it is: a path, a unit, an object of the cluster.
    pub what: String,
    /// Why it was not taken away: `somebody else made it`.
    pub why: String,
    /// Where it was moved to on its host; none where it stays in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// True where that is the rule and nothing to look after: what a unit owned, what bears a package's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_rule: bool,
}

/// All that an undo left of one change.
pub type Remains = Vec<Remnant>;

impl Remnant {
    /// Something that stays in its place.
    pub fn left(what: impl Into<String>, why: impl Into<String>) -> Remnant {
        Remnant { what: what.into(), why: why.into(), kept: None, by_rule: false }
    }

    /// Something that was moved to where the run keeps things.
    pub fn kept(what: impl Into<String>, why: impl Into<String>, place: impl Into<String>) -> Remnant {
        Remnant { kept: Some(place.into()), ..Remnant::left(what, why) }
    }

    /// The same, where the rule says so.
    pub fn by_rule(self) -> Remnant {
        Remnant { by_rule: true, ..self }
    }

    /// In one line: `/opt/demo stays: somebody else's files are in it`.
    pub fn line(&self) -> String {
        match &self.kept {
            None => format!("`{}` stays: {}", self.what, self.why),
            Some(place) => format!("`{}` was moved to `{place}`: {}", self.what, self.why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_became_of_it_and_why() {
        let left = Remnant::left("/opt/a", "somebody else made it");
        assert_eq!(left.line(), "`/opt/a` stays: somebody else made it");
        let kept =
            Remnant::kept("/var/lib/a", "it appeared while the unit ran", "/var/lib/haengine/r/kept/1/a").by_rule();
        assert!(
            kept.line().starts_with("`/var/lib/a` was moved to `/var/lib/haengine/r/kept/1/a`:"),
            "{}",
            kept.line()
        );
        let json = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Remnant>(&json).unwrap(), kept);
    }
}
