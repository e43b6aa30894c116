//! The walls of the house, read from its source: who may know whom, and where each library may be named.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file below `src`, as `compose/mime.rs`, without the comments of its lines.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                let text = fs::read_to_string(&path).unwrap();
                let code =
                    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
                found.push((name, code));
            }
        }
    }
    assert!(found.len() > 40, "the source was not found");
    found
}

/// Whether `word` stands in `code` as a path's segment: `sqlx::`, `use sqlx`, `::sqlx`.
fn names(code: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        !before.is_some_and(letter) && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
    })
}

fn breaches(word: &str, allowed: &[&str]) -> Vec<String> {
    let inside = |file: &str| allowed.iter().any(|room| file == *room || file.starts_with(&format!("{room}/")));
    sources().into_iter().filter(|(file, code)| !inside(file) && names(code, word)).map(|(file, _)| file).collect()
}

#[test]
fn each_library_is_named_only_in_its_room() {
    for (library, rooms) in [
        ("sqlx", &["store"][..]),
        ("lettre", &["compose/mime.rs", "deliver"]),
        ("clap", &["cli", "config.rs"]),
        ("clap_complete", &["cli"]),
        ("indicatif", &["cli"]),
        ("minijinja", &["templates.rs"]),
        ("mrml", &["templates.rs"]),
        ("printpdf", &["compose/print"]),
        ("lopdf", &["compose/print"]),
        ("rustybuzz", &["compose/print"]),
        ("png", &["compose/print"]),
        ("image", &["compose/picture.rs"]),
        ("pulldown_cmark", &["compose/markdown.rs", "collect/folder.rs"]),
        ("reqwest", &["collect"]),
        ("scraper", &["collect"]),
        ("feed_rs", &["collect"]),
        ("quick_xml", &["collect/tourinsoft.rs"]),
        ("axum", &["web"]),
        ("hyper", &["web"]),
        ("croner", &["domain/schedule.rs"]),
        ("calamine", &["partners"]),
        ("rust_xlsxwriter", &["partners"]),
        ("zip", &["partners", "collect/datatourisme.rs"]),
        ("tokio_cron_scheduler", &["daemon"]),
        ("toml", &["keys.rs"]),
        ("comfy_table", &["report.rs", "cli"]),
    ] {
        assert_eq!(breaches(library, rooms), [""; 0], "{library} is named outside {rooms:?}");
    }
}

#[test]
fn the_stages_do_not_know_each_other() {
    let stages = ["collect", "compose", "deliver"];
    for (file, code) in sources() {
        let Some(stage) = stages.iter().find(|stage| file.starts_with(&format!("{stage}/"))) else { continue };
        for other in stages.iter().filter(|other| other != &stage) {
            assert!(!code.contains(&format!("crate::{other}")), "src/{file} of {stage} knows {other}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    for (file, code) in sources().into_iter().filter(|(file, _)| file.starts_with("domain/")) {
        for word in ["async ", ".await", "std::fs", "std::net", "tokio", "Utc::now", "println!"] {
            assert!(!code.contains(word), "src/{file} is not pure: {word}");
        }
        for outer in
            ["crate::store", "crate::collect", "crate::compose", "crate::deliver", "crate::config", "crate::clock"]
        {
            assert!(!code.contains(outer), "src/{file} knows {outer}");
        }
    }
}

#[test]
fn only_the_clock_reads_a_clock() {
    for (file, code) in sources().into_iter().filter(|(file, _)| file != "clock.rs") {
        for word in ["Utc::now(", "Local::now(", "SystemTime::now(", "Instant::now("] {
            assert!(!code.contains(word), "src/{file} reads a clock: {word}");
        }
    }
}

#[test]
fn all_sql_is_in_the_store() {
    for (file, code) in sources().into_iter().filter(|(file, _)| !file.starts_with("store/")) {
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"] {
            assert!(!code.contains(word), "src/{file} holds SQL: {word}");
        }
    }
}

#[test]
fn a_module_is_a_folder_or_a_file_never_both() {
    let files: Vec<_> = sources().into_iter().map(|(file, _)| file).collect();
    for file in &files {
        let folder = format!("{}/", file.trim_end_matches(".rs"));
        assert!(!files.iter().any(|other| other.starts_with(&folder)), "src/{file} stands beside src/{folder}");
    }
}

#[test]
fn the_top_level_is_what_the_design_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "Cargo.toml",
        "README.md",
        "CHANGELOG.md",
        "src",
        "jobs",
        "templates",
        "migrations",
        "deploy",
        "tests",
        "docs/adr",
    ] {
        assert!(root.join(name).exists(), "{name} is missing");
    }
}

#[test]
fn the_check_itself_sees_a_breach() {
    assert!(names("use sqlx::Row;", "sqlx"));
    assert!(names("let x = ::sqlx::query()", "sqlx"));
    assert!(!names("let not_sqlx::x", "sqlx"));
    assert!(!names("a sqlx query", "sqlx"));
}
