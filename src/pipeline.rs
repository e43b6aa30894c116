//! The product on one page: collect, compose, pass the gates or wait for a person's word, freeze, deliver, report.
//!
//! Each step is one word of the design. What is frozen is never made again: a second run of the same issue only goes on
//! with its deliveries.

use crate::apart::{PATIENCE, apart, on_a_large_stack};
use crate::app::{App, Engine};
use crate::approval::{self, Word};
use crate::collect::article::{self, Reading};
use crate::collect::source::Gives;
use crate::compose::context::{self, AgendaMail, Links};
use crate::compose::mime::{Mime, To};
use crate::compose::print::{self, Format, Layout, PrintError, Printed, Sheet};
use crate::deliver::{self, Deliverer, MessageError, Outbox};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Week},
    article::Article,
    delivery::{Claim, Finished},
    edition, french,
    gates::{self, Hold},
    issue::{Attachment, Content, Envelope, IssueKey, IssueState, IssueSummary, NewIssue, Whom},
    merge::{self, Merge},
    message::Message,
    newsletter::Letter,
};
use crate::editions;
use crate::failpoint;
use crate::jobs::{self, Approval, Attach, Kind, Mailing};
use crate::newsletter::{self, Gathered};
use crate::report;
use crate::store::{Frozen, Recovered, Store};
use crate::templates::Rendered;
use crate::tokens::Tokens;
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a person watching is told, as it happens.
#[derive(Debug)]
pub enum Step<'a> {
    Collecting,
    /// The article was read and passed the gates.
    Read {
        article: &'a Article,
        agenda: &'a Agenda,
    },
    /// News were gathered, and there is something to tell.
    Gathered {
        letter: &'a Letter,
    },
    Composed {
        content: &'a Content,
    },
    Frozen {
        recipients: u64,
    },
    /// This issue was frozen before; its deliveries go on.
    Resumed,
    Attempted(&'a Finished),
}

/// Called with every [`Step`].
pub type Watch<'a> = &'a (dyn Fn(Step<'_>) + Send + Sync);

/// What came of the way to the freeze.
#[derive(Debug)]
pub enum Prepared {
    /// A gate did not open, or nothing could be read. Nothing was frozen.
    Held { reason: String },
    /// Composed and kept: a person approves it, or nobody does.
    Awaiting,
    /// Frozen, now or `before`.
    Frozen { before: bool },
}

/// What came of it all.
#[derive(Debug)]
pub enum Published {
    /// A gate did not open, or nothing could be read. Nothing was frozen.
    Held { key: IssueKey, reason: String },
    /// Composed and kept: nothing leaves before a person approves it.
    Awaiting { key: IssueKey },
    /// Frozen, by now or before, and delivered as far as it goes now.
    Delivered(Box<Delivered>),
}

#[derive(Debug)]
pub struct Delivered {
    pub issue: IssueSummary,
    /// An earlier run had frozen it.
    pub before: bool,
    pub delivery: deliver::Summary,
}

/// An occurrence to be published.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    pub mailing: &'a Mailing,
    pub at: Timestamp,
    /// Past it nothing of the issue leaves.
    pub expires_at: Timestamp,
    /// What stands after the slash of its key where no calendar says it: of an edition, which is announced.
    pub period: Option<&'a str>,
}

impl<'a> Due<'a> {
    /// What the mailing's own schedule names.
    pub fn scheduled(mailing: &'a Mailing, at: Timestamp, expires_at: Timestamp) -> Self {
        Self { mailing, at, expires_at, period: None }
    }

    pub fn key(&self) -> IssueKey {
        match self.period {
            Some(period) => IssueKey::new(&self.mailing.id, period),
            None => self.mailing.issue_key(self.at),
        }
    }

    /// Whom of its audience it is for.
    pub(crate) fn whom(&self) -> Whom {
        let announced = self.period.and_then(|period| period.strip_suffix(edition::REMINDER));
        announced.map_or(Whom::Audience, |slug| Whom::NotOrdered(IssueKey::new(&self.mailing.id, slug)))
    }
}

/// The article of the week, understood.
#[derive(Debug)]
pub struct Found {
    pub article: Article,
    pub agenda: Agenda,
    /// What it was looked for, and is of.
    pub week: Week,
    /// Sources the mailing goes without this time, each with the reason, in French.
    pub missing: Vec<String>,
}

/// One occurrence of a mailing, from the article to the ledger. `article`: instead of the mailing's sources.
///
/// # Errors
/// What no retry of the same input would cure: a template that does not render, a database that cannot be written.
pub async fn publish(
    engine: &Engine,
    deliverer: &Deliverer,
    due: Due<'_>,
    article: Option<Article>,
    stop: &CancellationToken,
    watch: Watch<'_>,
) -> anyhow::Result<Published> {
    let key = due.key();
    let before = match prepare(engine, due, article, watch).await? {
        Prepared::Held { reason } => return Ok(Published::Held { key, reason }),
        Prepared::Awaiting => return Ok(Published::Awaiting { key }),
        Prepared::Frozen { before } => before,
    };
    let delivery = deliver(engine, deliverer, Some(&key), stop, watch).await?;
    let issue = engine.store.issue(&key).await?.context("the issue that was just frozen is gone")?;
    Ok(Published::Delivered(Box::new(Delivered { issue, before, delivery })))
}

/// From the sources to the frozen issue, or to one that awaits approval. What is frozen is never made again; what is kept
/// to be approved is not collected again either.
///
/// # Errors
/// What no retry of the same input would cure: a template that does not render, a database that cannot be written.
pub async fn prepare(
    engine: &Engine,
    due: Due<'_>,
    article: Option<Article>,
    watch: Watch<'_>,
) -> anyhow::Result<Prepared> {
    let key = due.key();
    if let Some(issue) = engine.store.issue(&key).await? {
        if issue.state.is_given_up() {
            info!(mailing = due.mailing.id, issue = %key, "nothing more of issue {key} leaves");
            return Ok(Prepared::Frozen { before: true });
        }
        if issue.frozen_at.is_some() {
            watch(Step::Resumed);
            return Ok(Prepared::Frozen { before: true });
        }
        if issue.is_presented() {
            return take_the_word(engine, due, &issue, watch).await;
        }
    }
    watch(Step::Collecting);
    let composed_at = engine.app.clock.now();
    let made = match &due.mailing.kind {
        Kind::Agenda(agenda) => make_agenda(engine, due, agenda, article, watch).await?,
        Kind::Newsletter(newsletter) => make_newsletter(engine, due, newsletter, watch).await?,
        Kind::Edition => editions::make(engine, due).await?,
    };
    let (content, missing) = match made {
        Ok(made) => made,
        Err(reason) => return Ok(Prepared::Held { reason: hold(engine, due, &reason).await? }),
    };
    watch(Step::Composed { content: &content });
    match due.mailing.approval {
        Approval::Automatic => {
            freeze(engine, due, content, composed_at, watch).await?;
            if !missing.is_empty() {
                let text = missing.join("\u{a0}; ");
                engine.store.owe_notice(&key, "incomplete", &text, composed_at).await?;
            }
            Ok(Prepared::Frozen { before: false })
        }
        Approval::Required => {
            approval::present(engine, due, content, composed_at, None).await?;
            Ok(Prepared::Awaiting)
        }
    }
}

/// What is kept leaves if somebody approved it.
async fn take_the_word(
    engine: &Engine,
    due: Due<'_>,
    issue: &IssueSummary,
    watch: Watch<'_>,
) -> anyhow::Result<Prepared> {
    match approval::freeze(engine, due, issue).await? {
        Word::Awaited => Ok(Prepared::Awaiting),
        Word::Frozen { recipients } => {
            watch(Step::Frozen { recipients });
            Ok(Prepared::Frozen { before: false })
        }
        // Whoever it was: what there is now is seen at the next look.
        Word::Elsewhere => match engine.store.issue(&issue.key).await? {
            Some(issue) if issue.frozen_at.is_some() => Ok(Prepared::Frozen { before: true }),
            _ => Ok(Prepared::Awaiting),
        },
    }
}

/// What people get, and what it has to do without, a sentence in French each.
pub(crate) type Made = (Content, Vec<String>);

/// The inner error: why it is held.
async fn make_agenda(
    engine: &Engine,
    due: Due<'_>,
    agenda: &jobs::Agenda,
    article: Option<Article>,
    watch: Watch<'_>,
) -> anyhow::Result<Result<Made, String>> {
    let found = match collect(&engine.app, due, agenda, article).await {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    watch(Step::Read { article: &found.article, agenda: &found.agenda });
    let content = compose(&engine.app, due, agenda, &found)?;
    Ok(Ok((content, found.missing)))
}

/// The inner error: why it is held.
async fn make_newsletter(
    engine: &Engine,
    due: Due<'_>,
    newsletter: &jobs::Newsletter,
    watch: Watch<'_>,
) -> anyhow::Result<Result<Made, String>> {
    let gathered = newsletter::gather(&engine.app, &*engine.store, due, newsletter).await?;
    let Gathered { letter, pictures, without } = match gathered {
        Ok(gathered) => gathered,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    watch(Step::Gathered { letter: &letter });
    let content = newsletter::compose(&engine.app, due, &letter, pictures)?;
    Ok(Ok((content, without)))
}

/// Collects and understands: the first article whose agenda passes the gates, with what structured sources announce
/// beside it; or why there is none. `article`: instead of those of the mailing's sources.
///
/// # Errors
/// The hold; never anything that would stop the daemon.
pub async fn collect(
    app: &App,
    due: Due<'_>,
    publishes: &jobs::Agenda,
    article: Option<Article>,
) -> Result<Found, Hold> {
    let mailing = due.mailing;
    let week = publishes.week(mailing.day(due.at));
    let (articles, missing) = match article {
        Some(article) => (vec![article], Vec::new()),
        None => collect_articles(app, mailing).await?,
    };
    let mut refusal = None;
    for article in articles {
        let mut agenda = understood(app, mailing, week, &article).await?;
        match gates::check(&agenda, &article.title, week, publishes.gates) {
            Ok(()) => {
                agenda.warnings.extend(missing.iter().map(|why| without(why)));
                let more = add_listings(app, mailing, week, &mut agenda).await?;
                return Ok(Found { article, agenda, week, missing: [missing, more].concat() });
            }
            // An article of the right week says more about what is wrong than a newer one of another week.
            Err(hold) if refusal.is_none() || !matches!(hold, Hold::WrongWeek { .. }) => refusal = Some(hold),
            Err(_) => {}
        }
    }
    Err(refusal.unwrap_or(Hold::NoArticle { week }))
}

/// The articles of all the sources that give some, and why those gave none that the mailing can do without.
async fn collect_articles(app: &App, mailing: &Mailing) -> Result<(Vec<Article>, Vec<String>), Hold> {
    let (mut articles, mut missing) = (Vec::new(), Vec::new());
    for rule in mailing.sources.iter().filter(|rule| rule.source.gives() == Gives::Article) {
        match rule.source.articles(&app.fetcher, app.clock.now()).await {
            Ok(found) => articles.extend(found),
            Err(error) => {
                warn!(mailing = mailing.id, error = &error as &dyn std::error::Error, "the source gave no article");
                match rule.required {
                    true => return Err(Hold::Unreachable(error.in_french())),
                    false => missing.push(error.in_french()),
                }
            }
        }
    }
    // All could be done without, but not all at once.
    if articles.is_empty() && !missing.is_empty() {
        return Err(Hold::Unreachable(missing.join("\u{a0}; ")));
    }
    Ok((articles, missing))
}

/// Merges into the agenda what the mailing's structured sources announce for the week. Returns why those are missing that
/// it can do without; what they gave another time is never used in their stead.
///
/// # Errors
/// When a source fails that it cannot do without.
pub async fn add_listings(app: &App, mailing: &Mailing, week: Week, agenda: &mut Agenda) -> Result<Vec<String>, Hold> {
    let mut missing = Vec::new();
    let days = week.monday()..=week.sunday();
    for rule in mailing.sources.iter().filter(|rule| rule.source.gives() == Gives::Listings) {
        let zone = mailing.schedule.zone;
        match rule.source.listings(&app.fetcher, days.clone(), zone, app.clock.now()).await {
            Ok(found) => {
                let listings = found.items;
                agenda.warnings.extend(found.remarks.in_french(&rule.source.name()));
                // Apart, and on a copy: what breaks or does not end costs this source alone.
                let (mut joined, home) = (agenda.clone(), app.config.commune.clone());
                let work = move || {
                    let merge = merge::merge(&mut joined, &listings, week, &home);
                    (joined, merge)
                };
                let Merge { added, known, left_out } = match apart(PATIENCE, work).await {
                    Ok((joined, merge)) => {
                        *agenda = joined;
                        merge
                    }
                    Err(why) => {
                        warn!(
                            mailing = mailing.id,
                            error = &why as &dyn std::error::Error,
                            "the listings could not be joined"
                        );
                        let why = format!("{}\u{a0}: {}", rule.source.name(), why.in_french());
                        if rule.required {
                            return Err(Hold::SourceMissing(why));
                        }
                        agenda.warnings.push(without(&why));
                        missing.push(why);
                        continue;
                    }
                };
                info!(mailing = mailing.id, added, known, left_out, "listings joined the agenda");
            }
            Err(error) => {
                warn!(mailing = mailing.id, error = &error as &dyn std::error::Error, "the source gave no listings");
                if rule.required {
                    return Err(Hold::SourceMissing(error.in_french()));
                }
                agenda.warnings.push(without(&error.in_french()));
                missing.push(error.in_french());
            }
        }
    }
    Ok(missing)
}

/// What the issue says of a source it went without.
fn without(why: &str) -> String {
    format!("Une source manque, l’agenda est fait sans elle\u{a0}: {why}.")
}

/// [`read`], apart.
///
/// # Errors
/// The hold, when the reading broke or did not end.
async fn understood(app: &App, mailing: &Mailing, week: Week, article: &Article) -> Result<Agenda, Hold> {
    let published = article.published.with_timezone(&mailing.schedule.zone).date_naive();
    let (html, home) = (article.html.clone(), app.config.commune.clone());
    let reading = move || article::read(&html, &Reading { published, week: Some(week), home: &home });
    apart(PATIENCE, reading).await.map_err(|why| Hold::Unreachable(format!("l’article\u{a0}: {}", why.in_french())))
}

/// What the grammar makes of an article.
pub fn read(app: &App, mailing: &Mailing, week: Option<Week>, article: &Article) -> Agenda {
    let published = article.published.with_timezone(&mailing.schedule.zone).date_naive();
    article::read(&article.html, &Reading { published, week, home: &app.config.commune })
}

/// Gmail clips a mail's HTML at 102 kB.
pub(crate) const HTML_LIMIT: usize = 100_000;

/// What everyone gets, and what is frozen.
///
/// # Errors
/// A template that does not render, or a page that cannot be printed.
pub fn compose(app: &App, due: Due<'_>, publishes: &jobs::Agenda, found: &Found) -> anyhow::Result<Content> {
    on_a_large_stack(|| composed(app, due, publishes, found))
}

fn composed(app: &App, due: Due<'_>, publishes: &jobs::Agenda, found: &Found) -> anyhow::Result<Content> {
    let mailing = due.mailing;
    let Found { article, agenda, week, .. } = found;
    let office = &app.config.office;
    let attached = |attach| publishes.attach.contains(&attach);
    let page = |name: &str| app.config.page(&format!("agenda/{week}{name}"));
    let links = Links {
        article: article.url.clone(),
        page: page(""),
        poster: page("/affiche.pdf").filter(|_| attached(Attach::Poster)),
        booklet: page("/livret.pdf").filter(|_| attached(Attach::Booklet)),
        online: is_online(app),
    };
    let mail = AgendaMail::new(&mailing.title, agenda, *week, office, links);
    let Rendered { subject, html, text } = app.templates.mail(&mail)?;
    let html = html.context("templates/mail/agenda/body.mjml is missing")?;
    if html.len() > HTML_LIMIT {
        warn!(issue = %due.key(), bytes = html.len(), "a long mail: Gmail will show the beginning and a link to the rest");
    }
    let sheet = sheet(app, due, found);
    let attachments = publishes.attach.iter().map(|attach| attachment(*attach, &sheet)).collect::<Result<_, _>>()?;
    Ok(Content {
        subject,
        html,
        text,
        attachments,
        inline: vec![],
        data: serde_json::to_string(agenda)?,
        envelope: Envelope { marks: mail.marks.issue, ..envelope(app, mailing, &due.key(), sheet.created) },
    })
}

/// Whether what is mailed can be read online too.
pub(crate) fn is_online(app: &App) -> bool {
    app.config.web.bind.is_some()
}

/// What is printed of an article.
pub fn sheet<'a>(app: &'a App, due: Due<'a>, found: &'a Found) -> Sheet<'a> {
    let office = &app.config.office;
    let online_url = found.article.url.as_deref().or(office.website.as_deref());
    let title = &due.mailing.title;
    let (look, format) = (&app.config.print.look, app.config.print.format);
    Sheet { agenda: &found.agenda, week: found.week, office, title, online_url, created: app.clock.now(), look, format }
}

/// What partners are given to print.
///
/// # Errors
/// As [`print::print`].
pub fn handout(attach: Attach, sheet: &Sheet) -> Result<Printed, PrintError> {
    match attach {
        Attach::Poster => print::print(Layout::Poster, sheet),
        // Whatever the poster is printed on, a booklet is folded from what lies in every printer.
        Attach::Booklet => print::print(Layout::Imposed, &Sheet { format: Format::A4, ..*sheet }),
    }
}

fn attachment(attach: Attach, sheet: &Sheet) -> Result<Attachment, PrintError> {
    let printed = handout(attach, sheet)?;
    let kind = match attach {
        Attach::Poster => "affiche",
        Attach::Booklet => "livret",
    };
    for warning in &printed.warnings {
        warn!(week = %sheet.week, "{kind}: {warning}");
    }
    let week = french::week(sheet.week);
    Ok(Attachment {
        name: format!("Agenda {week} – {kind}.pdf"),
        media_type: "application/pdf".to_owned(),
        bytes: printed.pdf,
    })
}

/// The header values all messages of the issue share.
pub(crate) fn envelope(app: &App, mailing: &Mailing, key: &IssueKey, date: Timestamp) -> Envelope {
    let sender = &app.config.sender;
    let from = mailing.sender_address.as_ref().unwrap_or(&sender.address);
    // Five to fifteen characters, the same for ever (what Gmail and Orange ask of the last field of Feedback-ID).
    let sender_id: String = format!("{:-<5}", from.domain().replace('.', "-")).chars().take(15).collect();
    Envelope {
        from_name: mailing.sender_name.clone().unwrap_or_else(|| sender.name.clone()),
        from_address: from.to_string(),
        reply_to: sender.reply_to.as_ref().map(ToString::to_string),
        return_path: sender.return_path.as_ref().unwrap_or(from).to_string(),
        domain: from.domain().to_owned(),
        list_id: format!("{}.lettre.{}", mailing.id, from.domain()),
        list_name: mailing.title.clone(),
        feedback_id: format!("{}:{}:semainier:{sender_id}", mailing.id, key.slug()),
        date_ms: date.timestamp_millis(),
        public_url: app.config.public_url.to_string(),
        edition: None,
        marks: String::new(),
    }
}

/// SHA-256 over all that people will read: sender, subject, texts, pictures, attachments. What an approval binds to (I6).
/// Not the hour in `Date`, which is written when it leaves, nor what is each recipient's own.
pub fn content_hash(content: &Content) -> String {
    let mut hash = Sha256::new();
    let mut feed = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    let Envelope { from_name, from_address, reply_to, .. } = &content.envelope;
    let reply_to = reply_to.as_deref().unwrap_or_default();
    for text in [from_name, from_address, reply_to, &content.subject, &content.html, &content.text] {
        feed(text.as_bytes());
    }
    feed(&content.inline.len().to_be_bytes());
    for picture in &content.inline {
        feed(picture.content_id.as_bytes());
        feed(&picture.bytes);
    }
    for attachment in &content.attachments {
        feed(attachment.name.as_bytes());
        feed(&attachment.bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Holds the issue: seen in the ledger, and told to staff once. Returns the reason.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold(engine: &Engine, due: Due<'_>, reason: &str) -> anyhow::Result<String> {
    let (key, now) = (due.key(), engine.app.clock.now());
    engine.store.hold_issue(&key, &due.mailing.id, due.at, due.expires_at, reason, now).await?;
    engine.store.owe_notice(&key, "held", reason, now).await?;
    warn!(mailing = due.mailing.id, issue = %key, "issue {key} is held: {reason}");
    Ok(reason.to_owned())
}

async fn freeze(
    engine: &Engine,
    due: Due<'_>,
    content: Content,
    composed_at: Timestamp,
    watch: Watch<'_>,
) -> anyhow::Result<()> {
    let (key, mailing, now) = (due.key(), due.mailing, engine.app.clock.now());
    let was_held = engine.store.issue(&key).await?.is_some_and(|issue| issue.state == IssueState::Held);
    let issue = NewIssue {
        key: key.clone(),
        mailing: mailing.id.clone(),
        audience: mailing.audience.clone(),
        segment: mailing.segment.clone(),
        whom: due.whom(),
        scheduled_for: due.at,
        expires_at: due.expires_at,
        content_hash: content_hash(&content),
        content,
        composed_at,
    };
    failpoint::reach("before_freeze");
    let frozen = engine.store.freeze_issue(&issue, now).await?;
    failpoint::reach("after_freeze");
    match frozen {
        Frozen::Now { recipients } => {
            info!(mailing = mailing.id, issue = %key, recipients, "issue {key} is frozen for {recipients} recipients");
            watch(Step::Frozen { recipients });
        }
        Frozen::Before => watch(Step::Resumed),
    }
    if was_held {
        let what =
            if mailing.is_of_editions() { "L’édition peut partir" } else { "L’article est maintenant complet" };
        engine.store.owe_notice(&key, "resolved", what, now).await?;
    }
    Ok(())
}

/// What a process that died had in flight: queued again, or unknown. Doubts found now count like those of a conversation:
/// with too many of them the issue pauses before anything more of it leaves. `alone`: nobody else may be alive on this
/// database, so that leases need not be over.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn recover(engine: &Engine, alone: bool) -> anyhow::Result<Recovered> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let recovered = store.recover(alone, now).await?;
    if recovered.unknown > 0 {
        for issue in store.open_issues().await?.iter().filter(|it| it.counts.too_many_unknown()) {
            let reason =
                deliver::in_doubt(issue.counts.unknown, "le service s’est arrêté pendant que le relais les prenait");
            let from = [IssueState::Sending];
            if store.set_issue_state(&issue.key, &from, IssueState::Paused, Some(&reason), now).await? {
                warn!(issue = %issue.key, %reason, "issue paused");
            }
        }
    }
    Ok(recovered)
}

/// Sends what is due of one issue, or of all, until nothing is due.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn deliver(
    engine: &Engine,
    deliverer: &Deliverer,
    only: Option<&IssueKey>,
    stop: &CancellationToken,
    watch: Watch<'_>,
) -> anyhow::Result<deliver::Summary> {
    let progress = |finished: &Finished| watch(Step::Attempted(finished));
    engine.store.expire_deliveries(engine.app.clock.now()).await?;
    let summary = deliverer.deliver(only, stop, &progress).await?;
    close_finished(engine).await?;
    Ok(summary)
}

/// What has nothing left that moves by itself is done, and its sum is said.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn close_finished(engine: &Engine) -> anyhow::Result<()> {
    for key in engine.store.close_finished_issues(engine.app.clock.now()).await? {
        let counts = engine.store.issue(&key).await?.map(|issue| issue.counts).unwrap_or_default();
        info!(issue = %key, "issue {key} is done: {}", report::sum(&counts));
    }
    Ok(())
}

/// Messages made from what was frozen, so that a resend next week has the same bytes.
pub struct FrozenOutbox {
    store: Arc<dyn Store>,
    tokens: Tokens,
    /// One issue's attachments are encoded once, whatever the number of recipients. The newest few issues are kept.
    issues: Mutex<Vec<(IssueKey, Arc<Mime>)>>,
    /// Held while one is encoded.
    making: tokio::sync::Mutex<()>,
}

/// More issues than this are seldom in flight at once; an older one is encoded again when it is needed.
const ISSUES_KEPT: usize = 4;

impl FrozenOutbox {
    pub fn new(store: Arc<dyn Store>, tokens: Tokens) -> Self {
        Self { store, tokens, issues: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    async fn mime(&self, key: &IssueKey) -> Result<Arc<Mime>, MessageError> {
        if let Some(mime) = self.known(key) {
            return Ok(mime);
        }
        // The other connections wait for the first: a large issue is not to be in memory once for each of them (F12).
        let _alone = self.making.lock().await;
        if let Some(mime) = self.known(key) {
            return Ok(mime);
        }
        let content = self.store.content(key).await.map_err(MessageError::Store)?;
        let mut content = content.ok_or_else(|| MessageError::Compose("the issue has no frozen content".to_owned()))?;
        let public_url = content.envelope.public_url.parse().map_err(broken)?;
        let view_url = self.tokens.view_url(&public_url, key);
        context::fill_view(&mut content, &view_url);
        let mime = Arc::new(Mime::new(content).map_err(broken)?);
        let mut kept = self.kept();
        kept.truncate(ISSUES_KEPT - 1);
        kept.insert(0, (key.clone(), Arc::clone(&mime)));
        Ok(mime)
    }

    fn known(&self, key: &IssueKey) -> Option<Arc<Mime>> {
        self.kept().iter().find(|(kept, _)| kept == key).map(|(_, mime)| Arc::clone(mime))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(IssueKey, Arc<Mime>)>> {
        self.issues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broken(error: impl std::fmt::Display) -> MessageError {
    MessageError::Compose(error.to_string())
}

#[async_trait::async_trait]
impl Outbox for FrozenOutbox {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError> {
        let mime = self.mime(&claim.issue).await?;
        let recipient = &claim.recipient;
        let public_url = mime.public_url().map_err(broken)?;
        let unsubscribe_url = self.tokens.unsubscribe_url(&public_url, &recipient.contact_id, claim.issue.mailing());
        let order_url = mime.edition().map(|it| self.tokens.order_url(&public_url, &recipient.contact_id, it));
        let to = To {
            address: &recipient.address,
            name: &recipient.name,
            establishment: &recipient.establishment,
            message_id: &claim.message_id,
            unsubscribe_url: &unsubscribe_url,
            order_url: order_url.as_deref().unwrap_or_default(),
        };
        mime.message(to).map_err(broken)
    }
}
