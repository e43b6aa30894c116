//! The look of the printed page, as configured: `[print]`, a theme, a logo, fonts.
//!
//! Read once, with every problem at once. Layout is in [`crate::compose::print`].

use crate::compose::print::{Font, Fonts, Format, Logo, Look, Theme};
use crate::toml_reader::{File, Overrides, Problem, Problems, Section};
use std::path::Path;

/// The settings of the section `[print]`.
#[derive(Debug, Clone, Default)]
pub struct Print {
    pub look: Look,
    /// Format of the poster. The booklet in a mail is always folded from A4, which every partner can print.
    pub format: Format,
}

/// Maximum length of the information, which must fit on the last page of a booklet.
const LONGEST_INFORMATION: usize = 1200;

impl Print {
    /// Reads the section `[print]`; file names are relative to `base`.
    pub fn read(section: &Section, base: &Path) -> Self {
        let mut look = Look::default();
        if let Some(choice) = section.text("theme") {
            match theme(&choice, base) {
                Ok((theme, fonts)) => (look.theme, look.fonts) = (theme, fonts),
                Err(ThemeError::NoFile(message)) => section.problem("theme", message),
                Err(ThemeError::Wrong(problems)) => section.gather(problems),
            }
        }
        look.logo = section.parsed("logo", |name| {
            let path = base.join(name);
            let bytes = std::fs::read(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
            Logo::parse(&bytes).map_err(|why| format!("{}: {why}", path.display()))
        });
        look.information = section.value("information", |raw| information(raw.texts()?)).unwrap_or_default();
        Self { look, format: section.parsed("format", parse_format).unwrap_or_default() }
    }
}

fn information(texts: Vec<String>) -> Result<Vec<String>, String> {
    let length: usize = texts.iter().map(|text| text.chars().count()).sum();
    match length <= LONGEST_INFORMATION {
        true => Ok(texts),
        false => Err(format!("expected at most {LONGEST_INFORMATION} characters, which fill a page, found {length}")),
    }
}

/// `a4`, `a3`
///
/// # Errors
/// If it is another word.
pub fn parse_format(text: &str) -> Result<Format, String> {
    match text {
        "a4" => Ok(Format::A4),
        "a3" => Ok(Format::A3),
        _ => Err(format!("expected \"a4\" or \"a3\", found {text:?}")),
    }
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("{0}")]
    NoFile(String),
    #[error(transparent)]
    Wrong(Problems),
}

/// A theme by its name, `office` or `ink`, or by the path of its file.
///
/// # Errors
/// If there is no such file, or all problems in it.
pub fn theme(choice: &str, base: &Path) -> Result<(Theme, Fonts), ThemeError> {
    if let Some(theme) = Theme::named(choice) {
        return Ok((theme, Fonts::default()));
    }
    let path = base.join(choice);
    let text = std::fs::read_to_string(&path).map_err(|why| {
        ThemeError::NoFile(format!(
            "expected \"office\", \"ink\" or a theme file such as \"theme.toml\"; {} cannot be read: {why}",
            path.display()
        ))
    })?;
    parse_theme(&path, &text).map_err(|problems| ThemeError::Wrong(Problems(problems)))
}

fn parse_theme(path: &Path, text: &str) -> Result<(Theme, Fonts), Vec<Problem>> {
    let overrides = Overrides::default();
    let file = File::parse(path.display().to_string(), text, &overrides);
    let root = file.root();
    let base = root.parsed("based_on", |name| {
        Theme::named(name).ok_or_else(|| format!("expected \"office\" or \"ink\", found {name:?}"))
    });
    let (colours, faces) = (root.section("colours"), root.section("fonts"));
    let theme = Theme::read(&colours, base.unwrap_or(Theme::OFFICE));
    let font = |key: &str| {
        faces.parsed(key, |name| {
            let path = path.parent().unwrap_or(Path::new("")).join(name);
            let bytes = std::fs::read(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
            Font::parse(bytes).map_err(|why| format!("{}: {why}", path.display()))
        })
    };
    let shipped = Fonts::default();
    // Mixing two families on one page is not supported.
    if faces.has("regular") != faces.has("bold") {
        faces.problem("regular", "write both, regular and bold, or neither");
    }
    let fonts =
        Fonts { regular: font("regular").unwrap_or(shipped.regular), bold: font("bold").unwrap_or(shipped.bold) };
    for section in [colours, faces, root] {
        section.finish();
    }
    match file.problems() {
        problems if problems.is_empty() => Ok((theme, fonts)),
        problems => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, base: &Path) -> (Print, Vec<String>) {
        let overrides = Overrides::default();
        let file = File::parse("semainier.toml", text, &overrides);
        let root = file.root();
        let print = Print::read(&root, base);
        root.finish();
        (print, file.problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_theme_a_logo_and_a_format_are_read_from_where_the_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("fonts");
        let fonts = format!(
            "[fonts]\nregular = '{0}/SourceSans3-Semibold.ttf'\nbold = '{0}/SourceSans3-Semibold.ttf'",
            shipped.display()
        );
        std::fs::write(dir.path().join("t.toml"), format!("based_on = 'ink'\n[colours]\naccent = '#123456'\n{fonts}"))
            .unwrap();
        std::fs::copy(shipped.join("../tests/print/logo.png"), dir.path().join("logo.png")).unwrap();
        let text = "theme = 't.toml'\nlogo = 'logo.png'\nformat = 'a3'\ninformation = ['Taxi : 05 62 00 00 00']";
        let (print, problems) = read(text, dir.path());
        assert_eq!(problems, [""; 0]);
        assert_eq!((print.look.theme.masthead, print.format), (Theme::INK.masthead, Format::A3));
        assert_eq!(print.look.fonts.regular, Fonts::default().bold);
        assert!(print.look.logo.is_some() && print.look.information.len() == 1);
    }

    #[test]
    fn all_problems_are_reported_at_once_including_the_theme_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("t.toml"), "[colours]\ntext = '#aaaaaa'\n[fonts]\nbold = 't.toml'").unwrap();
        std::fs::write(dir.path().join("logo.svg"), "<svg/>").unwrap();
        let text =
            format!("theme = 't.toml'\nlogo = 'logo.svg'\nformat = 'letter'\ninformation = ['{}']", "mot ".repeat(400));
        let (_, problems) = read(&text, dir.path());
        let dir = dir.path().display();
        assert_eq!(
            problems,
            [
                format!(
                    "{dir}/t.toml:2: colours.text: text on white has a contrast of 2.3:1; expected at least 4.5:1, so that \
                     everyone can read it"
                ),
                format!("{dir}/t.toml: fonts.regular: write both, regular and bold, or neither"),
                format!("{dir}/t.toml:4: fonts.bold: {dir}/t.toml: expected an OpenType font (.ttf or .otf)"),
                format!(
                    "semainier.toml:2: logo: {dir}/logo.svg: expected a PNG or a JPEG file; export the logo as PNG, about \
                     800 pixels wide"
                ),
                "semainier.toml:4: information: expected at most 1200 characters, which fill a page, found 1600"
                    .to_owned(),
                "semainier.toml:3: format: expected \"a4\" or \"a3\", found \"letter\"".to_owned(),
            ]
        );
        let (_, problems) = read("theme = 'blue'", Path::new("/nowhere"));
        assert!(problems[0].contains("theme: expected \"office\", \"ink\" or a theme file"), "{problems:?}");
    }
}
