//! `docs/faults.md`, made from this list and from the names of the tests: a test whose name begins with a fault's id, such as
//! `s04_…` or `f05_f06_…`, is a test of that fault.
//!
//! A fault is tested, or open with a reason; the page says which. After a change: `FAULTS=renew cargo test --features
//! failpoints page`, then look at what it wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");

struct Fault {
    id: &'static str,
    /// What is done to the product.
    done: &'static str,
    /// What must be true afterwards; or, where it is open, why.
    then: &'static str,
}

const fn fault(id: &'static str, done: &'static str, then: &'static str) -> Fault {
    Fault { id, done, then }
}

/// In the order of the page.
const CHAPTERS: [(&str, &[Fault]); 7] = [
    ("The process", PROCESS),
    ("The relay", RELAY),
    ("The database and the disk", DATABASE),
    ("The clock", CLOCK),
    ("The sources", SOURCES),
    ("Imports", IMPORTS),
    ("The web", WEB),
];

const PROCESS: &[Fault] = &[
    fault("F01", "killed before it claims", "still queued; sent once by the next start"),
    fault("F02", "killed with claims in hand", "queued again when the lease is over (SQLite: at start); sent once"),
    fault("F03", "killed between RCPT and the marker", "as F02"),
    fault("F04", "killed in the middle of a message", "unknown, held for a person; the relay has nothing"),
    fault("F05", "killed after the dot, before the answer", "unknown, never repeated by itself; accepted at most once"),
    fault("F06", "killed with the 250 read and not recorded", "unknown; accepted exactly once"),
    fault("F07", "killed inside the freeze", "nothing is frozen; the next run freezes for everybody"),
    fault("F08", "killed inside an import", "nobody is taken in; the same file again takes everybody"),
    fault(
        "F09",
        "SIGTERM while it sends, once and twice",
        "what is past the marker is finished within the time allowed, the rest given back; a second signal ends it now",
    ),
    fault(
        "F10",
        "two daemons on one database; in a storm of kills and ended sessions",
        "SQLite refuses the second; on Postgres nobody is lost, nobody written to twice, in doubt no more than connections were open",
    ),
    fault(
        "F11",
        "our own code panics at one delivery",
        "before the marker: once more, then failed; past it: unknown; the others go on",
    ),
    fault(
        "F12",
        "ten megabytes to many, little memory",
        "one copy of the message, whatever the number of people and connections",
    ),
];

const RELAY: &[Fault] = &[
    fault("S01", "refuses the connection", "all queued, no attempt counted, told once"),
    fault("S02", "greets with 421", "left alone for a while after one connection"),
    fault("S03", "allows fewer connections than configured", "as many as it allows, all sent"),
    fault("S04", "450 for one recipient", "that one later, the others over the same connection"),
    fault("S05", "greylists", "asked again after five minutes, then less and less often; sent once"),
    fault("S06", "452 at DATA", "queued although the marker is set"),
    fault("S07", "no such mailbox", "failed, and the address suppressed"),
    fault("S08", "mailbox full", "failed for this issue; suppressed when it is so at five issues in a row"),
    fault("S09", "content refused", "failed, nobody suppressed; the third pauses the issue"),
    fault("S10", "refuses us, not the person", "nobody fails; the issue pauses, « notre configuration »"),
    fault("S11", "hangs up at DATA", "queued: nothing was written"),
    fault("S12", "hangs up in the message", "queued unless the dot had been handed over, then unknown"),
    fault("S13", "hangs up after the dot, without taking it", "unknown; accepted 0"),
    fault("S14", "takes it, then hangs up", "unknown; accepted 1, never repeated"),
    fault("S15", "thinks for long about the dot", "waited for; sent once"),
    fault("S16", "never answers the dot", "unknown after the time-out; other connections go on"),
    fault("S17", "greets late", "left alone for a while; all queued"),
    fault("S18", "421 in several lines at RCPT", "that one later, a new connection goes on"),
    fault("S19", "answers with garbage", "queued before the message, unknown after the dot; no panic"),
    fault("S20", "STARTTLS broken or not offered", "no mail, and no password in clear"),
    fault("S21", "a certificate nobody trusts", "as S20; with one that is trusted all goes"),
    fault("S22", "refuses the password", "tried once, not once a connection"),
    fault("S23", "takes no 8-bit text", "announced where it is taken, encoded or not sent where it is not"),
    fault("S24", "a limit of messages per connection", "a new connection; it costs nobody anything"),
    fault("S25", "a limit of size below the message", "the issue pauses before MAIL, with both sizes"),
    fault("S26", "a bounce comes later", "open: bounces are not read at this point; the delivery stays sent"),
    fault("S27", "a note of a delay comes later", "open: as S26"),
    fault("S28", "a forged bounce", "open: as S26; nothing that arrives changes the ledger"),
    fault("S29", "an answer of a machine on holiday", "open: as S26; nothing is answered"),
    fault("S30", "a complaint without the address", "open: as S26"),
    fault("S31", "ten thousand bounces at once", "open: as S26"),
];

const DATABASE: &[Fault] = &[
    fault(
        "D01",
        "the disk is full: at start, before the marker, at the result",
        "no message without a marker; a result is kept until there is room; the same process goes on",
    ),
    fault(
        "D02",
        "a flush fails (EIO)",
        "not taken for committed; the daemon goes on trying rather than stop, because SQLite writes such pages again",
    ),
    fault("D03", "a backup locks the file", "waited for; the result is kept meanwhile"),
    fault("D04", "the file may only be read", "refused with a word at start rather than half working; nothing is sent"),
    fault(
        "D05",
        "pages of noise",
        "nothing is sent, and the words point to the backup; SQLite files up to 256 MB are looked at as a whole before",
    ),
    fault(
        "D06",
        "Postgres restarted, or its sessions ended, while it sends",
        "the daemon goes on; all sent once, nothing in doubt",
    ),
    fault(
        "D07",
        "the line to Postgres is dead",
        "given up after 45 s without a word; nothing new leaves; results are written when it is back",
    ),
    fault("D08", "the answer to a commit is lost, any of them in turn", "nobody in doubt, everybody once"),
    fault(
        "D09",
        "a migration killed half-way; an old program on a newer schema",
        "it runs again; the old program refuses",
    ),
    fault(
        "D10",
        "yesterday's backup is restored",
        "noticed by the last post that this machine remembers beside it: issues being sent pause, approvals are withdrawn, what was due since is missed, staff get a mail; not where that memory was restored as well",
    ),
    fault("D11", "the log cannot be written", "the post goes on"),
];

const CLOCK: &[Fault] = &[
    fault("C01", "two days forward", "no burst: the newest within its catch-up, the others missed"),
    fault("C02", "two hours back", "nothing fires twice"),
    fault("C03", "02:30 that does not exist", "once, at the end of the gap"),
    fault("C04", "02:30 that comes twice", "once, the first time"),
    fault("C05", "two years with random downtimes", "each Saturday of summer once, or missed with its reason"),
    fault("C06", "off at eight on Saturday", "three hours late it leaves; thirty hours late it is missed, and told"),
    fault("C07", "the machine in another zone", "people read the hours of Paris"),
];

const SOURCES: &[Fault] = &[
    fault("E01", "a page without end", "cut at the limit and refused whole; held"),
    fault("E02", "a page a byte a second, or silence", "a time-out; held, tried again until the deadline"),
    fault("E03", "a compressed bomb", "stopped at the limit of what it unpacks to"),
    fault("E04", "redirects to where we must not look", "refused"),
    fault("E05", "304 Not Modified", "no change, and no error"),
    fault("E06", "500, or 429 with Retry-After", "left alone as long as it asks; held"),
    fault("E07", "HTML for JSON, or half of it", "refused whole, never an empty issue"),
    fault("E08", "a wrong charset, a BOM", "read right or refused; nothing garbled leaves"),
    fault("E09", "entities in a feed", "refused, expanded by nobody"),
    fault("E10", "scripts, `javascript:`, pictures of two megabytes", "the words are kept, the rest is in no mail"),
    fault("E11", "no article, or nothing in it", "held"),
    fault("E12", "no date, or one of another week", "held"),
];

const IMPORTS: &[Fault] = &[
    fault("I01", "a file of Excel in windows-1252", "its accents are kept"),
    fault("I02", "a hundred thousand rows", "bounded memory (the full size under `SEMAINIER_LONG`)"),
    fault("I03", "addresses that stand twice", "kept once, and said"),
    fault("I04", "an address that has left comes again", "it stays left"),
    fault("I05", "odd names", "in no header and no formula"),
    fault("I06", "a workbook that bites", "refused: macros, names that lead out, more than it says when unpacked"),
    fault("I07", "broken files", "refused with every line; nothing of them is taken"),
    fault("I08", "a whole list that would remove more than a fifth", "asks first; with --yes it is done"),
];

const WEB: &[Fault] = &[
    fault(
        "W01",
        "a scanner follows every link, by a plain client and by a browser with scripts, one level down",
        "every row of every table is as it was",
    ),
    fault(
        "W02",
        "the one-click POST, twice and malformed",
        "200 each time, no redirect, no cookie; the next issue stays away",
    ),
    fault("W03", "forged and old tokens", "the page of what is not there, and nothing more is said"),
    fault("W04", "somebody leaves while the message waits", "suppressed at once; the relay gets nothing for them"),
    fault(
        "W05",
        "two clicks on a button, the way back and once more",
        "one order; two runs of one issue send once (F10)",
    ),
    fault(
        "W06",
        "the database is down while one leaves",
        "503 with another way to be heard; never a false « c’est fait »",
    ),
];

/// Tests by the ids in their names.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![root.join("tests"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let module = path.strip_prefix(root).unwrap().with_extension("").display().to_string();
                let (_, module) = module.split_once('/').unwrap();
                let module = module.trim_end_matches("/mod").replace('/', "::");
                let text = std::fs::read_to_string(&path).unwrap();
                for name in text.lines().filter_map(name_of_function) {
                    for id in ids_of(name) {
                        found.entry(id).or_default().insert(format!("{module}::{name}"));
                    }
                }
            }
        }
    }
    found
}

fn name_of_function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "))?;
    rest.split_once('(').map(|(name, _)| name)
}

/// `F05` and `F06` of `f05_f06_k6_…`; the points of a kill (K) and the oracles (O) are no faults.
fn ids_of(name: &str) -> Vec<String> {
    let is_id = |word: &&str| {
        let digits = word.get(1..).unwrap_or_default();
        word.starts_with(['f', 's', 'd', 'c', 'e', 'i', 'w'])
            && digits.len() == 2
            && digits.bytes().all(|it| it.is_ascii_digit())
    };
    // One more id may stand further on: `c01_…_and_c02_…`.
    match name.split('_').next().is_some_and(|first| is_id(&first)) {
        true => name.split('_').filter(is_id).map(str::to_uppercase).collect(),
        false => Vec::new(),
    }
}

fn page() -> String {
    let mut tests = tests();
    let mut text = "# What is done to it, and what is true afterwards\n\n\
        Made by `tests/faults/page.rs`; do not edit. After each fault the ledger of the relay is joined with ours: nobody is \
        lost, nobody is written to twice, `sent` was accepted and nothing else was, and nothing is left in the hands of a \
        process that is no more. Where a module says `on_both_databases!` or a test loops over both, it runs on SQLite and on \
        Postgres.\n"
        .to_owned();
    let (mut tested, mut open) = (0, 0);
    for (chapter, faults) in CHAPTERS {
        let _ = write!(text, "\n## {chapter}\n\n| | what is done | what must hold | tests |\n|---|---|---|---|\n");
        for Fault { id, done, then } in faults {
            let names = tests.remove(*id).unwrap_or_default();
            let is_open = then.starts_with("open");
            assert_eq!(is_open, names.is_empty(), "{id}: a fault has tests, or is open with a reason: {names:?}");
            *(if is_open { &mut open } else { &mut tested }) += 1;
            let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
            let names = if is_open { "–".to_owned() } else { names.join("<br>") };
            let _ = writeln!(text, "| {id} | {done} | {then} | {names} |");
        }
    }
    assert!(tests.is_empty(), "these tests name faults that are not in the list: {tests:#?}");
    let _ = write!(text, "\n{tested} of {} faults are tested, {open} are open.\n", tested + open);
    text
}

#[test]
fn the_page_of_faults_says_what_is_tested() {
    let page = page();
    if std::env::var("FAULTS").is_ok_and(|it| it == "renew") {
        std::fs::write(PAGE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "docs/faults.md is out of date: FAULTS=renew cargo test --features failpoints page");
}
