//! What the process has used.

/// CPU time and memory of this process so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resources {
    /// Seconds of user and system time over all threads.
    pub(crate) cpu_seconds: f64,
    /// The most memory that was resident at once.
    pub(crate) peak_rss_bytes: u64,
}

impl Resources {
    /// As the operating system accounts for them; zero where it does not tell.
    #[cfg(unix)]
    pub(crate) fn of_process() -> Self {
        use nix::sys::resource::{UsageWho, getrusage};
        let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
            return Self::default();
        };
        #[expect(clippy::cast_precision_loss, reason = "seconds of a process")]
        let seconds = |time: nix::sys::time::TimeVal| {
            time.tv_sec() as f64 + time.tv_usec() as f64 / 1_000_000.0
        };
        // Linux counts in KiB, macOS in bytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        Self {
            cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
            peak_rss_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * unit,
        }
    }

    /// As the operating system accounts for them; zero where it does not tell.
    #[cfg(not(unix))]
    pub(crate) fn of_process() -> Self {
        Self::default()
    }
}
