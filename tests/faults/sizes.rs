//! Much of something: a message of ten megabytes, a file of a hundred thousand partners. Memory is read from the kernel's own
//! high-water mark of the process.

use crate::support::{
    house::{AT, House, Relay, finish},
    smtp::Options,
};
use std::{
    fmt::Write as _,
    process::{Child, Command},
    time::Duration,
};

fn is_long() -> bool {
    std::env::var_os("SEMAINIER_LONG").is_some()
}

/// The most memory it ever had, in kilobytes, once it has ended.
fn peak_until_the_end(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(10));
    }
    peak
}

/// The encoded attachment is held once, whoever and however many it goes to.
#[test]
fn f12_ten_megabytes_to_many_take_the_memory_of_one() {
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
    let run = house.command(&["run", "agenda", "--at", AT]);
    let mut limited = Command::new("sh");
    // Two gigabytes of addresses: the runtime's threads reserve much that they never touch.
    limited.args(["-c", "ulimit -v 2000000; exec \"$0\" \"$@\""]).arg(run.get_program()).args(run.get_args());
    limited.current_dir(house.path("")).env("MALLOC_ARENA_MAX", "4");
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = limited.spawn().unwrap();
    let peak = peak_until_the_end(&mut child);
    finish(child, &["run"]).expect(0);
    println!("{people} messages of 10 MB over {CONNECTIONS} connections: {} MB at the most", peak / 1024);
    assert_eq!(relay.numbers().accepted, people as u64);
    house.assert_states(&[("sent", people)]);
    // The blob from the database, its base64, and what the program is anyway; one copy a connection would be 80 MB more.
    assert!(peak < 110 * 1024, "{peak} kB");
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
    let mut import = house.start(&args);
    let peak = peak_until_the_end(&mut import);
    finish(import, &args).expect(0).expect_said(&[&format!("{rows} added")]);
    println!("{rows} rows of {} kB: {} MB at the most", bytes / 1024, peak / 1024);
    assert_eq!(house.number("SELECT count(*) FROM contacts"), rows);
    // A little kilobyte a row, and what the program and the cache of the database are anyway.
    assert!(peak < 160 * 1024 + u64::try_from(rows).unwrap() * 13 / 10, "{peak} kB");
}

/// The log is read and printed page by page, whatever it is printed as.
#[test]
fn a_log_of_very_many_deliveries_is_printed_whole_in_bounded_memory() {
    let people = if is_long() { 100_000 } else { 12_500 };
    let house = House::new().set("relay", Relay::nowhere());
    house.import_many(people);
    house.run().expect(1);
    let shown = |args: &[&str]| {
        let args = [&["log"], args].concat();
        let out = std::fs::File::create(house.path("log.out")).unwrap();
        let mut child = house.command(&args).stdout(out).spawn().unwrap();
        let peak = peak_until_the_end(&mut child);
        finish(child, &args).expect(0);
        (std::fs::read_to_string(house.path("log.out")).unwrap(), peak)
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
        assert!(peak < little + 12 * 1024, "{peak} kB, and {little} kB for one");
    }
}
