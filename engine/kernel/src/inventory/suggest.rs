//! The name that was probably meant.

/// The candidate most like `name`, if any is alike enough to be what was meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let alike = strsim::normalized_damerau_levenshtein(&name, &candidate.to_lowercase());
        if alike >= 0.5 && best.is_none_or(|(most, _)| alike > most) {
            best = Some((alike, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A hint that names what was probably meant, or else what there is.
pub(super) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone, otherwise: &str) -> String {
    if let Some(near) = nearest(name, candidates.clone()) {
        return format!("write `{near}`, the nearest known name");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    match all.len() {
        0 => otherwise.to_owned(),
        1..=16 => format!("use one of: {}", all.join(", ")),
        more => format!("use one of: {}, … ({more} in all)", all[..16].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_most_alike() {
        assert_eq!(nearest("prot", ["user", "port"]), Some("port"));
        assert_eq!(nearest("mastr2", ["master1", "master2"]), Some("master2"));
        assert_eq!(nearest("MASTER1", ["master1"]), Some("master1"));
        assert_eq!(nearest("zebra", ["user", "port"]), None);
    }

    #[test]
    fn without_a_near_one_the_hint_lists_them() {
        assert_eq!(hint("zebra", ["user", "port"], ""), "use one of: user, port");
        assert_eq!(hint("zebra", [], "add a host"), "add a host");
    }
}
