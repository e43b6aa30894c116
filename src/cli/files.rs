//! Files that commands write: a mail as a person looks at it before it goes, and lists of persons.

use crate::app::App;
use crate::compose::context::{self, Marks};
use crate::compose::mime::{Mime, To};
use crate::domain::{
    edition::Edition,
    email::EmailAddress,
    issue::{Content, IssueKey},
};
use crate::private;
use crate::tokens::Tokens;
use anyhow::Context;
use std::path::Path;

/// Writes subject, texts, message, pictures and attachments into `dir`; returns their paths.
pub(super) fn write(
    app: &App,
    mailing: &str,
    key: &IssueKey,
    content: &Content,
    dir: &Path,
) -> anyhow::Result<Vec<String>> {
    let sample = EmailAddress::parse("partenaire@example.org")?;
    // A link that looks right and opens nothing: a preview is nobody's.
    let nobody = Tokens::new("preview".to_owned().into());
    let unsubscribe_url = nobody.unsubscribe_url(&app.config.public_url, "preview", mailing);
    let order_url = nobody.order_url(&app.config.public_url, "preview", Edition::slug_of(key));
    let view_url = nobody.view_url(&app.config.public_url, key);
    let mut content = content.clone();
    context::fill_view(&mut content, &view_url);
    let mime = Mime::new(content.clone())?;
    let to = To {
        address: &sample,
        name: "",
        establishment: "Établissement d’exemple",
        message_id: &format!("preview.{}@{}", key.slug(), content.envelope.domain),
        unsubscribe_url: &unsubscribe_url,
        order_url: &order_url,
    };
    let message = mime.message(to)?;
    let marks = Marks::named(&content.envelope.marks);
    let filled = |text: &str| {
        let text = text.replace(&marks.unsubscribe, &unsubscribe_url).replace(&marks.order, &order_url);
        text.replace(&marks.establishment, " (Établissement d’exemple)")
    };
    let mut html = filled(&content.html);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (n, picture) in (1..).zip(&content.inline) {
        // A browser finds them beside the page; a mail program within the message.
        let kind = if picture.media_type == "image/png" { "png" } else { "jpg" };
        let name = format!("image-{n}.{kind}");
        html = html.replace(&format!("cid:{}", picture.content_id), &name);
        files.push((name, picture.bytes.clone()));
    }
    files.extend(content.attachments.iter().map(|it| (it.name.clone(), it.bytes.clone())));
    let texts = [
        ("subject.txt", format!("{}\n", content.subject).into_bytes()),
        ("body.html", html.into_bytes()),
        ("body.txt", filled(&content.text).into_bytes()),
        ("message.eml", message.to_bytes()),
    ];
    let texts = texts.map(|(name, bytes)| (name.to_owned(), bytes));
    texts.into_iter().chain(files).map(|(name, bytes)| one(dir, &name, &bytes)).collect()
}

/// One file, for its owner alone: a mail has links that open something. Returns its path.
pub(super) fn one(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
    private::create_folder(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // An attachment's name is ours, and still no place for a folder.
    let path = dir.join(name.replace(['/', '\\'], "-"));
    private::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.display().to_string())
}
