//! A program of the operator's: JSON on its standard input, no shell, no secret of ours in its environment, and an end.

use super::NotTaken;
use crate::domain::email::mask_addresses;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process;

/// Of what it says on standard error, for the log.
const KEPT: u64 = 500;

pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

impl Command {
    /// `None` where no program is named.
    pub(super) fn new(command: &[String], timeout: Duration) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        Some(Self { program: program.clone(), arguments: arguments.to_vec(), timeout })
    }

    /// Taken when it ends with 0. What is still running at the end of its time is killed.
    pub(super) async fn run(&self, payload: &str) -> Result<(), NotTaken> {
        match tokio::time::timeout(self.timeout, self.run_to_its_end(payload)).await {
            Ok(ended) => ended,
            Err(_) => Err(NotTaken(format!("{} did not end within {} s", self.program, self.timeout.as_secs()))),
        }
    }

    async fn run_to_its_end(&self, payload: &str) -> Result<(), NotTaken> {
        let failed = |why: std::io::Error| NotTaken(format!("{}: {why}", self.program));
        let mut command = process::Command::new(&self.program);
        command.args(&self.arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Settings may be in our environment, secrets among them.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SEMAINIER")) {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(failed)?;
        let (mut stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let told = async {
            if let Some(stdin) = &mut stdin {
                // One that reads nothing may have enough to go by.
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
        let ((), words, status) = tokio::join!(told, heard, child.wait());
        match status.map_err(failed)? {
            status if status.success() => Ok(()),
            status => Err(NotTaken(format!("{}: {status}: {}", self.program, mask_addresses(&words)))),
        }
    }
}
