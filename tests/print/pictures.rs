//! The pictures of the pages: in a browser they look as poppler shows the PDF, and they ask for nothing.

use super::{paper::Paper, sample};
use crate::support::browser::visit;
use semainier::compose::print::{Format, Layout, Look, Sheet, print, print_with_pictures};
use std::{fs::File, io::BufReader, path::Path};

/// Pixels of a point, on both sides of the comparison; then blocks of so many pixels are compared by their mean, because each
/// renderer smooths edges in its own way.
const SCALE: usize = 2;
const BLOCK: usize = 6;
/// Of 255. A page and its picture then differ in at most 0.1 % of the blocks (0.08 % measured); the last check of the test demands
/// that two different pages differ in more than 2 %.
const OFF: u32 = 32;
const MOST_OFF: f64 = 0.005;

/// Grey pixels.
struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    fn of_paper(paper: &Paper, page: usize) -> Self {
        let pgm = paper.rastered(page, 72 * SCALE);
        let mut head = pgm.splitn(4, |byte| byte.is_ascii_whitespace()).skip(1);
        let mut number = || str::from_utf8(head.next().unwrap()).unwrap().parse::<usize>().unwrap();
        let (width, height) = (number(), number());
        Self { width, height, pixels: pgm[pgm.len() - width * height..].to_vec() }
    }

    fn read(path: &Path) -> Self {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut samples).unwrap();
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [0, 1, 2].map(|n| u32::from(pixel[n]));
            ((red * 299 + green * 587 + blue * 114) / 1000) as u8
        };
        let pixels = samples[..frame.buffer_size()].chunks(frame.color_type.samples()).map(luma).collect();
        Self { width: frame.width as usize, height: frame.height as usize, pixels }
    }

    fn mean(&self, left: usize, top: usize) -> u32 {
        let rows = (top..top + BLOCK).map(|y| &self.pixels[y * self.width + left..][..BLOCK]);
        rows.flatten().map(|pixel| u32::from(*pixel)).sum::<u32>() / (BLOCK * BLOCK) as u32
    }

    /// The share of blocks that differ. A page is no whole number of pixels, and each renderer rounds it to its own side: of all
    /// places a pixel around, where they agree best.
    fn difference(&self, other: &Self) -> f64 {
        let (width, height) = (self.width.min(other.width) - 2, self.height.min(other.height) - 2);
        let (width, height) = (width / BLOCK, height / BLOCK);
        let blocks: Vec<_> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x * BLOCK + 1, y * BLOCK + 1))).collect();
        let own: Vec<u32> = blocks.iter().map(|&(x, y)| self.mean(x, y)).collect();
        let off = |left: usize, top: usize| {
            let moved = blocks.iter().map(|&(x, y)| other.mean(x + left - 1, y + top - 1));
            moved.zip(&own).filter(|(moved, own)| moved.abs_diff(**own) > OFF).count()
        };
        let least = (0..3).flat_map(|left| (0..3).map(move |top| (left, top))).map(|(left, top)| off(left, top)).min();
        least.unwrap() as f64 / blocks.len() as f64
    }
}

#[test]
fn a_picture_looks_like_the_printed_page() {
    let folder = tempfile::tempdir().unwrap();
    let (office, plain, dressed) = (sample::office(), Look::default(), sample::dressed());
    let agendas = [sample::agenda(20), sample::agenda(60), sample::agenda(120), sample::hostile()];
    let mut pages = Vec::new();
    for (name, layout, agenda, look, format) in [
        ("poster of 20", Layout::Poster, &agendas[0], &plain, Format::A4),
        ("poster of 120", Layout::Poster, &agendas[2], &plain, Format::A4),
        ("hostile poster", Layout::Poster, &agendas[3], &plain, Format::A4),
        ("folded booklet of 60", Layout::Imposed, &agendas[1], &plain, Format::A4),
        ("poster with a logo on A3", Layout::Poster, &agendas[1], &dressed, Format::A3),
    ] {
        let sheet = Sheet { format, ..sample::sheet(agenda, &office, look) };
        let (printed, pictures) = print_with_pictures(layout, &sheet).unwrap();
        assert_eq!(printed, print(layout, &sheet).unwrap(), "{name}: the same bytes");
        assert_eq!(printed.pages, pictures.len(), "{name}");
        let paper = Paper::of(printed);
        for (n, picture) in pictures.into_iter().enumerate() {
            let svg = folder.path().join(format!("{}.svg", pages.len()));
            std::fs::write(&svg, &picture.svg).unwrap();
            pages.push((name, n, svg, Grey::of_paper(&paper, n + 1)));
        }
    }
    assert!(pages.len() >= 8, "{}", pages.len());
    let scale = SCALE.to_string();
    let files: Vec<String> = pages
        .iter()
        .flat_map(|(_, _, svg, _)| [svg.clone(), svg.with_extension("png")])
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let args: Vec<&str> = std::iter::once(scale.as_str()).chain(files.iter().map(String::as_str)).collect();
    assert_eq!(visit("raster", "-", &args).trim(), "done");
    let shown: Vec<Grey> = pages.iter().map(|(_, _, svg, _)| Grey::read(&svg.with_extension("png"))).collect();
    for ((name, n, _, printed), shown) in pages.iter().zip(&shown) {
        assert!(printed.width.abs_diff(shown.width) <= 2 && printed.height.abs_diff(shown.height) <= 2, "{name} {n}");
        let difference = printed.difference(shown);
        assert!(difference <= MOST_OFF, "{name}, page {}: {:.2} % differ", n + 1, difference * 100.0);
    }
    // The measure tells pages apart.
    assert!(pages[0].3.difference(&shown[1]) > 4.0 * MOST_OFF);
}

#[test]
fn a_picture_runs_nothing_and_loads_nothing() {
    let (agenda, office, look) = (sample::hostile(), sample::office(), sample::dressed());
    let (_, pictures) = print_with_pictures(Layout::Poster, &sample::sheet(&agenda, &office, &look)).unwrap();
    for picture in pictures {
        let svg = &picture.svg;
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        for word in ["<script", "<style", "<a ", "<text", "<foreignObject", "url(", "@import", "javascript:", " on"] {
            assert!(!svg.contains(word), "{word}");
        }
        let other =
            svg.split("href=\"").skip(1).filter(|it| !it.starts_with('#') && !it.starts_with("data:image/png;base64,"));
        assert_eq!(other.count(), 0);
        assert!(svg.len() < 800_000, "{}", svg.len());
    }
}
