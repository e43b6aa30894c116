//! The wall clock of a process, moved by libfaketime. Timers and timeouts run at normal speed; decisions by the wall clock
//! follow the test.

use super::serve::Serve;
use chrono::Utc;
use semainier::{clock::Clock, domain::Timestamp};
use std::path::{Path, PathBuf};

pub struct Sky {
    file: PathBuf,
    library: PathBuf,
}

impl Sky {
    pub fn at(dir: &Path, hour: Timestamp) -> Self {
        let sky = Self { file: dir.join("sky"), library: library() };
        sky.set(hour);
        sky
    }

    /// From now on it is this hour, back or forth, and time goes on.
    pub fn set(&self, hour: Timestamp) {
        let ahead: chrono::TimeDelta = hour - Clock::System.now().with_timezone(&Utc);
        let unfinished = self.file.with_extension("new");
        std::fs::write(&unfinished, format!("{:+}", ahead.num_seconds())).unwrap();
        // Never half a file: it is read at every look on the clock.
        std::fs::rename(unfinished, &self.file).unwrap();
    }

    /// What makes a process live under this sky, on a machine at the other end of the world.
    pub fn environment(&self) -> [(&str, &str); 7] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
            ("TZ", "Pacific/Auckland"),
            ("SEMAINIER_CLOCK_IS_MOVED", "1"),
        ]
    }

    /// The daemon under this sky.
    pub fn serve(&self, config: &Path) -> Serve {
        Serve::start(config, &self.environment())
    }
}

/// Where Debian puts it, whatever the machine's kind.
fn library() -> PathBuf {
    let kinds = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|it| it.path());
    let places = kinds.chain([PathBuf::from("/usr/local/lib")]).map(|it| it.join("faketime/libfaketimeMT.so.1"));
    places.into_iter().find(|it| it.exists()).expect("libfaketime: install the package faketime")
}
