//! Contexts of web pages. The agenda's page uses the mail's view: the same words in the same order (I3).

use super::context::{AgendaMail, Block, Links};
use crate::domain::{
    agenda::{Agenda, Week},
    french,
    office::Office,
};
use crate::templates::{Page, TemplateError, Templates};
use chrono::NaiveDate;
use serde::Serialize;

/// Common to all pages.
#[derive(Debug, Clone, Serialize)]
pub struct PageSite {
    pub office: Office,
    /// Path of the style sheet.
    pub style: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub url: String,
    pub text: String,
}

/// `templates/web/agenda.html`
#[derive(Debug, Clone, Serialize)]
pub struct AgendaPage {
    /// The address of its feed.
    pub feed: String,
    pub title: String,
    /// `du lundi 6 au dimanche 12 juillet 2026`
    pub week: String,
    pub week_capitalized: String,
    /// Other available weeks.
    pub others: Vec<Link>,
    /// Poster, booklet, calendar, article.
    pub documents: Vec<Link>,
    pub blocks: Vec<Block>,
}

impl AgendaPage {
    pub fn new(mailing: &str, title: &str, agenda: &Agenda, week: Week, office: &Office) -> Self {
        let mail = AgendaMail::new(title, agenda, week, office, Links::default());
        let blocks = mail.days.into_iter().chain(mail.more).filter(|block| !block.lines.is_empty());
        Self {
            feed: format!("/{mailing}.json"),
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
    /// Confirms the last action.
    pub done: Option<String>,
    /// The mailing's title.
    pub mailing: String,
    /// Masked, because a link may be forwarded.
    pub address: String,
    pub receives: bool,
    pub may_return: bool,
    /// All mailings of this contact, if there are several.
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
    /// The title of the edition.
    pub title: String,
    /// Confirms the last action.
    pub done: Option<String>,
    pub problems: Vec<OrderProblem>,
    /// Path of the cover.
    pub cover: String,
    /// In CSS pixels.
    pub cover_width: u32,
    pub kind: String,
    pub facts: Vec<String>,
    /// The remaining stock, or why nothing can be ordered.
    pub stock: String,
    /// The establishment and the masked address, since a link may be forwarded.
    pub person: Option<String>,
    /// The current order.
    pub order: Option<OrderLine>,
    /// `None` if nothing can be ordered.
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

/// The fields as entered, each with its error.
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

/// `templates/web/accessibility.html`: the same for all visitors.
#[derive(Debug, Clone, Serialize)]
pub struct AccessibilityPage;

/// Renders the samples of every public page, with and without optional office data; returns their number by page.
///
/// # Errors
/// The first one that does not render.
pub fn check_all(templates: &Templates) -> Result<Vec<(&'static str, usize)>, TemplateError> {
    let style = "/static/style-0.css".to_owned();
    let bare = Office { name: "Office de tourisme".to_owned(), ..Office::default() };
    let full = Office {
        address: Some("1, place de la Libération, 32000 Auch".to_owned()),
        phone: Some("05 62 00 00 00".to_owned()),
        email: Some("contact@office.example".to_owned()),
        website: Some("https://office.example".to_owned()),
        ..bare.clone()
    };
    let mut checked = Vec::new();
    for office in [bare, full] {
        let frame = PageSite { office, style: style.clone() };
        checked = vec![
            (AgendaPage::NAME, templates.check_page::<AgendaPage>(&frame)?),
            (ArchivePage::NAME, templates.check_page::<ArchivePage>(&frame)?),
            (LeavePage::NAME, templates.check_page::<LeavePage>(&frame)?),
            (OrderPage::NAME, templates.check_page::<OrderPage>(&frame)?),
            (MessagePage::NAME, templates.check_page::<MessagePage>(&frame)?),
            (AccessibilityPage::NAME, templates.check_page::<AccessibilityPage>(&frame)?),
        ];
    }
    Ok(checked)
}

fn link() -> Link {
    Link { url: "/agenda/2026-W28/affiche.pdf".to_owned(), text: "Affiche & livret".to_owned() }
}

impl Page for AgendaPage {
    const NAME: &'static str = "agenda";

    fn samples() -> Vec<Self> {
        let week = Week::of(NaiveDate::default());
        let empty = Self::new("agenda", "Que faire ?", &Agenda::default(), week, &Office::default());
        let mail = <AgendaMail as crate::templates::Context>::samples().into_iter().next();
        let blocks = mail.map(|mail| [mail.days, mail.more].concat()).unwrap_or_default();
        let full = Self { others: vec![link()], documents: vec![link()], blocks, ..empty.clone() };
        vec![full, empty]
    }
}

impl Page for ArchivePage {
    const NAME: &'static str = "archive";

    fn samples() -> Vec<Self> {
        let line = ArchiveLine {
            url: "/v/x".to_owned(),
            subject: "Agenda <du 6 au 12 juillet>".to_owned(),
            date: "4 juillet 2026".to_owned(),
        };
        vec![Self { issues: vec![line] }, Self { issues: Vec::new() }]
    }
}

impl Page for LeavePage {
    const NAME: &'static str = "leave";

    fn samples() -> Vec<Self> {
        let choice = |receives| ChoiceLine { mailing: "agenda".to_owned(), title: "L’agenda".to_owned(), receives };
        let receives = Self {
            title: "Vos abonnements".to_owned(),
            done: None,
            mailing: "L’agenda".to_owned(),
            address: "m…@gite.example".to_owned(),
            receives: true,
            may_return: false,
            choices: vec![choice(true), choice(false)],
        };
        let left = Self {
            done: Some("C’est fait.".to_owned()),
            receives: false,
            may_return: true,
            choices: Vec::new(),
            ..receives.clone()
        };
        let refused = Self { may_return: false, done: None, ..left.clone() };
        vec![receives, left, refused]
    }
}

impl Page for OrderPage {
    const NAME: &'static str = "order";

    fn samples() -> Vec<Self> {
        let text = |text: &str| Some(text.to_owned());
        let handovers = ["delivery", "pickup"].map(|value| HandoverChoice {
            value,
            text: "Livraison".to_owned(),
            chosen: value == "pickup",
        });
        let form = OrderForm {
            hint: "Un paquet contient 50 exemplaires.".to_owned(),
            packs: "2".to_owned(),
            packs_problem: None,
            handovers,
            handover_problem: None,
            remark: String::new(),
            remark_problem: None,
            longest_remark: 300,
        };
        let open = Self {
            title: "Carte touristique 2027".to_owned(),
            done: None,
            problems: Vec::new(),
            cover: "/editions/carte-2027.jpg".to_owned(),
            cover_width: 300,
            kind: "Carte".to_owned(),
            facts: vec!["en français".to_owned()],
            stock: "Il reste 3 paquets.".to_owned(),
            person: text("Gîte (m…@gite.example)"),
            order: None,
            form: Some(form.clone()),
        };
        let wrong = OrderForm {
            packs_problem: text("un nombre"),
            handover_problem: text("l’un ou l’autre"),
            remark_problem: text("trop long"),
            ..form
        };
        let refused = Self {
            problems: vec![OrderProblem { field: "paquets", text: "un nombre".to_owned() }],
            form: Some(wrong),
            ..open.clone()
        };
        let order = OrderLine {
            quantity: "2 paquets".to_owned(),
            handover: "Livraison".to_owned(),
            remark: "Fermé le lundi".to_owned(),
            reference: "abc123".to_owned(),
        };
        let ordered = Self { done: text("C’est noté."), order: Some(order), ..open.clone() };
        let closed = Self { person: None, form: None, facts: Vec::new(), ..open.clone() };
        vec![open, refused, ordered, closed]
    }
}

impl Page for MessagePage {
    const NAME: &'static str = "message";

    fn samples() -> Vec<Self> {
        let bare = Self { title: "Page introuvable".to_owned(), paragraphs: vec!["Ce lien…".to_owned()], link: None };
        vec![Self { link: Some(link()), ..bare.clone() }, bare]
    }
}

impl Page for AccessibilityPage {
    const NAME: &'static str = "accessibility";

    fn samples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_pages_render_all_their_samples() {
        let checked = check_all(&Templates::load(None).unwrap()).unwrap();
        let expected =
            [("agenda", 2), ("archive", 2), ("leave", 3), ("order", 4), ("message", 2), ("accessibility", 1)];
        assert_eq!(checked, expected);
    }

    #[test]
    fn a_custom_page_with_an_unknown_variable_is_reported_at_start() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("web")).unwrap();
        std::fs::write(dir.path().join("web/archive.html"), "{{ page.titel }}").unwrap();
        let error = check_all(&Templates::load(Some(dir.path())).unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("template web/archive.html:1: it asks for a value that is not there"), "{error}");
    }
}
