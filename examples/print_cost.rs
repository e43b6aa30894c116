//! Prints one sample agenda many times: `print_cost LAYOUT EVENTS TIMES [FOLDER]`, where LAYOUT is poster, booklet, imposed,
//! all, or logo (a poster in black and white with a logo), and EVENTS a number or `hostile`. Something outside
//! measures what that costs: `benches/compare-print.py`. With a folder, the last page and its agenda as JSON are left there.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking, and its result is what it prints"
)]

#[path = "../tests/print/sample.rs"]
mod sample;

use std::{error::Error, hint::black_box, io::Write, path::Path};

use semainier::compose::print::{Layout, Look, print};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, layout, events, times, folder @ ..] = &arguments[..] else {
        return Err("usage: print_cost poster|booklet|imposed|all|logo EVENTS|hostile TIMES [FOLDER]".into());
    };
    let layouts: &[Layout] = match layout.as_str() {
        "poster" | "logo" => &[Layout::Poster],
        "booklet" => &[Layout::Booklet],
        "imposed" => &[Layout::Imposed],
        "all" => &[Layout::Poster, Layout::Booklet, Layout::Imposed],
        other => return Err(format!("{other} is no layout").into()),
    };
    let agenda = if events == "hostile" { sample::hostile() } else { sample::agenda(events.parse()?) };
    let look = if layout == "logo" { sample::dressed() } else { Look::default() };
    let office = sample::office();
    let sheet = sample::sheet(&agenda, &office, &look);
    for _ in 0..times.parse()? {
        for &layout in layouts {
            black_box(print(layout, &sheet)?);
        }
    }
    // Linux says how much memory was ever in use; elsewhere nothing is said.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        writeln!(std::io::stdout(), "{}", peak.trim())?;
    }
    if let [folder] = folder {
        std::fs::write(Path::new(folder).join("ours.pdf"), print(layouts[0], &sheet)?.pdf)?;
        std::fs::write(Path::new(folder).join("agenda.json"), serde_json::to_string(&agenda)?)?;
    }
    Ok(())
}
