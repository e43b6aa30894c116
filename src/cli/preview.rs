//! `semainier preview`: what a mailing would send, as files.

use super::{Context, Ended, run, show};
use crate::compose::context::{ESTABLISHMENT_MARK, UNSUBSCRIBE_MARK};
use crate::compose::mime::{Mime, To};
use crate::domain::email::EmailAddress;
use crate::jobs::Attach;
use crate::pipeline::{self, Due};
use crate::tokens::Tokens;
use anyhow::Context as _;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    mailing: String,
    /// As if it were this occurrence [default: the next one]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// This article instead of the one of the mailing’s sources
    #[arg(long, value_name = "FILE")]
    article: Option<PathBuf>,
    /// Where subject.txt, body.html, body.txt, message.eml, poster.pdf, booklet.pdf and agenda.json are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let mailing = app.mailing(&args.mailing)?;
    let occurrence = run::occurrence(&app, mailing, args.at.as_deref())?;
    let week = mailing.week(occurrence);
    let article = run::article(&app, args.article, occurrence).await?;
    let found = match pipeline::collect(&app, mailing, week, article).await {
        Ok(found) => found,
        Err(hold) => {
            show::line(format!("held: {hold}"));
            return Ok(Ended::Held);
        }
    };
    let due = Due { mailing, at: occurrence, expires_at: mailing.schedule.deadline_of(occurrence) };
    let content = pipeline::compose(&app, due, &found)?;
    let sheet = pipeline::sheet(&app, due, &found);
    let (poster, booklet) = (pipeline::handout(Attach::Poster, &sheet)?, pipeline::handout(Attach::Booklet, &sheet)?);

    let sample = EmailAddress::parse("partenaire@example.org")?;
    // A link that looks right and opens nothing: a preview is nobody's.
    let nobody = Tokens::new("preview".to_owned().into());
    let unsubscribe_url = nobody.unsubscribe_url(&app.config.public_url, "preview", &mailing.id);
    let mime = Mime::new(content.clone())?;
    let to = To {
        address: &sample,
        name: "",
        establishment: "Établissement d’exemple",
        message_id: &format!("preview.{}@{}", due.key().slug(), content.envelope.domain),
        unsubscribe_url: &unsubscribe_url,
    };
    let message = mime.message(to)?;
    let filled = |text: &str| {
        text.replace(UNSUBSCRIBE_MARK, &unsubscribe_url).replace(ESTABLISHMENT_MARK, " (Établissement d’exemple)")
    };
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let files: [(&str, Vec<u8>); 7] = [
        ("subject.txt", format!("{}\n", content.subject).into_bytes()),
        ("body.html", filled(&content.html).into_bytes()),
        ("body.txt", filled(&content.text).into_bytes()),
        ("message.eml", message.to_bytes()),
        ("poster.pdf", poster.pdf),
        ("booklet.pdf", booklet.pdf),
        ("agenda.json", format!("{}\n", serde_json::to_string_pretty(&found.agenda)?).into_bytes()),
    ];
    for (name, bytes) in files {
        let path = args.out.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        show::line(path.display());
    }
    for warning in &found.agenda.warnings {
        show::aside(format!("to check: {warning}"));
    }
    Ok(Ended::Done)
}
