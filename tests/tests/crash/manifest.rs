//! All that hosts are, told by find, sha256sum, perl, openssl and systemctl, and by nothing of haengine.

use haengine_tests::site::{Site, differences};

use crate::exceptions;
use crate::stage::Stage;

/// Which of the exceptions hold.
pub struct Look<'a> {
    /// The hosts whose units run, and write.
    pub running: &'a [&'a str],
    /// Whether keys and certificates are compared by what they say.
    pub said: bool,
}

/// Every host, a line for each fact. The hosts are asked at once.
pub fn manifest(site: &Site, hosts: &[&str], look: &Look<'_>) -> String {
    let of = |host: &&str| {
        let mut pruned = exceptions::nowhere();
        if look.running.contains(host) {
            pruned.extend(exceptions::running());
        }
        if look.said {
            pruned.extend(exceptions::end());
        }
        let said = if look.said { exceptions::said() } else { Vec::new() };
        let script = format!("pruned='{}'; said='{}'; {SCRIPT}", pruned.join(" "), said.join(" "));
        let text = site.on(host, &script);
        assert!(text.lines().count() > 2000, "{host} says too little:\n{text}");
        let told = |line: &str| if look.said { timeless(line) } else { line.to_owned() };
        let lines = text.lines().filter(|line| !holds_aside(line));
        lines.map(|line| format!("{host} {}\n", told(line))).collect::<String>()
    };
    std::thread::scope(|scope| {
        let asked: Vec<_> = hosts.iter().map(|host| scope.spawn(move || of(host))).collect();
        asked.into_iter().map(|host| host.join().unwrap()).collect()
    })
}

/// The folders above what was moved aside. Whatever else is in them has a line of its own.
fn holds_aside(line: &str) -> bool {
    let path = line.strip_prefix("path /var/lib/haengine").and_then(|rest| rest.split_once(" d "));
    path.is_some_and(|(below, _)| below.matches('/').count() < 2)
}

/// A kubelet writes the time into the names of what it gets and of the authority that it makes; what `k8s::enroll` gets
/// for it has a name that nobody guesses.
fn timeless(line: &str) -> String {
    let blank = |line: &str, marker: &str, is_of_name: fn(char) -> bool| {
        let mut parts = line.split(marker).map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let rest = parts.map(|part| match part.starts_with("current") {
            true => part,
            false => part.trim_start_matches(is_of_name).to_owned(),
        });
        std::iter::once(first).chain(rest).collect::<Vec<_>>().join(marker)
    };
    let in_part = blank(line, "kubelet-client-", |char| char.is_ascii_alphanumeric() || char == '-');
    blank(&in_part, "@", |char| char.is_ascii_digit() || char == '-')
}

/// Whatever may be wrong on a host is seen.
pub fn it_sees(stage: &mut Stage) {
    stage.begin();
    let host = stage.subject.hosts[0];
    let look = || manifest(&stage.site, stage.subject.hosts, &Look { running: &[], said: false });
    let before = look();
    for (change, line) in CHANGES {
        stage.site.on(host, change);
        let found = differences(&before, &look());
        assert!(found.contains(&format!("+ {host} {line}")), "`{change}` is not seen:\n{found}");
    }
}

/// What is done to a host, and how the line begins that tells it.
const CHANGES: [(&str, &str); 9] = [
    ("echo more >>/etc/fstab", "content "),
    ("chmod 640 /etc/hosts", "path /etc/hosts f 640 0 0 "),
    ("chown 7:8 /etc/hostname", "path /etc/hostname f 644 7 8 "),
    ("ln -s /nowhere /srv/link", "path /srv/link l 777 0 0 /nowhere"),
    (
        r#"touch /srv/more; perl -e 'my @words = ("/srv/more", "user.more", "yes"); syscall(`uname -m` =~ /x86_64/ ? 188 : 5, @words, 3, 0)'"#,
        "xattr /srv/more user.more 796573",
    ),
    ("mkdir /run/haengine-left", "run /run/haengine-left d 755"),
    ("systemctl enable getty@tty9", "path /etc/systemd/system/getty.target.wants/getty@tty9.service l "),
    ("systemctl mask --runtime getty@tty8", "run /run/systemd/system/getty@tty8.service l "),
    (
        "printf '[Service]\\nExecStart=/bin/false\\n' >/etc/systemd/system/broken.service; systemctl start broken; sleep 1",
        "unit broken.service failed failed",
    ),
];

/// Folders have no size of their own that would mean something.
const SCRIPT: &str = r#"
found=$(mktemp -d /run/manifest.XXXXXX)
prune=
for path in $pruned; do prune="$prune -path $path -prune -o"; done
meant=
for path in $said; do meant="$meant -path $path/* -o"; done
set -f
find / -xdev $prune -print0 >$found/paths
find / -xdev $prune \( -type f ! \( $meant -false \) -printf 'path %p f %m %U %G %s %n\n' \) -o -printf 'path %p %y %m %U %G %l\n'
find / -xdev $prune \( -path /usr/bin -o -path /usr/lib -o -path /usr/share \) -prune -o -type f ! \( $meant -false \) -printf '%i %C@ %s %p\n' >$found/files
# Whoever changes a file changes its change time: what was hashed before is not hashed again, unless it had just changed.
touch /run/manifest.known
perl -e '
    my ($known, $files, $new) = @ARGV;
    open my $in, "<", $known; my %known = map { chomp; split /\t/ } <$in>;
    open my $out, ">", $new; open $in, "<", $files;
    while (<$in>) {
        chomp;
        if ($known{$_}) { print "content $known{$_}  ", (split / /, $_, 4)[3], "\n" } else { print $out "$_\n" }
    }' /run/manifest.known $found/files $found/new
cut -d ' ' -f 4- $found/new | xargs -d '\n' -r sha256sum >$found/hashes
sed 's/^/content /' $found/hashes
perl -e '
    my ($new, $hashes) = @ARGV;
    open my $in, "<", $hashes; my %hash = map { chomp; reverse split /  /, $_, 2 } <$in>;
    open $in, "<", $new;
    while (<$in>) { chomp; my (undef, $changed, undef, $path) = split / /, $_, 4; print "$_\t$hash{$path}\n" if $hash{$path} && $changed < time - 2 }
    ' $found/new $found/hashes >>/run/manifest.known
find / -xdev $prune -type f \( $meant -false \) -print | while read -r file; do
    if grep -q 'BEGIN CERTIFICATE' "$file"; then
        echo "certificate $file" $(openssl x509 -in "$file" -noout -subject -issuer -ext subjectAltName,keyUsage,extendedKeyUsage,basicConstraints 2>/dev/null)
    fi
    if grep -q 'PRIVATE KEY' "$file"; then echo "key $file" $(openssl pkey -in "$file" -noout -text 2>/dev/null | head -n 1); fi
    if ! grep -qE 'BEGIN CERTIFICATE|PRIVATE KEY' "$file"; then
        echo "text $file" $(sed -E 's|[0-9]+(\.[0-9]+){3}/[0-9]+|NETWORK|g' "$file" | sha256sum)
    fi
done
perl -0ne '
    BEGIN { ($list, $get) = `uname -m` =~ /x86_64/ ? (195, 192) : (12, 9); }
    chomp; my ($path, $names) = ($_, "\0" x 4096);
    my $size = syscall($list, $path, $names, 4096);
    next if $size < 1;
    for my $name (split /\0/, substr($names, 0, $size)) {
        my $value = "\0" x 4096;
        my $length = syscall($get, $path, $name, $value, 4096);
        print "xattr $path $name ", unpack("H*", substr($value, 0, $length < 0 ? 0 : $length)), "\n";
    }' $found/paths
rm -r $found
found=$(mktemp /run/manifest.XXXXXX)
# On a busy machine the bus may not answer at once.
say() { for _ in 1 2 3 4 5; do systemctl --no-legend --no-pager "$@" >$found && return; sleep 2; done; echo "failed: $*" >$found; }
dpkg-query -W -f 'package ${Package} ${Version} ${Status}\n'
find /run -maxdepth 2 -path '/run/haengine*' ! -path /run/haengine.lock -printf 'run %p %y %m\n'
# Whether a unit is enabled is a link among the paths above; until the next boot it is one here.
find /run/systemd/system -printf 'run %p %y %m %l\n' 2>/dev/null
say list-units --all --plain --type=service,socket,timer,mount
while read -r unit load active sub rest; do
    case $unit-$active in user*@* | session* | *-inactive | run-user-* | run-credentials-*) ;; *) echo "unit $unit $active $sub" ;; esac
done <$found
rm $found
"#;
