//! How long a page takes: `cargo bench --bench print`. Processor time and memory, and other programs on the same content:
//! `benches/compare-print.py`.

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

use criterion::{Criterion, criterion_group, criterion_main};
use semainier::compose::print::{Layout, Look, print};

const LAYOUTS: [(&str, Layout); 3] =
    [("poster", Layout::Poster), ("booklet", Layout::Booklet), ("imposed", Layout::Imposed)];

fn pages(criterion: &mut Criterion) {
    let (office, look) = (sample::office(), Look::default());
    for (form, layout) in LAYOUTS {
        for count in [10, 60, 120] {
            let agenda = sample::agenda(count);
            let sheet = sample::sheet(&agenda, &office, &look);
            criterion.bench_function(&format!("{form}/{count}"), |bencher| bencher.iter(|| print(layout, &sheet)));
        }
    }
    let dressed = sample::dressed();
    let agenda = sample::agenda(60);
    let sheet = sample::sheet(&agenda, &office, &dressed);
    criterion.bench_function("poster/60 with a logo", |bencher| bencher.iter(|| print(Layout::Poster, &sheet)));
    let agenda = sample::hostile();
    let sheet = sample::sheet(&agenda, &office, &look);
    criterion.bench_function("poster/hostile", |bencher| bencher.iter(|| print(Layout::Poster, &sheet)));
}

criterion_group!(benches, pages);
criterion_main!(benches);
