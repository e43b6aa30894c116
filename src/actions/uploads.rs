//! Importing a list by the console: it is uploaded, compared with the contacts, looked at, and then imported as it was shown. The
//! import itself is that of [`super::partners`].

use super::{
    Actor, Refusal, Result,
    partners::{List, Progress, list_of},
};
use crate::accounts::UserId;
use crate::apart::{PATIENCE, apart};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    partner::{Basis, Difference},
};
use crate::partners::{
    import::{self, CappedMessages, HiddenRows, Parsed},
    said::Said,
    sheet::Format,
};
use crate::store::{ImportReport, UploadState, UploadedList};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tracing::info;

/// How long a list waits for its confirmation.
const LIVES: TimeDelta = TimeDelta::hours(24);
/// Lists of one account that wait at the same time.
const MOST: u32 = 5;
/// The largest file, in bytes: a hundred thousand lines have 10 to 20 MB.
pub const LARGEST: usize = 20 << 20;

/// How a list is to be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Where the addresses come from.
    pub source: String,
    /// On consent, instead of a legitimate interest.
    pub consent: bool,
    /// Empty: all.
    pub mailings: Vec<String>,
    /// The file is the whole list.
    pub replace: bool,
    /// Invalid lines are left out.
    pub skip_invalid: bool,
    /// The list also counts where staff changed something by hand.
    pub overwrite_edits: bool,
    /// Hidden rows are taken too.
    pub hidden_rows: bool,
}

impl Options {
    pub fn of(upload: &UploadedList) -> Self {
        serde_json::from_str(&upload.options).unwrap_or_default()
    }

    fn hidden(&self) -> HiddenRows {
        if self.hidden_rows { HiddenRows::Taken } else { HiddenRows::LeftOut }
    }

    fn list<'a>(&'a self, parsed: &'a Parsed) -> List<'a> {
        List {
            parsed,
            source: &self.source,
            mailings: &self.mailings,
            basis: if self.consent { Basis::Consent } else { Basis::LegitimateInterest },
            replace: self.replace,
            skip_invalid: true,
            dry_run: false,
            remove_many: true,
            overwrite_edits: self.overwrite_edits,
        }
    }
}

/// What a list would change, as it is kept with the draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compared {
    /// The name of the sheet that was read; empty for a CSV.
    pub sheet: String,
    pub hidden_sheets: Vec<String>,
    pub hidden_rows: usize,
    /// Names of columns that are not read.
    pub unread: Vec<String>,
    /// Each with the number of its line.
    pub refused: Vec<(u64, Said)>,
    pub refused_count: usize,
    pub merged: Vec<(u64, Said)>,
    pub merged_count: usize,
    pub passed_over: Vec<(u64, Said)>,
    pub passed_over_count: usize,
    /// Lines of the file to be mended.
    pub left: usize,
    pub contacts: usize,
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub removed: usize,
    pub protected: usize,
    pub suppressed: usize,
    /// Contacts known before; only of a whole list.
    pub known: usize,
    pub changes: Vec<Change>,
    /// The contacts changed between the look at the difference and the import.
    #[serde(alias = "moved")]
    pub is_outdated: bool,
}

impl Compared {
    pub fn of(upload: &UploadedList) -> Option<Self> {
        serde_json::from_str(upload.difference.as_deref()?).ok()
    }

    /// More than a fifth of the contacts would go (I08).
    pub fn removes_many(&self) -> bool {
        self.removed * 5 > self.known
    }

    /// Not all contacts that change are kept to be shown: of each kind only the first ones are.
    pub fn is_cut(&self) -> bool {
        let kept = |kind| self.changes.iter().filter(move |it| it.kind == kind);
        let fields = kept(ChangeKind::Protected).map(|it| it.fields.len()).sum::<usize>();
        kept(ChangeKind::Added).count() < self.added
            || kept(ChangeKind::Changed).count() < self.changed
            || kept(ChangeKind::Removed).count() < self.removed
            || fields < self.protected
    }

    /// Lines are wrong, and are not to be left out.
    pub fn is_refused(&self, options: &Options) -> bool {
        self.refused_count > 0 && !options.skip_invalid
    }

    fn new(parsed: &Parsed, report: &ImportReport, is_outdated: bool) -> Self {
        let (sheet, hidden_sheets, hidden_rows) = match &parsed.format {
            Format::Csv { .. } => (String::new(), Vec::new(), 0),
            Format::Xlsx { sheet, hidden, hidden_rows } => (sheet.clone(), hidden.clone(), *hidden_rows),
        };
        let lines = |messages: &CappedMessages| -> Vec<(u64, Said)> {
            messages.first.iter().map(|it| (it.line, it.message.clone())).collect()
        };
        let summary = &report.summary;
        Self {
            sheet,
            hidden_sheets,
            hidden_rows,
            unread: parsed.unread.clone(),
            refused: lines(&parsed.refused),
            refused_count: parsed.refused.count,
            merged: lines(&parsed.merged),
            merged_count: parsed.merged.count,
            passed_over: lines(&parsed.passed_over),
            passed_over_count: parsed.passed_over.count,
            left: parsed.left.len(),
            contacts: parsed.lines.len(),
            added: summary.added,
            changed: summary.changed,
            unchanged: summary.unchanged,
            removed: summary.gone,
            protected: summary.protected,
            suppressed: summary.suppressed,
            known: report.known,
            changes: report.differences.iter().map(Change::new).collect(),
            is_outdated,
        }
    }
}

/// A contact that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub kind: ChangeKind,
    pub address: String,
    pub fields: Vec<ChangedField>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Removed,
    Protected,
    Changed,
    Added,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedField {
    pub field: String,
    /// What is stored.
    pub was: String,
    /// What the list says.
    pub is: String,
    /// Who changed it by hand, and when: it stays.
    pub by: Option<(String, Timestamp)>,
}

impl Change {
    fn new(difference: &Difference) -> Self {
        let (kind, address, fields) = match difference {
            Difference::Added(address) => (ChangeKind::Added, address, Vec::new()),
            Difference::Gone(address) => (ChangeKind::Removed, address, Vec::new()),
            Difference::Changed(address, changes) => {
                let field = |(field, was, is): &(&'static str, String, String)| ChangedField {
                    field: (*field).to_owned(),
                    was: was.clone(),
                    is: is.clone(),
                    by: None,
                };
                (ChangeKind::Changed, address, changes.iter().map(field).collect())
            }
            Difference::Protected(address, fields) => {
                let field = |it: &crate::domain::partner::ProtectedField| ChangedField {
                    field: it.field.to_owned(),
                    was: it.value.clone(),
                    is: it.listed.clone(),
                    by: Some((it.by.clone(), it.at)),
                };
                (ChangeKind::Protected, address, fields.iter().map(field).collect())
            }
        };
        Self { kind, address: address.to_string(), fields }
    }
}

/// How a comparison or an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The difference can be looked at.
    Compared,
    Imported,
    /// Nothing was imported: the contacts have changed since. There is a new difference.
    Outdated,
}

/// Keeps a list; it is compared by [`compare`]. Returns its id.
///
/// # Errors
/// A refusal: of the file as a whole, or for want of a source; or a database that cannot be written.
pub async fn upload(
    engine: &Engine,
    user: &UserId,
    file_name: &str,
    file: Arc<[u8]>,
    options: &Options,
) -> Result<String> {
    for id in &options.mailings {
        engine.app.mailing(id)?;
    }
    if options.source.trim().is_empty() {
        return Err(Refusal::NoSource.into());
    }
    let now = engine.app.clock.now();
    engine.store.expire_uploads(now).await?;
    let waiting = engine.store.uploaded_lists_of(user, 100, now).await?;
    if waiting.iter().filter(|it| it.state != UploadState::Done).count() >= MOST as usize {
        return Err(Refusal::TooManyUploads { most: MOST }.into());
    }
    parsed(Arc::clone(&file), options.hidden()).await?;
    let upload = UploadedList {
        id: uuid::Uuid::now_v7().to_string(),
        by: user.clone(),
        at: now,
        expires_at: now + LIVES,
        file_name: file_name.to_owned(),
        file_hash: Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect(),
        options: json!(options).to_string(),
        state: UploadState::Reading,
        difference: None,
        digest: None,
        ended_at: None,
    };
    engine.store.add_upload(&upload, &file).await?;
    info!(bytes = file.len(), "a list was uploaded");
    Ok(upload.id)
}

/// The file, understood on a thread of its own.
async fn parsed(file: Arc<[u8]>, hidden: HiddenRows) -> Result<Parsed> {
    let parsed = apart(PATIENCE, move || import::parse_with(&file, hidden)).await.map_err(anyhow::Error::from)?;
    parsed.map_err(|errors| {
        let why = errors.0.first.into_iter().next();
        Refusal::UnusableList(why.map(|it| (it.line, it.message)).unwrap_or_default()).into()
    })
}

async fn file_of(engine: &Engine, upload: &UploadedList) -> Result<Parsed> {
    let file = engine.store.uploaded_file(&upload.id).await?.ok_or(Refusal::NoSuchUpload)?;
    parsed(file.into(), Options::of(upload).hidden()).await
}

/// Compares an upload with the contacts, and keeps the difference with it.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn compare(engine: &Engine, upload: &UploadedList, progress: &Progress) -> Result<Ended> {
    let parsed = file_of(engine, upload).await?;
    progress.total(parsed.lines.len());
    let report = run(engine, None, upload, &parsed, None, progress).await?;
    keep(engine, upload, &parsed, &report, false).await?;
    Ok(Ended::Compared)
}

async fn keep(
    engine: &Engine,
    upload: &UploadedList,
    parsed: &Parsed,
    report: &ImportReport,
    is_outdated: bool,
) -> Result<()> {
    let compared = json!(Compared::new(parsed, report, is_outdated)).to_string();
    match engine.store.upload_compared(&upload.id, &compared, &report.digest).await? {
        true => Ok(()),
        false => Err(Refusal::NoSuchUpload.into()),
    }
}

/// Imports an upload that [`UploadedLists::start_upload`](crate::store::UploadedLists::start_upload) started, if that changes what was shown.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn import(engine: &Engine, actor: &Actor, upload: &UploadedList, progress: &Progress) -> Result<Ended> {
    let parsed = file_of(engine, upload).await?;
    progress.total(parsed.lines.len());
    let digest = upload.digest.as_deref().unwrap_or_default();
    let report = run(engine, Some(actor), upload, &parsed, Some(digest), progress).await?;
    if !report.is_stale {
        info!(contacts = parsed.lines.len(), door = %actor.door, "a list of {} contacts was imported", parsed.lines.len());
        return Ok(Ended::Imported);
    }
    keep(engine, upload, &parsed, &report, true).await?;
    Ok(Ended::Outdated)
}

/// Without an actor it is a dry run.
async fn run(
    engine: &Engine,
    actor: Option<&Actor>,
    upload: &UploadedList,
    parsed: &Parsed,
    expected: Option<&str>,
    progress: &Progress,
) -> Result<ImportReport> {
    let options = Options::of(upload);
    let list = List { dry_run: actor.is_none(), ..options.list(parsed) };
    let detail = json!({"contacts": parsed.lines.len(), "upload": upload.id});
    list_of(engine, actor, list, (expected, Some(upload.id.as_str())), &detail, &|lines| progress.add(lines)).await
}

/// The refused lines of an upload, each with the reason, to be mended.
///
/// # Errors
/// A refusal; or a database that cannot be read.
pub async fn refused_lines(engine: &Engine, upload: &UploadedList) -> Result<Vec<u8>> {
    let parsed = file_of(engine, upload).await?;
    Ok(parsed.left_as_csv().map_err(anyhow::Error::from)?)
}
