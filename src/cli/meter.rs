//! How far a long output is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Progress on standard error, if that is a terminal and it takes longer than a second.
pub(super) struct Meter {
    start: Instant,
    last: Instant,
    total: usize,
    shown: bool,
    on: bool,
}

impl Meter {
    pub(super) fn new(total: usize) -> Self {
        let now = Instant::now();
        Self { start: now, last: now, total, shown: false, on: io::stderr().is_terminal() }
    }

    pub(super) fn tick(&mut self, done: usize, rows: usize) {
        if !self.on {
            return;
        }
        let mut err = io::stderr();
        // Progress that cannot be shown is no reason to stop.
        if done == self.total {
            if self.shown {
                let _ = write!(err, "\r\x1b[K");
            }
            return;
        }
        let now = Instant::now();
        if now - self.start > Duration::from_secs(1) && now - self.last > Duration::from_millis(200) {
            self.last = now;
            self.shown = true;
            let _ = write!(err, "\r{done} of {} subjects, {rows} rows\x1b[K", self.total);
        }
    }
}
