//! `semainier corrections`: the lines of an agenda beside what is printed, and corrections of them.

use super::{Context, Ended, show, tables};
use crate::actions::{self, corrections::Wanted};
use crate::domain::{correction::Standing, issue::IssueKey};
use crate::issue::corrections::Recomposed;
use crate::store::Access;
use crate::views::corrections::{self, EventView, Fields, InvalidField, LineView, Reading};
use anyhow::{anyhow, bail};
use serde_json::json;

pub(super) const AFTER_HELP: &str = "\
A correction belongs to a line of the article by its words, and is applied whenever the article is read again. If the line \
itself changes, the issue is held until a person decides; if the line is gone, a warning says so.

  semainier corrections list agenda/2027-W28                       what was read, with the name of each line
  semainier corrections set agenda/2027-W28 LINE --day 2027-07-14 --start 21:30
  semainier corrections set agenda/2027-W28 LINE --day hidden --why duplicate
  semainier corrections dismiss agenda/2027-W28 LINE --why 'office hours'";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the lines that were last read, those to be checked first, and the corrections
    List {
        issue: String,
        /// {"title","url","read_at","printed","as_read","changed","left_out","dismissed","lines","idle"}: docs/reading.md
        #[arg(long)]
        json: bool,
    },
    /// Correct a line; an empty value removes what was read
    Set(Box<SetArgs>),
    /// Take a correction back
    Withdraw { issue: String, correction: String },
    /// Leave a line that is no event out of this issue and all that follow
    Dismiss {
        issue: String,
        line: String,
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Take `dismiss` back; TEXT: the line as the article has it
    Readmit { issue: String, text: String },
}

#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    issue: String,
    /// The name of the line, as `list` shows it
    line: String,
    /// A day of the week, `every_day`, `exhibition`, or `hidden`
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// When it begins: 18:30
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// With the commune first: 'Pavie, la Fenière'
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,
    #[arg(long, value_name = "TEXT")]
    price: Option<String>,
    #[arg(long, value_name = "TEXT")]
    phone: Option<String>,
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// scheduled, cancelled, postponed or sold_out
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// The reason, which is stored; required for `--day hidden` and `--status cancelled`
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// A correction in conflict that this one takes the place of
    #[arg(long, value_name = "CORRECTION")]
    adapts: Option<String>,
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let actor = context.actor()?;
    let key = |text: &str| IssueKey::parse(text);
    let (key, done) = match command {
        Command::List { issue, json } => {
            let key = key(&issue)?;
            let Some(read) = corrections::read(&engine, &key).await? else {
                bail!("nothing was read for {key} yet; read it now: semainier issues rehearse {key}");
            };
            match json {
                true => show::json(&shape(&read))?,
                false => people(&read),
            }
            return Ok(Ended::Done);
        }
        Command::Set(args) => {
            let key = key(&args.issue)?;
            let unknown = || {
                anyhow!(
                    "what was last read has no line {}; the names are shown by `semainier corrections list {key}`",
                    args.line
                )
            };
            let form = corrections::form(&engine, &key, &args.line, args.adapts.as_deref()).await?;
            let form = form.ok_or_else(unknown)?;
            if let Some(id) = args.adapts.as_ref().filter(|_| form.adapted.is_none()) {
                bail!("no correction {id} of another line is in force; see `semainier corrections list {key}`");
            }
            let wanted = typed(&args, &form.now);
            let patch =
                form.patch(&wanted).map_err(|InvalidField(field)| anyhow!("--{field}: this value is not possible"))?;
            let wanted = Wanted {
                target: &args.line,
                patch,
                why: args.why.as_deref().unwrap_or_default(),
                seen: form.correction.as_ref().map(|it| it.id.as_str()),
                adapts: form.adapted.as_ref().map(|it| it.id.as_str()),
            };
            let done = actions::corrections::correct(&engine, &actor, &key, wanted).await?;
            (key, done)
        }
        Command::Withdraw { issue, correction } => {
            let key = key(&issue)?;
            let done = actions::corrections::withdraw(&engine, &actor, &key, &correction).await?;
            (key, done)
        }
        Command::Dismiss { issue, line, why } => {
            let key = key(&issue)?;
            let done = actions::corrections::dismiss(&engine, &actor, &key, &line, &why).await?;
            (key, done)
        }
        Command::Readmit { issue, text } => {
            let key = key(&issue)?;
            let done = actions::corrections::readmit(&engine, &actor, &key, &text).await?;
            (key, done)
        }
    };
    show::line(match &done {
        Recomposed::Kept { hash } => format!("{key}: composed again, {}", crate::issue::approval::short(hash)),
        Recomposed::NothingRead => format!("{key}: saved; it is applied when the article is read"),
        Recomposed::Held => format!("{key}: saved; the issue is held, see semainier issues show {key}"),
    });
    Ok(if done == Recomposed::Held { Ended::Held } else { Ended::Done })
}

/// The fields as they stand, with what the command line gives.
fn typed(args: &SetArgs, now: &Fields) -> Fields {
    let or = |given: &Option<String>, now: &str| given.clone().unwrap_or_else(|| now.to_owned());
    Fields {
        day: or(&args.day, &now.day),
        start: or(&args.start, &now.start),
        end: or(&args.end, &now.end),
        title: or(&args.title, &now.title),
        place: or(&args.place, &now.place),
        price: or(&args.price, &now.price),
        phone: or(&args.phone, &now.phone),
        link: or(&args.link, &now.link),
        note: or(&args.note, &now.note),
        status: or(&args.status, &now.status),
    }
}

fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Applied => "applied",
        Standing::Absorbed => "absorbed",
        Standing::InConflict { .. } => "in_conflict",
        Standing::Orphaned => "orphaned",
    }
}

fn shape(read: &Reading) -> serde_json::Value {
    let event = |event: &EventView| {
        let correction =
            event.correction.as_ref().map(|it| json!({"id": it.id, "by": it.by, "patch": it.patch, "why": it.why}));
        json!({"target": event.target, "time": event.row.time, "title": event.row.title, "correction": correction})
    };
    let line = |line: &LineView| {
        json!({
            "number": line.number, "under": line.section.to_string(), "text": line.text,
            "doubt": line.doubt.map(|doubt| doubt.in_english()), "dismissed": line.dismissed,
            "events": line.events.iter().map(event).collect::<Vec<_>>(),
        })
    };
    let idle = read.idle.iter().map(|it| {
        json!({"id": it.correction.id, "line": it.correction.anchor.line, "by": it.correction.by,
            "standing": standing(&it.standing), "target": it.target})
    });
    let left_out = read.corrections.left_out.iter().map(|it| json!({"line": it.line, "by": it.by, "why": it.why}));
    json!({
        "title": read.title, "url": read.url, "read_at": read.read_at.to_rfc3339(), "printed": read.printed,
        "as_read": read.as_read(), "changed": read.corrections.changed, "left_out": left_out.collect::<Vec<_>>(),
        "dismissed": read.dismissals.iter().map(|it| json!({"line": it.line, "by": it.by, "why": it.why})).collect::<Vec<_>>(),
        "lines": read.lines.iter().map(line).collect::<Vec<_>>(), "idle": idle.collect::<Vec<_>>(),
    })
}

fn people(read: &Reading) {
    let (printed, changed) = (read.printed, read.corrections.changed);
    show::line(format!(
        "{}: {printed} events = {} as read + {changed} corrected; {} left out",
        read.title,
        read.as_read(),
        read.corrections.left_out.len()
    ));
    let mut table = tables::table(["line", "under", "article", "printed", "to check, correction"], &[]);
    for line in &read.lines {
        for (n, event) in line.events.iter().enumerate() {
            let settled = line.is_settled();
            let doubt = line.doubt.filter(|_| !settled).map(|doubt| doubt.in_english().to_owned());
            let by = event.correction.as_ref().map(|it| format!("corrected by {} ({})", it.by, it.id));
            let text = if n == 0 { line.text.clone() } else { String::new() };
            let printed =
                if line.dismissed { "left out".to_owned() } else { format!("{} {}", event.row.time, event.row.title) };
            let more = by.or(doubt).unwrap_or_default();
            table.add_row([event.target.clone(), line.section.to_string(), text, printed.trim().to_owned(), more]);
        }
    }
    show::line(tables::text(table));
    for it in &read.idle {
        let target = it.target.as_ref().map(|target| format!("; now {target}")).unwrap_or_default();
        let correction = &it.correction;
        show::line(format!(
            "{} correction {} by {}: « {} »{target}",
            standing(&it.standing),
            correction.id,
            correction.by,
            correction.anchor.line
        ));
    }
    for it in &read.dismissals {
        show::line(format!("left out of every issue by {}: « {} »", it.by, it.line));
    }
}
