//! `docs/faults.md`, made from this list and from the names of the tests: a test whose name begins with a fault's id, such as
//! `s04_…` or `f05_f06_…`, is a test of that fault. Those in Python are run by `scripts/mailhost`.
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
    /// The fault that is injected.
    done: &'static str,
    /// The expected behaviour; or, if it is open, the reason.
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
    fault(
        "F01",
        "the process is killed before it claims",
        "deliveries stay queued and are sent once after the next start",
    ),
    fault(
        "F02",
        "the process is killed after claiming",
        "queued again when the lease expires (on SQLite at the next start); sent once",
    ),
    fault("F03", "the process is killed between RCPT and the marker", "as F02"),
    fault(
        "F04",
        "the process is killed in the middle of a message",
        "unknown until a person settles it; the relay has accepted nothing",
    ),
    fault(
        "F05",
        "the process is killed after the final dot, before the reply",
        "unknown, never repeated automatically; accepted at most once",
    ),
    fault("F06", "the process is killed after reading the 250, before recording it", "unknown; accepted exactly once"),
    fault("F07", "the process is killed during a freeze", "nothing is frozen; the next run freezes all recipients"),
    fault(
        "F08",
        "the process is killed during an import",
        "nothing is imported; importing the same file again imports everything",
    ),
    fault(
        "F09",
        "SIGTERM while sending, once and twice",
        "marked deliveries are finished within the time limit, the others released; a second signal ends the process at once",
    ),
    fault(
        "F10",
        "two daemons on one database, with repeated kills and terminated sessions",
        "SQLite refuses the second daemon; on Postgres no delivery is lost or duplicated, and at most as many are unknown as connections were open",
    ),
    fault(
        "F11",
        "our own code panics while handling a delivery",
        "before the marker: retried once, then failed; after it: unknown; other deliveries continue",
    ),
    fault(
        "F12",
        "a mail of ten megabytes to many recipients, with little memory",
        "one copy of the message in memory, whatever the number of recipients and connections",
    ),
];

const RELAY: &[Fault] = &[
    fault(
        "S01",
        "refuses the connection",
        "all deliveries stay queued, no attempt is counted, staff are notified once",
    ),
    fault("S02", "greets with 421", "the breaker opens after one connection"),
    fault("S03", "allows fewer connections than configured", "as many connections as it allows; everything is sent"),
    fault("S04", "450 for one recipient", "that delivery is deferred, the others continue on the same connection"),
    fault("S05", "greylisting", "retried after five minutes, then at growing intervals; sent once"),
    fault("S06", "452 at DATA", "queued, although the marker is set"),
    fault("S07", "no such mailbox", "failed, and the address is suppressed"),
    fault("S08", "mailbox full", "failed for this issue; suppressed after five issues in a row"),
    fault("S09", "content refused", "failed, no address suppressed; the third refusal pauses the issue"),
    fault(
        "S10",
        "refuses the sender, not the recipient",
        "no delivery fails; the issue pauses, « notre configuration »",
    ),
    fault("S11", "disconnects at DATA", "queued: nothing of the message was sent"),
    fault("S12", "disconnects during the message", "queued, or unknown if the final dot had been sent"),
    fault("S13", "disconnects after the final dot without accepting", "unknown; accepted 0 times"),
    fault("S14", "accepts, then disconnects without a reply", "unknown; accepted once, never repeated"),
    fault("S15", "takes long to answer the final dot", "waited for; sent once"),
    fault("S16", "never answers the final dot", "unknown after the timeout; other connections continue"),
    fault("S17", "greets too late", "the breaker opens; all deliveries stay queued"),
    fault("S18", "a multi-line 421 at RCPT", "that delivery is deferred, a new connection continues"),
    fault("S19", "malformed replies", "queued before the message, unknown after the dot; no panic"),
    fault("S20", "STARTTLS fails or is not offered", "nothing is sent, and no password in clear text"),
    fault("S21", "an untrusted certificate", "as S20; with a trusted certificate everything is sent"),
    fault("S22", "refuses the password", "tried once, not once per connection"),
    fault(
        "S23",
        "does not support 8-bit text",
        "8BITMIME is declared if supported; otherwise the message is encoded or not sent",
    ),
    fault("S24", "a limit of messages per connection", "a new connection is opened; no delivery is affected"),
    fault("S25", "a size limit below the size of the message", "the issue pauses before MAIL, naming both sizes"),
    fault(
        "S26",
        "a bounce arrives later",
        "the delivery stays sent, and the bounce is recorded with it; a dead address is suppressed, also where the recipient was changed on the way",
    ),
    fault("S27", "a delay notification arrives later", "recorded; it counts against nobody"),
    fault(
        "S28",
        "a forged bounce: a wrong token, a guessed Message-ID, a real one about somebody else",
        "nothing changes, and no unknown delivery is settled; logged without addresses",
    ),
    fault("S29", "an out-of-office reply", "nothing changes, and nothing is answered"),
    fault(
        "S30",
        "a complaint without the address",
        "found by the Message-ID; suppressed at once for all mailings, and the office cannot lift it",
    ),
    fault(
        "S31",
        "ten thousand bounces at once; readers that are killed, or two of them",
        "each is recorded once, in bounded memory; no message is lost",
    ),
    fault(
        "S32",
        "a message is altered on its way, or somebody else sends in our name",
        "the recipient's server sees it: DKIM, SPF or DMARC fails",
    ),
];

const DATABASE: &[Fault] = &[
    fault(
        "D01",
        "the disk is full: at the start, before a marker, at a result",
        "no message without a marker; a result is kept in memory until it can be written; the same process continues",
    ),
    fault(
        "D02",
        "a flush fails (EIO)",
        "not taken for committed; the daemon keeps retrying instead of stopping, because SQLite writes such pages again",
    ),
    fault("D03", "a backup locks the file", "waited for; the result is kept in memory meanwhile"),
    fault("D04", "the file is read-only", "refused at the start with a clear message; nothing is sent"),
    fault(
        "D05",
        "corrupt pages",
        "nothing is sent, and the message refers to the backup; SQLite files up to 256 MB are checked completely at the start",
    ),
    fault(
        "D06",
        "Postgres is restarted, or its sessions are terminated, while sending",
        "the daemon continues; everything is sent once, nothing is unknown",
    ),
    fault(
        "D07",
        "the connection to Postgres is dead",
        "abandoned after 45 s of silence; nothing new is sent; results are written when it is back",
    ),
    fault("D08", "the answer to any commit is lost", "nothing is unknown, everything is sent once"),
    fault(
        "D09",
        "a migration is interrupted; an old program meets a newer schema",
        "the migration runs again; the old program refuses to start",
    ),
    fault(
        "D10",
        "yesterday's backup is restored",
        "detected by the last write that this machine recorded beside the ledger: issues being sent pause, approvals are withdrawn, what became due since is missed, staff get a mail; not detected if that record was restored too",
    ),
    fault("D11", "the log cannot be written", "sending continues"),
];

const CLOCK: &[Fault] = &[
    fault(
        "C01",
        "the clock jumps two days forward",
        "no burst: the newest occurrence within its catch-up is sent, the others are missed",
    ),
    fault("C02", "the clock jumps two hours back", "nothing fires twice"),
    fault("C03", "a local time of 02:30 that does not exist", "fires once, at the end of the gap"),
    fault("C04", "a local time of 02:30 that occurs twice", "fires once, the first time"),
    fault("C05", "two years with random downtimes", "each Saturday of summer is sent once, or missed with a reason"),
    fault(
        "C06",
        "the machine is off on Saturday at eight",
        "sent if it is three hours late; missed, with a notice, if it is thirty hours late",
    ),
    fault("C07", "the machine is in another time zone", "people see the hours of Paris"),
];

const SOURCES: &[Fault] = &[
    fault("E01", "an endless page", "refused at the limit; the issue is held"),
    fault("E02", "one byte a second, or silence", "a timeout; held and retried until the deadline"),
    fault("E03", "a decompression bomb", "stopped at the limit of the decompressed size"),
    fault("E04", "redirects to private addresses", "refused"),
    fault("E05", "304 Not Modified", "no change, and no error"),
    fault("E06", "500, or 429 with Retry-After", "retried after the requested time; held"),
    fault("E07", "HTML instead of JSON, or a truncated body", "refused completely, never an empty issue"),
    fault("E08", "a wrong charset, a BOM", "decoded correctly or refused; never sent garbled"),
    fault("E09", "entities in a feed", "refused, never expanded"),
    fault("E10", "scripts, `javascript:`, pictures of two megabytes", "the words are kept, the rest is in no mail"),
    fault("E11", "no article, or an empty one", "held"),
    fault("E12", "no date, or a date of another week", "held"),
];

const IMPORTS: &[Fault] = &[
    fault("I01", "a file written by Excel in windows-1252", "its accents are kept"),
    fault("I02", "a hundred thousand rows", "bounded memory (the full size under `SEMAINIER_LONG`)"),
    fault("I03", "duplicate addresses", "imported once, and reported"),
    fault("I04", "an address that opted out is imported again", "it stays opted out"),
    fault("I05", "unusual names", "in no header and in no formula"),
    fault("I06", "a malicious workbook", "refused: macros, paths that lead outside, a larger size than declared"),
    fault("I07", "invalid files", "refused with every invalid line; nothing is imported"),
    fault(
        "I08",
        "a list that would remove more than a fifth of the contacts",
        "asks for confirmation; with --yes it is imported",
    ),
];

const WEB: &[Fault] = &[
    fault(
        "W01",
        "a scanner follows every link, with a plain client and with a scripting browser, one level deep",
        "every row of every table is unchanged",
    ),
    fault(
        "W02",
        "the one-click POST, twice and malformed",
        "200 each time, no redirect, no cookie; the next issue is not sent to that person",
    ),
    fault("W03", "forged and old tokens", "a page not found, without further details"),
    fault(
        "W04",
        "a person opts out while the message is queued",
        "suppressed at once; the relay gets no message for them",
    ),
    fault(
        "W05",
        "a button clicked twice, the back button and again",
        "one order; two runs of one issue send once (F10)",
    ),
    fault(
        "W06",
        "the database is unavailable during an opt-out",
        "503 with another way to opt out; never a false « c’est fait »",
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
            } else if path.extension().is_some_and(|it| it == "rs" || it == "py") {
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
    let rest = ["fn ", "async fn ", "def "].iter().find_map(|it| line.strip_prefix(it))?;
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
    let mut text = "# Faults and their tests\n\n\
        Made by `tests/faults/page.rs`; do not edit. After each fault the relay's record is compared with the ledger: no \
        delivery is lost or duplicated, exactly the deliveries `sent` were accepted, and nothing stays claimed by a process \
        that has ended. Tests in `on_both_databases!`, or with a loop over both, run on SQLite and on Postgres; those in \
        `mailhost::` are run by `scripts/mailhost`, with real mail servers.\n"
        .to_owned();
    let (mut tested, mut open) = (0, 0);
    for (chapter, faults) in CHAPTERS {
        let _ = write!(text, "\n## {chapter}\n\n| | fault | expected | tests |\n|---|---|---|---|\n");
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
fn the_list_of_faults_matches_the_tests() {
    let page = page();
    if std::env::var("FAULTS").is_ok_and(|it| it == "renew") {
        std::fs::write(PAGE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "docs/faults.md is out of date: FAULTS=renew cargo test --features failpoints page");
}
