//! Writes every form of the sample agendas into a folder, to be looked at or validated: `scripts/vera` does both.

#[path = "../tests/print/sample.rs"]
mod sample;

use std::{error::Error, path::PathBuf};

use semainier::compose::print::{PrintError, Printed, Sheet, booklet, imposed, poster};

type Print = fn(&Sheet) -> Result<Printed, PrintError>;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: print_samples FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let agendas = [0, 1, 3, 10, 20, 40, 60, 70, 120].map(|count| (count.to_string(), sample::agenda(count)));
    let office = sample::office();
    for (name, agenda) in agendas.into_iter().chain([("hostile".to_owned(), sample::hostile())]) {
        for (form, print) in [("poster", poster as Print), ("booklet", booklet), ("imposed", imposed)] {
            let printed = print(&sample::sheet(&agenda, &office))?;
            std::fs::write(folder.join(format!("{form}-{name}.pdf")), printed.pdf)?;
        }
    }
    Ok(())
}
