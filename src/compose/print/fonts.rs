//! The two fonts of the printed page: the built-in ones, or others from files.

use std::borrow::Cow;

use rustybuzz::ttf_parser::{self, Permissions, name_id};

/// Regular and bold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fonts {
    pub regular: Font,
    pub bold: Font,
}

/// A validated font program.
#[derive(Clone, PartialEq, Eq)]
pub struct Font {
    pub(super) bytes: Cow<'static, [u8]>,
    pub(super) postscript_name: Cow<'static, str>,
}

/// Characters that a French page needs.
const NEEDED: &str = "AZaz09 ’«»–·€()/:;,.!?%°&-àâäçéèêëîïôöùûüÿœæÀÂÇÉÈÊËÎÏÔÙÛÜŒÆ";

/// Why a font file cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    #[error("expected an OpenType font (.ttf or .otf)")]
    Unknown,
    #[error("the font's licence forbids embedding a subset of it")]
    Forbidden,
    #[error("the font lacks {0}, which French needs")]
    Lacks(String),
}

impl Font {
    /// # Errors
    /// When the bytes are not a font, its licence forbids subsetting, or it lacks French characters.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FontError> {
        let face = ttf_parser::Face::parse(&bytes, 0).map_err(|_| FontError::Unknown)?;
        if face.permissions() == Some(Permissions::Restricted) || !face.is_subsetting_allowed() {
            return Err(FontError::Forbidden);
        }
        let lacking: String =
            NEEDED.chars().filter(|&c| face.glyph_index(c).is_none_or(|glyph| glyph.0 == 0)).collect();
        if !lacking.is_empty() {
            return Err(FontError::Lacks(lacking));
        }
        let names = face.names().into_iter().filter(|name| name.name_id == name_id::POST_SCRIPT_NAME);
        let name = names.into_iter().find_map(|name| name.to_string()).unwrap_or_default();
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
        let postscript_name = if name.is_empty() { "Font".into() } else { name.into() };
        Ok(Self { bytes: bytes.into(), postscript_name })
    }
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Font({}, {} bytes)", self.postscript_name, self.bytes.len())
    }
}

impl Default for Fonts {
    /// Source Sans 3.
    fn default() -> Self {
        let shipped =
            |bytes: &'static [u8], name: &'static str| Font { bytes: bytes.into(), postscript_name: name.into() };
        Self {
            regular: shipped(include_bytes!("../../../fonts/SourceSans3-Regular.ttf"), "SourceSans3-Regular"),
            bold: shipped(include_bytes!("../../../fonts/SourceSans3-Semibold.ttf"), "SourceSans3-Semibold"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_fonts_are_valid() {
        let shipped = Fonts::default();
        for font in [shipped.regular, shipped.bold] {
            assert_eq!(Font::parse(font.bytes.to_vec()), Ok(font));
        }
    }

    #[test]
    fn an_invalid_font_is_refused() {
        assert_eq!(Font::parse(b"hello".to_vec()), Err(FontError::Unknown));
    }
}
