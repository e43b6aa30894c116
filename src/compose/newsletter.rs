//! Template contexts of the newsletter and of the mail that asks for its approval.

use super::context::Marks;
use super::markdown::{self, Formatted};
use super::staff::Verdict;
use crate::domain::{
    french::{self, NBSP},
    news::{NewsItem, Picture},
    newsletter::{Appointment, Letter, Link, Month, Newcomer, Part, Story},
    office::Office,
};
use crate::templates::Context;
use serde::Serialize;

/// `templates/mail/newsletter`
#[derive(Debug, Clone, Serialize)]
pub struct NewsletterMail {
    pub title: String,
    /// `juillet 2026`
    pub month: String,
    pub office: Office,
    /// The preview text shown beside the subject.
    pub preheader: String,
    /// Sections that are not empty.
    pub parts: Vec<Block>,
    pub view_url: Option<String>,
    pub unsubscribe: String,
    pub establishment: String,
    #[serde(skip)]
    pub marks: Marks,
}

/// A section; fields that its kind does not use are empty.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Block {
    /// `editorial`, `news`, `partners`, `appointments`, `links`
    pub kind: &'static str,
    /// Empty for the editorial.
    pub heading: String,
    /// Escaped HTML.
    pub editorial_html: String,
    pub editorial_text: String,
    pub stories: Vec<StoryView>,
    /// News with title and link; partners' links.
    pub links: Vec<Line>,
    pub newcomers: Vec<Line>,
    /// Number of further newcomers.
    pub more: usize,
    pub appointments: Vec<Date>,
}

/// A news item with all its details.
#[derive(Debug, Clone, Serialize)]
pub struct StoryView {
    pub title: String,
    pub url: Option<String>,
    /// `Lectoure`
    pub place: Option<String>,
    pub paragraphs: Vec<String>,
    /// Content-ID, without angle brackets.
    pub picture: Option<String>,
    pub alt: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub title: String,
    pub details: Option<String>,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Date {
    /// `Mardi 14 juillet`
    pub day: String,
    pub title: String,
    /// Hour and place, joined by a middle dot.
    pub details: String,
    pub text: Option<String>,
    pub url: Option<String>,
}

/// Maximum length of summaries in characters, tried in this order until the mail is short enough.
pub const ROOMS: [usize; 4] = [600, 300, 140, 0];

impl NewsletterMail {
    /// The values if the mail can be read online.
    #[must_use]
    pub fn online(mut self, online: bool) -> Self {
        self.view_url = online.then(|| self.marks.view.clone());
        self
    }

    /// The mail's view of a letter; `room`: maximum length of a summary in characters.
    pub fn new(title: &str, letter: &Letter, office: &Office, room: usize) -> Self {
        let parts: Vec<_> = letter.parts.iter().filter_map(|part| block(part, room)).collect();
        // Of what is printed alone: the same letter read again later is the same mail.
        let marks = Marks::of(&(title, letter.month, &letter.parts));
        Self {
            title: title.to_owned(),
            month: letter.month.in_french(),
            office: office.clone(),
            preheader: preheader(letter),
            parts,
            view_url: None,
            unsubscribe: marks.unsubscribe.clone(),
            establishment: marks.establishment.clone(),
            marks,
        }
    }
}

/// The first titles, as much as mail programs show.
fn preheader(letter: &Letter) -> String {
    let mut text = String::new();
    for item in letter.news() {
        let title = french::held_together(item.title.trim());
        if !text.is_empty() && text.chars().count() + title.chars().count() > 110 {
            break;
        }
        if !text.is_empty() {
            text.push_str(" · ");
        }
        text.push_str(&title);
    }
    if text.is_empty() { "Des nouvelles de votre office de tourisme".to_owned() } else { text }
}

/// `None` if the section is empty.
fn block(part: &Part, room: usize) -> Option<Block> {
    let block = match part {
        Part::Editorial { markdown } => {
            let Formatted { html, text } = markdown::formatted(markdown.as_deref()?);
            Block { kind: "editorial", editorial_html: html, editorial_text: text, ..Block::default() }
        }
        Part::News { title, stories, others } => Block {
            kind: "news",
            heading: title.clone(),
            stories: stories.iter().map(|story| story_view(story, room)).collect(),
            links: others.iter().map(line).collect(),
            ..Block::default()
        },
        Part::Partners { title, newcomers, more } => Block {
            kind: "partners",
            heading: title.clone(),
            newcomers: newcomers.iter().map(newcomer).collect(),
            more: *more,
            ..Block::default()
        },
        Part::Appointments { title, appointments } => Block {
            kind: "appointments",
            heading: title.clone(),
            appointments: appointments.iter().map(date).collect(),
            ..Block::default()
        },
        Part::Links { title, links } => Block {
            kind: "links",
            heading: title.clone(),
            links: links
                .iter()
                .map(|Link { title, url }| Line { title: title.clone(), details: None, url: web(url) })
                .collect(),
            ..Block::default()
        },
    };
    let empty = block.editorial_html.is_empty()
        && block.stories.is_empty()
        && block.links.is_empty()
        && block.newcomers.is_empty()
        && block.appointments.is_empty();
    (!empty).then_some(block)
}

fn story_view(Story { item, picture }: &Story, room: usize) -> StoryView {
    StoryView {
        title: french::held_together(&item.title),
        url: item.url.as_deref().and_then(web),
        place: item.commune.clone(),
        paragraphs: shortened(&item.summary, room),
        picture: picture.clone(),
        alt: item.image.as_ref().map(|image| image.alt.clone()).unwrap_or_default(),
    }
}

fn line(item: &NewsItem) -> Line {
    let title = french::held_together(&item.title);
    Line { title, details: item.commune.clone(), url: item.url.as_deref().and_then(web) }
}

fn newcomer(Newcomer { establishment, commune }: &Newcomer) -> Line {
    let details = Some(commune.clone()).filter(|commune| !commune.is_empty());
    Line { title: establishment.clone(), details, url: None }
}

fn date(it: &Appointment) -> Date {
    let held = |text: &String| french::held_together(text);
    let parts = [it.time.map(french::hour), it.place.as_ref().map(held)];
    Date {
        day: french::capitalized(&french::day(it.day)),
        title: held(&it.title),
        details: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        text: it.text.as_ref().map(held),
        url: it.url.as_deref().and_then(web),
    }
}

/// Only web links are allowed in a mail.
fn web(url: &str) -> Option<String> {
    ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)).then(|| url.to_owned())
}

/// Its first paragraphs, truncated between two words.
fn shortened(text: &str, room: usize) -> Vec<String> {
    let (mut left, mut paragraphs) = (room, Vec::new());
    for paragraph in text.split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")) {
        let length = paragraph.chars().count();
        if paragraph.is_empty() {
            continue;
        }
        if length <= left {
            left -= length;
            paragraphs.push(french::held_together(&paragraph));
            continue;
        }
        // Less than a few words is not worth showing.
        if left >= 60 {
            let end = paragraph.char_indices().nth(left).map_or(paragraph.len(), |(at, _)| at);
            let cut = paragraph[..end].rsplit_once(' ').map_or(&paragraph[..end], |(kept, _)| kept);
            let cut = cut.trim_end_matches([',', ';', ':', '.', '-', '–', ' ']);
            paragraphs.push(french::held_together(&format!("{cut}…")));
        }
        break;
    }
    paragraphs
}

impl Context for NewsletterMail {
    const NAME: &'static str = "newsletter";

    /// A month with everything in it, and one with almost nothing.
    fn samples() -> Vec<Self> {
        let item = |title: &str| NewsItem {
            id: "1".to_owned(),
            title: title.to_owned(),
            url: Some("https://office.example/actualites/?a=1&b=2".to_owned()),
            published: Default::default(),
            modified: None,
            summary: "Un premier paragraphe avec « guillemets » & <signes>.\n\nUn second.".to_owned(),
            image: Some(Picture {
                url: "https://office.example/a.jpg".to_owned(),
                alt: "La \"tour\" & le <pont>".to_owned(),
            }),
            categories: vec![],
            commune: Some("Lectoure".to_owned()),
            source: "office.example".to_owned(),
        };
        let bare =
            |title: &str| NewsItem { url: None, image: None, commune: None, summary: String::new(), ..item(title) };
        let story = |item: NewsItem, picture: Option<&str>| Story { item, picture: picture.map(str::to_owned) };
        let appointment = Appointment {
            day: Default::default(),
            time: Some(Default::default()),
            title: "Éductour en Lomagne".to_owned(),
            place: Some("Lectoure".to_owned()),
            text: Some("Inscription avant le 1er".to_owned()),
            url: Some("https://office.example/eductour".to_owned()),
        };
        let newcomer =
            |commune: &str| Newcomer { establishment: "Gîte <&> des Chênes".to_owned(), commune: commune.to_owned() };
        let title = |text: &str| text.to_owned();
        let link = Link { title: title("L’espace des professionnels"), url: title("https://office.example/pro") };
        let parts = vec![
            Part::Editorial { markdown: Some("Chers partenaires,\n\nVoici **juillet**.".to_owned()) },
            Part::News {
                title: title("À Auch"),
                stories: vec![
                    story(item("Le musée rouvre"), Some("image-1@office.example")),
                    story(bare("Un marché"), None),
                ],
                others: vec![item("Une exposition"), bare("Un bal")],
            },
            Part::Partners {
                title: title("Du nouveau parmi nos partenaires"),
                newcomers: vec![newcomer("Auch"), newcomer("")],
                more: 3,
            },
            Part::Appointments {
                title: title("Les prochains rendez-vous"),
                appointments: vec![
                    appointment.clone(),
                    Appointment { time: None, place: None, text: None, url: None, ..appointment },
                ],
            },
            Part::Links { title: title("Liens utiles"), links: vec![link] },
        ];
        let letter = |parts| Letter {
            month: Month { year: 2026, month: 7 },
            since: Default::default(),
            until: Default::default(),
            parts,
            missing: vec![],
            exceptions: vec![],
        };
        let office = Office { name: "Office de tourisme".to_owned(), ..Office::default() };
        let complete = Office {
            address: Some("1, place de la Libération, 32000 Auch".to_owned()),
            phone: Some("05 62 00 00 00".to_owned()),
            email: Some("contact@office.example".to_owned()),
            website: Some("https://office.example".to_owned()),
            ..office.clone()
        };
        let mail = |parts, office: &Office| Self::new("La lettre des partenaires", &letter(parts), office, ROOMS[0]);
        vec![mail(parts, &complete), mail(vec![], &office)]
    }
}

/// `templates/mail/approval`: the banner above the mail that staff are asked to approve.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalMail {
    pub title: String,
    pub issue: String,
    /// Of the mail that is to be approved.
    pub subject: String,
    /// Its contents, one line per section.
    pub contents: Vec<String>,
    /// What is missing, a sentence each.
    pub missing: Vec<String>,
    /// `Agenda.pdf (120 ko)`
    pub attachments: Vec<String>,
    pub recipients: u64,
    /// `mardi 7 juillet 2026 à 9 h`
    pub leaves_at: String,
    /// The deadline, as [`Self::leaves_at`].
    pub deadline: String,
    /// The full hash.
    pub hash: String,
    /// Its beginning, enough to distinguish two.
    pub short_hash: String,
    /// It was presented before, and has changed since.
    pub changed: bool,
    /// It has a place for an editorial.
    pub has_editorial: bool,
    /// It corrects an issue that has left.
    pub erratum: bool,
    /// It leaves by itself: this is the rehearsal.
    pub rehearsed: bool,
    /// Why the relay takes no mail at the rehearsal.
    pub relay: Option<String>,
    /// Of a rehearsal: whether it leaves.
    pub verdict: Option<Verdict>,
    /// The page of the console where it is approved, stopped or made to leave as it is.
    pub url: Option<String>,
}

impl Context for ApprovalMail {
    const NAME: &'static str = "approval";

    fn samples() -> Vec<Self> {
        let full = Self {
            title: "La lettre des partenaires".to_owned(),
            issue: "newsletter/2026-07".to_owned(),
            subject: format!("La lettre des partenaires{NBSP}: juillet 2026"),
            contents: vec![format!("Dans le Gers{NBSP}: 4 actualités, dont 2 avec image")],
            missing: vec!["la source « flux » n’a pas pu être lue".to_owned()],
            attachments: vec!["Affiche.pdf (120 ko)".to_owned()],
            recipients: 412,
            leaves_at: "mardi 7 juillet 2026 à 9 h".to_owned(),
            deadline: "vendredi 10 juillet 2026 à 9 h".to_owned(),
            hash: "3f9a1c2b".repeat(8),
            short_hash: "3f9a1c2b3f9a".to_owned(),
            changed: true,
            has_editorial: true,
            erratum: false,
            rehearsed: false,
            relay: None,
            verdict: None,
            url: None,
        };
        let verdict = Verdict {
            answer: "À voir avant le départ.".to_owned(),
            reason: Some("3 annonces n’ont pas trouvé leur jour.".to_owned()),
            departures: vec![],
            look: vec!["Le message pèse 120 ko.".to_owned()],
            fine: vec![],
            url: Some("https://console.office.example/".to_owned()),
        };
        let rehearsed = |relay: Option<&str>| Self {
            changed: false,
            has_editorial: false,
            rehearsed: true,
            relay: relay.map(str::to_owned),
            verdict: Some(Verdict { look: relay.iter().map(|it| (*it).to_owned()).collect(), ..verdict.clone() }),
            url: relay.map(|_| "https://console.office.example/envois/agenda/2026-W28".to_owned()),
            ..full.clone()
        };
        let bare = Self {
            contents: vec![],
            missing: vec![],
            attachments: vec![],
            recipients: 1,
            changed: false,
            ..full.clone()
        };
        let erratum =
            Self { erratum: true, has_editorial: false, leaves_at: "dès l’approbation".to_owned(), ..bare.clone() };
        let rehearsals = [rehearsed(None), rehearsed(Some("connect: connection refused"))];
        [vec![full, bare, erratum], rehearsals.to_vec()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Templates;

    #[test]
    fn a_summary_is_cut_between_words_and_says_so() {
        let text = "Un premier paragraphe assez court.\n\nUn second, bien plus long, qui sera coupé quelque part entre deux de ses mots.";
        assert_eq!(shortened(text, 600).len(), 2);
        let cut = shortened(text, 100);
        assert_eq!(cut[1], "Un second, bien plus long, qui sera coupé quelque part entre deux…");
        assert_eq!(shortened(text, 40), ["Un premier paragraphe assez court."]);
        assert_eq!(shortened(text, 0), [""; 0]);
    }

    #[test]
    fn a_newsletter_fetches_nothing_when_it_is_opened() {
        let templates = Templates::load(None).unwrap();
        for sample in NewsletterMail::samples() {
            let html = templates.mail(&sample).unwrap().html.unwrap().replace("src=\"cid:", "");
            for remote in ["<link", "@import", "url(", "<script", "<iframe", "src="] {
                assert!(!html.contains(remote), "{remote} in the mail");
            }
        }
    }

    #[test]
    fn every_word_is_in_html_and_text() {
        let templates = Templates::load(None).unwrap();
        let mail = templates.mail(&NewsletterMail::samples()[0]).unwrap();
        assert_eq!(mail.subject, "La lettre des partenaires\u{a0}: juillet 2026");
        let html = mail.html.unwrap();
        for part in [
            "Le musée rouvre",
            "Un marché",
            "Une exposition",
            "Un bal",
            "Éductour en Lomagne",
            "L’espace des professionnels",
        ] {
            assert!(html.contains(part) && mail.text.contains(part), "{part}\n{}", mail.text);
        }
        assert!(html.contains("alt=\"La &quot;tour&quot; &amp; le &lt;pont&gt;\""), "{html}");
        assert!(html.contains("src=\"cid:image-1@office.example\""));
        assert!(html.contains("<strong>juillet</strong>") && mail.text.contains("Voici juillet."));
        assert!(html.contains("Gîte &lt;&amp;&gt; des Chênes") && mail.text.contains("Gîte <&> des Chênes"));
        assert!(mail.text.lines().all(|line| line.chars().count() <= 78 || line.contains("http")), "{}", mail.text);
    }
}
