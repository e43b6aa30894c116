//! A visitor with a real browser.

use std::io::Write;
use std::process::{Command, Stdio};

/// What `tests/pages/visit.mjs` prints.
pub fn visit(task: &str, host: &str, args: &[&str]) -> String {
    node("visit.mjs", &[&[task, &format!("http://{host}")], args].concat(), "")
}

/// What a script of `tests/pages` prints; `input`: its standard input.
pub fn node(script: &str, args: &[&str], input: &str) -> String {
    let mut command = Command::new("node");
    command.arg(format!("{}/tests/pages/{script}", env!("CARGO_MANIFEST_DIR"))).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("node: {why}; scripts/test installs it"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_ne!(done.status.code(), Some(3), "{said}");
    assert!(done.status.success(), "{said}{out}");
    out.into_owned()
}
