//! Large inputs: a message of ten megabytes, a file of a hundred thousand partners. Memory is the kernel's high-water
//! mark of the process.

use crate::support::{
    house::{AT, House, Relay, finish},
    process::Done,
    smtp::Options,
};
use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

fn is_long() -> bool {
    std::env::var_os("SEMAINIER_LONG").is_some()
}

/// Starts a program, waits for it, and writes the most memory it had where it is told: only its parent hears of that, and
/// only at the end. Whoever looks from outside may look for the last time long before.
const PARENT: &str = "
import os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], 'w') as peak: peak.write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
";

/// Runs it to its end: what it said, and the most memory it ever had, in kilobytes.
fn measured(command: &Command, args: &[&str]) -> (Done, u64) {
    let peak = tempfile::NamedTempFile::new().unwrap();
    let mut parent = Command::new("python3");
    parent.args(["-c", PARENT]).arg(peak.path()).arg(command.get_program()).args(command.get_args());
    parent.current_dir(command.get_current_dir().unwrap()).env_clear();
    parent.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    parent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = finish(parent.spawn().unwrap(), args);
    (done, std::fs::read_to_string(peak.path()).unwrap().parse().unwrap())
}

/// The encoded attachment is held once, whoever and however many it goes to.
#[test]
fn f12_a_ten_megabyte_mail_to_many_uses_the_memory_of_one() {
    const CONNECTIONS: usize = 8;
    let people = if is_long() { 1_000 } else { 40 };
    let relay = Relay::with(Options { count_only: true, ..Options::default() });
    let house = House::new().set("relay", Relay::nowhere()).set("delivery.connections", CONNECTIONS);
    house.import_many(people);
    house.run().expect(1);
    house.sql(
        "INSERT INTO attachments (issue, n, name, media_type, bytes)
        SELECT key, 9, 'grand.pdf', 'application/pdf', randomblob(7600000) FROM issues",
    );
    let house = house.relay(&relay);
    let run = house.command(&["run", "agenda", "--at", AT, "--yes"]);
    let mut limited = Command::new("/bin/sh");
    // Two gigabytes of addresses: the runtime's threads reserve much that they never touch.
    limited.args(["-c", "ulimit -v 2000000; exec \"$0\" \"$@\""]).arg(run.get_program()).args(run.get_args());
    limited.current_dir(house.path("")).envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env("MALLOC_ARENA_MAX", "4");
    let (done, peak) = measured(&limited, &["run"]);
    done.expect(0);
    println!("{people} messages of 10 MB over {CONNECTIONS} connections: {} MB at the most", peak / 1024);
    assert_eq!(relay.numbers().accepted, people as u64);
    house.assert_states(&[("sent", people)]);
    // The blob from the database, its base64, and what the program is anyway; one copy a connection would be 80 MB more.
    assert!(peak < 140 * 1024, "{peak} kB");
}

#[test]
fn i02_a_file_of_very_many_partners_is_imported_in_bounded_memory() {
    let rows = if is_long() { 100_000 } else { 5_000 };
    let house = House::new();
    let mut csv = "email;nom;etablissement;commune\n".to_owned();
    for n in 0..rows {
        let _ = writeln!(csv, "personne{n}@gite{}.example;Éloïse {n};Gîte n° {n};Auch", n % 97);
    }
    let bytes = csv.len();
    house.write("many.csv", csv);
    let args = ["partners", "import", "many.csv"];
    let (done, peak) = measured(&house.command(&args), &args);
    done.expect(0).expect_said(&[&format!("{rows} added")]);
    println!("{rows} rows of {} kB: {} MB at the most", bytes / 1024, peak / 1024);
    assert_eq!(house.number("SELECT count(*) FROM contacts"), rows);
    // A little kilobyte a row, and what the program and the cache of the database are anyway.
    assert!(peak < 160 * 1024 + u64::try_from(rows).unwrap() * 13 / 10, "{peak} kB");
}

/// The log is read and printed page by page, whatever it is printed as.
#[test]
fn a_log_of_very_many_deliveries_is_printed_in_bounded_memory() {
    let people = if is_long() { 100_000 } else { 12_500 };
    let house = House::new().set("relay", Relay::nowhere());
    house.import_many(people);
    house.run().expect(1);
    let shown = |args: &[&str]| {
        let args = [&["log"], args].concat();
        let (done, peak) = measured(&house.command(&args), &args);
        (done.expect(0).stdout, peak)
    };
    let (_, little) = shown(&["--address", "partenaire7@gite.example"]);
    let (json, for_json) = shown(&["--json"]);
    let (csv, for_csv) = shown(&["--csv"]);
    let (table, for_table) = shown(&[]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string_pretty(&rows).unwrap(), json.trim_end(), "one array, as it always was");
    let persons: std::collections::HashSet<_> = rows.iter().map(|it| it["address"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), persons.len()), (people, people));
    assert_eq!((csv.lines().count(), csv.matches("message_id").count()), (people + 1, 1), "one header");
    assert!(csv.lines().all(|line| line.matches(';').count() == 13), "no empty line");
    assert_eq!(table.matches("@gite.example").count(), people);
    assert_eq!(table.lines().last(), Some(format!("{people} deliveries").as_str()));
    println!("{people} deliveries: {little} kB for one; {for_json}, {for_csv}, {for_table} kB for all");
    for peak in [for_json, for_csv, for_table] {
        assert!(peak < little + 14 * 1024, "{peak} kB, and {little} kB for one");
    }
}
