//! How long a page takes: `cargo bench --bench print`.

#[path = "../tests/print/sample.rs"]
mod sample;

use criterion::{Criterion, criterion_group, criterion_main};
use semainier::compose::print::{PrintError, Printed, Sheet, booklet, imposed, poster};

type Print = fn(&Sheet) -> Result<Printed, PrintError>;

fn print(criterion: &mut Criterion) {
    let office = sample::office();
    for (form, print) in [("poster", poster as Print), ("booklet", booklet), ("imposed", imposed)] {
        for count in [10, 60, 120] {
            let agenda = sample::agenda(count);
            let sheet = sample::sheet(&agenda, &office);
            criterion.bench_function(&format!("{form}/{count}"), |bencher| bencher.iter(|| print(&sheet)));
        }
    }
    let agenda = sample::hostile();
    let sheet = sample::sheet(&agenda, &office);
    criterion.bench_function("poster/hostile", |bencher| bencher.iter(|| poster(&sheet)));
}

criterion_group!(benches, print);
criterion_main!(benches);
