//! Forms with files (`multipart/form-data`, RFC 7578): read piece by piece, within limits for the parts, the texts, each file and
//! the whole. What a browser says of a file is not used: its type not at all, its name only to be shown.

use super::gate::Form;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use futures_util::Stream;
use multer::{Constraints, Multipart, SizeLimit};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::task::{Context, Poll};

/// Bytes of the whole body that are read. A file beyond its own limit is read up to here and dropped, so that the form can say
/// which one it was, and keep the rest.
const LARGEST: usize = 64 << 20;
/// Parts of a form: twice as many as the largest one has.
const MOST_PARTS: usize = 64;
/// Bytes of a text, and of all texts together.
const LONGEST_TEXT: usize = 64 * 1024;
const LONGEST_TEXTS: usize = 128 * 1024;
/// Bytes that may arrive before a part begins or continues: the head of a part is shorter.
const LONGEST_HEAD: usize = 2 << 20;

/// A field that takes a file, and the most bytes of it.
pub(super) type FileField = (&'static str, usize);

/// A file of a form.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    /// Of the field.
    pub field: &'static str,
    /// As the browser names it, without folders and control characters; at most 150 characters. Only to be shown.
    pub name: String,
    /// `None`: it was larger than its field takes.
    pub bytes: Option<Bytes>,
}

/// Why a form was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRead {
    /// Too long, or of too many parts.
    TooLarge,
    /// Cut off before its end, or no form at all.
    Cut,
}

impl NotRead {
    pub(super) fn status(self) -> StatusCode {
        match self {
            NotRead::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            NotRead::Cut => StatusCode::BAD_REQUEST,
        }
    }

    /// Of its message.
    pub(super) fn key(self) -> &'static str {
        match self {
            NotRead::TooLarge => "too_large",
            NotRead::Cut => "cut_off",
        }
    }
}

impl From<multer::Error> for NotRead {
    fn from(error: multer::Error) -> Self {
        match error {
            multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => NotRead::TooLarge,
            multer::Error::StreamReadFailed(why) if why.is::<TooMuchAtOnce>() => NotRead::TooLarge,
            _ => NotRead::Cut,
        }
    }
}

/// `files`: the fields that take files; `keep`: whether the files are kept, or only read past.
pub(super) async fn read(
    content_type: &str,
    body: Body,
    files: &'static [FileField],
    keep: bool,
) -> Result<Form, NotRead> {
    let boundary = multer::parse_boundary(content_type)?;
    let unread = Arc::new(AtomicUsize::new(0));
    let paced = Paced { inner: Box::pin(body.into_data_stream()), unread: Arc::clone(&unread), pause: false };
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(LARGEST as u64));
    let mut parts = Multipart::with_constraints(paced, boundary, constraints);
    let (mut fields, mut uploads, mut texts, mut n) = (HashMap::new(), Vec::new(), 0, 0);
    while let Some(mut part) = parts.next_field().await? {
        unread.store(0, Ordering::Relaxed);
        n += 1;
        if n > MOST_PARTS {
            return Err(NotRead::TooLarge);
        }
        let name = part.name().unwrap_or_default().to_owned();
        let Some(file_name) = part.file_name().map(file_name) else {
            let mut text = Vec::new();
            while let Some(chunk) = part.chunk().await? {
                unread.store(0, Ordering::Relaxed);
                texts += chunk.len();
                if text.len() + chunk.len() > LONGEST_TEXT || texts > LONGEST_TEXTS {
                    return Err(NotRead::TooLarge);
                }
                text.extend_from_slice(&chunk);
            }
            fields.entry(name).or_insert_with(|| String::from_utf8_lossy(&text).into_owned());
            continue;
        };
        let field = files.iter().find(|(field, _)| *field == name && keep);
        let mut bytes = Some(Vec::new()).filter(|_| field.is_some());
        while let Some(chunk) = part.chunk().await? {
            unread.store(0, Ordering::Relaxed);
            let room = field.map_or(0, |(_, most)| *most);
            match &mut bytes {
                Some(kept) if kept.len() + chunk.len() <= room => kept.extend_from_slice(&chunk),
                _ => bytes = None,
            }
        }
        // A field without a chosen file is sent empty.
        if let Some((field, _)) = field
            && bytes.as_ref().is_none_or(|bytes| !bytes.is_empty())
        {
            uploads.push(Upload { field, name: file_name, bytes: bytes.map(Bytes::from) });
        }
    }
    Ok(Form::with_files(fields, uploads))
}

/// The last part of a path, without control characters: browsers once sent the whole path.
fn file_name(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(150).collect()
}

/// Somebody sent megabytes where a part should begin.
#[derive(Debug, thiserror::Error)]
#[error("no part begins")]
struct TooMuchAtOnce;

/// The body, at most one piece for each look at it: the parser would otherwise take in all that is there before it looks at any
/// of it. Ends with an error when too much was taken in since `unread` was set to 0.
struct Paced<S> {
    inner: Pin<Box<S>>,
    unread: Arc<AtomicUsize>,
    pause: bool,
}

impl<S: Stream<Item = Result<Bytes, axum::Error>>> Stream for Paced<S> {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.inner.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.pause = true;
            if self.unread.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len() > LONGEST_HEAD {
                return Poll::Ready(Some(Err(Box::new(TooMuchAtOnce))));
            }
        }
        polled.map(|it| it.map(|it| it.map_err(Into::into)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[FileField] = &[("cover", 10), ("pdf", 20)];

    async fn form(body: impl Into<Body>, keep: bool) -> Result<Form, NotRead> {
        read("multipart/form-data; boundary=X", body.into(), FILES, keep).await
    }

    fn part(head: &str, bytes: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{bytes}\r\n")
    }

    #[tokio::test]
    async fn texts_and_files_are_read_and_each_file_has_its_limit() {
        let body = [
            part("name=\"title\"", "L’été"),
            part("name=\"title\"", "second"),
            part("name=\"cover\"; filename=\"../../a.png\"", "0123456789x"),
            part("name=\"pdf\"; filename=\"b.pdf\"", "%PDF-1.7"),
            part("name=\"pdf\"; filename=\"\"", ""),
            part("name=\"other\"; filename=\"c\"", "dropped"),
        ];
        let whole = body.concat() + "--X--\r\n";
        let it = form(whole.clone(), true).await.unwrap();
        assert_eq!((it.get("title"), it.has("other")), ("L’été", false));
        let files: Vec<_> = it.files().iter().map(|it| (it.field, it.name.as_str(), it.bytes.clone())).collect();
        assert_eq!(files, [("cover", "a.png", None), ("pdf", "b.pdf", Some(Bytes::from_static(b"%PDF-1.7")))]);
        let it = form(whole.clone(), false).await.unwrap();
        assert_eq!((it.get("title"), it.files().len()), ("L’été", 0), "nobody is logged in: only what was typed");
        for cut in [whole.len() - 8, whole.len() - 40, 90, 10] {
            assert_eq!(form(whole[..cut].to_owned(), true).await.unwrap_err(), NotRead::Cut, "{cut}");
        }
        assert_eq!(read("multipart/form-data", Body::empty(), FILES, true).await.unwrap_err(), NotRead::Cut);
    }

    #[tokio::test]
    async fn forms_that_are_meant_to_fill_the_memory_are_refused() {
        let many: String = (0..MOST_PARTS + 1).map(|n| part(&format!("name=\"f{n}\""), "x")).collect();
        assert_eq!(form(many + "--X--\r\n", true).await.unwrap_err(), NotRead::TooLarge);
        let long = part("name=\"title\"", &"x".repeat(LONGEST_TEXT + 1)) + "--X--\r\n";
        assert_eq!(form(long, true).await.unwrap_err(), NotRead::TooLarge);
        let three: String = (0..3).map(|n| part(&format!("name=\"f{n}\""), &"x".repeat(50_000))).collect();
        assert_eq!(form(three + "--X--\r\n", true).await.unwrap_err(), NotRead::TooLarge);
        let pieces = |bytes: &'static [u8], n: usize| {
            Body::from_stream(futures_util::stream::iter(
                (0..n).map(move |_| Ok::<_, std::io::Error>(Bytes::from_static(bytes))),
            ))
        };
        // A head without an end, in pieces.
        const PIECE: &[u8] = &[b'a'; 64 * 1024];
        assert_eq!(form(pieces(PIECE, 2_000), true).await.unwrap_err(), NotRead::TooLarge);
        // A file of any length is read past, up to the limit of the whole.
        let file = |pieces: usize| {
            let begin = Bytes::from(part("name=\"cover\"; filename=\"a\"", ""));
            let pieces = (0..pieces).map(|_| Bytes::from_static(PIECE));
            let all = std::iter::once(begin).chain(pieces).chain([Bytes::from_static(b"\r\n--X--\r\n")]);
            Body::from_stream(futures_util::stream::iter(all.map(Ok::<_, std::io::Error>)))
        };
        let read = form(file(900), true).await.unwrap();
        assert!(read.files()[0].bytes.is_none(), "57 MB, of which nothing is kept");
        assert_eq!(form(file(1_100), true).await.unwrap_err(), NotRead::TooLarge);
    }
}
