//! Template contexts: one struct per template, with samples; `check` renders them all.

use super::edition::{EditionMail, OrderMail};
use super::erratum::ErratumMail;
use super::newsletter::{ApprovalMail, NewsletterMail};
use super::orders::OrdersMail;
use super::rows::{Row, daily_rows_by_hour, rows_by_hour, status_word};
use super::staff::{EveMail, SummaryMail};
use crate::domain::{
    agenda::{Agenda, Item, Status, Week},
    french,
    issue::Content,
    notice::Notice,
    office::Office,
};
use crate::templates::{Context, TemplateError, Templates};
use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Placeholders in the frozen texts of an issue for values that are personal, or known only later.
///
/// They contain a hash of everything that goes into these texts. So no text that was collected, imported or typed in can
/// contain one: its author would have to know the hash of a text that includes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Stored in the issue's envelope.
    pub issue: String,
    /// The recipient's unsubscribe link.
    pub unsubscribe: String,
    /// The recipient's link to order.
    pub order: String,
    /// The address at which the issue is read online.
    pub view: String,
    /// The recipient's establishment, preceded by a space; empty if unknown.
    pub establishment: String,
}

impl Marks {
    /// The placeholders of an issue made from this.
    pub fn of(material: &impl Serialize) -> Self {
        let material = serde_json::to_vec(material).unwrap_or_default();
        let digest = Sha256::new().chain_update(b"marks\0").chain_update(material).finalize();
        Self::named(&digest.iter().take(12).map(|byte| format!("{byte:02X}")).collect::<String>())
    }

    /// The placeholders of the issue with this envelope; without a hash, of one frozen before issues had their own.
    pub fn named(issue: &str) -> Self {
        let mark = |word: &str, before: &str| match issue {
            "" => before.to_owned(),
            issue => format!("SEMAINIER-{issue}-{word}"),
        };
        Self {
            unsubscribe: mark("DESINSCRIPTION", "SEMAINIER-LIEN-DE-DESINSCRIPTION"),
            order: mark("COMMANDE", "SEMAINIER-LIEN-DE-COMMANDE"),
            view: mark("EN-LIGNE", "SEMAINIER-LIEN-EN-LIGNE"),
            establishment: mark("ETABLISSEMENT", "SEMAINIER-ETABLISSEMENT"),
            issue: issue.to_owned(),
        }
    }
}

/// The same for all recipients, so it is filled in once per issue.
pub fn fill_view(content: &mut Content, url: &str) {
    let view = Marks::named(&content.envelope.marks).view;
    for text in [&mut content.html, &mut content.text] {
        *text = text.replace(&view, url);
    }
}

/// `templates/mail/agenda`
#[derive(Debug, Clone, Serialize)]
pub struct AgendaMail {
    pub title: String,
    pub office: Office,
    /// `du lundi 6 au dimanche 12 juillet 2026`
    pub week: String,
    /// `6 au 12 juillet`, for the subject.
    pub short_week: String,
    /// The preview text shown beside the subject.
    pub preheader: String,
    pub days: Vec<Block>,
    /// Daily items, exhibitions, and unplaced items.
    pub more: Vec<Block>,
    /// The article on the office's site.
    pub article_url: Option<String>,
    /// The page of the same week, with its calendar.
    pub page_url: Option<String>,
    pub poster_url: Option<String>,
    pub booklet_url: Option<String>,
    pub view_url: Option<String>,
    pub unsubscribe: String,
    pub establishment: String,
    #[serde(skip)]
    pub marks: Marks,
}

/// A heading and its lines.
#[derive(Debug, Clone, Serialize)]
pub struct Block {
    pub heading: String,
    pub lines: Vec<Line>,
}

/// One line of the agenda, ready to print.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub time: String,
    pub title: String,
    /// `Annulé`, or nothing.
    pub status: Option<&'static str>,
    pub cancelled: bool,
    pub link: Option<String>,
    /// Place, price, telephone, end: joined by a middle dot.
    pub details: String,
    pub note: Option<String>,
}

impl AgendaMail {
    /// The mail's view of an agenda. `links`: public addresses, if there are any.
    pub fn new(title: &str, agenda: &Agenda, week: Week, office: &Office, links: Links) -> Self {
        let days = agenda
            .days
            .iter()
            .map(|day| Block { heading: french::capitalized(&french::day(day.date)), lines: lines(&day.items) });
        let daily = daily_rows_by_hour(&agenda.daily).into_iter().map(line).collect();
        let more = [
            ("Toute la semaine", daily),
            ("Expositions", lines(&agenda.exhibitions)),
            ("À noter aussi", lines(agenda.to_place())),
        ];
        let more = more.map(|(heading, lines)| Block { heading: heading.to_owned(), lines });
        let count = agenda.event_count();
        let marks = Marks::of(&(title, agenda, &links.article));
        Self {
            title: title.to_owned(),
            office: office.clone(),
            week: french::week(week),
            short_week: short_week(week),
            preheader: format!("{count} rendez-vous à afficher, l’affiche et le livret sont joints"),
            days: days.filter(|block| !block.lines.is_empty()).collect(),
            more: more.into_iter().filter(|block| !block.lines.is_empty()).collect(),
            article_url: links.article,
            page_url: links.page,
            poster_url: links.poster,
            booklet_url: links.booklet,
            view_url: links.online.then(|| marks.view.clone()),
            unsubscribe: marks.unsubscribe.clone(),
            establishment: marks.establishment.clone(),
            marks,
        }
    }
}

/// Public addresses that an agenda mail links to.
#[derive(Debug, Clone, Default)]
pub struct Links {
    pub article: Option<String>,
    pub page: Option<String>,
    pub poster: Option<String>,
    pub booklet: Option<String>,
    /// The issue can be read online.
    pub online: bool,
}

/// `6 au 12 juillet`, `29 juin au 5 juillet`
fn short_week(week: Week) -> String {
    let (first, last) = (week.monday(), week.sunday());
    let from = match french::month(first) == french::month(last) {
        true => french::day_number(first),
        false => french::day_and_month(first),
    };
    format!("{from} au {}", french::day_and_month(last))
}

fn lines<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Line> {
    rows_by_hour(items).into_iter().map(line).collect()
}

fn line(row: Row) -> Line {
    let held = |text: String| french::held_together(&text);
    let parts = [row.days, row.place, row.price, row.phone, row.until].into_iter().flatten().map(held);
    Line {
        details: parts.collect::<Vec<_>>().join(" · "),
        cancelled: row.status == Status::Cancelled,
        status: status_word(row.status),
        time: row.time,
        title: held(row.title),
        link: row.link.filter(|link| link.starts_with("https://") || link.starts_with("http://")),
        note: row.note.map(held),
    }
}

impl Context for AgendaMail {
    const NAME: &'static str = "agenda";

    /// A week with everything in it, and one with almost nothing.
    fn samples() -> Vec<Self> {
        let week = Week::of(NaiveDate::default());
        let full = Line {
            time: "10 h 30".to_owned(),
            title: "Visite du « cœur » de ville & <marché>".to_owned(),
            status: Some("Annulé"),
            cancelled: true,
            link: Some("https://office.example/agenda/visite/?a=1&b=2".to_owned()),
            details: "Auch, devant l’office · 6 €".to_owned(),
            note: Some("durant 1 h 15".to_owned()),
        };
        let bare = Line { status: None, cancelled: false, link: None, note: None, ..full.clone() };
        let block = |heading: &str| Block { heading: heading.to_owned(), lines: vec![full.clone(), bare.clone()] };
        let office = Office { name: "Office de tourisme".to_owned(), ..Office::default() };
        let empty = Self::new("Que faire ?", &Agenda::default(), week, &office, Links::default());
        let url = |path: &str| Some(format!("https://office.example/{path}"));
        let complete = Self {
            days: vec![block("Lundi 6 juillet")],
            more: vec![block("Expositions")],
            article_url: url("article"),
            page_url: url("agenda/2026-W28"),
            poster_url: url("affiche.pdf"),
            booklet_url: url("livret.pdf"),
            view_url: url("v/x"),
            office: Office {
                address: Some("1, place de la Libération, 32000 Auch".to_owned()),
                phone: Some("05 62 00 00 00".to_owned()),
                email: Some("contact@office.example".to_owned()),
                website: Some("https://office.example".to_owned()),
                ..office
            },
            ..empty.clone()
        };
        vec![complete, empty]
    }
}

/// `templates/mail/notice`: to staff, when a mailing is held and when that ends.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeMail {
    /// One of [`Notice::NAMES`].
    pub kind: &'static str,
    pub title: String,
    pub issue: String,
    /// A sentence in French, without full stop.
    pub reason: String,
    /// The deadline: `samedi 4 juillet 2026 à 20 h`.
    pub deadline: Option<String>,
    /// The retry interval: `toutes les 15 minutes`.
    pub retry: Option<String>,
    /// It needs an approval.
    pub approval: bool,
    /// What changed, a line each.
    pub lines: Vec<String>,
}

impl Context for NoticeMail {
    const NAME: &'static str = "notice";

    fn samples() -> Vec<Self> {
        let sample = |kind: &'static str| Self {
            kind,
            title: "Que faire à Auch cette semaine".to_owned(),
            issue: "agenda/2026-W28".to_owned(),
            reason: "aucun article trouvé pour la semaine du lundi 6 au dimanche 12 juillet 2026".to_owned(),
            deadline: Some("samedi 4 juillet 2026 à 20 h".to_owned()),
            retry: Some("toutes les 15 minutes".to_owned()),
            approval: kind == "unapproved",
            lines: if kind == "changed" {
                vec!["− Bal à 21 h".to_owned(), "+ Bal à 22 h".to_owned()]
            } else {
                vec![]
            },
        };
        // What shows the issue itself, orders, a verdict or a summary has a mail of its own.
        let own = ["approval", "rehearsed", "ordered", "eve", "summary"];
        let mut samples: Vec<_> = Notice::NAMES.into_iter().filter(|kind| !own.contains(kind)).map(sample).collect();
        samples.push(Self { deadline: None, retry: None, ..sample("held") });
        samples
    }
}

/// The banner above a mail that staff are asked to approve.
pub const BANNER: &str = "mail/approval/banner.html";

/// Renders all samples of every template; returns their number by template.
///
/// # Errors
/// The first one that does not render.
pub fn check_all(templates: &Templates) -> Result<Vec<(&'static str, usize)>, TemplateError> {
    templates.check_fragment(BANNER, &ApprovalMail::samples())?;
    Ok(vec![
        (AgendaMail::NAME, templates.check::<AgendaMail>()?),
        (NewsletterMail::NAME, templates.check::<NewsletterMail>()?),
        (EditionMail::NAME, templates.check::<EditionMail>()?),
        (OrderMail::NAME, templates.check::<OrderMail>()?),
        (ErratumMail::NAME, templates.check::<ErratumMail>()?),
        (ApprovalMail::NAME, templates.check::<ApprovalMail>()?),
        (NoticeMail::NAME, templates.check::<NoticeMail>()?),
        (OrdersMail::NAME, templates.check::<OrdersMail>()?),
        (EveMail::NAME, templates.check::<EveMail>()?),
        (SummaryMail::NAME, templates.check::<SummaryMail>()?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_fetches_nothing_when_it_is_opened() {
        let templates = Templates::load(None).unwrap();
        for sample in AgendaMail::samples() {
            let html = templates.mail(&sample).unwrap().html.unwrap();
            for remote in ["<img", "<link", "@import", "url(", "<script", "<iframe", "src="] {
                assert!(!html.contains(remote), "{remote} in the mail");
            }
        }
    }

    #[test]
    fn every_kind_of_notice_has_its_own_wording() {
        let templates = Templates::load(None).unwrap();
        let mails = NoticeMail::samples().into_iter().filter(|it| it.deadline.is_some());
        let mails: Vec<_> = mails.map(|sample| templates.mail(&sample).unwrap()).collect();
        let mut subjects: Vec<_> = mails.iter().map(|mail| &mail.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), mails.len(), "{subjects:?}");
        for mail in &mails {
            let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                mail.subject.contains(" : Que faire")
                    && (text.contains("aucun article") || text.contains("Bal à 22 h")),
                "{text}"
            );
        }
    }

    #[test]
    fn the_built_in_templates_render_all_their_samples() {
        let checked = check_all(&Templates::load(None).unwrap()).unwrap();
        assert_eq!(
            checked,
            [
                ("agenda", 2),
                ("newsletter", 2),
                ("edition", 3),
                ("order", 3),
                ("erratum", 2),
                ("approval", 5),
                ("notice", 14),
                ("orders", 2),
                ("eve", 3),
                ("summary", 3)
            ]
        );
    }
}
