//! Template context of an erratum: a short mail to those who received an issue that was wrong.

use super::context::Marks;
use super::markdown::{self, Formatted};
use crate::domain::office::Office;
use crate::templates::Context;
use serde::Serialize;

/// `templates/mail/erratum`
#[derive(Debug, Clone, Serialize)]
pub struct ErratumMail {
    /// The subject of the mail that was wrong.
    pub corrects: String,
    /// What a person wrote. Escaped HTML.
    pub html: String,
    pub text: String,
    /// The preview text shown beside the subject.
    pub preheader: String,
    pub office: Office,
    /// The page of the article, which can be corrected where it is.
    pub page_url: Option<String>,
    pub view_url: Option<String>,
    pub unsubscribe: String,
    pub establishment: String,
    #[serde(skip)]
    pub marks: Marks,
}

impl ErratumMail {
    /// `words`: Markdown. `served`: the mail can be read online.
    pub fn new(corrects: &str, words: &str, page_url: Option<&str>, office: &Office, served: bool) -> Self {
        let Formatted { html, text } = markdown::formatted(words);
        let marks = Marks::of(&("erratum", corrects, words, page_url));
        Self {
            corrects: corrects.to_owned(),
            preheader: text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(110).collect(),
            html,
            text,
            office: office.clone(),
            page_url: page_url.map(str::to_owned),
            view_url: served.then(|| marks.view.clone()),
            unsubscribe: marks.unsubscribe.clone(),
            establishment: marks.establishment.clone(),
            marks,
        }
    }
}

impl Context for ErratumMail {
    const NAME: &'static str = "erratum";

    fn samples() -> Vec<Self> {
        let office = Office { email: Some("contact@office.example".to_owned()), ..Office::default() };
        let subject = "Que faire à Auch du 12 au 18 juillet";
        let words =
            "Le concert du **samedi 17 juillet** commence à 21\u{a0}h, et non à 20\u{a0}h.\n\n- <Pavie>\n- Auch";
        vec![
            Self::new(subject, words, Some("https://office.example/agenda/"), &office, true),
            Self::new(subject, "Le marché est annulé.", None, &Office::default(), false),
        ]
    }
}
