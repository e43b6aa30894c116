//! News from a folder of Markdown files: one file per item, for offices without a web site.
//!
//! ```text
//! ---
//! title: Le marché change de place
//! date: 2027-07-09
//! categories: [Marchés, Auch]
//! ---
//! Le texte, en *Markdown*.
//! ```
//! The front matter is `key: value` between `---`, or `key = "value"` between `+++`. Drafts and files dated in the future
//! are never published; a missing date is never guessed, since file times change with every copy.

use std::path::{Component, Path};

use pulldown_cmark::{Options, Parser, html as markdown};

use super::charset;
use super::collect_error::{CollectError, FileFault};
use super::dates;
use super::feed::published_within;
use super::html_to_text::{first_image, one_line, paragraphs_of, summary, tidy, web_address};
use super::remarks::{Harvest, Remark};
use crate::domain::{
    Timestamp,
    news::{NewsItem, Picture},
};

/// More files than a communications officer writes in ten years.
const MOST_FILES: usize = 2_000;

/// What the files of the folder published after `since` up to `now`, newest first. `limit`: bytes of one file. A file that
/// cannot be used is reported by its name.
pub async fn news(
    folder: &Path,
    limit: usize,
    since: Timestamp,
    now: Timestamp,
) -> Result<Harvest<NewsItem>, CollectError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CollectError::File { path, source }
    };
    let mut paths = Vec::new();
    let mut entries = tokio::fs::read_dir(folder).await.map_err(unreadable(folder))?;
    while let Some(entry) = entries.next_entry().await.map_err(unreadable(folder))? {
        let path = entry.path();
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("md")) && paths.len() < MOST_FILES {
            paths.push(path);
        }
    }
    let (mut found, mut first) = (Harvest::default(), None);
    for path in paths {
        match read(&path, folder, limit).await {
            Ok(item) => found.items.extend(item),
            Err((error, why)) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                found.remarks.add(&name, why);
                first.get_or_insert(error);
            }
        }
    }
    match first.filter(|_| found.items.is_empty()) {
        Some(error) => Err(error),
        None => Ok(published_within(found, since, now)),
    }
}

/// `None` for a draft, and for anything but a file.
async fn read(path: &Path, folder: &Path, limit: usize) -> Result<Option<NewsItem>, (CollectError, Remark)> {
    let unreadable = |source| (CollectError::File { path: path.to_owned(), source }, Remark::Unreadable);
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    // A pipe or a device would be read for ever.
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.len() > limit as u64 {
        return Err((CollectError::FileTooLarge { path: path.to_owned(), limit }, Remark::Unreadable));
    }
    let bytes = tokio::fs::read(path).await.map_err(unreadable)?;
    let text = charset::decode(&bytes, Some("utf-8"))
        .map_err(|source| (CollectError::FileCharset { path: path.to_owned(), source }, Remark::Unreadable))?;
    item(&text, path, folder).map_err(|why| {
        let remark = match why {
            FileFault::NoDate => Remark::NoDate,
            FileFault::BadDate => Remark::BadDate,
            FileFault::NoTitle => Remark::NoTitle,
            FileFault::OpenFrontMatter => Remark::Unreadable,
        };
        (CollectError::FileSays { path: path.to_owned(), why }, remark)
    })
}

/// The news a file holds; `None` of a draft.
fn item(text: &str, path: &Path, folder: &Path) -> Result<Option<NewsItem>, FileFault> {
    let (front, body) = front_matter(text)?;
    let value =
        |keys: &[&str]| front.iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| value.as_str());
    if value(&["draft", "brouillon"]).is_some_and(|it| matches!(it, "true" | "oui" | "yes")) {
        return Ok(None);
    }
    let date = value(&["date", "published"]).ok_or(FileFault::NoDate)?;
    let published = dates::instant(date).ok_or(FileFault::BadDate)?;
    let html = html_of(body);
    let (heading, html) = match html.trim_start().strip_prefix("<h1>").and_then(|rest| rest.split_once("</h1>")) {
        Some((heading, rest)) => (paragraphs_of(heading), rest.to_owned()),
        None => (String::new(), html),
    };
    let title = one_line(value(&["title", "titre"]).unwrap_or(&heading));
    if title.is_empty() {
        return Err(FileFault::NoTitle);
    }
    let web = url::Url::parse("https://invalid./").ok();
    let address = |text: &str| web_address(text, web.as_ref()?).filter(|url| !url.starts_with("https://invalid./"));
    let url = value(&["url", "link", "lien"]).and_then(address);
    let alt = one_line(value(&["alt", "légende", "legende"]).unwrap_or_default());
    let picture = |text: &str| address(text).or_else(|| beside(text, folder));
    let image = value(&["image", "photo"]).and_then(picture).map(|url| Picture { url, alt });
    let in_text = || first_image(&html, web.as_ref()?).filter(|picture| !picture.url.starts_with("https://invalid./"));
    let given = value(&["summary", "résumé", "resume"]).map(tidy);
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some(NewsItem {
        id: name(path),
        title,
        url,
        published,
        modified: value(&["modified", "modifié"]).and_then(dates::instant),
        summary: summary(&given.unwrap_or_else(|| paragraphs_of(&html))),
        image: image.or_else(in_text),
        categories: value(&["categories", "catégories", "category", "catégorie", "tags"]).map(list).unwrap_or_default(),
        commune: value(&["commune"]).map(one_line).filter(|commune| !commune.is_empty()),
        source: value(&["source"]).map_or_else(|| name(folder), one_line),
    }))
}

/// A picture that lies in the folder too, as a `file:` address; never one above it.
fn beside(name: &str, folder: &Path) -> Option<String> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let path = std::path::absolute(folder.join(name)).ok().filter(|path| inside && path.is_file())?;
    // Nor one that a link leads out to.
    let (whole, home) = (path.canonicalize().ok()?, folder.canonicalize().ok()?);
    let path = Some(path).filter(|_| whole.starts_with(home))?;
    url::Url::from_file_path(path).ok().map(String::from)
}

fn html_of(markdown_text: &str) -> String {
    let mut html = String::new();
    markdown::push_html(
        &mut html,
        Parser::new_ext(markdown_text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH),
    );
    html
}

type Front = Vec<(String, String)>;

/// Keys in lower case with their values, and the text below.
fn front_matter(text: &str) -> Result<(Front, &str), FileFault> {
    let text = text.trim_start();
    let Some(fence) =
        ["---", "+++"].into_iter().find(|fence| text.lines().next().is_some_and(|line| line.trim_end() == *fence))
    else {
        return Ok((Front::new(), text));
    };
    let mut front = Front::new();
    let mut at = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let line = line.trim();
        match n {
            0 => {}
            _ if line == fence => return Ok((front, &text[at..])),
            _ => add(&mut front, line),
        }
    }
    Err(FileFault::OpenFrontMatter)
}

/// `key: value`, `key = "value"`, or `- value`, which belongs to the key before.
fn add(front: &mut Front, line: &str) {
    if let (Some(entry), Some((_, value))) = (line.strip_prefix("- "), front.last_mut()) {
        *value = format!("{value}{}{}", if value.is_empty() { "" } else { "," }, unquoted(entry));
        return;
    }
    let separator = line.find([':', '=']).filter(|_| !line.starts_with('#'));
    if let Some((key, value)) = separator.map(|at| (&line[..at], &line[at + 1..])) {
        front.push((key.trim().to_lowercase(), unquoted(value).to_owned()));
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// `[Marchés, "Auch"]` or `Marchés, Auch`.
fn list(text: &str) -> Vec<String> {
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
    inside.split(',').map(|part| one_line(unquoted(part))).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<NewsItem>, FileFault> {
        item(text, Path::new("actualites/marche.md"), Path::new("actualites"))
    }

    #[test]
    fn front_matter_provides_every_field() {
        let text = "---\r\ntitle: \"Le marché : une nouvelle place\"\r\ndate: 2027-07-09\r\ncategories: [Marchés, 'Auch']\r\n\
                    commune: Pavie\r\nurl: https://office.example/marche\r\nimage: https://office.example/m.jpg\r\nalt: Étals\r\n\
                    ---\r\nLe **marché** change.\r\nVenez &amp; goûtez.\r\n\r\n- pain\r\n- vin\r\n";
        let item = read(text).unwrap().unwrap();
        assert_eq!(item.id, "marche.md");
        assert_eq!(item.title, "Le marché : une nouvelle place");
        assert_eq!(item.published, "2027-07-08T22:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(item.summary, "Le marché change. Venez & goûtez.\n\npain\n\nvin");
        assert_eq!(item.categories, ["Marchés", "Auch"]);
        assert_eq!(item.commune.as_deref(), Some("Pavie"));
        assert_eq!(item.url.as_deref(), Some("https://office.example/marche"));
        let picture = Picture { url: "https://office.example/m.jpg".to_owned(), alt: "Étals".to_owned() };
        assert_eq!(item.image, Some(picture));
        assert_eq!(item.source, "actualites");
    }

    #[test]
    fn both_kinds_of_front_matter_and_lists_are_read() {
        let toml = "+++\ntitle = \"Fête\"\ndate = 2027-07-09T18:00\ntags = [\"a\", \"b\"]\n+++\nTexte.";
        let yaml = "---\ntitre: Fête\ndate: 2027-07-09 18:00\ntags:\n  - a\n  - b\n---\nTexte.";
        let (toml, yaml) = (read(toml).unwrap().unwrap(), read(yaml).unwrap().unwrap());
        assert_eq!(toml.published, "2027-07-09T16:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(toml, yaml);
        assert_eq!(toml.categories, ["a", "b"]);
    }

    #[test]
    fn the_heading_becomes_the_title_and_is_not_repeated() {
        let item = read("---\ndate: 2027-07-09\n---\n# Le *marché*\n\nTexte.").unwrap().unwrap();
        assert_eq!((item.title.as_str(), item.summary.as_str()), ("Le marché", "Texte."));
    }

    #[test]
    fn problems_of_a_file_are_reported() {
        let check = |text: &str, expected| assert_eq!(read(text), Err(expected), "{text}");
        check("---\ntitle: a\ndate: 2027-07-09\n", FileFault::OpenFrontMatter);
        check("---\ntitle: a\n---\nb", FileFault::NoDate);
        check("# a\n\nb", FileFault::NoDate);
        check("---\ntitle: a\ndate: hier\n---\nb", FileFault::BadDate);
        check("---\ndate: 2027-07-09\n---\nb", FileFault::NoTitle);
        assert_eq!(read("---\nbrouillon: oui\n---\nb"), Ok(None));
    }

    #[test]
    fn l9_a_picture_beside_a_text_is_in_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("actualites");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(home.path().join("dehors.jpg"), "x").unwrap();
        std::fs::write(folder.join("dedans.jpg"), "x").unwrap();
        std::os::unix::fs::symlink(home.path().join("dehors.jpg"), folder.join("lien.jpg")).unwrap();
        assert!(beside("dedans.jpg", &folder).is_some());
        for name in ["lien.jpg", "../dehors.jpg", "absent.jpg"] {
            assert_eq!(beside(name, &folder), None, "{name}");
        }
    }

    #[test]
    fn a_link_that_is_not_on_the_web_is_dropped() {
        let item =
            read("---\ntitle: a\ndate: 2027-07-09\nurl: /ici\nimage: photo.jpg\n---\n![b](c.jpg)").unwrap().unwrap();
        assert_eq!((item.url, item.image), (None, None));
    }
}
