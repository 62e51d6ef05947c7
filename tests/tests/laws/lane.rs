//! A pair of hosts that one case at a time works on.

use haengine_lab::HostSpec;

use crate::Law;
use crate::manifest::{Difference, Manifest};
use crate::stage::Stage;

/// Two hosts, and what they are when nobody worked on them.
pub struct Lane {
    specs: [HostSpec; 2],
    fresh: [Manifest; 2],
}

/// Where copies of what cases may change lie, so that what an example is given can be taken away again.
const COPIES: &str = "mkdir -p /var/lib/laws && cp -a /etc /srv /opt /root /home /var/lib/laws/";

/// `$1`: paths to remove, `$2`: paths to put back, `$3`: units to stop; one a line.
const RESET: &str = r#"
printf %s "$3" | while IFS= read -r unit; do systemctl stop "$unit"; done 2>/dev/null
printf %s "$1" | while IFS= read -r path; do rm -rf -- "$path"; done
printf %s "$2" | while IFS= read -r path; do
    copy=/var/lib/laws$path
    if [ -d "$copy" ] && [ ! -L "$copy" ]; then
        mkdir -p -- "$path"
        chown --reference="$copy" -- "$path"
        chmod --reference="$copy" -- "$path"
    elif [ -e "$copy" ] || [ -L "$copy" ]; then
        rm -rf -- "$path"
        cp -a -- "$copy" "$path"
    fi
done
rm -rf /run/haengine /run/haengine.lock
systemctl daemon-reload
systemctl reset-failed"#;

impl Lane {
    pub fn new(stage: &Stage, specs: &[HostSpec; 2]) -> Law<Lane> {
        let fresh = |spec: &HostSpec| {
            stage.sh(&spec.name, COPIES, &[])?;
            Manifest::of(stage, &spec.name)
        };
        Ok(Lane { specs: specs.clone(), fresh: [fresh(&specs[0])?, fresh(&specs[1])?] })
    }

    /// `h` and `h2` of the examples.
    pub fn hosts(&self) -> [&str; 2] {
        [&self.specs[0].name, &self.specs[1].name]
    }

    pub fn specs(&self) -> &[HostSpec; 2] {
        &self.specs
    }

    /// Takes away what a case left on its hosts; false when something stays that cannot be taken away.
    pub fn clean(&self, stage: &Stage, both: bool) -> Law<bool> {
        for (host, fresh) in self.hosts().into_iter().zip(&self.fresh).take(1 + usize::from(both)) {
            let mut left = fresh.differences(&Manifest::of(stage, host)?, stage);
            left.retain(|difference| !difference.is_bookkeeping());
            if left.is_empty() {
                continue;
            }
            reset(stage, host, &left)?;
            if Manifest::settled(stage, host, fresh, |difference| !difference.is_bookkeeping())?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn reset(stage: &Stage, host: &str, left: &[Difference]) -> Law {
    let lines = |which: &dyn Fn(&Difference) -> Option<String>| {
        left.iter().filter_map(which).map(|line| line + "\n").collect::<String>()
    };
    let new = lines(&|difference| difference.path().filter(|_| difference.is_new()));
    let old = lines(&|difference| difference.path().filter(|_| !difference.is_new()));
    let units = lines(&|difference| difference.started_unit());
    stage.sh(host, RESET, &[&new, &old, &units]).map(|_| ())
}
