//! Which source file imports which: `use` trees, grouped ones included, and paths within code, followed through re-exports.

use super::sources;
use std::collections::{BTreeMap, BTreeSet};

/// A module by its path from the root of the crate, such as `["store", "rows"]`.
type Path = Vec<String>;

pub(super) struct Imports {
    /// The files that each file imports.
    pub of: BTreeMap<String, BTreeSet<String>>,
}

impl Imports {
    pub(super) fn read() -> Self {
        let files: BTreeMap<Path, (String, String)> = sources()
            .into_iter()
            .filter(|(file, _)| file != "main.rs" && file != "lib.rs" && !file.ends_with("_tests.rs"))
            .map(|(file, code)| (module(&file), (file, without_tests(&code))))
            .collect();
        let exports: BTreeMap<&Path, Vec<Path>> =
            files.iter().map(|(path, (_, code))| (path, exported(path, code))).collect();
        let resolve = |wanted: &[String]| -> Option<String> {
            let mut wanted = wanted.to_vec();
            // A re-export leads to the module that has the item; no chain in this source is longer.
            for _ in 0..4 {
                let known = (1..=wanted.len()).rev().find(|n| files.contains_key(&wanted[..*n]))?;
                let (owner, rest) = (wanted[..known].to_vec(), wanted[known..].to_vec());
                let onward = rest
                    .first()
                    .and_then(|name| exports[&owner].iter().find(|export| export.last() == Some(name)).cloned());
                match onward {
                    Some(onward) if onward != wanted => wanted = [onward, rest[1..].to_vec()].concat(),
                    _ => return Some(files[&owner].0.clone()),
                }
            }
            None
        };
        let of = files.iter().map(|(path, (file, code))| {
            let found = imported(path, code).iter().filter_map(|it| resolve(it)).filter(|it| it != file).collect();
            (file.clone(), found)
        });
        Self { of: of.collect() }
    }

    /// Files that import each other, directly or by way of others: each ring once, sorted.
    pub(super) fn rings(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.of.keys().map(|file| (&**file, self.reached(file))).collect();
        let mut rings = BTreeSet::new();
        for (file, from_here) in reached.iter().filter(|(file, from_here)| from_here.contains(*file)) {
            rings.insert(from_here.iter().copied().filter(|other| reached[other].contains(file)).collect::<Vec<_>>());
        }
        rings.into_iter().collect()
    }

    fn reached(&self, file: &str) -> BTreeSet<&str> {
        let (mut found, mut next) = (BTreeSet::new(), vec![file]);
        while let Some(file) = next.pop() {
            for other in self.of.get(file).into_iter().flatten() {
                if found.insert(&**other) {
                    next.push(other);
                }
            }
        }
        found
    }
}

fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// Unit tests may import anything.
fn without_tests(code: &str) -> String {
    code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// Everything that is named by a path from the root, from this module or from the one above.
pub(super) fn imported(module: &[String], code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                expand(&code[at..], &[], &mut found);
            }
        }
    }
    found.into_iter().filter_map(|path| absolute(module, &path)).collect()
}

/// What a module passes on from others: `pub use`, with the path from the root.
fn exported(module: &[String], code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for line in code.match_indices("pub").map(|(at, _)| &code[at + 3..]) {
        let line = line.strip_prefix("(crate)").or(line.strip_prefix("(super)")).unwrap_or(line);
        let Some(tree) = line.strip_prefix(" use ") else { continue };
        expand(tree, &[], &mut found);
    }
    found.into_iter().filter_map(|path| absolute(module, &path)).collect()
}

fn absolute(module: &[String], path: &[String]) -> Option<Path> {
    let path = path.iter().map(String::as_str).collect::<Vec<_>>();
    let base = |up: usize| module[..module.len() - up].to_vec();
    let rest = |from: usize| path[from..].iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    match path.as_slice() {
        ["crate", ..] => Some(rest(1)),
        ["super", "super", ..] if module.len() > 1 => Some([base(2), rest(2)].concat()),
        ["super", ..] => Some([base(1), rest(1)].concat()),
        ["self", ..] => Some([base(0), rest(1)].concat()),
        _ => Some([base(0), rest(0)].concat()),
    }
}

/// The paths of a tree such as `crate::{a::B, c::{self, D as E}}`; returns what follows it.
fn expand<'a>(text: &'a str, before: &[String], found: &mut Vec<Path>) -> &'a str {
    let mut path = before.to_vec();
    let mut text = text.trim_start();
    loop {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        if !text[..end].is_empty() && &text[..end] != "self" || path.is_empty() {
            path.push(text[..end].to_owned());
        }
        text = &text[end..];
        let Some(after) = text.strip_prefix("::") else { break };
        text = after.trim_start();
        if let Some(mut group) = text.strip_prefix('{') {
            loop {
                group = expand(group, &path, found).trim_start();
                match group.strip_prefix(',') {
                    Some(more) if !more.trim_start().starts_with('}') => group = more,
                    _ => return group.trim_start_matches(',').trim_start().trim_start_matches('}'),
                }
            }
        }
        if text.starts_with(|c: char| !c.is_alphanumeric() && c != '_') {
            break;
        }
    }
    found.push(path);
    let text = text.trim_start();
    match text.strip_prefix("as ") {
        Some(alias) => alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => text,
    }
}

#[test]
fn grouped_imports_are_seen() {
    let module = ["a".to_owned(), "b".to_owned()];
    let paths = |code: &str| imported(&module, code).iter().map(|path| path.join("/")).collect::<Vec<_>>();
    assert_eq!(
        paths("use crate::{clock::Clock, domain::{delivery::{self, Claim as C}, Timestamp,}, store};\nfn x() {}"),
        ["clock/Clock", "domain/delivery", "domain/delivery/Claim", "domain/Timestamp", "store"]
    );
    assert_eq!(paths("use super::{c::D, E};"), ["a/c/D", "a/E"]);
    assert_eq!(paths("let x = crate::store::open(1);"), ["store/open"]);
}
