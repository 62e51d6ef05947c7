//! What a program on a host sees at the paths that change, all along.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use haengine_tests::site::Site;

/// Opens each path over and over, and prints each content that it has not told yet: its size and the sum of its bytes.
/// What was read is read again only when the file is another one, or was written to.
const LOOK: &str = r#"
$| = 1;
my (%signs, %told);
while (1) {
    for my $path (@ARGV) {
        my $state = "absent";
        if (open(my $file, "<", $path)) {
            my @stat = stat($file);
            my $sign = "@stat[0, 1, 7, 9]";
            next if ($signs{$path} // "") eq $sign;
            my ($size, $sum) = (0, 0);
            while (my $count = sysread($file, my $bytes, 1 << 20)) {
                ($size, $sum) = ($size + $count, $sum + unpack("%32C*", $bytes));
            }
            $state = "$size:$sum";
            $signs{$path} = $sign if "@stat[0, 1, 7, 9]" eq join(" ", (stat($file))[0, 1, 7, 9]);
        } else {
            delete $signs{$path};
        }
        print "$path $state\n" unless $told{"$path $state"}++;
    }
    print "ready\n" unless $told{ready}++;
    select(undef, undef, undef, 0.002);
}"#;

/// What was seen at each path.
pub type Seen = BTreeMap<String, BTreeSet<String>>;

/// A program that looks at paths of a host until this is dropped.
pub struct Watch {
    child: Child,
    said: BufReader<ChildStdout>,
    seen: Seen,
}

impl Watch {
    /// Begins to look; what is there now has been seen.
    pub fn start(site: &Site, host: &str, paths: &[&str]) -> Watch {
        let words = [&["perl", "-e", LOOK], paths].concat();
        let mut command = site.lab.exec_command(host, &words).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut watch = Watch { said: BufReader::new(child.stdout.take().unwrap()), child, seen: Seen::new() };
        let mut line = String::new();
        while line != "ready\n" {
            watch.note(&line);
            line.clear();
            assert_ne!(watch.said.read_line(&mut line).unwrap(), 0, "the watcher on {host} has ended");
        }
        watch
    }

    /// What is at these paths now.
    pub fn once(site: &Site, host: &str, paths: &[&str]) -> Seen {
        Watch::start(site, host, paths).end()
    }

    /// All that was seen.
    pub fn end(mut self) -> Seen {
        let _ended_with_its_host = self.child.kill();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        rest.split_inclusive('\n').for_each(|line| self.note(line));
        std::mem::take(&mut self.seen)
    }

    /// A line that was cut off says nothing.
    fn note(&mut self, line: &str) {
        if let Some((path, state)) = line.strip_suffix('\n').and_then(|line| line.split_once(' ')) {
            self.seen.entry(path.to_owned()).or_default().insert(state.to_owned());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
