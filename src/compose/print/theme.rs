//! The look of the printed page: paper, colours, type sizes.
//!
//! Numbers only: an ink-saving page is another `Theme` with the same layout. The contrast of every pair of text and
//! background colours is checked when a theme is read.

use crate::toml_reader::Section;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Width and height in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paper {
    pub width: f32,
    pub height: f32,
}

pub const A5: Paper = Paper { width: 419.528, height: 595.276 };
pub const A4: Paper = Paper { width: 595.276, height: 841.89 };
pub const A3: Paper = Paper { width: 841.89, height: 1190.551 };

impl Paper {
    pub fn landscape(self) -> Self {
        Self { width: self.height, height: self.width }
    }
}

/// Colours by what they are for. A ground that has the colour of the paper is not filled: rules stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub masthead: Rgb,
    pub on_masthead: Rgb,
    /// The band behind the name of a day.
    pub heading: Rgb,
    pub on_heading: Rgb,
    /// The band behind the name of a group that has no day.
    pub group: Rgb,
    pub on_group: Rgb,
    /// Hours, labels, page numbers, QR codes.
    pub accent: Rgb,
    /// The words of the agenda.
    pub text: Rgb,
    /// Place, price, phone.
    pub detail: Rgb,
    /// Cancelled, postponed, sold out.
    pub alert: Rgb,
    /// Thin rules.
    pub rule: Rgb,
}

/// Always white.
pub const PAPER: Rgb = Rgb(0xff, 0xff, 0xff);

/// What WCAG 2 asks of text, level AA; RGAA 3.2 asks the same.
pub const LEAST_CONTRAST: f32 = 4.5;

impl Theme {
    /// Deep blue on white.
    pub const OFFICE: Self = Self {
        masthead: Rgb(0x00, 0x45, 0x73),
        on_masthead: PAPER,
        heading: Rgb(0xe4, 0xee, 0xf5),
        on_heading: Rgb(0x00, 0x45, 0x73),
        group: Rgb(0x00, 0x45, 0x73),
        on_group: PAPER,
        accent: Rgb(0x00, 0x45, 0x73),
        text: Rgb(0x1b, 0x24, 0x2c),
        detail: Rgb(0x4a, 0x52, 0x5e),
        alert: Rgb(0xb0, 0x1e, 0x2e),
        rule: Rgb(0xb9, 0xcc, 0xda),
    };

    /// Black on white, nothing filled: for an office laser.
    pub const INK: Self = Self {
        masthead: PAPER,
        on_masthead: Rgb(0, 0, 0),
        heading: PAPER,
        on_heading: Rgb(0, 0, 0),
        group: PAPER,
        on_group: Rgb(0, 0, 0),
        accent: Rgb(0, 0, 0),
        text: Rgb(0, 0, 0),
        detail: Rgb(0x38, 0x38, 0x38),
        alert: Rgb(0, 0, 0),
        rule: Rgb(0x8c, 0x8c, 0x8c),
    };

    /// A theme that has a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "office" => Some(Self::OFFICE),
            "ink" => Some(Self::INK),
            _ => None,
        }
    }

    /// The colours of a theme file; those it does not give are the ones of `base`. What is wrong gathers in the section.
    pub fn read(colours: &Section, base: Self) -> Self {
        let theme = Self {
            masthead: colour(colours, "masthead", base.masthead),
            on_masthead: colour(colours, "on_masthead", base.on_masthead),
            heading: colour(colours, "heading", base.heading),
            on_heading: colour(colours, "on_heading", base.on_heading),
            group: colour(colours, "group", base.group),
            on_group: colour(colours, "on_group", base.on_group),
            accent: colour(colours, "accent", base.accent),
            text: colour(colours, "text", base.text),
            detail: colour(colours, "detail", base.detail),
            alert: colour(colours, "alert", base.alert),
            rule: colour(colours, "rule", base.rule),
        };
        for Pair { text, ground, ratio } in theme.pairs().into_iter().filter(|pair| pair.ratio < LEAST_CONTRAST) {
            // The pair may be too faint by either of the two: the complaint stands where the file says something.
            let key = if colours.has(text) || !colours.has(ground) { text } else { ground };
            colours.problem(
                key,
                format!(
                    "{text} on {ground} has a contrast of {ratio:.1}:1; expected at least {LEAST_CONTRAST}:1, so that \
                     everyone can read it"
                ),
            );
        }
        theme
    }

    /// What is written on what, with its contrast.
    fn pairs(&self) -> Vec<Pair> {
        let pair = |text, color, ground, under| Pair { text, ground, ratio: contrast(color, under) };
        let on_paper = [("accent", self.accent), ("text", self.text), ("detail", self.detail), ("alert", self.alert)];
        let mut pairs = vec![
            pair("on_masthead", self.on_masthead, "masthead", self.masthead),
            pair("on_heading", self.on_heading, "heading", self.heading),
            pair("on_group", self.on_group, "group", self.group),
            // The call to the online agenda stands on the ground of the headings.
            pair("accent", self.accent, "heading", self.heading),
            pair("detail", self.detail, "heading", self.heading),
        ];
        pairs.extend(on_paper.map(|(name, color)| pair(name, color, "white", PAPER)));
        pairs
    }
}

struct Pair {
    text: &'static str,
    ground: &'static str,
    ratio: f32,
}

fn colour(section: &Section, key: &str, otherwise: Rgb) -> Rgb {
    section.parsed(key, parse_colour).unwrap_or(otherwise)
}

/// `#004573`
fn parse_colour(text: &str) -> Result<Rgb, String> {
    let bad = || format!("expected a colour such as \"#004573\", found {text:?}");
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(bad)?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| bad());
    Ok(Rgb(part(0)?, part(2)?, part(4)?))
}

/// WCAG 2: from 1 (none) to 21 (black on white).
pub fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(Rgb(r, g, b): Rgb) -> f32 {
    let linear = |c: u8| match f32::from(c) / 255.0 {
        c if c <= 0.040_45 => c / 12.92,
        c => ((c + 0.055) / 1.055).powf(2.4),
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
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
            Self::Title | Self::Prose => theme.text,
            Self::Cancelled | Self::Detail => theme.detail,
            Self::Status => theme.alert,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml_reader::{File, Overrides};

    fn read(text: &str) -> Result<Theme, Vec<String>> {
        let overrides = Overrides::default();
        let file = File::parse("theme.toml", text, &overrides);
        let root = file.root();
        let colours = root.section("colours");
        let theme = Theme::read(&colours, Theme::OFFICE);
        colours.finish();
        root.finish();
        let problems: Vec<String> = file.problems().iter().map(ToString::to_string).collect();
        if problems.is_empty() { Ok(theme) } else { Err(problems) }
    }

    #[test]
    fn every_text_of_the_built_in_themes_has_enough_contrast() {
        for theme in [Theme::OFFICE, Theme::INK] {
            for Pair { text, ground, ratio } in theme.pairs() {
                assert!(ratio >= 6.0, "{text} on {ground}: {ratio}");
            }
        }
        assert!((contrast(PAPER, Rgb(0, 0, 0)) - 21.0).abs() < 1e-3);
        assert!((contrast(PAPER, Rgb(0x76, 0x76, 0x76)) - 4.54).abs() < 0.01, "a figure WCAG gives");
    }

    #[test]
    fn a_theme_file_overrides_the_default() {
        let theme = read("[colours]\nmasthead = '#7A1F3D'\naccent = '#7a1f3d'").unwrap();
        assert_eq!((theme.masthead, theme.text), (Rgb(0x7a, 0x1f, 0x3d), Theme::OFFICE.text));
    }

    #[test]
    fn insufficient_contrast_is_refused_with_line_pair_and_ratio() {
        let problems = read("[colours]\ndetail = '#9a9a9a'\nmasthead = 'blue'\ngroup = '#ffe0e0'\nacent = '#000000'");
        assert_eq!(
            problems.unwrap_err(),
            [
                "theme.toml:3: colours.masthead: expected a colour such as \"#004573\", found \"blue\"",
                "theme.toml:4: colours.group: on_group on group has a contrast of 1.2:1; expected at least 4.5:1, so that \
                 everyone can read it",
                "theme.toml:2: colours.detail: detail on heading has a contrast of 2.4:1; expected at least 4.5:1, so \
                 that everyone can read it",
                "theme.toml:2: colours.detail: detail on white has a contrast of 2.8:1; expected at least 4.5:1, so that \
                 everyone can read it",
                "theme.toml:5: colours.acent: unknown key; did you mean accent?",
            ]
        );
    }

    #[test]
    fn no_style_falls_below_the_smallest_type() {
        let styles = [Style::Heading, Style::Hour, Style::Title, Style::Prose, Style::Status, Style::Detail];
        assert!(styles.iter().all(|style| style.size(SMALLEST) >= SMALLEST));
    }
}
