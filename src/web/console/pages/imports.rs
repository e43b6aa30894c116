//! « Importer une liste »: upload, difference, confirmation, progress and result.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, LoggedIn},
    upload::FileField,
};
use super::{
    Asked,
    lists::{self, ListBox},
};
use crate::accounts::{Permission, Viewer};
use crate::actions::{
    ActionError, Actor, Refusal,
    accounts::login::Client,
    partners::Progress,
    uploads::{self, Compared, Ended, Options},
};
use crate::store::{StoreError, UploadState, UploadedList};
use crate::views::console::imports::{UploadRow, UploadView, href};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, hash_map::Entry};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// Fields that are kept when the session has ended; a file is not.
pub(super) const KEEPS: Keeps =
    Keeps { texts: &["source"], others: &["base", "entiere", "laisser", "masquees", lists::KEPT] };
/// The number that confirms a removal of many.
pub(super) const KEEPS_NUMBER: Keeps = Keeps { texts: &["nombre"], others: &["que", "vu_alors"] };
/// The fields of its form that take a file.
pub(super) const FILES: &[FileField] = &[("fichier", uploads::LARGEST)];
/// An answer waits so long for a comparison or an import: that of an office's list is over by then.
const SHORT: Duration = Duration::from_secs(3);
const EVERY: Duration = Duration::from_millis(500);

/// A comparison or an import under way in this process.
#[derive(Clone)]
struct Work {
    progress: Arc<Progress>,
    /// How it ended; `None` within: it failed.
    end: watch::Receiver<Option<Option<Ended>>>,
}

/// By upload, of all consoles of this process: a reload of the configuration makes another console.
static WORKING: LazyLock<Mutex<HashMap<String, Work>>> = LazyLock::new(Mutex::default);

fn working() -> MutexGuard<'static, HashMap<String, Work>> {
    WORKING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default, Serialize)]
struct UploadPage {
    uploads: Vec<UploadRow>,
    lists: Vec<ListBox>,
    options: Options,
    /// Megabytes.
    largest: usize,
    again: bool,
    /// The field that is wrong, and the key of what is wrong with it.
    wrong: Option<(&'static str, &'static str)>,
    /// Why the file cannot be used: the line, and the reason in both languages.
    unusable: Option<(u64, crate::partners::said::Said)>,
    /// Why it was not kept, in French.
    refused: Option<String>,
    given_up: bool,
}

#[derive(Debug, Serialize)]
struct DraftPage {
    it: UploadView,
    /// Lines done, of how many.
    progress: Option<(usize, usize)>,
    wrong: bool,
    typed: String,
    /// The difference is another one than was shown.
    outdated: bool,
    again: bool,
}

pub(super) async fn show_form(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let (options, lists) = match &typed {
        Some(typed) => filled_in(|name| typed.get(name), &console, &viewer),
        None => (Options::default(), console.lists(|_| true)),
    };
    let given_up = asked.get("fait") == Some("abandonne");
    let page = UploadPage { options, lists, again: typed.is_some(), given_up, ..UploadPage::default() };
    console.upload_page(&viewer, StatusCode::OK, page).await
}

/// What the form says, and its boxes.
fn filled_in<'a>(text: impl Fn(&str) -> &'a str, console: &Console, viewer: &Viewer) -> (Options, Vec<ListBox>) {
    let is = |name: &str| !text(name).is_empty();
    let lists = console.lists(is);
    let options = Options {
        source: text("source").trim().chars().take(500).collect(),
        consent: text("base") == "consentement",
        mailings: lists::chosen(&lists),
        replace: is("entiere") && viewer.roles.may(Permission::Administer),
        skip_invalid: is("laisser"),
        overwrite_edits: false,
        hidden_rows: is("masquees"),
    };
    (options, lists)
}

pub(super) async fn upload(State(console): State<Arc<Console>>, viewer: Viewer, form: Form) -> Answer {
    if form.has("entiere") && !viewer.roles.may(Permission::Administer) {
        return console.tell(Some(&viewer), StatusCode::FORBIDDEN, "forbidden");
    }
    let (options, lists) = filled_in(|name| form.get(name), &console, &viewer);
    let page = UploadPage { options: options.clone(), lists, ..UploadPage::default() };
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let file = form.files().first();
    let Some((file, bytes)) = file.and_then(|file| Some((file, file.bytes.as_ref()?))) else {
        let wrong = Some(("fichier", if file.is_some() { "import_file_too_large" } else { "import_no_file" }));
        return console.upload_page(&viewer, unprocessable, UploadPage { wrong, ..page }).await;
    };
    // Without any it would be all of them.
    if options.mailings.is_empty() {
        let wrong = Some(("envois", "import_no_mailing"));
        return console.upload_page(&viewer, unprocessable, UploadPage { wrong, ..page }).await;
    }
    let bytes: Arc<[u8]> = bytes.as_ref().into();
    let id = match uploads::upload(&console.engine, &viewer.user, &file.name, bytes, &options).await {
        Ok(id) => id,
        Err(ActionError::Refused(refusal)) => {
            let (status, page) = match refusal {
                Refusal::NoSource => {
                    (unprocessable, UploadPage { wrong: Some(("source", "import_no_source")), ..page })
                }
                Refusal::UnusableList(why) => (
                    unprocessable,
                    UploadPage { unusable: Some(why), wrong: Some(("fichier", "import_unusable")), ..page },
                ),
                other => (StatusCode::CONFLICT, UploadPage { refused: Some(other.in_french()), ..page }),
            };
            return console.upload_page(&viewer, status, page).await;
        }
        Err(error) => return console.not_done(&viewer, error),
    };
    match console.store().uploaded_list(&id, &viewer.user, console.now()).await {
        Ok(Some(upload)) => {
            console.begin(&upload, None).ended_soon().await;
            answer::see_other(&href(&id))
        }
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let page = asked.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let number = typed.as_ref().map(|it| it.get("nombre").to_owned());
    match console.store().uploaded_list(&id, &viewer.user, console.now()).await {
        Ok(Some(upload)) => console.draft_page(&viewer, StatusCode::OK, &upload, page, |page| DraftPage {
            again: number.is_some(),
            typed: number.unwrap_or_default(),
            ..page
        }),
        Ok(None) => console.message(&viewer, StatusCode::NOT_FOUND, "no_upload"),
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let upload = match console.store().uploaded_list(&id, &viewer.user, console.now()).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return console.message(&viewer, StatusCode::NOT_FOUND, "no_upload"),
        Err(error) => return console.broken(&viewer, &error),
    };
    let options = Options::of(&upload);
    if options.replace && !viewer.roles.may(Permission::Administer) {
        return console.tell(Some(&viewer), StatusCode::FORBIDDEN, "forbidden");
    }
    let done = match form.get("que") {
        "confirmer" => {
            if options.replace && !logged_in.is_proven(&console) {
                return console.confirm_first(&viewer, "import", Typed::in_form(&href(&id), KEEPS_NUMBER, &form));
            }
            return console.confirm(&viewer, &client, &upload, &options, &form).await;
        }
        // One that is imported in this process ends by itself; one that was cut off can be given up.
        "abandonner" if upload.state == UploadState::Running && working().contains_key(&id) => Ok(()),
        "abandonner" => match console.store().drop_upload(&id, &viewer.user).await {
            Ok(true) => return answer::see_other("/partenaires/importer?fait=abandonne"),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        },
        "comparer" => console.compare_again(&upload, options).await,
        "laisser" => console.compare_again(&upload, Options { skip_invalid: true, ..options }).await,
        "ecraser" => console.compare_again(&upload, Options { overwrite_edits: true, ..options }).await,
        "garder" => console.compare_again(&upload, Options { overwrite_edits: false, ..options }).await,
        _ => return console.nowhere(&viewer),
    };
    match done {
        Ok(()) => answer::see_other(&href(&id)),
        Err(error) => console.broken(&viewer, &error),
    }
}

/// The refused lines of a draft as a file.
pub(super) async fn refused(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    let upload = match console.store().uploaded_list(&id, &viewer.user, console.now()).await {
        Ok(Some(upload)) if upload.state != UploadState::Done => upload,
        Ok(_) => return console.message(&viewer, StatusCode::NOT_FOUND, "no_upload"),
        Err(error) => return console.broken(&viewer, &error),
    };
    let stem = upload.file_name.rsplit_once('.').map_or(upload.file_name.as_str(), |(stem, _)| stem);
    match uploads::refused_lines(&console.engine, &upload).await {
        Ok(csv) => answer::download("text/csv; charset=utf-8", csv, &format!("{stem}-reste.csv")),
        // It was imported or given up a moment ago.
        Err(ActionError::Refused(Refusal::NoSuchUpload)) => {
            console.message(&viewer, StatusCode::NOT_FOUND, "no_upload")
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

/// `event: counts` twice a second, with the lines that are done; the last one says that it is over.
pub(super) async fn stream(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    match console.store().uploaded_list(&id, &viewer.user, console.now()).await {
        Ok(Some(_)) => {}
        Ok(None) => return console.message(&viewer, StatusCode::NOT_FOUND, "no_upload"),
        Err(error) => return console.broken(&viewer, &error),
    }
    let work = working().get(&id).cloned();
    let stop = console.stop.clone();
    let events = stream::unfold(Some((work, true)), move |state| {
        let stop = stop.clone();
        async move {
            let (mut work, first) = state?;
            if let (Some(work), false) = (&mut work, first) {
                let wait = tokio::time::timeout(EVERY, work.end.wait_for(Option::is_some));
                let _ = stop.run_until_cancelled(wait).await;
            }
            // Its sender is gone when the console stops.
            let over = work.as_ref().is_none_or(Work::is_over) || stop.is_cancelled();
            let (done, total) = work.as_ref().map_or((0, 0), |it| it.progress.so_far());
            let counts = json!({"ended": done, "total": total, "over": over, "state": if over { "over" } else { "" }});
            let event = Event::default().event("counts").data(counts.to_string());
            Some((Ok::<_, Infallible>(event), (!over).then_some((work, false))))
        }
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    answer::events(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Takes the work off the list when it ends, also by a panic; what was begun after it stays.
struct UnderWay {
    upload: String,
    progress: Arc<Progress>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Entry::Occupied(work) = working().entry(self.upload.clone())
            && Arc::ptr_eq(&work.get().progress, &self.progress)
        {
            work.remove();
        }
    }
}

impl Work {
    fn is_over(&self) -> bool {
        self.end.has_changed().is_err() || self.end.borrow().is_some()
    }

    /// Waits a little. `None`: it goes on, or failed.
    async fn ended_soon(mut self) -> Option<Ended> {
        let wait = tokio::time::timeout(SHORT, self.end.wait_for(Option::is_some)).await;
        wait.ok()?.ok()?.flatten()
    }
}

impl Console {
    /// Compares or imports an upload in the background; by whom it is imported.
    fn begin(self: &Arc<Self>, upload: &UploadedList, actor: Option<Actor>) -> Work {
        let (tell, end) = watch::channel(None);
        let work = Work { progress: Arc::default(), end };
        working().insert(upload.id.clone(), work.clone());
        let under_way = UnderWay { upload: upload.id.clone(), progress: Arc::clone(&work.progress) };
        let (console, upload, progress) = (Arc::clone(self), upload.clone(), Arc::clone(&work.progress));
        tokio::spawn(async move {
            let engine = &console.engine;
            let done = async {
                match &actor {
                    None => uploads::compare(engine, &upload, &progress).await,
                    Some(actor) => uploads::import(engine, actor, &upload, &progress).await,
                }
            };
            // Stopped midway: the transaction is rolled back, and the page says so.
            let ended = match console.stop.run_until_cancelled(done).await {
                None => None,
                Some(Ok(ended)) => Some(ended),
                Some(Err(why)) => {
                    let why = anyhow::Error::from(why);
                    error!(error = format!("{why:#}"), "an uploaded list was not compared or imported");
                    let noted = engine.store.upload_failed(&upload.id).await;
                    if let Err(why) = noted {
                        error!(error = &why as &dyn std::error::Error, "a failed import was not noted");
                    }
                    None
                }
            };
            if matches!(ended, Some(Ended::Imported)) {
                console.forget_list();
            }
            drop(under_way);
            tell.send_replace(Some(ended));
        });
        work
    }

    async fn compare_again(self: &Arc<Self>, upload: &UploadedList, options: Options) -> Result<(), StoreError> {
        // One that is at work in this process ends by itself.
        if working().contains_key(&upload.id) {
            return Ok(());
        }
        let options = json!(options).to_string();
        if self.store().compare_upload(&upload.id, &options).await? {
            self.begin(&UploadedList { options, ..upload.clone() }, None).ended_soon().await;
        }
        Ok(())
    }

    async fn confirm(
        self: &Arc<Self>,
        viewer: &Viewer,
        client: &Client,
        upload: &UploadedList,
        options: &Options,
        form: &Form,
    ) -> Answer {
        let here = href(&upload.id);
        // A second click, or a page left open: the result of the first.
        if matches!(upload.state, UploadState::Done | UploadState::Running) {
            return answer::see_other(&here);
        }
        let typed = form.get("nombre").trim().to_owned();
        let seen = form.get("vu_alors");
        let Some(compared) = Compared::of(upload).filter(|_| upload.state == UploadState::Draft) else {
            return answer::see_other(&here);
        };
        if upload.digest.as_deref() != Some(seen) || compared.is_refused(options) {
            return self.draft_page(viewer, StatusCode::CONFLICT, upload, 1, |page| DraftPage {
                outdated: true,
                typed,
                ..page
            });
        }
        if compared.removes_many() && typed.replace([' ', '\u{a0}', '\u{202f}'], "") != compared.removed.to_string() {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return self.draft_page(viewer, status, upload, 1, |page| DraftPage { wrong: true, typed, ..page });
        }
        match self.store().start_upload(&upload.id, seen).await {
            Ok(true) => {}
            Ok(false) => return answer::see_other(&here),
            Err(error) => return self.broken(viewer, &error),
        }
        let actor = self.actor(viewer, client);
        match self.begin(upload, Some(actor)).ended_soon().await {
            Some(Ended::Outdated) => match self.store().uploaded_list(&upload.id, &viewer.user, self.now()).await {
                Ok(Some(upload)) => self.draft_page(viewer, StatusCode::CONFLICT, &upload, 1, |page| page),
                Ok(None) => self.nowhere(viewer),
                Err(error) => self.broken(viewer, &error),
            },
            _ => answer::see_other(&here),
        }
    }

    async fn upload_page(&self, viewer: &Viewer, status: StatusCode, page: UploadPage) -> Answer {
        let uploads = match self.store().uploaded_lists_of(&viewer.user, 20, self.now()).await {
            Ok(uploads) => uploads,
            Err(error) => return self.broken(viewer, &error),
        };
        let it = self.reading();
        let rows = uploads.iter().map(|upload| UploadRow::new(&it, upload, working().contains_key(&upload.id)));
        let page = UploadPage { uploads: rows.collect(), largest: uploads::LARGEST >> 20, ..page };
        self.shown(status, Some(viewer), "/partenaires", "import", &page)
    }

    fn draft_page(
        &self,
        viewer: &Viewer,
        status: StatusCode,
        upload: &UploadedList,
        page: usize,
        change: impl FnOnce(DraftPage) -> DraftPage,
    ) -> Answer {
        let work = working().get(&upload.id).cloned();
        let it = UploadView::new(&self.reading(), upload, work.is_some(), page);
        let outdated = it.compared.as_ref().is_some_and(|it| it.is_outdated);
        let progress = work.map(|work| work.progress.so_far());
        let page = DraftPage { it, progress, wrong: false, typed: String::new(), outdated, again: false };
        self.shown(status, Some(viewer), "/partenaires", "import_draft", &change(page))
    }
}
