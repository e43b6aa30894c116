//! Writes every form of the sample agendas into a folder, to be looked at or validated: `scripts/vera` does both.

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

use std::{error::Error, path::PathBuf};

use semainier::compose::print::{Format, Layout, Logo, Look, Sheet, print};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: print_samples FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let office = sample::office();
    let (plain, dressed) = (Look::default(), sample::dressed());
    // The built-in colours with a logo that is a JPEG.
    let jpeg = Look { logo: Some(Logo::parse(include_bytes!("../tests/print/logo.jpg"))?), ..Look::default() };
    let forms = [
        ("poster", Layout::Poster, Format::A4, &plain),
        ("poster-a3", Layout::Poster, Format::A3, &jpeg),
        ("poster-ink", Layout::Poster, Format::A4, &dressed),
        ("booklet", Layout::Booklet, Format::A4, &plain),
        ("booklet-ink", Layout::Booklet, Format::A4, &dressed),
        ("imposed", Layout::Imposed, Format::A4, &plain),
        ("imposed-a3", Layout::Imposed, Format::A3, &jpeg),
    ];
    let agendas = [0, 1, 10, 20, 60, 70, 120].map(|count| (count.to_string(), sample::agenda(count)));
    for (name, agenda) in agendas.into_iter().chain([("hostile".to_owned(), sample::hostile())]) {
        for (form, layout, format, look) in forms {
            let printed = print(layout, &Sheet { format, ..sample::sheet(&agenda, &office, look) })?;
            std::fs::write(folder.join(format!("{form}-{name}.pdf")), printed.pdf)?;
        }
    }
    Ok(())
}
