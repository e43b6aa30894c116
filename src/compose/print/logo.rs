//! The office's logo: a PNG, decoded, or a JPEG, whose bytes go into the PDF as they are.
//!
//! A file that cannot be printed is refused when the configuration is read, not when an issue is printed.

use std::sync::Arc;

/// A picture ready to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    pub(super) width: u32,
    pub(super) height: u32,
    /// 1 for grey, 3 for red, green, blue.
    pub(super) channels: u8,
    pub(super) pixels: Pixels,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pixels {
    /// Row by row, eight bits each; `alpha` where some are transparent.
    Plain {
        samples: Arc<[u8]>,
        alpha: Option<Arc<[u8]>>,
    },
    Jpeg(Arc<[u8]>),
}

/// Why a logo cannot be printed, with advice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    #[error("expected a PNG or a JPEG file; export the logo as PNG, about 800 pixels wide")]
    Unknown,
    #[error("expected a picture of at most {most} × {most} pixels, found {0} × {1}; export it smaller", most = Logo::LARGEST)]
    TooLarge(u32, u32),
    #[error("the JPEG is in four colours (CMYK); export it in RGB, or as PNG")]
    FourColours,
    #[error("the picture is damaged: {0}")]
    Damaged(String),
}

impl Logo {
    /// More than a logo needs even on A3; prevents a large photograph from being attached to every mail.
    const LARGEST: u32 = 2000;

    /// # Errors
    /// When the bytes are not a picture of a supported kind and size.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogoError> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Self::png(bytes),
            [0xff, 0xd8, 0xff, ..] => Self::jpeg(bytes),
            _ => Err(LogoError::Unknown),
        }
    }

    fn png(bytes: &[u8]) -> Result<Self, LogoError> {
        let damaged = |error: png::DecodingError| LogoError::Damaged(error.to_string());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(damaged)?;
        let (width, height) = reader.info().size();
        Self::check_size(width, height)?;
        let Some(size) = reader.output_buffer_size() else { return Err(LogoError::TooLarge(width, height)) };
        let mut samples = vec![0; size];
        let frame = reader.next_frame(&mut samples).map_err(damaged)?;
        samples.truncate(frame.buffer_size());
        let (channels, transparent) = match frame.color_type {
            png::ColorType::Grayscale => (1, false),
            png::ColorType::GrayscaleAlpha => (1, true),
            png::ColorType::Rgb | png::ColorType::Indexed => (3, false),
            png::ColorType::Rgba => (3, true),
        };
        let (samples, alpha) = if transparent { split_alpha(&samples, channels) } else { (samples, None) };
        let pixels = Pixels::Plain { samples: samples.into(), alpha: alpha.map(Arc::from) };
        Ok(Self { width, height, channels: channels as u8, pixels })
    }

    fn jpeg(bytes: &[u8]) -> Result<Self, LogoError> {
        let frame = jpeg_frame(bytes).ok_or_else(|| LogoError::Damaged("no frame was found in the JPEG".to_owned()))?;
        Self::check_size(frame.width, frame.height)?;
        match frame.channels {
            channels @ (1 | 3) => {
                Ok(Self { width: frame.width, height: frame.height, channels, pixels: Pixels::Jpeg(bytes.into()) })
            }
            _ => Err(LogoError::FourColours),
        }
    }

    fn check_size(width: u32, height: u32) -> Result<(), LogoError> {
        match (1..=Self::LARGEST).contains(&width) && (1..=Self::LARGEST).contains(&height) {
            true => Ok(()),
            false => Err(LogoError::TooLarge(width, height)),
        }
    }

    /// As a file that a browser shows, with its media type.
    pub(super) fn file(&self) -> Option<(&'static str, Vec<u8>)> {
        let (samples, alpha) = match &self.pixels {
            Pixels::Jpeg(bytes) => return Some(("image/jpeg", bytes.to_vec())),
            Pixels::Plain { samples, alpha } => (samples, alpha),
        };
        let (color, samples) = match (self.channels, alpha) {
            (1, None) => (png::ColorType::Grayscale, samples.to_vec()),
            (_, None) => (png::ColorType::Rgb, samples.to_vec()),
            (channels, Some(alpha)) => {
                let pixels = samples.chunks_exact(channels.into()).zip(alpha.iter());
                let color = if channels == 1 { png::ColorType::GrayscaleAlpha } else { png::ColorType::Rgba };
                (color, pixels.flat_map(|(pixel, alpha)| pixel.iter().chain([alpha])).copied().collect())
            }
        };
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(color);
        // It cannot fail: the samples are those of a picture of this size, and memory takes them.
        encoder.write_header().ok()?.write_image_data(&samples).ok()?;
        Some(("image/png", file))
    }

    /// Width over height.
    pub(super) fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }
}

/// Separates colours and transparency, as PDF stores them; no transparency if every pixel is opaque.
fn split_alpha(samples: &[u8], channels: usize) -> (Vec<u8>, Option<Vec<u8>>) {
    let pixels = samples.chunks_exact(channels + 1);
    let colours = pixels.clone().flat_map(|pixel| &pixel[..channels]).copied().collect();
    let alpha: Vec<u8> = pixels.map(|pixel| pixel[channels]).collect();
    (colours, Some(alpha).filter(|alpha| alpha.iter().any(|&value| value != 255)))
}

struct JpegFrame {
    width: u32,
    height: u32,
    channels: u8,
}

/// The start-of-frame segment, which contains the size of the picture.
fn jpeg_frame(bytes: &[u8]) -> Option<JpegFrame> {
    let mut rest = bytes.get(2..)?;
    loop {
        // A marker may be preceded by any number of 0xff.
        let &[0xff, marker, ..] = rest else { return None };
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        let segment = rest.get(4..2 + length)?;
        match marker {
            // Baseline, extended, progressive: what PDF readers decode.
            0xc0..=0xc2 => {
                let &[8, h1, h0, w1, w0, channels, ..] = segment else { return None };
                let (height, width) = (u16::from_be_bytes([h1, h0]).into(), u16::from_be_bytes([w1, w0]).into());
                return Some(JpegFrame { width, height, channels });
            }
            0xd9 | 0xda => return None,
            _ => rest = rest.get(2 + length..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn png(width: u32, height: u32, color: png::ColorType, samples: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        bytes
    }

    fn jpeg(channels: u8) -> Vec<u8> {
        let comment = [0xff, 0xfe, 0, 4, b'h', b'i'];
        let frame = [0xff, 0xff, 0xc2, 0, 9, 8, 0, 40, 1, 0, channels, 0, 0];
        [&[0xff, 0xd8][..], &comment, &frame, &[0xff, 0xda, 0, 2]].concat()
    }

    #[test]
    fn a_png_is_decoded_and_its_transparency_kept_apart() {
        let logo = Logo::parse(&png(2, 1, png::ColorType::Rgba, &[1, 2, 3, 255, 4, 5, 6, 0])).unwrap();
        assert_eq!((logo.width, logo.height, logo.channels), (2, 1, 3));
        let plain = Pixels::Plain { samples: [1, 2, 3, 4, 5, 6].into(), alpha: Some([255, 0].into()) };
        assert_eq!(logo.pixels, plain);
        let opaque = Logo::parse(&png(1, 1, png::ColorType::GrayscaleAlpha, &[9, 255])).unwrap();
        assert_eq!(opaque.pixels, Pixels::Plain { samples: [9].into(), alpha: None });
    }

    #[test]
    fn a_logo_is_written_again_as_it_was_read() {
        for (color, samples) in [
            (png::ColorType::Rgba, &[1, 2, 3, 255, 4, 5, 6, 0][..]),
            (png::ColorType::Rgb, &[1, 2, 3, 4, 5, 6]),
            (png::ColorType::Grayscale, &[7, 8]),
            (png::ColorType::GrayscaleAlpha, &[7, 0, 8, 9]),
        ] {
            let logo = Logo::parse(&png(2, 1, color, samples)).unwrap();
            let (media_type, file) = logo.file().unwrap();
            assert_eq!((media_type, Logo::parse(&file).unwrap()), ("image/png", logo), "{color:?}");
        }
        let bytes = jpeg(3);
        assert_eq!(Logo::parse(&bytes).unwrap().file(), Some(("image/jpeg", bytes)));
    }

    #[test]
    fn a_jpeg_is_measured_and_passed_through() {
        let logo = Logo::parse(&jpeg(3)).unwrap();
        assert_eq!((logo.width, logo.height, logo.channels), (256, 40, 3));
        assert!(matches!(logo.pixels, Pixels::Jpeg(_)));
    }

    #[test]
    fn an_unprintable_logo_is_refused_with_advice() {
        let said = |bytes: &[u8]| Logo::parse(bytes).unwrap_err().to_string();
        assert!(said(b"<svg/>").contains("export the logo as PNG"));
        assert!(said(&jpeg(4)).contains("CMYK"));
        assert!(said(&[0xff, 0xd8, 0xff, 0xd9]).contains("damaged"));
        let wide = png(2001, 1, png::ColorType::Grayscale, &[0; 2001]);
        assert!(said(&wide).contains("found 2001 × 1"));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic_in_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200), jpeg: bool) {
            let start: &[u8] = if jpeg { &[0xff, 0xd8, 0xff] } else { &[0x89, b'P', b'N', b'G', 13, 10, 26, 10] };
            let _ = Logo::parse(&[start, &bytes].concat());
        }
    }
}
