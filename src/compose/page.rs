//! What web pages are given. The agenda's page is the mail's view of it: the same words in the same order (I3).

use super::context::{AgendaMail, Block, Links};
use crate::domain::{
    agenda::{Agenda, Week},
    french,
    office::Office,
};
use serde::Serialize;

/// What stands on every page.
#[derive(Debug, Clone, Serialize)]
pub struct PageSite {
    pub office: Office,
    /// Path of the style sheet.
    pub style: String,
}

/// A page within its frame, as the templates see it.
#[derive(Debug, Clone, Serialize)]
pub struct Framed<'a, P: Serialize> {
    pub site: &'a PageSite,
    pub page: P,
}

#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub url: String,
    pub text: String,
}

/// `templates/web/agenda.html`
#[derive(Debug, Clone, Serialize)]
pub struct AgendaPage {
    pub title: String,
    /// `du lundi 6 au dimanche 12 juillet 2026`
    pub week: String,
    pub week_capitalized: String,
    /// Other weeks that can be read.
    pub others: Vec<Link>,
    /// Poster, booklet, calendar, article.
    pub documents: Vec<Link>,
    pub blocks: Vec<Block>,
}

impl AgendaPage {
    pub fn new(title: &str, agenda: &Agenda, week: Week, office: &Office) -> Self {
        let mail = AgendaMail::new(title, agenda, week, office, Links::default());
        let blocks = mail.days.into_iter().chain(mail.more).filter(|block| !block.lines.is_empty());
        Self {
            title: title.to_owned(),
            week_capitalized: french::capitalized(&mail.week),
            week: mail.week,
            others: Vec::new(),
            documents: Vec::new(),
            blocks: blocks.collect(),
        }
    }
}

/// `templates/web/message.html`: a title and a few sentences.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MessagePage {
    pub title: String,
    pub paragraphs: Vec<String>,
    pub link: Option<Link>,
}

/// `templates/web/leave.html`
#[derive(Debug, Clone, Serialize)]
pub struct LeavePage {
    pub title: String,
    /// What the button just did.
    pub done: Option<String>,
    /// The mailing's title.
    pub mailing: String,
    /// Masked: a link may be forwarded.
    pub address: String,
    pub receives: bool,
    pub may_return: bool,
    /// All mailings of this contact, where there are several.
    pub choices: Vec<ChoiceLine>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ChoiceLine {
    pub mailing: String,
    pub title: String,
    pub receives: bool,
}

/// `templates/web/archive.html`
#[derive(Debug, Clone, Serialize)]
pub struct ArchivePage {
    pub issues: Vec<ArchiveLine>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ArchiveLine {
    pub url: String,
    pub subject: String,
    /// `4 juillet 2026`
    pub date: String,
}

/// `templates/web/order.html`
#[derive(Debug, Clone, Serialize)]
pub struct OrderPage {
    /// The edition's.
    pub title: String,
    /// What the button just did.
    pub done: Option<String>,
    pub problems: Vec<OrderProblem>,
    /// Path of the cover.
    pub cover: String,
    /// In CSS pixels.
    pub cover_width: u32,
    pub kind: String,
    pub facts: Vec<String>,
    /// What is left, or why nothing can be ordered.
    pub stock: String,
    /// Who orders: the establishment, and the address masked, since a link may be forwarded.
    pub person: Option<String>,
    /// What is ordered.
    pub order: Option<OrderLine>,
    /// `None` where nothing can be ordered.
    pub form: Option<OrderForm>,
}

#[derive(Debug, Clone, Serialize)]
pub struct OrderProblem {
    /// The field's id on the page.
    pub field: &'static str,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct OrderLine {
    pub quantity: String,
    pub handover: String,
    pub remark: String,
    pub reference: String,
}

/// The fields as they were written, each with what is wrong in it.
#[derive(Debug, Clone, Serialize)]
pub struct OrderForm {
    pub hint: String,
    pub packs: String,
    pub packs_problem: Option<String>,
    pub handovers: [HandoverChoice; 2],
    pub handover_problem: Option<String>,
    pub remark: String,
    pub remark_problem: Option<String>,
    pub longest_remark: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct HandoverChoice {
    pub value: &'static str,
    pub text: String,
    pub chosen: bool,
}
