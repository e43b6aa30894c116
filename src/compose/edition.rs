//! Template contexts of the mails about editions: the announcement, its reminder, and the confirmation of an order.

use super::context::Marks;
use crate::domain::{
    Timestamp,
    edition::{
        Edition, EditionKind, Handover, Online, Order, OrderState, Orderer, Printed, Wish, number, packs_in_french,
    },
    email::EmailAddress,
    french::{self, plural},
    office::Office,
};
use crate::templates::Context;
use chrono::NaiveDate;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// `templates/mail/edition`
#[derive(Debug, Clone, Serialize)]
pub struct EditionMail {
    pub office: Office,
    pub title: String,
    /// `Carte`
    pub kind: String,
    pub preheader: String,
    pub cover: Cover,
    /// Paragraphs of what it is.
    pub summary: Vec<String>,
    /// `24 pages`, `en français, anglais`, `valable jusqu’au 31 mars 2028`
    pub facts: Vec<String>,
    pub online_url: String,
    /// Content-ID of the QR code of [`Self::online_url`].
    pub qr: String,
    /// The cover as a file; `None` if we serve no pages.
    pub image_url: Option<String>,
    /// Ready-made paragraphs.
    pub words: Vec<String>,
    /// A line for social networks.
    pub post: String,
    /// `None`: not printed.
    pub ordering: Option<Ordering>,
    /// The reminder, to those who did not order.
    pub reminder: bool,
    pub view_url: Option<String>,
    pub unsubscribe: String,
    pub establishment: String,
    #[serde(skip)]
    pub marks: Marks,
}

/// The picture of the cover, as the mail shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Cover {
    /// Its Content-ID.
    pub cid: String,
    /// In CSS pixels; the file has at most twice as many.
    pub width: u32,
}

impl Cover {
    /// `width` and `height` of the file, in pixels.
    pub fn new(cid: String, width: u32, height: u32) -> Self {
        // As wide as the column if it is landscape, not higher than a screen if it is portrait.
        let tallest = 420 * u64::from(width) / u64::from(height.max(1));
        Self { cid, width: width.min(568).min(u32::try_from(tallest).unwrap_or(568)).max(60) }
    }
}

/// How to order copies.
#[derive(Debug, Clone, Serialize)]
pub struct Ordering {
    /// The placeholder of the recipient's link, set by [`EditionMail::new`], or a mail to the office.
    pub url: String,
    /// `None`: by the link.
    pub address: Option<String>,
    /// `par paquets de 50`
    pub pack: String,
}

impl Ordering {
    pub fn online(pack: u32) -> Self {
        Self { url: String::new(), address: None, pack: by_pack(pack) }
    }

    pub fn by_mail(pack: u32, address: &str, title: &str) -> Self {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let subject = encoded(&format!("Commande : {title}"));
        let body = encoded("Établissement :\nNombre de paquets :\nLivraison ou retrait :\nRemarque :\n");
        let url = format!("mailto:{address}?subject={subject}&body={body}");
        Self { url, address: Some(address.to_owned()), pack: by_pack(pack) }
    }
}

impl EditionMail {
    #[expect(clippy::too_many_arguments, reason = "each is one part of the mail, made by its own step")]
    pub fn new(
        edition: &Edition,
        office: &Office,
        cover: Cover,
        qr: String,
        online_url: String,
        image_url: Option<String>,
        ordering: Option<Ordering>,
        reminder: bool,
    ) -> Self {
        let held = |text: &str| french::held_together(text.trim());
        let title = held(&edition.title);
        let mut facts: Vec<String> = edition.pages.map(plural_pages).into_iter().collect();
        facts.push(held(&format!("en {}", edition.languages_in_french())));
        facts.extend(edition.valid_until.map(|day| held(&format!("valable jusqu’au {}", french::date(day)))));
        let post = edition.post.as_deref().map(held);
        let marks = Marks::of(&(edition, &online_url, &image_url, reminder));
        let own_link = |ordering: Ordering| match ordering.address {
            None => Ordering { url: marks.order.clone(), ..ordering },
            Some(_) => ordering,
        };
        let ordering = ordering.map(own_link);
        Self {
            office: office.clone(),
            kind: french::capitalized(edition.kind.in_french()),
            preheader: match (&ordering, reminder) {
                (Some(_), true) => "Il est encore temps de commander vos exemplaires".to_owned(),
                (Some(_), false) => "À lire en ligne, à partager, et à commander en paquets".to_owned(),
                (None, _) => "À lire en ligne et à partager".to_owned(),
            },
            cover,
            summary: paragraphs(&edition.summary),
            facts,
            qr,
            image_url,
            words: paragraphs(&edition.words),
            post: post.unwrap_or_else(|| format!("«\u{a0}{title}\u{a0}» vient de paraître\u{a0}: {online_url}")),
            online_url,
            title,
            ordering,
            reminder,
            view_url: None,
            unsubscribe: marks.unsubscribe.clone(),
            establishment: marks.establishment.clone(),
            marks,
        }
    }
}

fn by_pack(pack: u32) -> String {
    match pack {
        1 => "à l’unité".to_owned(),
        pack => format!("par paquets de\u{a0}{}", number(pack)),
    }
}

fn plural_pages(n: u32) -> String {
    format!("{n}\u{a0}page{}", plural(n.into()))
}

fn paragraphs(text: &str) -> Vec<String> {
    let whole = |text: &str| french::held_together(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    text.split("\n\n").map(whole).filter(|text| !text.is_empty()).collect()
}

fn sample_edition() -> Edition {
    Edition {
        slug: "carte-2027".to_owned(),
        title: "Carte touristique « Cœur & Gascogne » 2027".to_owned(),
        kind: EditionKind::Map,
        languages: vec!["fr".to_owned(), "en".to_owned()],
        pages: Some(24),
        summary: "Les villages, les musées & les balades.\n\nAu dos, <le plan> de la ville.".to_owned(),
        online: Some(Online::At("https://office.example/carte?a=1&b=2".to_owned())),
        printed: Some(Printed { copies: 20_000, pack: 50, max_packs: None }),
        valid_until: NaiveDate::from_ymd_opt(2028, 3, 31),
        words: "La nouvelle carte est là !\n\nVenez la chercher.".to_owned(),
        post: Some("La nouvelle carte est là !".to_owned()),
        reminder_after_days: None,
    }
}

impl Context for EditionMail {
    const NAME: &'static str = "edition";

    /// Ordered by a link; by mail, in a reminder; and not printed.
    fn samples() -> Vec<Self> {
        let edition = sample_edition();
        let office = Office {
            name: "Office de tourisme".to_owned(),
            address: Some("1, place de la Libération, 32000 Auch".to_owned()),
            phone: Some("05 62 00 00 00".to_owned()),
            email: Some("contact@office.example".to_owned()),
            website: Some("https://office.example".to_owned()),
            opening_hours: None,
        };
        let url = "https://office.example/carte?a=1&b=2";
        let mail = |edition: &Edition, office: &Office, image: Option<String>, ordering, reminder| {
            let cover = Cover::new("couverture@a.example".to_owned(), 600, 900);
            Self::new(edition, office, cover, "qr@a.example".to_owned(), url.to_owned(), image, ordering, reminder)
        };
        let image = Some("https://office.example/editions/carte-2027.jpg".to_owned());
        let bare = Office { name: office.name.clone(), ..Office::default() };
        let plain = Edition { pages: None, valid_until: None, post: None, printed: None, ..edition.clone() };
        vec![
            mail(&edition, &office, image, Some(Ordering::online(50)), false),
            mail(&edition, &office, None, Some(Ordering::by_mail(50, "contact@office.example", "Carte")), true),
            mail(&plain, &bare, None, None, false),
        ]
    }
}

/// `templates/mail/order`: to the contact who ordered.
#[derive(Debug, Clone, Serialize)]
pub struct OrderMail {
    pub office: Office,
    /// The title of the edition.
    pub title: String,
    pub reference: String,
    pub establishment: String,
    /// `2 paquets (100 exemplaires)`
    pub quantity: String,
    pub handover: &'static str,
    /// Where the office delivers it, as far as known.
    pub place: Option<String>,
    pub remark: Option<String>,
    pub cancelled: bool,
    /// The order was changed before.
    pub changed: bool,
    /// The member of staff who took it by telephone.
    pub taken_by: Option<String>,
    /// The placeholder of the recipient's link; `None` if we serve no pages.
    pub order_url: Option<String>,
    #[serde(skip)]
    pub marks: Marks,
}

impl OrderMail {
    pub fn new(order: &Order, title: &str, pack: u32, office: &Office, served: bool) -> Self {
        let Order { by, wish, .. } = order;
        let place = [&by.street, &by.commune].map(|it| it.trim()).into_iter().filter(|it| !it.is_empty());
        let place = place.collect::<Vec<_>>().join(", ");
        let marks = Marks::of(&(&order.id, order.revision, &by.establishment, &wish.remark, title, &order.taken_by));
        Self {
            office: office.clone(),
            title: french::held_together(title),
            reference: order.id.clone(),
            establishment: by.establishment.clone(),
            quantity: packs_in_french(wish.packs, pack),
            handover: wish.handover.in_french(),
            place: Some(place).filter(|it| wish.handover == Handover::Delivery && !it.is_empty()),
            remark: Some(wish.remark.clone()).filter(|it| !it.is_empty()),
            cancelled: order.state == OrderState::Cancelled,
            changed: order.revision > 1,
            taken_by: order.taken_by.clone().filter(|_| order.state != OrderState::Cancelled),
            order_url: served.then(|| marks.order.clone()),
            marks,
        }
    }
}

impl Context for OrderMail {
    const NAME: &'static str = "order";

    fn samples() -> Vec<Self> {
        #[expect(clippy::expect_used, reason = "a built-in sample")]
        let address = EmailAddress::parse("gite@auch.example").expect("an address");
        let order = Order {
            id: "7k3m9q2x".to_owned(),
            edition: "carte-2027".to_owned(),
            by: Orderer {
                contact_id: "c".to_owned(),
                address,
                name: "Éloïse Cœur".to_owned(),
                establishment: "Gîte « du Pré »".to_owned(),
                commune: "Auch".to_owned(),
                street: "1, rue d’Étigny".to_owned(),
            },
            wish: Wish { packs: 2, handover: Handover::Delivery, remark: "Sonner <à gauche> & attendre".to_owned() },
            state: OrderState::Open,
            revision: 1,
            taken_by: None,
            ordered_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        };
        let office = Office { email: Some("contact@office.example".to_owned()), ..Office::default() };
        let wish = Wish { packs: 1, handover: Handover::PickUp, remark: String::new() };
        let changed = Order { revision: 2, wish, taken_by: Some("Claire <de l’office>".to_owned()), ..order.clone() };
        let cancelled = Order { state: OrderState::Cancelled, revision: 3, ..order.clone() };
        vec![
            Self::new(&order, "Carte 2027", 50, &office, true),
            Self::new(&changed, "Carte 2027", 50, &office, false),
            Self::new(&cancelled, "Carte 2027", 50, &Office::default(), true),
        ]
    }
}
