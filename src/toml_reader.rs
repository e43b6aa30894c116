//! Reads a TOML file key by key, and reports every problem at once with file, line, key and what was expected.
//!
//! A value may come from the environment instead (`SEMAINIER__OFFICE__NAME` for `office.name`), which wins over the file.
//! Values are never printed, since they may be secret.

use crate::domain::characters;
use chrono::TimeDelta;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One problem, for the person who wrote the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `semainier.toml:12` or `environment`
    pub place: String,
    /// `office.name`, or the variable's name; empty for the file as a whole.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.place, self.message),
            key => write!(f, "{}: {key}: {}", self.place, self.message),
        }
    }
}

/// A flat file of texts by key, such as a dictionary: `home_title = "Ce soir"`.
///
/// # Errors
/// If it is not TOML, or a value is not a text.
pub fn flat(text: &str) -> Result<BTreeMap<String, String>, String> {
    toml::from_str(text).map_err(|why| why.to_string())
}

/// All problems of the files of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines())]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    fn lines(&self) -> String {
        self.0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// Our environment variables, by their key in lower case: `office.name`.
#[derive(Debug, Clone, Default)]
pub struct Overrides(BTreeMap<String, String>);

const PREFIX: &str = "SEMAINIER__";

impl Overrides {
    pub fn from_env(vars: impl Iterator<Item = (String, String)>) -> Self {
        let ours = vars.filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?;
            Some((key.to_ascii_lowercase().replace("__", "."), value))
        });
        Self(ours.collect())
    }

    fn variable(key: &str) -> String {
        format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
    }
}

/// A raw value: from the file, or text from the environment.
pub enum Raw<'a> {
    File(&'a DeValue<'a>),
    Env(&'a str),
}

impl Raw<'_> {
    pub fn text(&self) -> Result<String, String> {
        match self {
            Raw::Env(text) => Ok((*text).to_owned()),
            Raw::File(value) => value.as_str().map(str::to_owned).ok_or_else(|| expected("text in quotes", value)),
        }
    }

    /// Text on one line, of characters that can be shown: a name, a title, whatever may become a mail's header.
    pub fn line(&self) -> Result<String, String> {
        fit(self.text()?, true)
    }

    /// The same of several lines.
    pub fn prose(&self) -> Result<String, String> {
        fit(self.text()?, false)
    }

    pub fn whole(&self) -> Result<i64, String> {
        let text = match self {
            Raw::Env(text) => (*text).to_owned(),
            Raw::File(DeValue::Integer(number)) => number.as_str().to_owned(),
            Raw::File(value) => return Err(expected("a whole number", value)),
        };
        text.parse().map_err(|_| "expected a whole number".to_owned())
    }

    pub fn truth(&self) -> Result<bool, String> {
        match self {
            Raw::Env("true") | Raw::File(DeValue::Boolean(true)) => Ok(true),
            Raw::Env("false") | Raw::File(DeValue::Boolean(false)) => Ok(false),
            Raw::Env(_) => Err("expected true or false".to_owned()),
            Raw::File(value) => Err(expected("true or false", value)),
        }
    }

    /// From the environment: separated by commas.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        match self {
            Raw::Env(text) => Ok(text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()),
            Raw::File(DeValue::Array(values)) => values
                .iter()
                .map(|v| {
                    v.get_ref().as_str().map(str::to_owned).ok_or_else(|| expected("texts in quotes", v.get_ref()))
                })
                .collect(),
            Raw::File(value) => Err(expected("a list of texts, [\"…\", \"…\"]", value)),
        }
    }
}

fn fit(text: String, single_line: bool) -> Result<String, String> {
    let Some(found) = characters::unfit(&text, single_line) else { return Ok(text) };
    let code = u32::from(found);
    Err(match found {
        '\n' | '\r' => "expected text on one line, found a line break in it".to_owned(),
        '\t' => "expected text on one line, found a tab in it".to_owned(),
        _ => format!("found the character U+{code:04X}, which is not shown or changes how the others are; take it out"),
    })
}

fn expected(what: &str, found: &DeValue) -> String {
    format!("expected {what}, found {}", found.type_str())
}

/// A table being read. Ask for keys, then call [`Section::finish`]; problems are collected.
pub struct Section<'a> {
    file: &'a File<'a>,
    path: String,
    table: Option<&'a DeTable<'a>>,
    asked: RefCell<BTreeSet<String>>,
}

/// A parsed file, or only the environment.
pub struct File<'a> {
    name: String,
    text: &'a str,
    root: Option<Spanned<DeTable<'a>>>,
    overrides: &'a Overrides,
    problems: Rc<RefCell<Vec<Problem>>>,
}

impl<'a> File<'a> {
    /// `name` is shown with problems. A text that is not TOML is one problem, and reads as empty.
    pub fn parse(name: impl Into<String>, text: &'a str, overrides: &'a Overrides) -> Self {
        let name = name.into();
        let problems = Rc::new(RefCell::new(Vec::new()));
        let root = match DeTable::parse(text) {
            Ok(table) => Some(table),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                problems.borrow_mut().push(Problem {
                    place: format!("{name}:{line}"),
                    key: String::new(),
                    message: format!("not TOML: {}", error.message()),
                });
                None
            }
        };
        Self { name, text, root, overrides, problems }
    }

    pub fn root(&'a self) -> Section<'a> {
        let table = self.root.as_ref().map(Spanned::get_ref);
        Section { file: self, path: String::new(), table, asked: RefCell::default() }
    }

    /// The problems, in the order of the lines.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.borrow().clone()
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

impl<'a> Section<'a> {
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn find(&self, key: &str) -> Option<(&'a Spanned<DeValue<'a>>, usize)> {
        let (name, value) = self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some((value, line_of(self.file.text, name.span().start)))
    }

    /// Where a key is: the file with its line, or `environment`.
    pub fn place(&self, key: &str) -> String {
        let path = self.path_of(key);
        let below = format!("{path}.");
        let overridden = self.file.overrides.0.contains_key(&path);
        match self.find(key) {
            Some((_, line)) if !overridden => format!("{}:{line}", self.file.name),
            None if !overridden && !self.file.overrides.0.keys().any(|k| k.starts_with(&below)) => {
                self.file.name.clone()
            }
            _ => "environment".to_owned(),
        }
    }

    /// Records a problem of this key, at its line if it has one.
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        let (path, place) = (self.path_of(key), self.place(key));
        // If the file could not be parsed, further problems would be misleading.
        if self.file.root.is_none() && place == self.file.name {
            return;
        }
        let key = if place == "environment" { Overrides::variable(&path) } else { path };
        self.file.problems.borrow_mut().push(Problem { place, key, message: message.into() });
    }

    /// Problems of another file that this one names.
    pub fn gather(&self, problems: Problems) {
        self.file.problems.borrow_mut().extend(problems.0);
    }

    /// The value of a key, if it is present and valid.
    pub fn value<T>(&self, key: &str, parse: impl FnOnce(Raw<'_>) -> Result<T, String>) -> Option<T> {
        self.asked.borrow_mut().insert(key.to_owned());
        let path = self.path_of(key);
        let raw = match self.file.overrides.0.get(&path) {
            Some(text) => Raw::Env(text),
            None => Raw::File(self.find(key)?.0.get_ref()),
        };
        parse(raw).map_err(|message| self.problem(key, message)).ok()
    }

    /// Like [`Self::value`], with a problem if it is missing. `example` says what to write.
    pub fn required<T>(&self, key: &str, example: &str, parse: impl FnOnce(Raw<'_>) -> Result<T, String>) -> Option<T> {
        if !self.has(key) {
            self.asked.borrow_mut().insert(key.to_owned());
            self.problem(key, format!("missing; write for example {key} = {example}"));
            return None;
        }
        self.value(key, parse)
    }

    pub fn has(&self, key: &str) -> bool {
        self.file.overrides.0.contains_key(&self.path_of(key)) || self.find(key).is_some()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.value(key, |raw| raw.text())
    }

    /// As [`Raw::line`].
    pub fn line(&self, key: &str) -> Option<String> {
        self.value(key, |raw| raw.line())
    }

    /// A list of them.
    pub fn lines(&self, key: &str) -> Option<Vec<String>> {
        self.value(key, |raw| raw.texts()?.into_iter().map(|text| fit(text, true)).collect())
    }

    /// A text that `parse` accepts; its error is shown.
    pub fn parsed<T, E: fmt::Display>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.value(key, |raw| parse(&raw.text()?).map_err(|why| why.to_string()))
    }

    /// A whole number within bounds.
    pub fn whole(&self, key: &str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.value(key, |raw| {
            let number = raw.whole()?;
            let (low, high) = (bounds.start(), bounds.end());
            bounds
                .contains(&number)
                .then_some(number)
                .ok_or_else(|| format!("expected {low} to {high}, found {number}"))
        })
    }

    pub fn truth(&self, key: &str) -> Option<bool> {
        self.value(key, |raw| raw.truth())
    }

    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        self.value(key, |raw| raw.texts())
    }

    /// `90s`, `15min`, `12h`, `3d`
    pub fn duration(&self, key: &str) -> Option<TimeDelta> {
        self.parsed(key, parse_duration)
    }

    /// A subtable; an empty one if it is missing.
    pub fn section(&self, key: &str) -> Section<'a> {
        self.asked.borrow_mut().insert(key.to_owned());
        let table = self.find(key).and_then(|(value, _)| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                self.problem(key, expected("a table", value.get_ref()));
            }
            table
        });
        Section { file: self.file, path: self.path_of(key), table, asked: RefCell::default() }
    }

    /// A list of tables, `[{ … }, { … }]`.
    pub fn sections(&self, key: &str) -> Vec<Section<'a>> {
        self.asked.borrow_mut().insert(key.to_owned());
        let Some((value, _)) = self.find(key) else { return Vec::new() };
        let Some(values) = value.get_ref().as_array() else {
            self.problem(key, expected("a list of tables, [{ … }]", value.get_ref()));
            return Vec::new();
        };
        let section = |(n, value): (usize, &'a Spanned<DeValue<'a>>)| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                self.problem(key, expected("a table, { … }", value.get_ref()));
            }
            let path = format!("{}[{n}]", self.path_of(key));
            table.map(|table| Section { file: self.file, path, table: Some(table), asked: RefCell::default() })
        };
        values.iter().enumerate().filter_map(section).collect()
    }

    /// Reports unknown keys, with the nearest known one. Environment variables are checked too.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        let in_file = self.table.into_iter().flat_map(|t| t.keys()).map(|name| name.get_ref().as_ref());
        let prefix = if self.path.is_empty() { String::new() } else { format!("{}.", self.path) };
        let in_env = self.file.overrides.0.keys().filter_map(|key| key.strip_prefix(&prefix)?.split('.').next());
        for key in in_file.chain(in_env).filter(|key| !asked.contains(*key)).collect::<BTreeSet<_>>() {
            let hint = match asked.iter().filter(|known| near(key, known)).min() {
                Some(known) => format!("unknown key; did you mean {known}?"),
                None => {
                    format!("unknown key; expected one of {}", asked.iter().cloned().collect::<Vec<_>>().join(", "))
                }
            };
            self.problem(key, hint);
        }
    }
}

/// At most two letters apart (Levenshtein).
fn near(a: &str, b: &str) -> bool {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()] <= 2
}

/// # Errors
/// If it is not a whole number with a unit.
pub fn parse_duration(text: &str) -> Result<TimeDelta, String> {
    let bad = || format!("expected a duration such as 90s, 15min, 12h or 3d, found {text:?}");
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let number: i64 = text[..unit].parse().map_err(|_| bad())?;
    let duration = match text[unit..].trim() {
        "s" => TimeDelta::try_seconds(number),
        "min" | "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        _ => None,
    };
    duration.filter(|d| *d <= TimeDelta::days(3650)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> Vec<String> {
        let overrides = Overrides::from_env(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let file = File::parse("a.toml", text, &overrides);
        let root = file.root();
        root.required("name", "\"x\"", |raw| raw.text());
        root.whole("size", 1..=5);
        root.duration("wait");
        let inner = root.section("inner");
        inner.truth("on");
        inner.finish();
        root.finish();
        file.problems().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_valid_file_has_no_problems() {
        assert_eq!(read("name = 'a'\nsize = 5\nwait = '12h'\n[inner]\non = true", &[]), [""; 0]);
    }

    #[test]
    fn all_problems_come_at_once_with_line_key_and_what_was_expected() {
        assert_eq!(
            read("size = 9\nwait = 'soon'\nsise = 1\n[inner]\non = 1", &[]),
            [
                "a.toml: name: missing; write for example name = \"x\"",
                "a.toml:1: size: expected 1 to 5, found 9",
                "a.toml:2: wait: expected a duration such as 90s, 15min, 12h or 3d, found \"soon\"",
                "a.toml:5: inner.on: expected true or false, found integer",
                "a.toml:3: sise: unknown key; did you mean size?",
            ]
        );
    }

    #[test]
    fn invalid_toml_is_reported_with_its_line() {
        let problems = read("name = 'a'\nsize = = 3\n", &[]);
        assert!(problems[0].starts_with("a.toml:2: not TOML: "), "{problems:?}");
    }

    #[test]
    fn the_environment_overrides_and_is_validated_too() {
        assert_eq!(
            read("name = 'a'\nsize = 9", &[("SEMAINIER__SIZE", "3"), ("SEMAINIER__INNER__ON", "true")]),
            [""; 0]
        );
        assert_eq!(
            read("name = 'a'", &[("SEMAINIER__SIZE", "many"), ("SEMAINIER__INER__ON", "true")]),
            [
                "environment: SEMAINIER__SIZE: expected a whole number",
                "environment: SEMAINIER__INER: unknown key; did you mean inner?",
            ]
        );
    }
}
