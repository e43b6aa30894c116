//! Scales pictures down for mails: JPEG, PNG and WebP in, JPEG out. The only module that uses `image`.
//!
//! Input is untrusted: its dimensions are read before its pixels, and both are limited. The output contains only pixels, no
//! metadata such as location or camera.

use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, imageops};
use std::borrow::Cow;
use std::io::Cursor;

/// Twice the width of the mail's column, for high-resolution screens.
const WIDTH: u32 = 1072;
/// Portrait pictures are cropped to their middle: they would fill two screens of a telephone.
const TALLEST: u32 = WIDTH * 3 / 4;
/// Portrait covers are shown narrower than the column.
const TALLEST_WHOLE: u32 = 900;
/// Larger than any camera's pictures; a file that claims more is a decompression bomb.
const LARGEST_SIDE: u32 = 12_000;
/// Twenty-seven million pixels of three bytes, more than usual cameras have.
const MEMORY: u64 = 80 << 20;
const QUALITY: u8 = 78;

/// A picture for a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Small {
    pub jpeg: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Why a file could not be used as a picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("not a JPEG, PNG or WebP file")]
    Kind,
    #[error("cut off before its end")]
    Cut,
    #[error("not readable as a picture, or larger than {LARGEST_SIDE} pixels")]
    Decode(#[source] image::ImageError),
    #[error("the address is too long for a QR code")]
    Address,
    #[error("could not be written")]
    Encode(#[source] image::ImageError),
}

impl PictureError {
    /// For staff.
    pub fn in_french(&self) -> &'static str {
        match self {
            Self::Cut => "le fichier est coupé avant la fin",
            Self::Decode(image::ImageError::Limits(_)) => "elle est trop grande",
            _ => "ce n’est pas une image JPEG, PNG ou WebP lisible",
        }
    }
}

/// # Errors
/// If the bytes are not a supported picture, or it is too large.
pub fn small(bytes: &[u8]) -> Result<Small, PictureError> {
    made(bytes, fitted)
}

/// Like [`small`] without cropping, for covers.
///
/// # Errors
/// Like [`small`].
pub fn whole(bytes: &[u8]) -> Result<Small, PictureError> {
    made(bytes, |picture| {
        let (width, height) = picture.dimensions();
        let side = |of: u32, most: u32| u64::from(of) * 1_000 / u64::from(most);
        let times = side(width, WIDTH).max(side(height, TALLEST_WHOLE)).max(1_000);
        match times {
            1_000 => picture,
            _ => {
                let less = |of: u32| u32::try_from(u64::from(of) * 1_000 / times).unwrap_or(1).max(1);
                imageops::resize(&picture, less(width), less(height), imageops::FilterType::CatmullRom)
            }
        }
    })
}

/// Width and height of a picture produced here, in pixels.
///
/// # Errors
/// If it is not a picture.
pub fn size(jpeg: &[u8]) -> Result<(u32, u32), PictureError> {
    let reader = ImageReader::with_format(Cursor::new(jpeg), ImageFormat::Jpeg);
    reader.into_dimensions().map_err(PictureError::Decode)
}

/// The QR code of a text as the path of an SVG: its black modules, and the side of the whole with its quiet zone, in modules.
///
/// # Errors
/// If the text is too long.
pub fn qr_path(text: &str) -> Result<(String, i32), PictureError> {
    const QUIET: i32 = 4;
    let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium).map_err(|_| PictureError::Address)?;
    let size = code.size();
    let modules = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path = modules.map(|(x, y)| format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    Ok((path, size + 2 * QUIET))
}

/// The QR code of an address with its quiet zone, black on white, as PNG.
///
/// # Errors
/// If the address is too long.
pub fn qr(url: &str) -> Result<Vec<u8>, PictureError> {
    /// Pixels of a module, and modules of the quiet zone (ISO/IEC 18004).
    const MODULE: i32 = 6;
    const QUIET: i32 = 4;
    let code = qrcodegen::QrCode::encode_text(url, qrcodegen::QrCodeEcc::Medium).map_err(|_| PictureError::Address)?;
    let side = (code.size() + 2 * QUIET) * MODULE;
    let module = |pixel: u32| i32::try_from(pixel).unwrap_or_default() / MODULE - QUIET;
    let picture = image::GrayImage::from_fn(side.unsigned_abs(), side.unsigned_abs(), |x, y| {
        image::Luma([if code.get_module(module(x), module(y)) { 0 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture).write_to(&mut png, ImageFormat::Png).map_err(PictureError::Encode)?;
    Ok(png.into_inner())
}

fn made(bytes: &[u8], fit: impl FnOnce(RgbImage) -> RgbImage) -> Result<Small, PictureError> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LARGEST_SIDE), Some(LARGEST_SIDE));
    limits.max_alloc = Some(MEMORY);
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PictureError::Kind)?;
    // By its first bytes, whatever its name or the server says.
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(PictureError::Kind);
    }
    // Refuse truncated files: the decoder fills missing parts with grey.
    if reader.format() == Some(ImageFormat::Jpeg) && is_cut_off(bytes) {
        return Err(PictureError::Cut);
    }
    let pixels_alone = match reader.format() {
        Some(ImageFormat::Png) => png_pixels(bytes),
        _ => Cow::Borrowed(bytes),
    };
    let mut reader =
        ImageReader::new(Cursor::new(&*pixels_alone)).with_guessed_format().map_err(|_| PictureError::Kind)?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(PictureError::Decode)?;
    // The decoder checks the dimensions; memory is checked once the header is read.
    if decoder.total_bytes() > MEMORY {
        let kind = image::error::LimitErrorKind::InsufficientMemory;
        return Err(PictureError::Decode(image::ImageError::Limits(image::error::LimitError::from_kind(kind))));
    }
    let orientation = decoder.orientation().map_err(PictureError::Decode)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(PictureError::Decode)?;
    picture.apply_orientation(orientation);
    let picture = fit(flattened(picture));
    let (width, height) = picture.dimensions();
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(picture.as_raw(), width, height, image::ExtendedColorType::Rgb8)
        .map_err(PictureError::Encode)?;
    Ok(Small { jpeg, width, height })
}

/// Whether a JPEG is truncated. The embedded thumbnail of a camera has an end marker of its own, before.
fn is_cut_off(jpeg: &[u8]) -> bool {
    let last = |marker: [u8; 2]| memchr::memmem::rfind(jpeg, &marker);
    match (last([0xff, 0xda]), last([0xff, 0xd9])) {
        (Some(scan), Some(end)) => end < scan,
        (scan, end) => scan.is_none() || end.is_none(),
    }
}

/// The pixel chunks of a PNG: other chunks, such as a colour profile that may unpack to gigabytes, are dropped before
/// decoding.
fn png_pixels(png: &[u8]) -> Cow<'_, [u8]> {
    const KEPT: [&[u8]; 9] = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"eXIf"];
    let (Some(signature), mut at) = (png.get(..8), 8) else { return Cow::Borrowed(png) };
    let mut kept = signature.to_vec();
    while let Some(head) = png.get(at..at + 8) {
        let (length, name) = head.split_at(4);
        let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        // A truncated file is left to the decoder, which reports it.
        let end = at.saturating_add(12).saturating_add(length).min(png.len());
        if KEPT.contains(&name) {
            kept.extend_from_slice(&png[at..end]);
        }
        at = end;
    }
    Cow::Owned(kept)
}

/// Transparency becomes white; JPEG has none, and it would become black.
fn flattened(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let on_white = |value: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        u8::try_from((u32::from(value) * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        Rgb([on_white(r, a), on_white(g, a), on_white(b, a)])
    })
}

/// Scaled to the size shown in the mail; a small picture is unchanged.
fn fitted(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let scaled = match width > WIDTH {
        true => {
            let tall = u64::from(height) * u64::from(WIDTH) / u64::from(width);
            let tall = u32::try_from(tall).unwrap_or(u32::MAX).max(1);
            imageops::resize(&picture, WIDTH, tall, imageops::FilterType::CatmullRom)
        }
        false => picture,
    };
    let (width, height) = scaled.dimensions();
    let tallest = TALLEST.min((width * 3 / 4).max(1));
    match height > tallest {
        true => imageops::crop_imm(&scaled, 0, (height - tallest) / 2, width, tallest).to_image(),
        false => scaled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn photograph(width: u32, height: u32) -> DynamicImage {
        let pixel = |x: u32, y: u32| Rgb([(x % 251) as u8, (y % 241) as u8, ((x * y) % 239) as u8]);
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, pixel))
    }

    #[test]
    fn a_large_picture_becomes_small_whatever_its_kind() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let made = small(&encoded(&photograph(1500, 1000), format)).unwrap();
            assert_eq!((made.width, made.height), (1072, 714), "{format:?}");
            assert!(made.jpeg.starts_with(&[0xff, 0xd8]));
        }
        let portrait = small(&encoded(&photograph(300, 900), ImageFormat::Png)).unwrap();
        assert_eq!((portrait.width, portrait.height), (300, 225));
    }

    #[test]
    fn a_cover_is_made_small_with_all_its_edges() {
        for (given, expected) in [((1000, 3000), (300, 900)), ((2144, 900), (1072, 450)), ((300, 400), (300, 400))] {
            let made = whole(&encoded(&photograph(given.0, given.1), ImageFormat::Png)).unwrap();
            assert_eq!((made.width, made.height), expected);
            assert_eq!(size(&made.jpeg).unwrap(), expected);
        }
    }

    #[test]
    fn a_code_is_square_with_a_quiet_zone_and_the_same_each_time() {
        let url = "https://office.example/carte";
        let code = qr(url).unwrap();
        assert_eq!(code, qr(url).unwrap());
        let read = image::load_from_memory(&code).unwrap().into_luma8();
        assert_eq!(read.width(), read.height());
        assert!((0..read.width()).all(|x| read.get_pixel(x, 23).0 == [255]), "the quiet zone");
        assert_eq!(read.get_pixel(24, 24).0, [0], "the corner of a finder");
        assert!(matches!(qr(&"x".repeat(5_000)), Err(PictureError::Address)));
    }

    #[test]
    fn transparent_pixels_become_white() {
        let clear = DynamicImage::ImageRgba8(image::RgbaImage::new(40, 30));
        let made = small(&encoded(&clear, ImageFormat::Png)).unwrap();
        let read = image::load_from_memory(&made.jpeg).unwrap().into_rgb8();
        assert!(read.pixels().all(|pixel| pixel.0.iter().all(|value| *value > 250)));
    }

    #[test]
    fn encoding_is_deterministic_and_camera_metadata_is_removed() {
        let mut with_exif = encoded(&photograph(64, 48), ImageFormat::Jpeg);
        // An APP1 segment with a place in it, after the start of the image.
        let secret = b"Exif\0\0 GPS 43.646 0.586";
        let mut segment = vec![0xff, 0xe1, 0, (secret.len() + 2) as u8];
        segment.extend_from_slice(secret);
        with_exif.splice(2..2, segment);
        let made = small(&with_exif).unwrap();
        assert_eq!(made, small(&with_exif).unwrap());
        assert!(!made.jpeg.windows(3).any(|bytes| bytes == b"GPS"));
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        // A PNG that says 60,000 by 60,000 in its header, and holds next to nothing.
        let mut bomb = encoded(&photograph(2, 2), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let checksum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(matches!(small(&bomb), Err(PictureError::Decode(_))));
        // Within the sides, and still ten times the memory.
        bomb[16..24].copy_from_slice(&[0, 0, 0x2e, 0xe0, 0, 0, 0x2e, 0xe0]);
        let checksum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(matches!(small(&bomb), Err(PictureError::Decode(_))));
    }

    #[test]
    fn m4_a_colour_profile_is_not_decompressed() {
        let png = encoded(&photograph(64, 48), ImageFormat::Png);
        let chunk = |name: &[u8], data: &[u8]| {
            let body = [name, data].concat();
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
        };
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &vec![0; 4 << 20]).unwrap();
        let profile = chunk(b"iCCP", &[b"a\0\0", packed.finish().unwrap().as_slice()].concat());
        let with = [&png[..33], &profile, &png[33..]].concat();
        assert_eq!(png_pixels(&with), png);
        assert_eq!(small(&with).unwrap(), small(&png).unwrap());
        assert!(png_pixels(&png[..20]).len() <= 20);
    }

    #[test]
    fn m4_a_picture_with_too_many_pixels_is_refused() {
        let mut wide = encoded(&photograph(2, 2), ImageFormat::Png);
        wide[16..24].copy_from_slice(&[0, 0, 0x2e, 0xe0, 0, 0, 0x11, 0x30]);
        let checksum = crc(&wide[12..29]);
        wide[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = small(&wide).unwrap_err();
        assert_eq!(error.in_french(), "elle est trop grande");
    }

    #[test]
    fn fr47_a_truncated_picture_is_refused() {
        let whole = encoded(&photograph(640, 480), ImageFormat::Jpeg);
        for part in [2, 3, 10] {
            let error = small(&whole[..whole.len() - whole.len() / part]).unwrap_err();
            assert!(matches!(error, PictureError::Cut), "{error:?}");
        }
        assert!(small(&[&whole[..], b"\0\0trailing"].concat()).is_ok());
        let png = encoded(&photograph(640, 480), ImageFormat::Png);
        assert!(small(&png[..png.len() / 2]).is_err());
        let webp = encoded(&photograph(640, 480), ImageFormat::WebP);
        assert!(small(&webp[..webp.len() / 2]).is_err());
    }

    #[test]
    fn an_invalid_picture_is_reported() {
        for bytes in [b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(), b"GIF89a\x01\0\x01\0", b"", b"<html>"] {
            assert!(matches!(small(bytes), Err(PictureError::Kind)), "{bytes:?}");
        }
        let whole = encoded(&photograph(64, 48), ImageFormat::Png);
        assert!(matches!(small(&whole[..whole.len() / 2]), Err(PictureError::Decode(_))));
    }

    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
    }
}
