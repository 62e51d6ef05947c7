//! Hosts as they were: the laws hold where the programs are those of CentOS 7, systemd 219 and coreutils 8.22.
//!
//! Wrappers stand before the real programs in the PATH of whoever logs in, and refuse what came later.

use haengine_kernel::op::Example;
use haengine_kernel::verb::{Sort, Verb};
use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::{User, WITH_API};
use crate::{Later, action, read, state};

/// Programs, the words that they did not take, and with which version these came.
const TABLE: &[(&str, &str, &str)] = &[
    ("systemctl", "--now", "systemd 220"),
    ("systemctl", "--value|revert", "systemd 230"),
    ("systemctl", "--wait", "systemd 232"),
    ("systemctl", "clean|freeze|thaw|--show-transaction|-T", "systemd 243"),
    ("systemctl", "-P|--timestamp=*|--legend=*|--no-warn|--marked|--with-dependencies|--image=*", "systemd 246 to 252"),
    ("systemd-run", "--wait", "systemd 232"),
    ("systemd-run", "--pipe|-P", "systemd 235"),
    ("systemd-run", "--collect|-G", "systemd 236"),
    ("systemd-run", "--working-directory=*|-d|--shell|-S|--service-type=*|--slice-inherit", "systemd 240 to 246"),
    ("journalctl", "--sync|--fields|--no-hostname", "systemd 228 to 230"),
    ("journalctl", "_SYSTEMD_INVOCATION_ID=*", "systemd 232"),
    ("journalctl", "--output-fields=*|--grep=*|-g|--cursor-file=*|--namespace=*", "systemd 236 to 245"),
    ("dd", "status=progress", "coreutils 8.24"),
    ("tee", "-p|--output-error*", "coreutils 8.24"),
    ("comm|cut|head|paste|tail", "-z|--zero-terminated", "coreutils 8.25"),
    ("sha256sum", "--ignore-missing", "coreutils 8.25"),
    ("date", "--debug|+%q", "coreutils 8.26"),
    ("env", "-C|--chdir=*|-S*|--split-string*|-v|--debug|--*-signal*", "coreutils 8.28 to 8.31"),
    ("timeout", "--verbose", "coreutils 8.29"),
    ("sha256sum", "-z|--zero", "coreutils 8.30"),
    ("rm", "--preserve-root=all", "coreutils 8.30"),
    ("cp", "--reflink=never", "coreutils 8.30"),
    ("stat", "--cached=*", "coreutils 8.32"),
    ("ls", "--hyperlink*|--time=birth|--zero", "coreutils 8.28 to 9.0"),
    ("cp", "--update=*|--debug|--keep-directory-symlink", "coreutils 9.2 to 9.5"),
    ("mv", "--update=*|--no-copy|--exchange", "coreutils 9.3 to 9.5"),
    ("setsid", "-w|--wait|-f|--fork", "util-linux 2.24"),
    ("findmnt", "-J|--json|--real", "util-linux 2.27"),
    ("find", "-files0-from", "findutils 4.9"),
    ("xargs", "-o|--open-tty", "findutils 4.7"),
    ("tar", "--sort=*|--one-top-level*|--zstd", "tar 1.28"),
    ("ip", "-j|-json|--json", "iproute2 4.13"),
    ("ss", "-H*|--no-header", "iproute2 4.12"),
    ("curl", "--connect-to|--retry-connrefused|--fail-with-body|--json|--unix-socket", "curl 7.40"),
    ("openssl", "-addext|-ext", "OpenSSL 1.1.1"),
];

/// `$1`: the programs; `$2`: the words. What was written for one before stands before it.
const REFUSE: &str = r#"
refuse() {
    for program in $1; do
        real=$(PATH=/usr/sbin:/usr/bin command -v "$program") || continue
        [ -e "/opt/old/$program" ] || echo '#!/bin/sh' >"/opt/old/$program"
        cat >>"/opt/old/$program" <<END
for word do
    case \$word in
    --) break ;;
    $2) echo "$program: unrecognized option '\$word'" >&2; exit 1 ;;
    esac
done
END
        chmod 755 "/opt/old/$program"
    done
}
mkdir -p /opt/old
"#;

/// What the others end with: what they do say is said as it was said then.
const SPEAK: &str = r#"
for program in /opt/old/*; do
    case ${program##*/} in
    stat)
        # No file system told a birth.
        cat >>"$program" <<'END'
count=$#
while [ "$count" -gt 0 ]; do
    word=$1 count=$((count - 1))
    shift
    case $word in *%*[wW]*) word=$(printf %s. "$word" | sed 's/%\.9W/0.000000000/g; s/%W/0/g; s/%w/-/g') word=${word%.} ;; esac
    set -- "$@" "$word"
done
exec /usr/bin/stat "$@"
END
        ;;
    systemctl)
        cat >>"$program" <<'END'
status=$(mktemp)
{ /usr/bin/systemctl "$@"; echo $? >"$status"; } 2>"$status.said" |
    sed '/^NRestarts=/d; /^InvocationID=/d; s/^EnvironmentFiles=/EnvironmentFile=/'
sed 's/^Created symlink \(.*\) \(→\|->\) \(.*\)/Created symlink from \1 to \3/' "$status.said" >&2
read -r ended <"$status"
rm -f "$status" "$status.said"
exit "$ended"
END
        ;;
    *) echo "exec $(PATH=/usr/sbin:/usr/bin command -v "${program##*/}") \"\$@\"" >>"$program" ;;
    esac
done
# It took no path: all was synced, whatever was asked.
cat >/opt/old/sync <<'END'
#!/bin/sh
case ${1-} in
-- | '') ;;
-*) echo "sync: invalid option -- '${1#-}'" >&2; exit 1 ;;
*) echo 'sync: ignoring all arguments' >&2 ;;
esac
exec /usr/bin/sync
END
chmod 755 /opt/old/sync
path=/opt/old:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
echo "SetEnv PATH=$path" >/etc/ssh/sshd_config.d/old.conf
echo "Defaults secure_path=$path" >/etc/sudoers.d/old
chmod 440 /etc/sudoers.d/old
systemctl reload ssh && sleep 0.3
"#;

/// These have a way of their own in each example.
const MANY_WAYS: [&str; 1] = ["file.copy_tree"];

/// A verb's first example; all of them where time does not count. They follow its other laws: what a later module leaves
/// running would be in the way of an earlier one.
pub fn trials(stage: &Later, verb: &dyn Verb, turn: usize, long: bool, has_kubernetes: bool) -> Vec<Trial> {
    let possible = |example: &&Example| has_kubernetes || !example.given.contains(WITH_API);
    let many = if long || MANY_WAYS.contains(&verb.name()) { usize::MAX } else { 1 };
    let law = match verb.sort() {
        Sort::State => state::law,
        Sort::Action => action::law,
        Sort::Read | Sort::Guard => read::law,
    };
    // What a verb reads is read by those that change something, too.
    let is_left = !long && verb.sort() == Sort::Read;
    let examples = verb.examples().iter().filter(possible).enumerate().take(many);
    let trials = examples.map(|(index, example)| {
        let user = if (turn + index).is_multiple_of(2) { User::Root } else { User::Sudo };
        let name = format!("{}::{index}::old", verb.name());
        let played = trial(stage, name, user, example.code, move |scene| {
            // Examples live as long as the program.
            let given: &'static str = Box::leak(aged(example.given).into_boxed_str());
            law(scene, &Example { given, ..*example })?;
            wrapped(scene)
        });
        played.with_ignored_flag(is_left)
    });
    trials.collect()
}

/// What an example is given, on a host that is old once all of it is there.
fn aged(given: &str) -> String {
    let refused: String = TABLE
        .iter()
        .map(|(programs, words, _)| format!("refuse '{}' '{words}'\n", programs.replace('|', " ")))
        .collect();
    format!("( :\n{given}\n) || exit\n{REFUSE}{refused}{SPEAK}")
}

/// Fails where the wrappers were not what was called: the law would say nothing then.
fn wrapped(scene: &crate::scene::Scene) -> crate::Law {
    let done = scene
        .run(r#"ssh::run(h, "command -v sha256sum; sync -f / 2>&1; true").stdout"#)?
        .well("a look at the wrappers")?;
    let said = done.gave();
    let expected = "/opt/old/sha256sum\nsync: invalid option -- 'f'";
    if said == expected { Ok(()) } else { Err(format!("the host is not old: {said}")) }
}
