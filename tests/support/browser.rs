//! A visitor with a real browser.

use std::process::{Command, Stdio};

/// What `tests/pages/visit.mjs` prints.
pub fn visit(task: &str, host: &str, args: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/visit.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(task).arg(format!("http://{host}")).args(args).stdin(Stdio::null());
    let done = command.output().unwrap_or_else(|why| panic!("node: {why}; scripts/test installs it"));
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_ne!(done.status.code(), Some(3), "{said}");
    assert!(done.status.success(), "{said}{out}");
    out.into_owned()
}
