//! Progress on standard error: bar, rate and time left; silent where nobody watches.

use std::io::{Read, Seek, SeekFrom};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use renkei_linkage::{Stage, Watcher};

use crate::environment::Environment;

/// A bar for one stage of work, shown once the work has taken a moment.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts bytes of a file.
    pub(crate) fn bytes(
        environment: &Environment,
        english: &str,
        japanese: &str,
        total: u64,
    ) -> Self {
        let style = "{msg:20} {bar:32} {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12}  {eta:>4}";
        Self::new(environment, environment.say(english, japanese), total, style)
    }

    /// Counts lines.
    pub(crate) fn lines(
        environment: &Environment,
        english: &str,
        japanese: &str,
        total: u64,
    ) -> Self {
        let style = "{msg:20} {bar:32} {human_pos:>10}/{human_len:10} {per_sec:>12}  {eta:>4}";
        Self::new(environment, environment.say(english, japanese), total, style)
    }

    fn new(environment: &Environment, message: &str, total: u64, style: &str) -> Self {
        let target = if environment.terminal {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        Self { bar }
    }

    pub(crate) fn set(&self, position: u64) {
        self.bar.set_position(position);
    }

    pub(crate) fn handle(&self) -> ProgressBar {
        self.bar.clone()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A file whose reading moves a bar.
#[derive(Debug)]
pub(crate) struct WatchedFile {
    pub(crate) file: std::fs::File,
    pub(crate) bar: ProgressBar,
}

impl Read for WatchedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}

impl Seek for WatchedFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = self.file.seek(to)?;
        self.bar.set_position(position);
        Ok(position)
    }
}

/// Shows the stages of a linkage job.
#[derive(Debug)]
pub(crate) struct JobProgress<'a> {
    environment: &'a Environment,
    current: std::sync::Mutex<Option<Progress>>,
}

impl<'a> JobProgress<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self { environment, current: std::sync::Mutex::new(None) }
    }
}

impl Watcher for JobProgress<'_> {
    fn stage(&self, stage: Stage, lines: usize) {
        let (english, japanese) = match stage {
            Stage::Index => ("indexing", "索引作成"),
            Stage::Compare => ("comparing", "照合"),
            Stage::Train => ("training", "学習"),
            Stage::Assign => ("assigning", "割当"),
        };
        let progress = Progress::lines(self.environment, english, japanese, lines as u64);
        if let Ok(mut current) = self.current.lock() {
            *current = Some(progress);
        }
    }

    fn done(&self, lines: usize) {
        if let Ok(current) = self.current.lock()
            && let Some(progress) = current.as_ref()
        {
            progress.bar.inc(lines as u64);
        }
    }
}
