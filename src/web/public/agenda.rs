//! Public pages: the weeks of each weekly mailing with their documents, the archive, one issue online.

use super::{cache::Listed, calendar, order};
use crate::compose::context::Marks;
use crate::compose::page::{AccessibilityPage, AgendaPage, ArchiveLine, ArchivePage, Link, MessagePage};
use crate::domain::{
    agenda::{Agenda, Week},
    french,
    issue::{Content, IssueKey},
};
use crate::templates::Page;
use crate::views::readiness::readiness;
use crate::web::{
    Site,
    answer::{self, Answer, HTML, Keep, Kept},
};
use anyhow::Context;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::Arc;
use tracing::error;

pub(super) async fn home(State(site): State<Arc<Site>>) -> Answer {
    match site.weekly.first() {
        Some(mailing) => answer::elsewhere(&format!("/{mailing}")),
        None => answer::elsewhere("/archives"),
    }
}

/// `/agenda`, `/agenda.ics`, `/agenda.json`, of any weekly mailing.
pub(super) async fn weekly(State(site): State<Arc<Site>>, Path(name): Path<String>, asked: HeaderMap) -> Answer {
    let listed = match site.listed().await {
        Ok(listed) => listed,
        Err(error) => return site.broken(&error.into()),
    };
    let (mailing, kind) = name.split_once('.').map_or((&*name, None), |(mailing, kind)| (mailing, Some(kind)));
    // Weeks of a mailing that is no longer configured stay readable.
    if !site.weekly.iter().any(|id| id == mailing) && listed.weeks(mailing).next().is_none() {
        return site.nowhere();
    }
    match kind {
        None => current(&site, &listed, mailing, &asked).await,
        Some("ics") => calendar(&site, &listed, mailing, &asked).await,
        Some("json") => feed(&site, &listed, mailing, &asked).await,
        Some(_) => site.nowhere(),
    }
}

/// The current week; before the season the first one, after it the last.
async fn current(site: &Site, listed: &Listed, mailing: &str, asked: &HeaderMap) -> Answer {
    let this = site.this_week();
    let weeks = || listed.weeks(mailing).map(|(week, _)| week);
    let shown = weeks().filter(|week| *week >= this).min().or_else(|| weeks().max());
    match shown {
        Some(week) => site.week_page(listed, mailing, week, this, asked).await,
        None => {
            let text = "L’agenda de la semaine paraît ici chaque samedi de l’été.".to_owned();
            site.message(StatusCode::OK, "Pas encore d’agenda", vec![text])
        }
    }
}

pub(super) async fn agenda_of(
    State(site): State<Arc<Site>>,
    Path((mailing, week)): Path<(String, String)>,
    asked: HeaderMap,
) -> Answer {
    let Ok(week) = week.parse::<Week>() else { return site.nowhere() };
    match site.listed().await {
        Ok(listed) => site.week_page(&listed, &mailing, week, site.this_week(), &asked).await,
        Err(error) => site.broken(&error.into()),
    }
}

/// `affiche.pdf`, `livret.pdf`, `agenda.ics` of a week.
pub(super) async fn document(
    State(site): State<Arc<Site>>,
    Path((mailing, week, document)): Path<(String, String, String)>,
    asked: HeaderMap,
) -> Answer {
    let known = ["affiche.pdf", "livret.pdf", "agenda.ics"].into_iter().find(|known| *known == document);
    let (Ok(week), Some(document)) = (week.parse::<Week>(), known) else { return site.nowhere() };
    let made = site.kept(format!("{mailing}/{week}/{document}"), async |site| {
        let Some((key, content)) = site.content_of(&mailing, week).await? else { return Ok(None) };
        if document == "agenda.ics" {
            let agenda = content.agenda()?;
            return Ok(Some(site.calendar_of(&mailing, &[(week, agenda)])));
        }
        let attachment = content.attachments.into_iter().find(|attachment| attachment.name.ends_with(document));
        Ok(attachment.map(|it| Kept::new("application/pdf", it.bytes).named(&it.name))).inspect(|found| {
            if found.is_none() {
                tracing::debug!(issue = %key, document, "there is no such document");
            }
        })
    });
    site.kept_answer(made.await, &asked, Keep::Minutes)
}

/// This week and later ones, for calendar subscriptions.
async fn calendar(site: &Site, listed: &Listed, mailing: &str, asked: &HeaderMap) -> Answer {
    let this = site.this_week();
    let made = site.kept(format!("calendar/{mailing}/{this}/{}", listed.version), async |site| {
        let mut weeks = Vec::new();
        for (week, key) in listed.weeks(mailing).filter(|(week, _)| *week >= this) {
            if let Some(content) = site.store.content(key).await? {
                weeks.push((week, content.agenda()?));
            }
        }
        Ok(Some(site.calendar_of(mailing, &weeks)))
    });
    site.kept_answer(made.await, asked, Keep::Minutes)
}

/// The weeks as a JSON Feed 1.1, for the sites of partners.
async fn feed(site: &Site, listed: &Listed, mailing: &str, asked: &HeaderMap) -> Answer {
    /// Items of a feed, newest first.
    const ITEMS: usize = 10;
    let made = site.kept(format!("feed/{mailing}/{}", listed.version), async |site| {
        let mut weeks = Vec::new();
        for (week, key) in listed.weeks(mailing).take(ITEMS) {
            let published = listed.issues.iter().find(|issue| issue.key == *key);
            let (Some(published), Some(content)) = (published, site.store.content(key).await?) else { continue };
            let agenda = content.agenda()?;
            weeks.push((week, agenda, published.clone()));
        }
        let feed = calendar::json_feed(mailing, site.title(mailing), &site.config, &weeks);
        Ok(Some(Kept::new("application/feed+json; charset=utf-8", serde_json::to_vec(&feed)?)))
    });
    site.kept_answer(made.await, asked, Keep::Minutes)
}

pub(super) async fn archive(State(site): State<Arc<Site>>, asked: HeaderMap) -> Answer {
    let listed = match site.listed().await {
        Ok(listed) => listed,
        Err(error) => return site.broken(&error.into()),
    };
    let made = site.kept(format!("archive/{}", listed.version), async |site| {
        let zone = site.config.zone;
        let line = |issue: &crate::store::Published| {
            let date = issue.frozen_at.with_timezone(&zone).date_naive();
            ArchiveLine {
                url: site.tokens.view_url(&site.config.public_url, &issue.key),
                subject: issue.subject.clone(),
                date: french::date(date),
            }
        };
        let page = ArchivePage { issues: listed.issues.iter().map(line).collect() };
        Ok(Some(Kept::new(HTML, site.render(&page)?.into_bytes())))
    });
    site.kept_answer(made.await, &asked, Keep::Minutes)
}

/// An issue as it was mailed, without personal content.
pub(super) async fn view(State(site): State<Arc<Site>>, Path(token): Path<String>, asked: HeaderMap) -> Answer {
    let Some(key) = site.tokens.check_view(&token) else { return site.nowhere() };
    // Checked each time: a cancelled issue is no longer readable.
    let published = match site.listed().await {
        Ok(listed) => listed.issues.iter().any(|issue| issue.key == key),
        Err(error) => return site.broken(&error.into()),
    };
    if !published {
        return site.nowhere();
    }
    let made = site.kept(format!("view/{key}"), async |site| {
        let office = site.config.office.email.as_deref();
        let content = site.store.content(&key).await?;
        Ok(content.map(|content| Kept::mail(for_everyone(&content, office))))
    });
    site.kept_answer(made.await, &asked, Keep::Minutes)
}

/// Replaces personal placeholders by public values, and embeds the pictures in the page.
fn for_everyone(content: &Content, office_email: Option<&str>) -> String {
    filled(content, "/archives", &order::for_everyone(office_email), "")
}

/// The mail with these personal values, which are HTML, and its pictures in it.
pub(in crate::web) fn filled(content: &Content, unsubscribe: &str, order: &str, establishment: &str) -> String {
    let marks = Marks::named(&content.envelope.marks);
    let html = content.html.replace(&marks.unsubscribe, unsubscribe).replace(&marks.establishment, establishment);
    // The link to the online version becomes a link to this page.
    let html = html.replace(&marks.view, "#").replace(&marks.order, order);
    content.inline.iter().fold(html, |html, picture| {
        let data = format!("data:{};base64,{}", picture.media_type, STANDARD.encode(&picture.bytes));
        html.replace(&format!("cid:{}", picture.content_id), &data)
    })
}

pub(super) async fn accessibility(State(site): State<Arc<Site>>, asked: HeaderMap) -> Answer {
    let made = site.kept("accessibility".to_owned(), async |site| {
        Ok(Some(Kept::new(HTML, site.render(&AccessibilityPage)?.into_bytes())))
    });
    site.kept_answer(made.await, &asked, Keep::Minutes)
}

/// Browsers request it from every site: there is none, and the response is cached.
pub(super) async fn icon() -> Answer {
    answer::nothing(Keep::Forever)
}

pub(super) async fn style(State(site): State<Arc<Site>>, Path(name): Path<String>, asked: HeaderMap) -> Answer {
    match site.frame.style.strip_prefix("/static/") == Some(&name) {
        true => site.style.answer(&asked, Keep::Forever),
        false => site.nowhere(),
    }
}

pub(super) async fn robots() -> Answer {
    answer::text(StatusCode::OK, "User-agent: *\nDisallow: /u/\nDisallow: /v/\nDisallow: /o/\n")
}

/// Liveness: the process answers.
pub(super) async fn healthy() -> Answer {
    answer::text(StatusCode::OK, "ok\n")
}

/// Readiness: the database answers and the relay accepts mail. The page is public, so it names what fails and no more.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Answer {
    // Of the mailings nothing blocks.
    match readiness(&*site.store, &site.config, &[], site.clock.now()).await.map(|verdict| verdict.blockers()) {
        Ok(blockers) if blockers.is_empty() => answer::text(StatusCode::OK, "ready\n"),
        Ok(blockers) => answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", blockers.join(", "))),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "not ready: the ledger does not answer");
            answer::text(StatusCode::SERVICE_UNAVAILABLE, "not ready: database\n")
        }
    }
}

/// Where personal links of a test lead ([`crate::actions::test_mail::links`]): nothing is changed there.
pub(super) async fn of_a_test(State(site): State<Arc<Site>>) -> Answer {
    let texts = [
        "Ce lien vient d’un message d’essai, envoyé à une personne de l’office avant le départ. Rien n’a été changé.",
        "Dans le message que reçoit un partenaire, ce lien est personnel\u{a0}: il permet de se désinscrire, ou de commander.",
    ];
    site.message(StatusCode::OK, "Lien d’essai", texts.map(str::to_owned).to_vec())
}

pub(super) async fn nowhere(State(site): State<Arc<Site>>) -> Answer {
    site.nowhere()
}

impl Site {
    fn this_week(&self) -> Week {
        Week::of(self.clock.now().with_timezone(&self.config.zone).date_naive())
    }

    async fn content_of(&self, mailing: &str, week: Week) -> anyhow::Result<Option<(IssueKey, Content)>> {
        let listed = self.listed().await?;
        let Some(key) = listed.of_week(mailing, week) else { return Ok(None) };
        Ok(self.store.content(key).await?.map(|content| (key.clone(), content)))
    }

    async fn week_page(&self, listed: &Listed, mailing: &str, week: Week, this: Week, asked: &HeaderMap) -> Answer {
        let name = format!("page/{mailing}/{week}/{this}/{}", listed.version);
        let made = self.kept(name, async |site| {
            let Some((_, content)) = site.content_of(mailing, week).await? else { return Ok(None) };
            let agenda = content.agenda().context("cannot read the frozen agenda")?;
            let mut page = AgendaPage::new(mailing, site.title(mailing), &agenda, week, &site.config.office);
            let near = listed.weeks(mailing).map(|(week, _)| week).filter(|it| *it != week && *it >= this);
            let link = |it: Week| Link {
                url: format!("/{mailing}/{it}"),
                text: match it {
                    _ if it == this => "Cette semaine".to_owned(),
                    _ if it == this.next() => "La semaine prochaine".to_owned(),
                    _ => french::capitalized(&french::week(it)),
                },
            };
            page.others = near.map(link).collect();
            page.others.reverse();
            let documents = [("affiche.pdf", "Affiche à imprimer (PDF)"), ("livret.pdf", "Livret à plier (PDF)")];
            let printed =
                documents.into_iter().filter(|(name, _)| content.attachments.iter().any(|a| a.name.ends_with(name)));
            page.documents = printed
                .chain([("agenda.ics", "Dans mon calendrier (.ics)")])
                .map(|(name, text)| Link { url: format!("/{mailing}/{week}/{name}"), text: text.to_owned() })
                .collect();
            Ok(Some(Kept::new(HTML, site.render(&page)?.into_bytes())))
        });
        self.kept_answer(made.await, asked, Keep::Minutes)
    }

    fn calendar_of(&self, mailing: &str, weeks: &[(Week, Agenda)]) -> Kept {
        let host = self.config.public_url.host_str().unwrap_or("localhost");
        let text = calendar::icalendar(self.title(mailing), host, self.config.zone, weeks, self.clock.now());
        Kept::new("text/calendar; charset=utf-8", text.into_bytes())
    }

    fn kept_answer(&self, made: anyhow::Result<Option<Arc<Kept>>>, asked: &HeaderMap, keep: Keep) -> Answer {
        match made {
            Ok(Some(kept)) => kept.answer(asked, keep),
            Ok(None) => self.nowhere(),
            Err(error) => self.broken(&error),
        }
    }

    pub(super) fn render<P: Page>(&self, page: &P) -> anyhow::Result<String> {
        Ok(self.templates.page(&self.frame, page)?)
    }

    pub(super) fn shown<P: Page>(&self, status: StatusCode, page: &P, keep: Keep) -> Answer {
        match self.render(page) {
            Ok(html) => answer::page(status, html, keep),
            Err(error) => {
                error!(error = error.as_ref() as &dyn std::error::Error, "a page cannot be made");
                answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Cette page ne peut pas être affichée.\n")
            }
        }
    }

    pub(super) fn message(&self, status: StatusCode, title: &str, paragraphs: Vec<String>) -> Answer {
        let page = MessagePage { title: title.to_owned(), paragraphs, link: None };
        self.shown(status, &page, Keep::Never)
    }

    /// The same response for an unknown page and an invalid token, so that nothing is revealed.
    pub(super) fn nowhere(&self) -> Answer {
        let text =
            "Ce lien est incomplet ou n’est plus valable. S’il vient d’un message, copiez-le en entier.".to_owned();
        self.message(StatusCode::NOT_FOUND, "Page introuvable", vec![text])
    }

    /// The database failed: an honest error, never a false « c’est fait ».
    pub(super) fn broken(&self, error: &anyhow::Error) -> Answer {
        error!(error = error.as_ref() as &dyn std::error::Error, "a page cannot be answered");
        let text =
            "Nous ne pouvons pas répondre pour l’instant\u{a0}: rien n’a été changé. Réessayez dans quelques minutes.";
        let mut page = MessagePage {
            title: "Service momentanément indisponible".to_owned(),
            paragraphs: vec![text.to_owned()],
            link: None,
        };
        if let Some(address) = &self.config.office.email {
            page.paragraphs.push(format!("Pour ne plus recevoir nos messages, vous pouvez aussi écrire à {address}."));
            page.link = Some(Link {
                url: format!("mailto:{address}?subject=D%C3%A9sinscription"),
                text: format!("Écrire à {address}"),
            });
        }
        self.shown(StatusCode::SERVICE_UNAVAILABLE, &page, Keep::Never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issue::{Envelope, Inline};

    #[test]
    fn the_page_of_an_issue_has_its_pictures_and_no_personal_data() {
        let marks = Marks::of(&"une carte");
        let content = |html: String, inline: Vec<Inline>| Content {
            subject: String::new(),
            html,
            text: String::new(),
            attachments: vec![],
            inline,
            data: String::new(),
            envelope: Envelope {
                from_name: String::new(),
                from_address: String::new(),
                reply_to: None,
                return_path: String::new(),
                domain: String::new(),
                list_id: String::new(),
                list_name: String::new(),
                feedback_id: String::new(),
                date_ms: 0,
                public_url: String::new(),
                edition: None,
                article_url: None,
                marks: marks.issue.clone(),
                dkim: Vec::new(),
            },
        };
        let html =
            format!("<img src=\"cid:1@a.example\"><a href=\"{}\">x</a>{}", marks.unsubscribe, marks.establishment);
        let picture =
            Inline { content_id: "1@a.example".to_owned(), media_type: "image/jpeg".to_owned(), bytes: vec![1, 2, 3] };
        let page = for_everyone(&content(html, vec![picture]), None);
        assert_eq!(page, "<img src=\"data:image/jpeg;base64,AQID\"><a href=\"/archives\">x</a>");
        let order = content(format!("<a href=\"{}\">Commander</a>", marks.order), vec![]);
        assert_eq!(for_everyone(&order, Some("a@b.fr")), "<a href=\"mailto:a@b.fr\">Commander</a>");
        assert_eq!(for_everyone(&order, None), "<a href=\"/archives\">Commander</a>");
    }
}
