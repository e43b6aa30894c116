//! Measurements of the machine and of this process, from Linux's `/proc`.

use crate::clock::Clock;
use anyhow::Context;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ticks of `/proc/self/stat` a second: fixed on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// A temporary folder, removed at the end.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("semainier-bench-{}", uuid::Uuid::now_v7().simple()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Flushes of 4 kB a second in this folder.
pub(super) fn fsyncs_per_s(folder: &Path) -> anyhow::Result<f64> {
    const FLUSHES: u32 = 200;
    let mut file = fs::File::create(folder.join("probe"))?;
    let begun = Clock::monotonic();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(f64::from(FLUSHES) / begun.elapsed().as_secs_f64())
}

/// User and system time of all threads so far.
pub(super) fn cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("this bench needs Linux's /proc")?;
    // After the name in brackets, which may contain anything; the fields are the 14th and 15th of all.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).context("/proc/self/stat")?;
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// Resets the peak, if the kernel allows it.
pub(super) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

pub(super) fn peak_rss_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kb.unwrap_or_default() / 1024.0
}
