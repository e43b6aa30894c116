//! Pictures of pages as they were when someone last looked at them and found them good.
//!
//! Kept as small grey PNGs of 60 dots per inch in `tests/print/golden/`. After a change of the layout: look at the pages,
//! then renew the pictures with `GOLDEN=renew cargo test --features failpoints --test semainier print::`, look at them too, and commit them.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use super::paper::Paper;

/// Grey, sixteen shades, one a byte.
pub struct Picture {
    width: usize,
    height: usize,
    shades: Vec<u8>,
}

/// A pixel differs when it is more than this many shades off: edges fall a little differently with each version of poppler.
const SHADES_OFF: u8 = 3;
const MOST_PIXELS_OFF: f64 = 0.005;

impl Picture {
    pub fn of(paper: &Paper, page: usize) -> Self {
        let pgm = paper.rastered(page, 60);
        // `P5`, width, height, 255, then the pixels.
        let mut head = pgm.splitn(4, |byte| byte.is_ascii_whitespace());
        let mut number = || str::from_utf8(head.next().unwrap()).unwrap().parse::<usize>();
        assert!(number().is_err(), "P5");
        let (width, height) = (number().unwrap(), number().unwrap());
        let pixels = &pgm[pgm.len() - width * height..];
        Self { width, height, shades: pixels.iter().map(|pixel| pixel >> 4).collect() }
    }

    fn read(path: &Path) -> Option<Self> {
        let decoder = png::Decoder::new(BufReader::new(File::open(path).ok()?));
        let mut reader = decoder.read_info().unwrap();
        let mut packed = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut packed).unwrap();
        assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Grayscale, png::BitDepth::Four));
        let (width, height) = (frame.width as usize, frame.height as usize);
        let rows = packed[..frame.buffer_size()].chunks(frame.line_size);
        let shades = rows.flat_map(|row| row.iter().flat_map(|two| [two >> 4, two & 15]).take(width)).collect();
        Some(Self { width, height, shades })
    }

    fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = BufWriter::new(File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Four);
        encoder.set_compression(png::Compression::High);
        let pack = |pair: &[u8]| pair[0] << 4 | pair.get(1).unwrap_or(&0);
        let packed: Vec<u8> = self.shades.chunks(self.width).flat_map(|row| row.chunks(2).map(pack)).collect();
        encoder.write_header().unwrap().write_image_data(&packed).unwrap();
    }

    /// The share of pixels that differ; all of them where the sizes do.
    pub fn difference(&self, other: &Self) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let pairs = self.shades.iter().zip(&other.shades);
        let off = pairs.filter(|&(&a, &b)| a.abs_diff(b) > SHADES_OFF).count();
        off as f64 / self.shades.len() as f64
    }
}

/// Compares a page with its kept picture, or renews the picture.
pub fn check(name: &str, paper: &Paper, page: usize) -> Result<(), String> {
    let path = folder().join(format!("{name}.png"));
    let now = Picture::of(paper, page);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "renew") {
        now.write(&path);
        return Ok(());
    }
    let difference = Picture::read(&path).map(|kept| now.difference(&kept));
    match difference {
        Some(difference) if difference <= MOST_PIXELS_OFF => Ok(()),
        found => {
            let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            now.write(&seen);
            let what =
                found.map_or("has no picture yet".to_owned(), |share| format!("differs by {:.2} %", share * 100.0));
            Err(format!("{name} {what}: look at {}, compare {}", seen.display(), path.display()))
        }
    }
}

/// Every kept picture, by its name.
pub fn kept() -> Vec<String> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".png")?.to_owned())).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/print/golden")
}
