//! The form of an edition, on two pages: the brochure, then paper and ready-made words. Each page is saved by itself; what is
//! missing may follow until the edition is announced. Nothing that was typed or sent is lost by an error: a file that was sound
//! is kept for a day, and the form names it.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, GET, POST, Route, route},
    upload::FileField,
};
use super::{Asked, editions::href};
use crate::accounts::{Language, Permission, Viewer, code};
use crate::actions::{self, accounts::login::Client};
use crate::domain::edition::{Edition, EditionFile, EditionKind, EditionStock, LANGUAGES, Online};
use crate::editions::{
    checks::{self, LARGEST_COVER, LARGEST_PDF, Wrong},
    form::{Fields, Problem},
};
use crate::issue::content::on_a_blocking_thread;
use crate::store::{EditionForm, EditionSaved, FileChange, StoreError, Upload};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;

const FILES: &[FileField] = &[("cover", LARGEST_COVER), ("pdf", LARGEST_PDF)];
const KEEPS: Keeps = Keeps {
    texts: &["title", "slug", "pages", "summary", "online", "printed", "pack", "max_packs", "words", "post"],
    others: &[
        "kind",
        "valid_until",
        "reminder_after_days",
        "etape",
        "vu_alors",
        "vu_champs",
        "recu.cover",
        "recu.pdf",
        REMOVES_PDF,
        "langue.*",
    ],
};
/// The box by which the PDF is taken off the edition, or one that was just received is given up.
const REMOVES_PDF: &str = "retirer-pdf";
/// Editions whose title makes the same slug.
const MOST_ALIKE: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    let write = Permission::Write;
    vec![
        route(GET, "/editions/nouvelle", write, show_new),
        route(POST, "/editions/nouvelle", write, save_new).keeps(KEEPS).takes(FILES),
        route(GET, "/editions/{slug}/modifier", write, show),
        route(POST, "/editions/{slug}/modifier", write, save).keeps(KEEPS).takes(FILES),
        route(GET, "/fichiers/{id}", write, received),
    ]
}

/// Which page of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Brochure,
    Paper,
}

impl Step {
    fn of(text: &str) -> Self {
        if text == "2" { Step::Paper } else { Step::Brochure }
    }

    fn number(self) -> u32 {
        match self {
            Step::Brochure => 1,
            Step::Paper => 2,
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Step::Brochure => &Fields::BROCHURE,
            Step::Paper => &Fields::PAPER,
        }
    }
}

#[derive(Debug, Serialize)]
struct FieldProblem {
    field: &'static str,
    /// In the language of the viewer.
    text: String,
}

#[derive(Debug, Serialize)]
struct FormPage {
    is_new: bool,
    step: u32,
    /// Of the stored edition.
    title: String,
    action: String,
    back: String,
    fields: Fields,
    /// The revision that the form was opened with.
    seen: String,
    /// The fields as they were then, as JSON.
    base: String,
    problems: Vec<FieldProblem>,
    /// Name, then and now: what somebody else changed since.
    moved: Vec<(&'static str, String, String)>,
    /// It was changed since, in whatever way.
    stale: bool,
    /// There is no such edition any more.
    gone: bool,
    has_cover: bool,
    has_pdf: bool,
    removes_pdf: bool,
    /// Ids of files that were received and are not saved yet.
    received_cover: Option<String>,
    received_pdf: Option<String>,
    /// Packs by the numbers as they are typed.
    packs: Option<u32>,
    /// It is announced or ordered: its slug stays.
    fixed: bool,
    announced: bool,
    /// Code, French word, chosen.
    languages: Vec<(&'static str, &'static str, bool)>,
    /// Name, French word.
    kinds: Vec<(&'static str, &'static str)>,
    /// It was typed before a session was over.
    again: bool,
    done: bool,
}

/// The edition that the form is of, with what its page shows.
struct Subject {
    stocked: EditionStock,
    has_cover: bool,
    has_pdf: bool,
    fixed: bool,
}

impl FormPage {
    fn new(of: Option<&Subject>, step: Step, fields: Fields) -> Self {
        let known = of.map(|of| Fields::of(&of.stocked.edition));
        let slug = of.map(|of| of.stocked.edition.slug.as_str());
        let whole = |text: &str| checks::whole(text, &checks::COPIES).ok();
        let packs = whole(&fields.printed).zip(whole(&fields.pack)).map(|(copies, pack)| copies / pack.max(1));
        let has = |code: &str| fields.languages.split_whitespace().any(|it| it == code);
        Self {
            is_new: of.is_none(),
            step: step.number(),
            title: of.map(|of| of.stocked.edition.title.clone()).unwrap_or_default(),
            action: slug.map_or_else(|| "/editions/nouvelle".to_owned(), |slug| format!("{}/modifier", href(slug))),
            back: slug.map_or_else(|| "/editions".to_owned(), href),
            seen: of.map(|of| of.stocked.revision.to_string()).unwrap_or_default(),
            base: known.and_then(|known| serde_json::to_string(&known).ok()).unwrap_or_default(),
            problems: Vec::new(),
            moved: Vec::new(),
            stale: false,
            gone: false,
            has_cover: of.is_some_and(|of| of.has_cover),
            has_pdf: of.is_some_and(|of| of.has_pdf),
            removes_pdf: false,
            received_cover: None,
            received_pdf: None,
            packs,
            fixed: of.is_some_and(|of| of.fixed),
            announced: of.is_some_and(|of| of.stocked.announced_for.is_some()),
            languages: LANGUAGES.iter().map(|(code, word)| (*code, *word, has(code))).collect(),
            kinds: EditionKind::ALL.iter().map(|(name, kind)| (*name, kind.in_french())).collect(),
            again: false,
            done: false,
            fields,
        }
    }

    fn wrong(&mut self, language: Language, problems: &[Problem]) {
        let text = |wrong: &Wrong| match language {
            Language::French => wrong.in_french(),
            Language::English => {
                let text = wrong.to_string();
                let mut letters = text.chars();
                let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
                format!("{first}{}.", letters.as_str())
            }
        };
        self.problems = problems.iter().map(|(field, wrong)| FieldProblem { field, text: text(wrong) }).collect();
    }
}

/// The fields of this page, as they are typed, over the others as they are.
fn typed<'a>(mut fields: Fields, step: Step, get: impl Fn(&str) -> &'a str, has: impl Fn(&str) -> bool) -> Fields {
    for name in step.fields().iter().filter(|name| **name != "languages") {
        fields.set(name, get(name));
    }
    if step == Step::Brochure {
        // In the order in which they were given; new ones after them.
        let known = fields.languages.clone();
        let (before, new): (Vec<_>, Vec<_>) =
            LANGUAGES.iter().map(|(code, _)| *code).partition(|code| known.split_whitespace().any(|it| it == *code));
        let mut codes: Vec<_> = known.split_whitespace().filter(|code| before.contains(code)).collect();
        codes.extend(new);
        codes.retain(|code| has(&format!("langue.{code}")));
        fields.set("languages", &codes.join(" "));
    }
    fields
}

/// Of a new edition: most are in French.
fn blank() -> Fields {
    Fields { languages: "fr".to_owned(), ..Fields::default() }
}

async fn show_new(State(console): State<Arc<Console>>, viewer: Viewer, again: Option<Extension<Typed>>) -> Answer {
    let mut page = FormPage::new(None, Step::Brochure, blank());
    if let Some(again) = &again {
        page = FormPage::new(None, Step::Brochure, typed_again(blank(), Step::Brochure, again));
        console.remember(&viewer, &mut page, again).await;
    }
    console.page(&viewer, "/editions", "edition_form", &page)
}

async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    asked: Asked,
    again: Option<Extension<Typed>>,
) -> Answer {
    let of = match console.subject_of_form(&slug).await {
        Ok(Some(of)) => of,
        Ok(None) => return console.nowhere(&viewer),
        Err(error) => return console.broken(&viewer, &error),
    };
    let fields = Fields::of(&of.stocked.edition);
    let mut page = match &again {
        Some(again) => {
            let step = Step::of(again.get("etape"));
            let mut page = FormPage::new(Some(&of), step, typed_again(fields, step, again));
            (page.seen, page.base) = (again.get("vu_alors").to_owned(), again.get("vu_champs").to_owned());
            console.remember(&viewer, &mut page, again).await;
            page
        }
        None => FormPage::new(Some(&of), Step::of(asked.get("etape").unwrap_or_default()), fields),
    };
    page.done = asked.get("fait").is_some();
    console.page(&viewer, "/editions", "edition_form", &page)
}

fn typed_again(fields: Fields, step: Step, again: &Typed) -> Fields {
    typed(fields, step, |name| again.get(name), |name| again.has(name))
}

async fn save_new(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    console.save_form(&viewer, &client, None, &form).await
}

async fn save(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    console.save_form(&viewer, &client, Some(&slug), &form).await
}

/// A file that was received with a form: to look at it, for its account alone.
async fn received(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    match console.store().upload(&id, viewer.user.as_str(), console.now()).await {
        Ok(Some((file, bytes))) => answer::preview(file.media_type(), bytes, None),
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.broken(&viewer, &error),
    }
}

/// A file of the form: none, one that is sound, or what is wrong with it.
#[derive(Default)]
struct Sent {
    bytes: Option<Bytes>,
    /// Of [`Upload`], if it is kept there.
    id: Option<String>,
    wrong: Option<Wrong>,
}

impl Console {
    async fn subject_of_form(&self, slug: &str) -> Result<Option<Subject>, StoreError> {
        let Some(stocked) = self.store().edition(slug).await? else { return Ok(None) };
        let sizes = self.store().edition_file_sizes(slug).await?;
        let has = |wanted| sizes.iter().any(|(file, _)| *file == wanted);
        let fixed = stocked.announced_for.is_some() || self.store().is_ordered(slug).await?;
        Ok(Some(Subject { has_cover: has(EditionFile::Cover), has_pdf: has(EditionFile::Pdf), fixed, stocked }))
    }

    /// The files of a form that was typed before a session was over.
    async fn remember(&self, viewer: &Viewer, page: &mut FormPage, again: &Typed) {
        page.again = true;
        page.removes_pdf = again.has(REMOVES_PDF);
        for file in EditionFile::ALL {
            let id = again.get(&format!("recu.{}", file.as_str()));
            let kept = self.store().upload(id, viewer.user.as_str(), self.now()).await.unwrap_or_default();
            let id = kept.filter(|(it, _)| *it == file).map(|_| id.to_owned());
            match file {
                EditionFile::Cover => page.received_cover = id,
                EditionFile::Pdf => page.received_pdf = id,
            }
        }
    }

    /// The file as it was sent with this form, or with an earlier one that was not saved.
    async fn sent(&self, viewer: &Viewer, form: &Form, file: EditionFile) -> anyhow::Result<Sent> {
        let most = if file == EditionFile::Cover { LARGEST_COVER } else { LARGEST_PDF };
        let upload = form.files().iter().find(|it| it.field == file.as_str());
        let checked = match upload.map(|it| it.bytes.clone()) {
            None => None,
            Some(None) => Some(Err(Wrong::FileTooLarge { most })),
            Some(Some(bytes)) => Some(match file {
                EditionFile::Cover => on_a_blocking_thread(move || checks::cover(&bytes)).await?.map(Bytes::from),
                EditionFile::Pdf => checks::pdf(&bytes).map(|()| bytes),
            }),
        };
        let wrong = match checked {
            Some(Ok(bytes)) => return Ok(Sent { bytes: Some(bytes), ..Sent::default() }),
            Some(Err(wrong)) => Some(wrong),
            None => None,
        };
        let id = match form.get(&format!("recu.{}", file.as_str())) {
            // Received, and given up.
            _ if file == EditionFile::Pdf && form.has(REMOVES_PDF) => "",
            id => id,
        };
        if id.is_empty() {
            return Ok(Sent { wrong, ..Sent::default() });
        }
        let kept = self.store().upload(id, viewer.user.as_str(), self.now()).await?;
        Ok(match kept.filter(|(it, _)| *it == file) {
            Some((_, bytes)) => Sent { id: Some(id.to_owned()), bytes: Some(bytes.into()), wrong },
            None => Sent { wrong: wrong.or(Some(Wrong::FileGone)), ..Sent::default() },
        })
    }

    /// Keeps a file for the next attempt; returns its id.
    async fn keep_sent(&self, viewer: &Viewer, file: EditionFile, sent: &Sent) -> Result<Option<String>, StoreError> {
        let Some(bytes) = &sent.bytes else { return Ok(None) };
        if sent.id.is_some() {
            return Ok(sent.id.clone());
        }
        let id = code::token();
        let upload = Upload { id: &id, owner: viewer.user.as_str(), file, bytes };
        self.store().keep_upload(&upload, self.now()).await?;
        Ok(Some(id))
    }

    async fn save_form(&self, viewer: &Viewer, client: &Client, slug: Option<&str>, form: &Form) -> Answer {
        match self.try_save(viewer, client, slug, form).await {
            Ok(answer) => answer,
            Err(error) => self.not_done(viewer, error.into()),
        }
    }

    async fn try_save(
        &self,
        viewer: &Viewer,
        client: &Client,
        slug: Option<&str>,
        form: &Form,
    ) -> anyhow::Result<Answer> {
        let of = match slug {
            Some(slug) => self.subject_of_form(slug).await?,
            None => None,
        };
        let step = match slug {
            Some(_) => Step::of(form.get("etape")),
            None => Step::Brochure,
        };
        let base: Fields = serde_json::from_str(form.get("vu_champs")).unwrap_or_else(|_| blank());
        // Of an edition that is gone, the other page is as it was when the form was opened.
        let known = of.as_ref().map_or_else(|| base.clone(), |of| Fields::of(&of.stocked.edition));
        let mut fields = typed(known, step, |name| form.get(name), |name| form.has(name));
        if of.as_ref().is_some_and(|of| of.fixed) {
            fields.slug = of.as_ref().map(|of| of.stocked.edition.slug.clone()).unwrap_or_default();
        }
        let cover = self.sent(viewer, form, EditionFile::Cover).await?;
        let pdf = self.sent(viewer, form, EditionFile::Pdf).await?;
        let removes = form.has(REMOVES_PDF);
        let has_pdf = pdf.bytes.is_some() || of.as_ref().is_some_and(|of| of.has_pdf) && !removes;
        let mut problems: Vec<Problem> = Vec::new();
        problems.extend(cover.wrong.clone().map(|wrong| ("cover", wrong)));
        problems.extend(pdf.wrong.clone().map(|wrong| ("pdf", wrong)));
        if step == Step::Brochure && has_pdf && !fields.online.trim().is_empty() {
            problems.push(("pdf", Wrong::OnlineTwice));
        }
        let edition = match fields.edition(has_pdf) {
            Ok(edition) => Some(edition).filter(|_| problems.is_empty()),
            Err(wrong) => {
                problems.extend(wrong);
                None
            }
        };
        let mut page = FormPage::new(of.as_ref(), step, fields);
        page.removes_pdf = removes;
        let seen: Option<u64> = form.get("vu_alors").parse().ok();
        let mut status = StatusCode::UNPROCESSABLE_ENTITY;
        if slug.is_some() && of.is_none() {
            (page.gone, status) = (true, StatusCode::CONFLICT);
        } else if let Some(edition) = edition {
            let keep_pdf = match edition.online {
                Some(Online::Pdf) => pdf.bytes.as_deref().map_or(FileChange::Keep, FileChange::Put),
                _ => FileChange::Remove,
            };
            let files = [
                (EditionFile::Cover, cover.bytes.as_deref().map_or(FileChange::Keep, FileChange::Put)),
                (EditionFile::Pdf, keep_pdf),
            ];
            let replaces = slug.map(|slug| (slug, seen.unwrap_or_default()));
            let automatic = slug.is_none() && form.get("slug").trim().is_empty();
            match self.store_form(viewer, client, edition, replaces, &files, automatic).await? {
                Ok((slug, word)) => {
                    let claimed: Vec<&str> = [&cover, &pdf].into_iter().filter_map(|it| it.id.as_deref()).collect();
                    self.store().forget_uploads(&claimed, viewer.user.as_str()).await?;
                    let place = match step {
                        Step::Brochure => format!("{}/modifier?etape=2&fait={word}", href(&slug)),
                        Step::Paper => format!("{}?fait={word}", href(&slug)),
                    };
                    return Ok(answer::see_other(&place));
                }
                Err(NotSaved::Wrong(wrong)) => problems.extend(wrong),
                Err(NotSaved::Stale) => {
                    // Saving what was typed once more replaces what the other person saved: that is shown above.
                    let now = of.as_ref().map(|of| Fields::of(&of.stocked.edition)).unwrap_or_default();
                    page.moved = now.changes_from(&base);
                    (page.stale, status) = (true, StatusCode::CONFLICT);
                }
                Err(NotSaved::Gone) => (page.gone, status) = (true, StatusCode::CONFLICT),
            }
        }
        page.wrong(viewer.language, &problems);
        if !page.stale && slug.is_some() && of.is_some() {
            // As the form was opened, not as it is now: a change by somebody else is still noticed.
            (page.seen, page.base) = (form.get("vu_alors").to_owned(), form.get("vu_champs").to_owned());
        }
        page.received_cover = self.keep_sent(viewer, EditionFile::Cover, &cover).await?;
        page.received_pdf = self.keep_sent(viewer, EditionFile::Pdf, &pdf).await?;
        Ok(self.shown(status, Some(viewer), "/editions", "edition_form", &page))
    }

    /// The slug it is saved under, and what happened.
    async fn store_form(
        &self,
        viewer: &Viewer,
        client: &Client,
        mut edition: Edition,
        replaces: Option<(&str, u64)>,
        files: &[(EditionFile, FileChange<'_>)],
        automatic: bool,
    ) -> anyhow::Result<Result<(String, &'static str), NotSaved>> {
        let actor = self.actor(viewer, client);
        let slug = edition.slug.clone();
        let mut n = 1;
        let problem = |field, wrong| Ok(Err(NotSaved::Wrong(vec![(field, wrong)])));
        loop {
            let form = EditionForm { edition: &edition, replaces, files };
            return match actions::editions::save(&self.engine, &actor, &form).await? {
                EditionSaved::Done => Ok(Ok((edition.slug, "saved"))),
                EditionSaved::Unchanged => Ok(Ok((edition.slug, "unchanged"))),
                EditionSaved::Stale => Ok(Err(NotSaved::Stale)),
                EditionSaved::Gone => Ok(Err(NotSaved::Gone)),
                // Nobody chose it: the next one that is free.
                EditionSaved::SlugTaken if automatic && n < MOST_ALIKE => {
                    n += 1;
                    let most = crate::domain::edition::LONGEST_SLUG - 3;
                    edition.slug = format!("{}-{n}", slug.chars().take(most).collect::<String>().trim_end_matches('-'));
                    continue;
                }
                EditionSaved::SlugTaken => problem("slug", Wrong::SlugTaken),
                EditionSaved::SlugFixed => problem("slug", Wrong::SlugFixed),
                EditionSaved::Refused { ordered } => problem("printed", Wrong::Ordered(ordered)),
                EditionSaved::NeededNow(missing) => {
                    let wrong = missing.into_iter().map(|it| (it.as_str(), Wrong::NeededNow));
                    Ok(Err(NotSaved::Wrong(wrong.collect())))
                }
            };
        }
    }
}

/// Why a form was not saved.
enum NotSaved {
    Wrong(Vec<Problem>),
    Stale,
    Gone,
}
