//! Architecture tests on the source: import rules, and where each library may be used.

mod imports;

use imports::Imports;
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
fn each_library_is_used_only_in_its_module() {
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
        ("reqwest", &["collect", "alerts/webhook.rs"]),
        ("scraper", &["collect"]),
        ("feed_rs", &["collect"]),
        ("quick_xml", &["collect/tourinsoft.rs"]),
        ("axum", &["web"]),
        ("hyper", &["web"]),
        ("multer", &["web/console/upload.rs"]),
        ("argon2", &["accounts/password.rs"]),
        ("totp_rs", &["accounts/totp.rs"]),
        ("croner", &["domain/schedule.rs"]),
        ("calamine", &["partners"]),
        ("rust_xlsxwriter", &["partners"]),
        ("zip", &["partners", "collect/datatourisme.rs"]),
        ("tokio_cron_scheduler", &["daemon"]),
        ("toml", &["toml_reader.rs"]),
        ("comfy_table", &["cli"]),
        // The two others name the provider of TLS that is called so.
        ("ring", &["signing", "trust.rs", "collect/fetch.rs"]),
        ("rustix", &["views/readiness/disk.rs"]),
        // Composed messages are read again by their unit tests.
        ("mail_parser", &["inbound", "compose/mime.rs", "compose/quoted.rs"]),
        ("async_imap", &["inbound/imap"]),
        ("rustls_platform_verifier", &["trust.rs"]),
        ("hickory_resolver", &["dns.rs"]),
    ] {
        assert_eq!(breaches(library, rooms), [""; 0], "{library} is named outside {rooms:?}");
    }
}

/// From the floor up: a file imports only from its own storey and from those below. `collect`, `compose` and `deliver`
/// stand side by side and never import each other.
const STOREYS: &[&[&str]] = &[
    &["domain"],
    &["failpoint.rs", "clock.rs", "apart.rs", "private.rs", "toml_reader.rs", "dns.rs", "trust.rs"],
    &["templates.rs", "tokens.rs", "secret.rs", "accounts", "notices/wording.rs", "notices/tonight.rs"],
    &["store", "collect", "compose"],
    &["deliver", "inbound", "look.rs", "listen.rs", "watch.rs", "signing", "partners"],
    &["config.rs", "outbox.rs", "notices/replies.rs"],
    &["jobs", "telemetry.rs"],
    &["app.rs"],
    &["issue", "webhooks"],
    &["editions", "views"],
    &["actions", "alerts"],
    &["views/console"],
    &["notices"],
    &["web"],
    &["daemon", "bench"],
    &["cli"],
];

/// The storey and the room of a file.
fn place(file: &str) -> (usize, &'static str) {
    let is_in = |room: &str| file == room || file.starts_with(&format!("{room}/"));
    let places = STOREYS.iter().enumerate().flat_map(|(n, rooms)| rooms.iter().map(move |room| (n, *room)));
    let place = places.filter(|(_, room)| is_in(room)).max_by_key(|(_, room)| room.len());
    place.unwrap_or_else(|| panic!("src/{file} is in no storey: add its room to STOREYS"))
}

#[test]
fn imports_only_lead_to_lower_layers() {
    let imports = Imports::read();
    let mut upward = Vec::new();
    for (file, others) in &imports.of {
        for other in others {
            let ((from, room), (to, other_room)) = (place(file), place(other));
            if from < to || from == to && room != other_room {
                upward.push(format!("src/{file} imports src/{other}"));
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

/// Collecting, composing and delivering meet in `issue`, never among themselves, although one stands above the others.
#[test]
fn stages_never_import_each_other() {
    let stage = |file: &str| ["collect", "compose", "deliver"].into_iter().find(|&stage| place(file).1 == stage);
    let imports = Imports::read();
    let across: Vec<String> = imports
        .of
        .iter()
        .flat_map(|(file, others)| others.iter().map(move |other| (file, other)))
        .filter(|(file, other)| stage(file).zip(stage(other)).is_some_and(|(from, to)| from != to))
        .map(|(file, other)| format!("src/{file} imports src/{other}"))
        .collect();
    assert!(across.is_empty(), "{}", across.join("\n"));
}

#[test]
fn no_import_cycle_spans_modules() {
    let imports = Imports::read();
    let spans = |ring: &&Vec<&str>| ring.iter().any(|file| place(file).1 != place(ring[0]).1);
    let rings: Vec<_> = imports.rings().into_iter().collect();
    let rings: Vec<_> = rings.iter().filter(spans).map(|ring| ring.join(" ")).collect();
    assert!(rings.is_empty(), "{}", rings.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    for (file, code) in sources().into_iter().filter(|(file, _)| file.starts_with("domain/")) {
        for word in ["async ", "std::fs", "std::net", "tokio", "Utc::now", "println!"] {
            assert!(!code.contains(word), "src/{file} is not pure: {word}");
        }
        // "issue.awaiting_approval" is a word, and waits for nothing.
        let mut awaits = code.split(".await").skip(1);
        let is_longer = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        assert!(awaits.all(is_longer), "src/{file} is not pure: .await");
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

/// What blocks a worker in place has no deadline and keeps a stop waiting; work on texts from outside is for `apart`.
#[test]
fn h3_nothing_is_composed_on_a_worker_or_without_a_deadline() {
    let found: Vec<_> = sources().into_iter().filter(|(_, code)| code.contains("block_in_place")).collect();
    assert!(found.is_empty(), "{:?}", found.iter().map(|(file, _)| file).collect::<Vec<_>>());
    for (file, code) in sources().into_iter().filter(|(file, _)| file.starts_with("issue/")) {
        for mail in ["AgendaMail::new(", "NewsletterMail::new("] {
            let apart = code.matches(mail).count() == code.matches(&format!("let make = move || {mail}")).count();
            assert!(apart, "{file}: {mail} is not made by on_a_blocking_thread");
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

/// Failures are worded in `notices/`, from data: these rooms return values.
#[test]
fn protocol_and_storage_modules_contain_no_french() {
    let silent = ["deliver/", "daemon/", "issue/", "store/"];
    for (file, code) in sources().into_iter().filter(|(file, _)| silent.iter().any(|room| file.starts_with(room))) {
        let code = code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        for line in code.lines().filter(|line| line.contains('"')) {
            let french = line.chars().find(|c| "’éèêàçôùî".contains(*c));
            assert!(french.is_none() || line.contains("{kind}.pdf"), "src/{file} speaks French: {}", line.trim());
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
fn the_top_level_modules_are_those_of_the_design() {
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
fn the_check_detects_a_violation() {
    assert!(names("use sqlx::Row;", "sqlx"));
    assert!(names("let x = ::sqlx::query()", "sqlx"));
    assert!(!names("let not_sqlx::x", "sqlx"));
    assert!(!names("a sqlx query", "sqlx"));
}
