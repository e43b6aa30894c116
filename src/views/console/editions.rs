//! Editions: the list, the page of one, and the sheet that announces it.

use super::{Label, Reading, When, issue_href, label_of, orders};
use crate::domain::{
    edition::{Edition, EditionFile, EditionStock, Missing, Online, Order, OrderState},
    french,
    issue::IssueKey,
};
use crate::jobs::{Approval, Mailing};
use crate::store::StoreError;
use serde::Serialize;

/// An edition with its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionRow {
    pub slug: String,
    pub title: String,
    pub kind: &'static str,
    pub languages: String,
    /// Packs; `None` if it is not printed.
    pub stock: Option<Stock>,
    /// `12 juillet 2027`
    pub valid_until: Option<String>,
    pub outdated: bool,
    pub announced: Option<When>,
    /// The issue that announces it; `None` where nothing is made of it yet.
    pub issue_href: Option<String>,
    pub orders_href: String,
}

/// Packs of an edition, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stock {
    pub packs: u32,
    pub ordered: u32,
    /// Of the ordered ones, those that were handed over; 0 where the orders were not looked at.
    pub delivered: u32,
    pub left: u32,
    /// Copies per pack.
    pub pack: u32,
    /// As printed: what makes no whole pack stays at the office.
    pub copies: u32,
    /// Less than a tenth is left.
    pub low: bool,
}

impl Stock {
    /// `orders`: of the edition, if it matters how many are handed over. `None`: it is not printed.
    fn of(stocked: &EditionStock, orders: Option<&[Order]>) -> Option<Self> {
        let (printed, left) = (stocked.edition.printed?, stocked.left());
        let delivered = orders.into_iter().flatten().filter(|order| order.state == OrderState::Delivered);
        Some(Self {
            packs: stocked.packs(),
            ordered: stocked.ordered,
            delivered: delivered.map(|order| order.wish.packs).sum(),
            left,
            pack: printed.pack,
            copies: printed.copies,
            low: u64::from(left) * 10 < u64::from(stocked.packs()),
        })
    }
}

/// # Errors
/// When the ledger cannot be read.
pub async fn list(it: &Reading<'_>) -> Result<Vec<EditionRow>, StoreError> {
    let mut rows: Vec<_> = it.store.editions().await?.iter().map(|stocked| row(it, stocked)).collect();
    let mailing = edition_mailing(it);
    for row in rows.iter_mut().filter(|row| row.announced.is_some()) {
        let Some(mailing) = mailing else { break };
        let key = IssueKey::new(&mailing.id, &row.slug);
        row.issue_href = it.store.issue(&key).await?.map(|issue| issue_href(&issue.key));
    }
    Ok(rows)
}

fn row(it: &Reading<'_>, stocked: &EditionStock) -> EditionRow {
    let today = it.now.with_timezone(&it.config.zone).date_naive();
    let edition = &stocked.edition;
    EditionRow {
        slug: edition.slug.clone(),
        title: edition.title.clone(),
        kind: edition.kind.in_french(),
        languages: edition.languages_in_french(),
        stock: Stock::of(stocked, None),
        valid_until: edition.valid_until.map(french::date),
        outdated: !edition.is_current(today),
        announced: stocked.announced_for.map(|at| it.when(at)),
        issue_href: None,
        orders_href: format!("/commandes?edition={}", edition.slug),
    }
}

/// The page of one edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionPage {
    pub row: EditionRow,
    pub pages: Option<u32>,
    pub summary: String,
    pub words: String,
    pub post: String,
    pub reminder: Option<u16>,
    /// Packs in one order at the most; `None` if it is not printed.
    pub max_packs: Option<u32>,
    /// The address it can be read at.
    pub online: Option<String>,
    pub has_pdf: bool,
    pub has_cover: bool,
    /// For the picture's address: a new one is loaded when it changed.
    pub revision: u64,
    /// Keys of what it lacks to be announced.
    pub missing: Vec<&'static str>,
    pub announcement: Option<AnnouncementView>,
    /// Open, delivered and cancelled orders.
    pub orders: [usize; 3],
    /// The open ones, by commune; the first few.
    pub open: Vec<orders::Stop>,
    /// Open ones that are not among them.
    pub more: usize,
    /// Whether it can be ordered today.
    pub orderable: bool,
}

/// What was said to announce it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnouncementView {
    /// The page of its issue, once there is one.
    pub href: Option<String>,
    pub label: Label,
    pub at: When,
    /// Empty if that is not known.
    pub by: String,
    pub segment: Option<String>,
    /// Nothing was made of it yet: it can be taken back.
    pub revocable: bool,
}

/// Open orders on the page of an edition.
const SOME: usize = 20;

/// `None`: there is no such edition.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn one(it: &Reading<'_>, slug: &str) -> Result<Option<EditionPage>, StoreError> {
    let Some(stocked) = it.store.edition(slug).await? else { return Ok(None) };
    let edition = &stocked.edition;
    let sizes = it.store.edition_file_sizes(slug).await?;
    let has = |wanted: EditionFile| sizes.iter().any(|(file, _)| *file == wanted);
    let all = it.store.orders(Some(slug)).await?;
    let count = |state: OrderState| all.iter().filter(|order| order.state == state).count();
    let counts = OrderState::ALL.map(count);
    let (mut open, more) =
        (all.iter().filter(|order| order.state == OrderState::Open).cloned().collect::<Vec<_>>(), counts[0]);
    orders::sort(&mut open);
    open.truncate(SOME);
    let more = more.saturating_sub(open.len());
    let today = it.now.with_timezone(&it.config.zone).date_naive();
    let mut row = row(it, &stocked);
    row.stock = Stock::of(&stocked, Some(&all));
    let announcement = match edition_mailing(it) {
        Some(mailing) => announcement(it, mailing, slug).await?,
        None => None,
    };
    Ok(Some(EditionPage {
        pages: edition.pages,
        summary: edition.summary.clone(),
        words: edition.words.clone(),
        post: edition.post.clone().unwrap_or_default(),
        reminder: edition.reminder_after_days,
        max_packs: edition.printed.map(|printed| printed.max_packs()),
        online: match &edition.online {
            Some(Online::At(url)) => Some(url.clone()),
            _ => None,
        },
        has_pdf: has(EditionFile::Pdf),
        has_cover: has(EditionFile::Cover),
        revision: stocked.revision,
        missing: missing(edition, has(EditionFile::Cover)),
        announcement,
        orders: counts,
        open: orders::stops(it, &open, std::slice::from_ref(&stocked)),
        more,
        orderable: edition.is_orderable(today) && stocked.left() > 0,
        row,
    }))
}

/// Keys of what it lacks to be announced.
pub fn missing(edition: &Edition, has_cover: bool) -> Vec<&'static str> {
    edition.missing(has_cover).into_iter().map(Missing::as_str).collect()
}

/// The mailing that announces editions, if there is exactly one.
pub fn edition_mailing<'a>(it: &Reading<'a>) -> Option<&'a Mailing> {
    let mut found = it.mailings.iter().filter(|mailing| mailing.is_of_editions());
    match (found.next(), found.next()) {
        (Some(mailing), None) => Some(mailing),
        _ => None,
    }
}

async fn announcement(it: &Reading<'_>, mailing: &Mailing, slug: &str) -> Result<Option<AnnouncementView>, StoreError> {
    let key = IssueKey::new(&mailing.id, slug);
    let (said, issue) = (it.store.announcement(&key).await?, it.store.issue(&key).await?);
    let at = issue.as_ref().map(|issue| issue.scheduled_for).or(said.as_ref().map(|said| said.leaves_at));
    Ok(at.map(|at| AnnouncementView {
        href: issue.as_ref().map(|issue| issue_href(&issue.key)),
        label: issue.as_ref().map_or(Label { key: "coming_planned", tone: super::Tone::Calm }, label_of),
        at: When::new(at, it.now, mailing.schedule.zone),
        revocable: issue.is_none(),
        by: said.as_ref().map(|said| said.by.clone()).unwrap_or_default(),
        segment: said.and_then(|said| said.segment),
    }))
}

/// What is read before an edition is announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnounceSheet {
    /// Contacts it goes to, as of now.
    pub n: u64,
    /// Lanes with their contacts, the largest first; key of the text, or the name.
    pub lanes: Vec<(String, usize)>,
    pub at: When,
    /// It is shown to staff first, and leaves when it is approved.
    pub approval: bool,
    /// What a decision is compared with: the count and the revision of the edition.
    pub seen: String,
}

impl AnnounceSheet {
    pub fn new(
        it: &Reading<'_>,
        mailing: &Mailing,
        stocked: &EditionStock,
        at: crate::domain::Timestamp,
        lanes: Vec<(String, usize)>,
    ) -> Self {
        let n = lanes.iter().map(|(_, n)| *n as u64).sum();
        Self {
            n,
            lanes,
            at: When::new(at, it.now, mailing.schedule.zone),
            approval: mailing.approval == Approval::Required,
            seen: format!("{n}.{}", stocked.revision),
        }
    }

    /// The count that was shown, if it is another one now; the revision alone counts as the same number.
    pub fn moved_from(&self, seen: &str) -> Option<u64> {
        if seen == self.seen {
            return None;
        }
        Some(seen.split('.').next().and_then(|n| n.parse().ok()).unwrap_or_default())
    }
}
