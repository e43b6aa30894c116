//! `semainier serve` as a separate process whose log a test can read.

use semainier::clock::Clock;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

/// Nothing here takes longer on a busy machine; what does hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Serve {
    child: Child,
    lines: Receiver<String>,
    /// Everything heard so far.
    pub log: Vec<String>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// `None`: by a signal.
    pub code: Option<i32>,
    pub log: Vec<String>,
}

impl Ended {
    pub fn said(&self, words: &str) -> bool {
        self.log.iter().any(|line| line.contains(words))
    }
}

/// The program with this configuration, in a clean environment.
pub fn semainier(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semainier"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).arg("--config").arg(config);
    command
}

/// A command that ends by itself.
pub fn run(config: &Path, args: &[&str]) -> Output {
    semainier(config).args(args).output().unwrap()
}

impl Serve {
    pub fn start(config: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = semainier(config);
        command.arg("serve").envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// A command that is not started yet.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self { child, lines, log: Vec::new() }
    }

    /// Waits for a line with these words, from here on.
    pub fn hear(&mut self, words: &str) -> String {
        let end = Clock::monotonic() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Clock::monotonic())) {
                Ok(line) => {
                    self.log.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(why) => panic!("{why}: {words:?} was not said in\n{}", self.log.join("\n")),
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let end = Clock::monotonic() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Clock::monotonic())) {
                Ok(line) => self.log.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.log.join("\n")),
            }
        }
        let code = self.child.wait().unwrap().code();
        Ended { code, log: std::mem::take(&mut self.log) }
    }

    pub fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
