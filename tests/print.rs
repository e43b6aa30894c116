//! The printed page seen from outside: what a reader, a printer and a screen reader get.

#[path = "print/sample.rs"]
mod sample;

use semainier::compose::print::*;

#[test]
fn scratch_view() {
    let office = sample::office();
    for (name, agenda) in [0, 1, 3, 10, 20, 40, 60, 70, 120]
        .map(|n| (n.to_string(), sample::agenda(n)))
        .into_iter()
        .chain([("hostile".to_owned(), sample::hostile())])
    {
        for (form, print) in [
            ("poster", poster as fn(&Sheet) -> Result<Printed, PrintError>),
            ("booklet", booklet),
            ("imposed", imposed),
        ] {
            let start = std::time::Instant::now();
            let printed = print(&sample::sheet(&agenda, &office)).unwrap();
            eprintln!("{form} {name}: {} pages {} bytes {:?}", printed.pages, printed.pdf.len(), start.elapsed());
            std::fs::write(format!("/tmp/out/{form}-{name}.pdf"), printed.pdf).unwrap();
        }
    }
}
