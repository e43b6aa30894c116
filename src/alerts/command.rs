//! Runs the operator's program: JSON on standard input, no shell, none of our settings in its environment, a time limit.

use super::NotDelivered;
use crate::domain::email::mask_addresses;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process;

/// Bytes of its standard error that are reported.
const KEPT: u64 = 500;

pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

impl Command {
    /// `None` if no program is configured.
    pub(super) fn new(command: &[String], timeout: Duration) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        Some(Self { program: program.clone(), arguments: arguments.to_vec(), timeout })
    }

    /// Delivered if it exits with 0. It is killed at the time limit.
    pub(super) async fn run(&self, payload: &str) -> Result<(), NotDelivered> {
        match tokio::time::timeout(self.timeout, self.run_to_its_end(payload)).await {
            Ok(ended) => ended,
            Err(_) => Err(NotDelivered(format!("{} did not end within {} s", self.program, self.timeout.as_secs()))),
        }
    }

    async fn run_to_its_end(&self, payload: &str) -> Result<(), NotDelivered> {
        let failed = |why: std::io::Error| NotDelivered(format!("{}: {why}", self.program));
        let mut command = process::Command::new(&self.program);
        command.args(&self.arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // The environment may contain our secrets.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SEMAINIER")) {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(failed)?;
        let (mut stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let input = async {
            if let Some(stdin) = &mut stdin {
                // The program need not read its input.
                let _ = stdin.write_all(payload.as_bytes()).await;
                let _ = stdin.write_all(b"\n").await;
            }
            drop(stdin);
        };
        let heard = async {
            let mut words = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = (&mut stderr).take(KEPT).read_to_end(&mut words).await;
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
            String::from_utf8_lossy(&words).trim().replace(['\r', '\n'], " ")
        };
        let ((), words, status) = tokio::join!(input, heard, child.wait());
        match status.map_err(failed)? {
            status if status.success() => Ok(()),
            status => Err(NotDelivered(format!("{}: {status}: {}", self.program, mask_addresses(&words)))),
        }
    }
}
