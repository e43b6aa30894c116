//! The space of a file system.

use std::path::Path;

/// Its free and its whole space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes available to us.
    pub free: u64,
    pub size: u64,
}

impl Disk {
    /// The file system that contains `place`; `None` if it cannot be determined.
    pub fn of(place: &Path) -> Option<Self> {
        let it = rustix::fs::statvfs(place).ok()?;
        Some(Self { free: it.f_bavail.saturating_mul(it.f_frsize), size: it.f_blocks.saturating_mul(it.f_frsize) })
    }

    /// Rounded down; 100 if the file system reports no size.
    pub fn free_percent(&self) -> u64 {
        match self.size {
            0 => 100,
            size => u64::try_from(u128::from(self.free) * 100 / u128::from(size)).unwrap_or(100),
        }
    }

    pub(super) fn free_in_words(&self) -> String {
        match self.free / 1_000_000 {
            0..1000 => format!("{} MB", self.free / 1_000_000),
            _ => format!("{} GB", self.free / 1_000_000_000),
        }
    }
}
