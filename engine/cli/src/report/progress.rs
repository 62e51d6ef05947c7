//! What is under way, drawn live below the lines.

use std::time::{Duration, Instant};

use haengine_kernel::event::Change;
use haengine_kernel::harmless::{harmless, one_line};
use indicatif::{ProgressBar, ProgressStyle};

use crate::report::Screen;
use crate::report::lines::bytes;

/// A run that is over sooner is never drawn, and no frame follows another sooner.
const FRAME: Duration = Duration::from_millis(100);

/// So many changes are named; the others are counted.
const ROWS: usize = 8;

/// What is under way.
pub struct Progress {
    screen: Screen,
    /// One for each line on the screen.
    bars: Vec<ProgressBar>,
    steps: Vec<(String, Instant)>,
    waiting: Option<(String, Instant)>,
    running: Vec<Running>,
    drawn: Instant,
}

struct Running {
    host: String,
    op: String,
    target: String,
    since: Instant,
    copied: Option<Copied>,
    /// The last line that its command printed.
    line: Option<String>,
}

#[derive(Clone, Copy)]
struct Copied {
    since: Instant,
    done: u64,
    total: Option<u64>,
}

impl Progress {
    /// Nothing under way yet.
    pub fn new(screen: Screen) -> Progress {
        let (bars, steps, running) = (Vec::new(), Vec::new(), Vec::new());
        Progress { screen, bars, steps, waiting: None, running, drawn: Instant::now() }
    }

    /// A step begins.
    pub fn begin_step(&mut self, step: String) {
        self.waiting = None;
        self.steps.push((step, Instant::now()));
    }

    /// A step has ended.
    pub fn end_step(&mut self, step: &str) {
        self.waiting = None;
        self.steps.retain(|(name, _)| name != step);
    }

    /// A change begins.
    pub fn begin(&mut self, host: String, op: String, target: String) {
        self.waiting = None;
        self.running.push(Running { host, op, target, since: Instant::now(), copied: None, line: None });
    }

    /// A change has ended.
    pub fn end(&mut self, change: &Change) {
        self.running.retain(|running| {
            (&running.host, &running.op, &running.target) != (&change.host, &change.op, &change.target)
        });
    }

    /// A copy goes on.
    pub fn copied(&mut self, host: &str, target: &str, done: u64, total: Option<u64>) {
        let exact = |running: &&mut Running| running.host == host && running.target == target;
        if let Some(running) = self.running.iter_mut().find(exact) {
            let since = running.copied.map_or_else(Instant::now, |copied| copied.since);
            running.copied = Some(Copied { since, done, total });
        }
    }

    /// A command printed a line.
    pub fn printed(&mut self, host: &str, line: &str) {
        if let Some(running) = self.running.iter_mut().find(|running| running.host == host) {
            running.line = Some(one_line(line));
        }
    }

    /// Something is waited for.
    pub fn wait(&mut self, what: String) {
        self.waiting = Some((what, Instant::now()));
    }

    /// When the next frame is due.
    pub fn due(&self) -> Option<Instant> {
        let live = self.screen.progress().is_some() && !(self.is_idle() && self.bars.is_empty());
        live.then_some(self.drawn + FRAME)
    }

    /// Draws a frame if it is due.
    pub fn draw(&mut self) {
        let now = Instant::now();
        if now < self.drawn + FRAME {
            return;
        }
        let Some(progress) = self.screen.progress().cloned() else { return };
        self.drawn = now;
        let rows = self.rows(now);
        while self.bars.len() > rows.len() {
            if let Some(bar) = self.bars.pop() {
                progress.remove(&bar);
            }
        }
        while self.bars.len() < rows.len() {
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            self.bars.push(progress.add(ProgressBar::new_spinner().with_style(style)));
        }
        for (bar, row) in self.bars.iter().zip(rows) {
            // A line that reads as before is not drawn again: most frames cost nothing.
            if bar.message() != row {
                bar.set_message(row);
                bar.tick();
            }
        }
    }

    /// Takes everything off the screen.
    pub fn clear(&mut self) {
        (self.steps, self.running, self.waiting) = (Vec::new(), Vec::new(), None);
        if let Some(progress) = self.screen.progress() {
            self.bars.drain(..).for_each(|bar| progress.remove(&bar));
            // A terminal that has gone needs no cleaning.
            let _ = progress.clear();
        }
    }

    fn is_idle(&self) -> bool {
        self.steps.is_empty() && self.running.is_empty() && self.waiting.is_none()
    }

    fn rows(&self, now: Instant) -> Vec<String> {
        let elapsed = |since: Instant| whole_seconds(now.duration_since(since));
        let mut rows = Vec::new();
        if let Some((step, since)) = self.steps.last() {
            let waiting = self
                .waiting
                .as_ref()
                .map(|(what, since)| format!(", waiting {} for {}", elapsed(*since), one_line(what)));
            rows.push(format!("▸ {} ({}){}", one_line(step), elapsed(*since), waiting.unwrap_or_default()));
        } else if let Some((what, since)) = &self.waiting {
            rows.push(format!("▸ waiting {} for {}", elapsed(*since), one_line(what)));
        }
        for running in self.running.iter().take(ROWS) {
            rows.push(format!("  {}", running.row(now, &elapsed(running.since))));
        }
        if self.running.len() > ROWS {
            rows.push(format!("  and {} more", self.running.len() - ROWS));
        }
        // The way to the terminal leads past [`Out`](crate::report::Out) here.
        rows.iter().map(|row| harmless(row).replace('\n', " ")).collect()
    }
}

/// A time that changes once a second: `7 s`, `3 min 5 s`.
fn whole_seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

impl Running {
    fn row(&self, now: Instant, elapsed: &str) -> String {
        let what = format!("{}: {} {} ({elapsed})", self.host, self.op, one_line(&self.target));
        match (&self.copied, &self.line) {
            (Some(copied), _) => format!("{what}, {}", copied.row(now)),
            (None, Some(line)) => format!("{what} │ {line}"),
            (None, None) => what,
        }
    }
}

impl Copied {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rate")]
    fn row(&self, now: Instant) -> String {
        let time = now.duration_since(self.since).as_secs_f64().max(0.1);
        let rate = bytes((self.done as f64 / time) as u64);
        match self.total {
            Some(total) => format!("{} of {}, {rate}/s", bytes(self.done), bytes(total)),
            None => format!("{}, {rate}/s", bytes(self.done)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_step_host_time_and_bytes() {
        let mut progress = Progress::new(Screen::still());
        progress.begin_step("copy the tree".into());
        progress.begin("m1".into(), "file.copy_tree".into(), "/opt".into());
        progress.begin("m2".into(), "ssh.run".into(), "apt-get update".into());
        progress.copied("m1", "/opt", 1024, Some(4096));
        progress.printed("m2", "Get:1 stable\n");
        let row = |rows: Vec<String>| rows.join("\n");
        let now = progress.running[0].copied.unwrap().since + Duration::from_secs(2);
        insta::assert_snapshot!(row(progress.rows(now)), @"
        ▸ copy the tree (2 s)
          m1: file.copy_tree /opt (2 s), 1.00 KiB of 4.00 KiB, 512 B/s
          m2: ssh.run apt-get update (2 s) │ Get:1 stable
        ");
        assert_eq!(progress.due(), None, "a screen that is not live needs no frames");
    }

    #[test]
    fn many_hosts_are_counted() {
        let mut progress = Progress::new(Screen::still());
        for number in 0..40 {
            progress.begin(format!("m{number}"), "file.put".into(), "/x".into());
        }
        assert_eq!(progress.rows(Instant::now()).last().map(String::as_str), Some("  and 32 more"));
        progress.clear();
        assert!(progress.rows(Instant::now()).is_empty());
    }
}
