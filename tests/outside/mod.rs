//! Text from outside, whoever wrote it: a source, a partner, a form, the office. It never contains a personal placeholder
//! (H1), placeholders are never shown (F8), and whatever it contains, every template renders (field report 9).

use crate::support::web::{Reply, Web};
use chrono::NaiveDate;
use proptest::prelude::*;
use semainier::collect::article::{self, Reading};
use semainier::collect::fetch::{FetchLimits, Fetcher};
use semainier::collect::source::Source;
use semainier::compose::context::{AgendaMail, Links, NoticeMail};
use semainier::compose::edition::{Cover, EditionMail, OrderMail, Ordering};
use semainier::compose::mime::{Mime, To};
use semainier::compose::newsletter::{ApprovalMail, NewsletterMail};
use semainier::compose::staff::{EveIssue, EveMail, EveStop, Refused, SummaryIssue, SummaryMail, Verdict};
use semainier::domain::agenda::{Agenda, Day, Event, Item, Week};
use semainier::domain::edition::{Edition, EditionKind, Handover, Online, Order, OrderState, Orderer, Printed, Wish};
use semainier::domain::issue::{Content, Envelope};
use semainier::domain::merge;
use semainier::domain::news::{NewsItem, Picture};
use semainier::domain::newsletter::{Appointment, Letter, Link, Month, Newcomer, Part, Story};
use semainier::domain::office::Office;
use semainier::templates::{Rendered, Templates};
use std::sync::LazyLock;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::load(None).unwrap());

const UNSUBSCRIBE: &str = "https://p.office.example/u/JETON-DE-DEPART";
const ORDER: &str = "https://p.office.example/o/JETON-DE-COMMANDE";
const HOUSE: &str = "Gîte de la Personne";

/// The words that stood for a recipient's own in every issue once, and some that look like those of today.
const MARKS: &str = "SEMAINIER-LIEN-DE-DESINSCRIPTION SEMAINIER-LIEN-DE-COMMANDE SEMAINIER-LIEN-EN-LIGNE SEMAINIER-ETABLISSEMENT \
    SEMAINIER--DESINSCRIPTION SEMAINIER-000000000000000000000000-DESINSCRIPTION";
const EVIL: &str =
    "https://evil.example/?u=SEMAINIER-LIEN-DE-DESINSCRIPTION&e=SEMAINIER-ETABLISSEMENT&o=SEMAINIER-LIEN-DE-COMMANDE";

fn monday() -> NaiveDate {
    "2027-07-12".parse().unwrap()
}

fn office(text: &str) -> Office {
    let some = |what: &str| Some(format!("{what}{text}"));
    Office { name: format!("Office {text}"), address: some("1, rue "), phone: some("05 "), ..Office::default() }
}

/// What one recipient gets of it, all parts decoded.
fn received(rendered: Rendered, marks: String) -> String {
    let content = Content {
        subject: rendered.subject,
        html: rendered.html.unwrap_or_default(),
        text: rendered.text,
        attachments: vec![],
        inline: vec![],
        data: String::new(),
        envelope: Envelope {
            from_name: "Office".to_owned(),
            from_address: "office@office.example".to_owned(),
            reply_to: None,
            return_path: "retours@office.example".to_owned(),
            domain: "office.example".to_owned(),
            list_id: "agenda.office.example".to_owned(),
            list_name: "Agenda".to_owned(),
            feedback_id: "a:b:c:office".to_owned(),
            date_ms: 1_783_144_800_000,
            public_url: "https://p.office.example/".to_owned(),
            edition: None,
            article_url: None,
            marks,
            dkim: Vec::new(),
        },
    };
    let to = To {
        address: &"hotel@auch.example".parse().unwrap(),
        name: "",
        establishment: HOUSE,
        message_id: "1@office.example",
        unsubscribe_url: UNSUBSCRIBE,
        order_url: ORDER,
    };
    let bytes = Mime::new(content).unwrap().message(to).unwrap().to_bytes();
    let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    format!("{}\n{}", mail.body_html(0).unwrap_or_default(), mail.body_text(0).unwrap_or_default())
}

/// The recipient's own stands where the template has it, and nowhere else.
fn assert_nothing_is_filled_in(kind: &str, with_marks: &str, with_none: &str) {
    for own in [UNSUBSCRIBE, ORDER, HOUSE] {
        assert_eq!(with_marks.matches(own).count(), with_none.matches(own).count(), "{kind}: {own}");
    }
    for evil in with_marks.split("evil.example").skip(1) {
        let link: String = evil.chars().take(200).collect();
        assert!(!link.contains("JETON"), "{kind}: {link}");
    }
}

fn agenda_mail(agenda: &Agenda) -> String {
    let links = Links { article: Some("https://office.example/article".to_owned()), online: true, ..Links::default() };
    let mail = AgendaMail::new("Agenda", agenda, Week::of(monday()), &office(""), links);
    received(TEMPLATES.mail(&mail).unwrap(), mail.marks.issue)
}

fn letter_mail(letter: &Letter) -> String {
    let mail = NewsletterMail::new("Lettre", letter, &office(""), 600).online(true);
    received(TEMPLATES.mail(&mail).unwrap(), mail.marks.issue)
}

fn letter(parts: Vec<Part>) -> Letter {
    let at = "2027-07-01T00:00:00Z".parse().unwrap();
    Letter { month: Month::of(monday()), since: at, until: at, parts, missing: vec![], exceptions: vec![] }
}

fn fetcher() -> Fetcher {
    Fetcher::new(FetchLimits::default(), "127.0.0.1".parse().unwrap(), "semainier-test").unwrap()
}

fn news_of(items: Vec<NewsItem>) -> Letter {
    let stories = items.iter().map(|item| Story { item: item.clone(), picture: None }).collect();
    letter(vec![Part::News { title: "Actualités".to_owned(), stories, others: items }])
}

#[test]
fn h1_an_article_cannot_contain_a_personal_placeholder() {
    let html = |link: &str, words: &str| {
        format!(
            "<h3>Lundi 12 juillet</h3><ul><li>à 10h, <a href=\"{link}\">visite {words}</a>, Auch</li></ul><p>{words}</p>"
        )
    };
    let read = |html: &str| {
        article::read(html, &Reading { published: monday(), week: Some(Week::of(monday())), home: "Auch", venues: &[] })
    };
    let mail = |link: &str, words: &str| agenda_mail(&read(&html(link, words)));
    let entities = EVIL.replace('-', "&#45;");
    for evil in [EVIL, &entities] {
        assert_nothing_is_filled_in("article", &mail(evil, MARKS), &mail("https://a.example", "x"));
    }
}

#[tokio::test]
async fn h1_event_sources_cannot_contain_a_personal_placeholder() {
    let web = Web::start();
    web.route("/a.ics", Reply::new(200, "text/calendar", format!(
        "BEGIN:VCALENDAR\r\nX-WR-CALNAME:{MARKS}\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Fête {MARKS}\r\nLOCATION:{MARKS}\r\nURL:{EVIL}\r\n\
         DTSTART:20270713T200000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )));
    web.route("/page/", Reply::html(format!(
        r#"<script type="application/ld+json">{{"@type":"Event","name":"Fête {MARKS}","startDate":"2027-07-13","url":"{EVIL}","location":"{MARKS}","offers":{{"price":"{MARKS}"}}}}</script>"#
    )));
    web.route("/wp-json/tribe/events/v1/events", Reply::json(format!(
        r#"{{"events":[{{"id":1,"title":"Fête {MARKS}","start_date":"2027-07-13 20:00:00","url":"{EVIL}","cost":"{MARKS}","venue":{{"venue":"{MARKS}","city":"{MARKS}"}}}}],"total_pages":1}}"#
    )));
    let folder = tempfile::tempdir().unwrap();
    let flux = format!(
        r#"{{"@id":"x","rdfs:label":{{"fr":["Fête {MARKS}"]}},"dc:identifier":"X","takesPlaceAt":[{{"startDate":"2027-07-13","endDate":"2027-07-13"}}],
            "hasContact":[{{"foaf:homepage":["{EVIL}"],"schema:telephone":["{MARKS}"]}}],"offers":[{{"textPriceSpecification":"{MARKS}"}}]}}"#
    );
    std::fs::write(folder.path().join("x.json"), flux).unwrap();
    let sources = [
        Source::Ical { url: web.url("/a.ics") },
        Source::JsonLd { url: web.url("/page/") },
        Source::EventsCalendar { url: web.url("/") },
        Source::DatatourismeFlux { path: folder.path().to_owned() },
    ];
    let days = monday()..=monday() + chrono::Days::new(6);
    for source in sources {
        let now = "2027-07-10T06:00:00Z".parse().unwrap();
        let found = source.listings(&fetcher(), days.clone(), chrono_tz::Europe::Paris, now).await.unwrap();
        assert_eq!(found.items.len(), 1, "{source:?}");
        let mail = |edit: &dyn Fn(&mut semainier::domain::listing::Listing)| {
            let mut listings = found.items.clone();
            listings.iter_mut().for_each(edit);
            let mut agenda = Agenda { week: Some(Week::of(monday())), ..Agenda::default() };
            merge::merge(&mut agenda, &listings, Week::of(monday()), "Auch");
            agenda_mail(&agenda)
        };
        let none = mail(&|it| {
            *it = semainier::domain::listing::Listing {
                title: "Fête".to_owned(),
                url: None,
                venue: None,
                commune: None,
                price: None,
                phone: None,
                ..it.clone()
            }
        });
        assert_nothing_is_filled_in(&source.name(), &mail(&|_| {}), &none);
    }
}

#[tokio::test]
async fn h1_news_sources_cannot_contain_a_personal_placeholder() {
    let web = Web::start();
    let link = EVIL.replace('&', "&amp;");
    web.route("/feed/", Reply::rss(format!(
        "<rss version='2.0'><channel><title>{MARKS}</title><item><title>Titre {MARKS}</title><link>{link}</link>\
         <pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate><description>{MARKS}</description><category>{MARKS}</category></item></channel></rss>"
    )));
    web.route("/wp-json/wp/v2/posts", Reply::json(format!(
        r#"[{{"id":1,"date_gmt":"2027-07-09T15:00:00","link":"{EVIL}","title":{{"rendered":"Titre {MARKS}"}},"content":{{"rendered":"<p>{MARKS}</p>","protected":false}}}}]"#
    )));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.md"),
        format!("---\ntitle: Titre {MARKS}\ndate: 2027-07-09\nurl: {EVIL}\ncommune: {MARKS}\n---\n{MARKS}"),
    )
    .unwrap();
    let sources = [
        Source::Feed { url: web.url("/feed/"), lang: None },
        Source::Posts { url: web.url("/"), categories: vec![], lang: None },
        Source::Folder { path: folder.path().to_owned() },
    ];
    for source in sources {
        let (since, now) = ("2027-07-01T00:00:00Z".parse().unwrap(), "2027-07-10T06:00:00Z".parse().unwrap());
        let found = source.news(&fetcher(), since, now).await.unwrap().items;
        assert_eq!(found.len(), 1, "{source:?}");
        let bare = NewsItem {
            title: "Titre".to_owned(),
            url: None,
            summary: String::new(),
            commune: None,
            ..found[0].clone()
        };
        assert_nothing_is_filled_in(&source.name(), &letter_mail(&news_of(found)), &letter_mail(&news_of(vec![bare])));
    }
}

/// Everything that a person types in: an editorial, appointments, an imported partner, a brochure, an order.
#[test]
fn h1_imported_or_typed_text_cannot_contain_a_personal_placeholder() {
    let parts = |text: &str, link: &str| {
        letter(vec![
            Part::Editorial { markdown: Some(format!("Bonjour {text} [ici]({link}) <{link}>")) },
            Part::Partners {
                title: "Bienvenue".to_owned(),
                newcomers: vec![Newcomer { establishment: format!("Gîte {text}"), commune: text.to_owned() }],
                more: 0,
            },
            Part::Appointments {
                title: text.to_owned(),
                appointments: vec![Appointment {
                    day: monday(),
                    time: None,
                    title: format!("Éductour {text}"),
                    place: Some(text.to_owned()),
                    text: Some(text.to_owned()),
                    url: Some(link.to_owned()),
                }],
            },
            Part::Links { title: text.to_owned(), links: vec![Link { title: text.to_owned(), url: link.to_owned() }] },
        ])
    };
    let plain = "https://a.example/";
    assert_nothing_is_filled_in("letter", &letter_mail(&parts(MARKS, EVIL)), &letter_mail(&parts("x", plain)));
    let brochure = |text: &str, link: &str| {
        let mail = edition_mail(text, link);
        received(TEMPLATES.mail(&mail).unwrap(), mail.marks.issue)
    };
    assert_nothing_is_filled_in("edition", &brochure(MARKS, EVIL), &brochure("x", plain));
    let order = |text: &str| {
        let mail = order_mail(text);
        received(TEMPLATES.mail(&mail).unwrap(), mail.marks.issue)
    };
    assert_nothing_is_filled_in("order", &order(MARKS), &order("x"));
}

#[test]
fn h1_the_placeholders_of_an_issue_depend_on_its_content() {
    let agenda =
        |text: &str| Agenda { unplaced: vec![Item { text: text.to_owned(), ..Item::default() }], ..Agenda::default() };
    let marks =
        |text: &str| AgendaMail::new("A", &agenda(text), Week::of(monday()), &office(""), Links::default()).marks;
    let first = marks("fête");
    assert_eq!(first, marks("fête"), "the same content, the same bytes");
    assert_ne!(first, marks("autre"));
    // Who has seen an issue and puts its marks into the next one has changed what it is made of.
    let mail = agenda_mail(&agenda(&format!("https://evil.example/?{}", first.unsubscribe)));
    assert_nothing_is_filled_in("agenda", &mail, &agenda_mail(&agenda("x")));
}

fn edition_mail(text: &str, link: &str) -> EditionMail {
    let edition = Edition {
        slug: "carte-2027".to_owned(),
        title: format!("Carte {text}"),
        kind: EditionKind::Map,
        languages: vec!["fr".to_owned()],
        pages: Some(4),
        summary: text.to_owned(),
        online: Some(Online::At(link.to_owned())),
        printed: Some(Printed { copies: 500, pack: 50, max_packs: None }),
        valid_until: None,
        words: text.to_owned(),
        post: Some(text.to_owned()),
        reminder_after_days: None,
    };
    let cover = Cover::new("couverture@a.example".to_owned(), 600, 900);
    let ordering = Some(Ordering::online(50));
    EditionMail::new(&edition, &office(text), cover, "qr@a.example".to_owned(), link.to_owned(), None, ordering, false)
}

fn order_mail(text: &str) -> OrderMail {
    let order = Order {
        id: "7k3m9q2x".to_owned(),
        edition: "carte-2027".to_owned(),
        by: Orderer {
            contact_id: "c".to_owned(),
            address: "gite@auch.example".parse().unwrap(),
            name: text.to_owned(),
            establishment: format!("Gîte {text}"),
            commune: text.to_owned(),
            street: text.to_owned(),
        },
        wish: Wish { packs: 2, handover: Handover::Delivery, remark: text.to_owned() },
        state: OrderState::Open,
        revision: 1,
        taken_by: Some(text.to_owned()),
        ordered_at: Default::default(),
        changed_at: Default::default(),
    };
    OrderMail::new(&order, text, 50, &office(text), true)
}

/// Any characters at all, and those that have done harm.
fn text() -> impl Strategy<Value = String> {
    let harmful = prop::sample::select(vec![
        "\u{b}",
        "\u{1}",
        "\u{1b}[31m",
        "\u{fffe}",
        "\u{ffff}",
        "\u{fdd0}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\0",
        "\u{7f}",
        "\u{feff}",
        "&#11;",
        "&#x1;",
        "]]>",
        "<![CDATA[",
        "<!--",
        "-->",
        "<mj-raw>",
        "</mj-text>",
        "{{ x }}",
        "{% raw %}",
        "<?xml",
        "\"'",
        "&nbsp;",
        "\r\n",
        "- ",
        "# ",
        "[a](b)",
        "<a@b.fr>",
        "**",
        "`",
        "> ",
        "1. ",
        "![](x)",
        "&",
        "<br>",
    ]);
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(|all| all.into_iter().collect::<String>());
    let piece = prop_oneof![3 => harmful.prop_map(str::to_owned), 2 => any, 1 => "[a-zéè ]{1,9}"];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// No mark, and nothing that XML cannot hold, is left of a rendered mail.
fn judge(rendered: Rendered, marks: Option<String>) -> Result<(), TestCaseError> {
    let bad = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\r' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202e}')
    };
    for part in [&rendered.subject, rendered.html.as_ref().unwrap_or(&String::new()), &rendered.text] {
        prop_assert!(!part.contains(bad), "{part:?}");
    }
    let shown = marks.map(|marks| received(rendered, marks)).unwrap_or_default();
    prop_assert!(!shown.contains("SEMAINIER-"), "F8: {shown}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn fr09_f08_every_template_renders_any_text_without_placeholders(a in text(), b in text(), c in text()) {
        let item = Item {
            text: a.clone(),
            events: vec![Event { title: b.clone(), place: Some(c.clone()), price: Some(a.clone()), phone: Some(b.clone()),
                link: Some(format!("https://a.example/{a}")), note: Some(c.clone()), ..Event::default() }],
            ..Item::default()
        };
        let plain = Item { text: b.clone(), ..Item::default() };
        let agenda = Agenda {
            week: Some(Week::of(monday())),
            days: vec![Day { date: monday(), items: vec![item.clone(), plain.clone()] }],
            exhibitions: vec![item.clone()],
            unplaced: vec![plain],
            warnings: vec![a.clone()],
            ..Agenda::default()
        };
        let links = Links { article: Some(format!("https://a.example/{b}")), online: true, ..Links::default() };
        let mail = AgendaMail::new(&a, &agenda, Week::of(monday()), &office(&c), links);
        judge(TEMPLATES.mail(&mail).unwrap(), Some(mail.marks.issue))?;

        let news = NewsItem {
            id: a.clone(), title: b.clone(), url: Some(format!("https://a.example/{c}")), published: Default::default(), modified: None,
            summary: format!("{a}\n\n{b}"), image: Some(Picture { url: c.clone(), alt: a.clone() }), categories: vec![b.clone()],
            commune: Some(c.clone()), source: a.clone(),
        };
        let appointment = Appointment { day: monday(), time: None, title: a.clone(), place: Some(b.clone()), text: Some(c.clone()), url: Some(a.clone()) };
        let all = letter(vec![
            Part::Editorial { markdown: Some(format!("{a}\n\n{b}\n\n- {c}")) },
            Part::News { title: a.clone(), stories: vec![Story { item: news.clone(), picture: Some("image-1@a.example".to_owned()) }], others: vec![news] },
            Part::Partners { title: b.clone(), newcomers: vec![Newcomer { establishment: a.clone(), commune: b.clone() }], more: 1 },
            Part::Appointments { title: c.clone(), appointments: vec![appointment] },
            Part::Links { title: a.clone(), links: vec![Link { title: b.clone(), url: format!("https://a.example/{c}") }] },
        ]);
        let mail = NewsletterMail::new(&a, &all, &office(&b), 600).online(true);
        judge(TEMPLATES.mail(&mail).unwrap(), Some(mail.marks.issue))?;

        let mail = edition_mail(&a, &format!("https://a.example/{b}"));
        judge(TEMPLATES.mail(&mail).unwrap(), Some(mail.marks.issue))?;
        let mail = order_mail(&a);
        judge(TEMPLATES.mail(&mail).unwrap(), Some(mail.marks.issue))?;
        let approval = ApprovalMail {
            title: a.clone(), issue: "newsletter/2027-07".to_owned(), subject: b.clone(), contents: vec![c.clone()], missing: vec![a.clone()],
            attachments: vec![b.clone()], recipients: 1, leaves_at: c.clone(), deadline: a.clone(), hash: "ab".repeat(32),
            short_hash: "ab".repeat(6), changed: true, has_editorial: true, erratum: true, rehearsed: true, relay: Some(c.clone()),
            verdict: Some(verdict(&a, &b, &c)), url: None,
        };
        judge(TEMPLATES.mail(&approval).unwrap(), None)?;
        let notice = NoticeMail {
            kind: "held", title: a.clone(), issue: "agenda/2027-W28".to_owned(), reason: b.clone(), deadline: Some(c.clone()),
            retry: Some(a.clone()), approval: false, lines: vec![b.clone()],
        };
        judge(TEMPLATES.mail(&notice).unwrap(), None)?;
        let eve = EveMail {
            verdict: verdict(&b, &c, &a),
            issues: vec![EveIssue {
                title: a.clone(), key: "agenda/2027-W28".to_owned(), leaves: "demain".to_owned(), composed: true, stop: EveStop::No,
            }],
        };
        judge(TEMPLATES.mail(&eve).unwrap(), None)?;
        let summary = SummaryMail {
            issues: vec![SummaryIssue {
                title: a.clone(), key: "agenda/2027-W28".to_owned(), left_at: "samedi".to_owned(), sum: b.clone(),
                short: c.clone(), refused: vec![Refused { who: a.clone(), phone: b.clone(), why: c.clone() }], refused_more: 1,
                uncertain: 2, refused_url: None, uncertain_url: None,
            }],
            orders: Some(c.clone()), orders_url: None,
        };
        judge(TEMPLATES.mail(&summary).unwrap(), None)?;
    }
}

fn verdict(a: &str, b: &str, c: &str) -> Verdict {
    let all = || vec![a.to_owned(), b.to_owned(), c.to_owned()];
    let (answer, reason) = (a.to_owned(), Some(b.to_owned()));
    Verdict { answer, reason, departures: all(), look: all(), fine: all(), url: None }
}
