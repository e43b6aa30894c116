//! Simulates a full or broken disk below the ledger of one process: `disk.c`, preloaded.

use super::house::House;
use std::{path::PathBuf, process::Command, sync::OnceLock};

/// The calls that fail, and how.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// ENOSPC at every write.
    Full,
    /// EIO at every flush.
    Broken,
    /// kill -9 at the nth write or flush.
    Kills(u32),
}

/// Of one house; healthy at first.
pub struct Disk {
    orders: PathBuf,
}

impl Disk {
    /// The house, whose programs from now on have this disk.
    pub fn under(house: House) -> (House, Self) {
        let disk = Self { orders: house.path("disk-fault") };
        let orders = disk.orders.display().to_string();
        (house.env("LD_PRELOAD", &library().display().to_string()).env("DISK_FAULT", &orders), disk)
    }

    pub fn fails(&self, fault: Fault) {
        let order = match fault {
            Fault::Full => "write 28 1".to_owned(),
            Fault::Broken => "sync 5 1".to_owned(),
            Fault::Kills(nth) => format!("both -9 {nth}"),
        };
        // Whole or not at all: the program may read it at any moment.
        let unfinished = self.orders.with_extension("new");
        std::fs::write(&unfinished, order).unwrap();
        std::fs::rename(unfinished, &self.orders).unwrap();
    }

    pub fn is_well(&self) {
        std::fs::remove_file(&self.orders).unwrap();
    }
}

/// Built once, by the C compiler that builds SQLite for us too.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let build = || {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/disk.c");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output();
        let built = built.expect("a C compiler: cc");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        (dir, library)
    };
    &LIBRARY.get_or_init(build).1
}
