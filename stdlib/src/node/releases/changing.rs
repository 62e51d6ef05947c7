//! Flags that not every Kubernetes has which recipes serve.

/// The minor version of the oldest Kubernetes that recipes serve.
pub const OLDEST: u32 = 20;
/// The newest one's.
pub const NEWEST: u32 = 36;

/// A flag that is there at one end of these versions and not at the other. It came or went only once.
pub struct Changing {
    /// Whose flag it is.
    pub program: &'static str,
    /// Its name, without dashes.
    pub flag: &'static str,
    /// Whether the oldest has it; if not, the newest does.
    pub is_old: bool,
}

/// What templates give some versions and others not. Tests hold it against all flags of both ends.
pub const CHANGING: [Changing; 8] = [
    gone("kube-apiserver", "log-dir"),
    came("kube-apiserver", "shutdown-watch-termination-grace-period"),
    gone("kube-controller-manager", "log-dir"),
    gone("kube-proxy", "log-dir"),
    gone("kube-scheduler", "log-dir"),
    gone("kubelet", "container-runtime"),
    gone("kubelet", "log-dir"),
    gone("kubelet", "network-plugin"),
];

const fn gone(program: &'static str, flag: &'static str) -> Changing {
    Changing { program, flag, is_old: true }
}

const fn came(program: &'static str, flag: &'static str) -> Changing {
    Changing { program, flag, is_old: false }
}

/// Those of these flags that a program of this minor version takes. Between the two ends, `help` says it: all flags that the
/// program itself names. What it hides there is not given, and need not be: its default is what we give older ones.
pub fn understood(program: &str, minor: u32, help: &[&str]) -> Vec<&'static str> {
    let of_program = CHANGING.iter().filter(|one| one.program == program);
    let is_known = |one: &&Changing| match minor {
        OLDEST => one.is_old,
        NEWEST => !one.is_old,
        _ => help.contains(&one.flag),
    };
    of_program.filter(is_known).map(|one| one.flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_known_and_what_is_between_says_it_itself() {
        let of = |minor, help: &[&str]| understood("kubelet", minor, help);
        assert_eq!(of(20, &[]), ["container-runtime", "log-dir", "network-plugin"]);
        assert_eq!(of(25, &["v", "container-runtime", "log-dir"]), ["container-runtime", "log-dir"]);
        assert_eq!(of(36, &["log-dir"]), [""; 0]);
        assert_eq!(understood("kube-apiserver", 36, &[]), ["shutdown-watch-termination-grace-period"]);
        assert_eq!(understood("etcd", 20, &[]), [""; 0]);
    }
}
