//! Where the operator's runs and labs are kept.

use std::path::{Path, PathBuf};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::journal::Store;

use crate::environment::Environment;

/// The state folder: `--state-dir`, else `$HAENGINE_STATE_DIR`, else `$XDG_STATE_HOME/haengine`.
///
/// # Errors
/// `state.unknown` when none of them is given and there is no home folder.
pub fn folder(option: Option<&Path>, environment: &Environment) -> Result<PathBuf> {
    let given = option.map(Path::to_owned).or_else(|| environment.state.clone());
    let folder = given.or_else(|| environment.state_home.as_ref().map(|home| home.join("haengine")));
    let folder = folder.ok_or_else(|| {
        Error::new(Kind::Local, "state.unknown", "no folder is known in which runs are kept")
            .hint("set HOME, or name a folder with `--state-dir`")
    })?;
    std::path::absolute(&folder).map_err(|error| {
        Error::new(Kind::Local, "state.unknown", format!("`{}` is not a folder for runs", folder.display()))
            .hint("name a folder with `--state-dir`")
            .because(error)
    })
}

/// The runs below the state folder.
///
/// # Errors
/// As [`folder`], and when it cannot be made.
pub fn store(option: Option<&Path>, environment: &Environment) -> Result<Store> {
    Store::open(&folder(option, environment)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_over_the_variable_over_the_home() {
        let environment = Environment {
            state: Some("/variable".into()),
            state_home: Some("/home/ops/.local/state".into()),
            ..Environment::default()
        };
        let found = |option: Option<&str>, environment: &Environment| {
            folder(option.map(Path::new), environment).map(|path| path.display().to_string()).ok()
        };
        assert_eq!(found(Some("/option"), &environment).as_deref(), Some("/option"));
        assert_eq!(found(None, &environment).as_deref(), Some("/variable"));
        let bare = Environment { state: None, ..environment };
        assert_eq!(found(None, &bare).as_deref(), Some("/home/ops/.local/state/haengine"));
        assert_eq!(found(None, &Environment::default()), None);
    }
}
