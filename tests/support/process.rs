//! A started process: its exit status and output, with a time limit.

use serde_json::Value;
use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

/// No command here takes longer on a busy machine; one that does hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended, and what it said.
#[derive(Debug, Clone)]
pub struct Done {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Fails with all that was said when the exit code is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "signal {:?}\n{}", self.signal, self.said());
        self
    }

    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn expect_said(self, parts: &[&str]) -> Self {
        let said = self.said().replace('\u{a0}', " ");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}: {}", self.said()))
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Waits for its end, and ends it when it hangs.
pub fn finish(child: Child, args: &[&str]) -> Done {
    let (id, (ended, watched)) = (child.id(), mpsc::channel::<()>());
    let watchdog = std::thread::spawn(move || match watched.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            signal(id, "KILL");
            true
        }
        _ => false,
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    let done = Done::from(output);
    assert!(!watchdog.join().unwrap(), "semainier {args:?} hangs:\n{}", done.said());
    done
}

/// `TERM`, `KILL`, …
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(sent.success(), "no process {process} to send {name} to");
}

/// Waits until it is so. What is waited for is another process: there is nothing to be told by.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    // Three minutes: on a loaded machine ten thousand files take more than one.
    for _ in 0..36_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain: {what}");
}

/// Whether a tool of the machine is there; those we cannot do without are installed by `scripts/test`.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|dir: PathBuf| dir.join(name)).find(|path: &PathBuf| Path::exists(path))
}

/// xorshift64: chance that is the same each time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}
