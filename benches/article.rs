//! How long the grammar takes on an honest article, and that it stays linear on junk of 1 MiB.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking, and its result is what it prints"
)]

use std::hint::black_box;

use chrono::NaiveDate;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use semainier::collect::article::{Reading, read};

const MIB: usize = 1 << 20;

fn filled(unit: &str) -> String {
    unit.repeat(MIB / unit.len())
}

/// A `<div>` chain, a paragraph without an end, thousands of dates, and the shapes that make careless parsers quadratic.
fn junk() -> Vec<(&'static str, String)> {
    vec![
        ("deep nesting", filled("<div><b>")),
        ("unclosed blocks", filled("<p><li><tr><td>x")),
        ("unmatched end tags", format!("{}{}", "<i>".repeat(MIB / 8), "</u>".repeat(MIB / 8))),
        (
            "one long line",
            format!("<h3>Lundi 12 juillet</h3><p>{}", filled("à 10h, visite du château de Pavie, 5 €; ")),
        ),
        ("one long word", format!("<h3>Lundi 12 juillet</h3><p>{}", filled("a"))),
        ("days in one paragraph", filled("Lundi 12 juillet : visite. Mardi 13 juillet : marché à Jégun. ")),
        ("day headings", filled("<h3>Lundi 12 juillet</h3><li>à 10h, visite</li>")),
        ("numbers", format!("<h3>Lundi 12 juillet</h3><p>{}", filled("12 et 13, "))),
        ("open brackets", format!("<h3>Lundi 12 juillet</h3><p>{}", filled("( « "))),
        ("entities", filled("&amp;eacute; ")),
        ("links", format!("<h3>Lundi 12 juillet</h3>{}", filled("<a href=/x>y</a> "))),
        ("nested rows", filled("<table><tr><td>x<td>y")),
        ("br", format!("<h3>Lundi 12 juillet</h3><li>{}", filled("x<br>"))),
    ]
}

fn article(c: &mut Criterion) {
    let reading = Reading {
        published: NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date"),
        week: None,
        home: "Auch",
        venues: &[],
    };
    let honest = include_str!("../tests/samples/articles/auch_column.html");
    let mut group = c.benchmark_group("article");
    group.sample_size(10);
    group.bench_function("honest", |b| b.iter(|| read(black_box(honest), &reading)));
    for (name, html) in junk() {
        group.throughput(Throughput::Bytes(html.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(black_box(&html), &reading)));
    }
    group.finish();
}

criterion_group!(benches, article);
criterion_main!(benches);
