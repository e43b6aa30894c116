//! Writes every sample of every mail template as a signed message into a folder: `scripts/spam` and `scripts/mail-clients` judge them.
//!
//! Usage: `mail_samples FOLDER KEY`, with the private key of `s2026._domainkey.example.org` in PEM.

use semainier::clock::Clock;
use semainier::compose::{
    context::{AgendaMail, BANNER, NoticeMail},
    edition::{EditionMail, OrderMail},
    erratum::ErratumMail,
    mime::{Mime, To, ToStaff, to_staff},
    newsletter::{ApprovalMail, NewsletterMail},
    orders::OrdersMail,
    staff::{EveMail, SummaryMail},
};
use semainier::config::Config;
use semainier::domain::{
    Timestamp,
    email::EmailAddress,
    issue::{Content, Envelope, Inline},
    message::Message,
};
use semainier::signing::Keys;
use semainier::templates::{Context, Rendered, Templates};
use semainier::toml_reader::Overrides;
use std::{
    error::Error,
    path::{Path, PathBuf},
};

const PICTURE: &[u8] = include_bytes!("../src/cli/demo/edition/couverture.jpg");
const PUBLIC: &str = "https://partenaires.example.org";
const DOMAIN: &str = "example.org";
const SENDER: &str = "partenaires@example.org";

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1).map(PathBuf::from);
    let (Some(folder), Some(key)) = (given.next(), given.next()) else {
        return Err("usage: mail_samples FOLDER KEY".into());
    };
    std::fs::create_dir_all(&folder)?;
    Writer { templates: Templates::load(None)?, keys: keys(&key.canonicalize()?)?, folder, now: Clock::System.now() }
        .all()
}

fn keys(file: &Path) -> Result<Keys, Box<dyn Error>> {
    let text = format!("[[dkim]]\ndomain = \"{DOMAIN}\"\nselector = \"s2026\"\nkey_file = {file:?}\n");
    Ok(Config::parse(None, &text, &Overrides::default())?.dkim)
}

struct Writer {
    templates: Templates,
    keys: Keys,
    folder: PathBuf,
    /// Of each message: filters mind an old date.
    now: Timestamp,
}

impl Writer {
    fn all(&self) -> Result<(), Box<dyn Error>> {
        self.to_partners::<AgendaMail>("agenda", |it| &it.marks.issue)?;
        self.to_partners::<NewsletterMail>("newsletter", |it| &it.marks.issue)?;
        self.to_partners::<EditionMail>("editions", |it| &it.marks.issue)?;
        self.to_partners::<ErratumMail>("agenda", |it| &it.marks.issue)?;
        // A confirmation of an order goes to one person, who asked for it: it is of no list.
        self.to_partners::<OrderMail>("", |_| "")?;
        self.to_be_approved()?;
        self.to_members_of_staff::<NoticeMail>()?;
        self.to_members_of_staff::<OrdersMail>()?;
        self.to_members_of_staff::<EveMail>()?;
        self.to_members_of_staff::<SummaryMail>()
    }

    fn to_partners<C: Context>(&self, mailing: &str, marks: impl Fn(&C) -> &str) -> Result<(), Box<dyn Error>> {
        for (number, sample) in C::samples().iter().enumerate() {
            let content = self.content(self.rendered(sample)?, mailing, marks(sample))?;
            let (name, address) = (format!("{}-{number}", C::NAME), "contact@hotel.example".parse()?);
            let (unsubscribe, order) =
                (format!("{PUBLIC}/u/1.agenda.AbCdEfGh"), format!("{PUBLIC}/o/1.carte.AbCdEfGh"));
            let to = To {
                address: &address,
                name: "Éloïse Lacoste",
                establishment: "Hôtel de France",
                message_id: &format!("{name}@{DOMAIN}"),
                unsubscribe_url: &unsubscribe,
                order_url: &order,
            };
            self.write(&name, Mime::new(content)?.message(to)?)?;
        }
        Ok(())
    }

    fn rendered<C: Context>(&self, sample: &C) -> Result<Rendered, Box<dyn Error>> {
        let Rendered { subject, html, text } = self.templates.mail(sample)?;
        Ok(Rendered { subject, html: html.as_deref().map(on_a_real_domain), text: on_a_real_domain(&text) })
    }

    /// The banner stands above the mail that is to be approved: here above the agenda.
    fn to_be_approved(&self) -> Result<(), Box<dyn Error>> {
        let agenda = AgendaMail::samples().swap_remove(0);
        for (number, sample) in ApprovalMail::samples().iter().enumerate() {
            let (mail, shown) = (self.rendered(sample)?, self.rendered(&agenda)?);
            let html = shown.html.unwrap_or_default();
            let body = html.find("<body").and_then(|at| Some(at + html[at..].find('>')? + 1)).unwrap_or_default();
            let html = format!(
                "{}{}{}",
                &html[..body],
                on_a_real_domain(&self.templates.fragment(BANNER, sample)?),
                &html[body..]
            );
            let text = format!("{}\n\n{}", mail.text, shown.text);
            let whole = Rendered { subject: mail.subject, html: Some(html), text };
            let mime = Mime::new(self.content(whole, "", &agenda.marks.issue)?)?;
            let (name, address) = (format!("{}-{number}", ApprovalMail::NAME), staff()?);
            let to = To {
                address: &address,
                name: "",
                establishment: "",
                message_id: &format!("{name}@{DOMAIN}"),
                unsubscribe_url: PUBLIC,
                order_url: PUBLIC,
            };
            self.write(&name, mime.review(to, "semainier", &SENDER.parse()?, self.now)?)?;
        }
        Ok(())
    }

    fn to_members_of_staff<C: Context>(&self) -> Result<(), Box<dyn Error>> {
        for (number, sample) in C::samples().iter().enumerate() {
            let (mail, name) = (self.rendered(sample)?, format!("{}-{number}", C::NAME));
            let message = to_staff(&ToStaff {
                from_name: "semainier",
                from: &SENDER.parse()?,
                to: &staff()?,
                message_id: &format!("{name}@{DOMAIN}"),
                date: self.now,
                subject: &mail.subject,
                text: &mail.text,
                html: mail.html.as_deref(),
            })?;
            self.write(&name, message)?;
        }
        Ok(())
    }

    /// With a picture for each that the mail shows.
    fn content(&self, mail: Rendered, mailing: &str, marks: &str) -> Result<Content, Box<dyn Error>> {
        let html = mail.html.ok_or("a mail with a text only")?;
        let pictures = html.split("\"cid:").skip(1).filter_map(|rest| rest.split('"').next());
        let inline = pictures.map(|id| Inline {
            content_id: id.to_owned(),
            media_type: "image/jpeg".to_owned(),
            bytes: PICTURE.to_vec(),
        });
        Ok(Content {
            subject: mail.subject,
            inline: inline.collect(),
            html,
            text: mail.text,
            attachments: Vec::new(),
            data: String::new(),
            envelope: Envelope {
                from_name: "Office de tourisme".to_owned(),
                from_address: SENDER.to_owned(),
                reply_to: Some("communication@example.org".to_owned()),
                return_path: "retours+*@lettre.example.org".to_owned(),
                domain: DOMAIN.to_owned(),
                list_id: if mailing.is_empty() { String::new() } else { format!("{mailing}.lettre.{DOMAIN}") },
                list_name: "Que faire à Auch cette semaine".to_owned(),
                feedback_id: format!("{mailing}:2027-w28:semainier:example-org"),
                date_ms: self.now.timestamp_millis(),
                public_url: format!("{PUBLIC}/"),
                edition: None,
                article_url: None,
                marks: marks.to_owned(),
                dkim: Vec::new(),
            },
        })
    }

    fn write(&self, name: &str, message: Message) -> Result<(), Box<dyn Error>> {
        let signed = self.keys.sign(message, &self.keys.for_sender(DOMAIN))?;
        Ok(std::fs::write(self.folder.join(format!("{name}.eml")), signed.to_bytes())?)
    }
}

/// rspamd counts a link that shows its address as hidden (`R_SUSPICIOUS_URL`) when it does not know the top-level domain.
fn on_a_real_domain(text: &str) -> String {
    text.replace("office.example", "office.example.org")
}

fn staff() -> Result<EmailAddress, Box<dyn Error>> {
    Ok("communication@example.org".parse()?)
}
