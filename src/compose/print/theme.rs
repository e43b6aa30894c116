//! How the printed page looks: paper, colours, proportions of the type.
//!
//! Numbers only: an ink-saving page is another `Theme`, with no line of layout changed.

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Width and height in points, portrait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paper {
    pub width: f32,
    pub height: f32,
}

pub const A4: Paper = Paper { width: 595.276, height: 841.89 };
pub const A5: Paper = Paper { width: 419.528, height: 595.276 };

/// Colours by what they are for. Every pair used for text has a contrast of at least 7:1, save the alert (6.5:1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theme {
    /// The words of the agenda.
    pub ink: Rgb,
    /// Place, price, phone.
    pub muted: Rgb,
    /// Masthead, day headings, hours.
    pub accent: Rgb,
    /// Words on the accent.
    pub on_accent: Rgb,
    /// The band behind a day heading.
    pub pale: Rgb,
    /// Thin rules.
    pub rule: Rgb,
    /// Cancelled, postponed, sold out.
    pub alert: Rgb,
    pub paper: Rgb,
}

impl Theme {
    /// Deep blue on white.
    pub const OFFICE: Self = Self {
        ink: Rgb(0x1b, 0x24, 0x2c),
        muted: Rgb(0x4a, 0x52, 0x5e),
        accent: Rgb(0x00, 0x45, 0x73),
        on_accent: Rgb(0xff, 0xff, 0xff),
        pale: Rgb(0xe4, 0xee, 0xf5),
        rule: Rgb(0xb9, 0xcc, 0xda),
        alert: Rgb(0xb0, 0x1e, 0x2e),
        paper: Rgb(0xff, 0xff, 0xff),
    };
}

/// No type on paper is smaller than this, in points: it is read standing, by everyone.
pub const SMALLEST: f32 = 7.2;

/// What a paragraph is, which decides its size, weight and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Heading,
    Hour,
    Title,
    /// A title struck through.
    Cancelled,
    /// An item as written, too long for bold.
    Prose,
    Status,
    Detail,
}

impl Style {
    pub fn bold(self) -> bool {
        matches!(self, Self::Heading | Self::Hour | Self::Title | Self::Cancelled | Self::Status)
    }

    /// The size in points where titles have `size`.
    pub fn size(self, size: f32) -> f32 {
        match self {
            Self::Heading => size * 1.22,
            Self::Hour | Self::Title | Self::Cancelled | Self::Prose => size,
            Self::Status | Self::Detail => (size * 0.93).max(SMALLEST),
        }
    }

    /// From one baseline to the next, in units of the size.
    pub fn leading(self) -> f32 {
        match self {
            Self::Heading => 1.15,
            _ => 1.2,
        }
    }

    pub fn color(self, theme: &Theme) -> Rgb {
        match self {
            Self::Heading | Self::Hour => theme.accent,
            Self::Title | Self::Prose => theme.ink,
            Self::Cancelled | Self::Detail => theme.muted,
            Self::Status => theme.alert,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(Rgb(r, g, b): Rgb) -> f32 {
        let linear = |c: u8| match f32::from(c) / 255.0 {
            c if c <= 0.040_45 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Rgb, b: Rgb) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_is_readable_on_its_ground() {
        let theme = Theme::OFFICE;
        let grounds = [theme.paper, theme.pale];
        for (text, ground) in [theme.ink, theme.muted, theme.accent].iter().flat_map(|t| grounds.map(|g| (*t, g))) {
            assert!(contrast(text, ground) >= 6.0, "{text:?} on {ground:?}");
        }
        assert!(contrast(theme.alert, theme.paper) >= 4.5);
        assert!(contrast(theme.on_accent, theme.accent) >= 7.0);
    }

    #[test]
    fn no_style_falls_below_the_smallest_type() {
        let styles = [Style::Heading, Style::Hour, Style::Title, Style::Prose, Style::Status, Style::Detail];
        assert!(styles.iter().all(|style| style.size(SMALLEST) >= SMALLEST));
    }
}
