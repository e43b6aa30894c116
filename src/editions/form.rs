//! An edition as somebody types it in the console's form: texts, and what is wrong with each.

use super::checks::{self, Wrong};
use crate::domain::edition::{Edition, EditionKind, Online};
use crate::jobs::word;
use serde::{Deserialize, Serialize};

/// The fields of the form, by the keys of the edition's file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// Empty: made of the title.
    pub slug: String,
    pub title: String,
    pub kind: String,
    /// ISO 639-1, separated by a blank.
    pub languages: String,
    pub pages: String,
    pub summary: String,
    /// An address; empty for a PDF, or for neither.
    pub online: String,
    pub valid_until: String,
    pub printed: String,
    pub pack: String,
    pub max_packs: String,
    pub words: String,
    pub post: String,
    pub reminder_after_days: String,
}

/// A field, and what is wrong with it.
pub type Problem = (&'static str, Wrong);

impl Fields {
    /// The fields of the first page, and of the second, by name.
    pub const BROCHURE: [&'static str; 8] =
        ["title", "slug", "kind", "languages", "pages", "summary", "online", "valid_until"];
    pub const PAPER: [&'static str; 6] = ["printed", "pack", "max_packs", "words", "post", "reminder_after_days"];

    /// Of an edition as it is.
    pub fn of(it: &Edition) -> Self {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let kind = EditionKind::ALL.into_iter().find(|(_, kind)| *kind == it.kind).map(|(name, _)| name);
        Self {
            slug: it.slug.clone(),
            title: it.title.clone(),
            kind: kind.unwrap_or_default().to_owned(),
            languages: it.languages.join(" "),
            pages: number(it.pages),
            summary: it.summary.clone(),
            online: match &it.online {
                Some(Online::At(url)) => url.clone(),
                _ => String::new(),
            },
            valid_until: it.valid_until.map(|day| day.to_string()).unwrap_or_default(),
            printed: number(it.printed.map(|it| it.copies)),
            pack: number(it.printed.map(|it| it.pack)),
            max_packs: number(it.printed.and_then(|it| it.max_packs)),
            words: it.words.clone(),
            post: it.post.clone().unwrap_or_default(),
            reminder_after_days: number(it.reminder_after_days.map(u32::from)),
        }
    }

    pub fn get(&self, name: &str) -> &str {
        match name {
            "slug" => &self.slug,
            "title" => &self.title,
            "kind" => &self.kind,
            "languages" => &self.languages,
            "pages" => &self.pages,
            "summary" => &self.summary,
            "online" => &self.online,
            "valid_until" => &self.valid_until,
            "printed" => &self.printed,
            "pack" => &self.pack,
            "max_packs" => &self.max_packs,
            "words" => &self.words,
            "post" => &self.post,
            "reminder_after_days" => &self.reminder_after_days,
            _ => "",
        }
    }

    /// Lines end as everywhere, not as forms send them.
    pub fn set(&mut self, name: &str, text: &str) {
        let text = text.replace("\r\n", "\n");
        let place = match name {
            "slug" => &mut self.slug,
            "title" => &mut self.title,
            "kind" => &mut self.kind,
            "languages" => &mut self.languages,
            "pages" => &mut self.pages,
            "summary" => &mut self.summary,
            "online" => &mut self.online,
            "valid_until" => &mut self.valid_until,
            "printed" => &mut self.printed,
            "pack" => &mut self.pack,
            "max_packs" => &mut self.max_packs,
            "words" => &mut self.words,
            "post" => &mut self.post,
            "reminder_after_days" => &mut self.reminder_after_days,
            _ => return,
        };
        *place = text;
    }

    /// Name, earlier text and present text of each field that differs.
    pub fn changes_from(&self, before: &Self) -> Vec<(&'static str, String, String)> {
        let names = Self::BROCHURE.into_iter().chain(Self::PAPER);
        names
            .filter(|name| before.get(name) != self.get(name))
            .map(|name| (name, before.get(name).to_owned(), self.get(name).to_owned()))
            .collect()
    }

    /// The edition, as far as it is said. `has_pdf`: a PDF comes with it or is kept; where there is an address too, the address
    /// counts.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn edition(&self, has_pdf: bool) -> Result<Edition, Vec<Problem>> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut wrong = |field: &'static str, wrong: Wrong| problems.push((field, wrong));
        macro_rules! checked {
            ($field:literal, $checked:expr) => {
                $checked.map_err(|why| wrong($field, why)).ok()
            };
        }
        let given = |text: &str| !text.trim().is_empty();
        macro_rules! whole {
            ($field:literal, $text:expr, $bounds:expr) => {
                if given($text) { checked!($field, checks::whole($text, &$bounds)) } else { None }
            };
        }
        let title = checked!("title", checks::title(&self.title));
        let slug = match self.slug.trim() {
            "" => checks::slug_for(&self.title),
            slug => slug.to_owned(),
        };
        // Without a title there is nothing to make it of, and the title is what is wrong.
        let slug = match slug.is_empty() && title.is_none() {
            true => None,
            false => checked!("slug", checks::slug(&slug)),
        };
        let kind = checked!("kind", word(&self.kind, &EditionKind::ALL).map_err(|_| Wrong::Kind));
        let languages = self.languages.split_whitespace().map(str::to_owned).collect();
        let languages = checked!("languages", checks::languages(languages));
        let pages = whole!("pages", &self.pages, checks::PAGES);
        let summary = checked!("summary", checks::summary(&self.summary));
        let online = match self.online.trim() {
            "" => has_pdf.then_some(Online::Pdf),
            text => checked!("online", checks::online(text)),
        };
        let valid_until =
            if given(&self.valid_until) { checked!("valid_until", checks::day(&self.valid_until)) } else { None };
        let copies = whole!("printed", &self.printed, checks::COPIES);
        let pack = whole!("pack", &self.pack, checks::COPIES);
        let max_packs = whole!("max_packs", &self.max_packs, checks::COPIES);
        let has = [&self.printed, &self.pack, &self.max_packs].map(|text| given(text));
        let printed = checks::printed(has, copies, pack, max_packs, &mut wrong);
        let days = whole!("reminder_after_days", &self.reminder_after_days, checks::REMINDER_DAYS);
        if days.is_some() && printed.is_none() && !has[0] {
            wrong("reminder_after_days", Wrong::NotPrinted);
        }
        let words = checked!("words", checks::words(&self.words));
        let post = checked!("post", checks::post(&self.post));
        match (title, slug, kind, languages, summary, words, post) {
            (Some(title), Some(slug), Some(kind), Some(languages), Some(summary), Some(words), Some(post))
                if problems.is_empty() =>
            {
                Ok(Edition {
                    slug,
                    title,
                    kind,
                    languages,
                    pages,
                    summary,
                    online,
                    printed,
                    valid_until,
                    words,
                    post: Some(post).filter(|post| !post.is_empty()),
                    reminder_after_days: days.and_then(|n| u16::try_from(n).ok()),
                })
            }
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, text) in [("title", "Carte 2027"), ("kind", "map"), ("languages", "fr en")].iter().chain(pairs) {
            fields.set(name, text);
        }
        fields
    }

    #[test]
    fn what_is_typed_becomes_an_edition_and_is_shown_again_as_it_is() {
        let all = fields(&[
            ("pages", "24"),
            ("summary", "Les villages.\r\nLes musées."),
            ("online", "https://ot.test/carte"),
            ("valid_until", "2028-03-31"),
            ("printed", "20 000"),
            ("pack", "50"),
            ("max_packs", "10"),
            ("words", "Elle est arrivée."),
            ("post", "La carte !"),
            ("reminder_after_days", "14"),
        ]);
        let edition = all.edition(false).unwrap();
        assert_eq!((edition.slug.as_str(), edition.printed.unwrap().packs()), ("carte-2027", 400));
        assert_eq!(edition.summary, "Les villages.\nLes musées.");
        let again = Fields::of(&edition);
        assert_eq!(again.edition(false).unwrap(), edition);
        assert_eq!(
            again.changes_from(&all),
            [("slug", String::new(), "carte-2027".to_owned()), ("printed", "20 000".to_owned(), "20000".to_owned())]
        );
        let bare = fields(&[]);
        assert_eq!(bare.edition(false).unwrap().online, None);
        assert_eq!(bare.edition(true).unwrap().online, Some(Online::Pdf));
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let it = fields(&[
            ("title", "  "),
            ("kind", "flyer"),
            ("languages", ""),
            ("pages", "0"),
            ("online", "javascript:alert(1)"),
            ("valid_until", "demain"),
            ("pack", "50"),
            ("max_packs", "2"),
            ("reminder_after_days", "3"),
            ("post", &"x".repeat(281)),
        ]);
        let wrong = it.edition(false).unwrap_err();
        let named: Vec<_> = wrong.iter().map(|(field, _)| *field).collect();
        for field in [
            "title",
            "kind",
            "languages",
            "pages",
            "online",
            "valid_until",
            "printed",
            "max_packs",
            "reminder_after_days",
            "post",
        ] {
            assert!(named.contains(&field), "{field} of {wrong:?}");
        }
        assert!(!named.contains(&"slug"), "{wrong:?}");
        let packs = fields(&[("printed", "20"), ("pack", "50")]).edition(false).unwrap_err();
        assert_eq!(packs, [("pack", Wrong::PackTooLarge { copies: 20, pack: 50 })]);
        let slug = fields(&[("title", "日本"), ("slug", "")]).edition(false).unwrap_err();
        assert_eq!(slug[0].0, "slug");
    }
}
