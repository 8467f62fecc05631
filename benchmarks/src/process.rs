//! The broker as a process.

use anyhow::{Context as _, Result};

/// The memory that a process holds now.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let status = fs_err::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes * 1024)
}
