//! Mailings: one TOML file each, whose name is the mailing's id. Checked as a whole, every problem at once.

use crate::collect::source::Source;
use crate::config::{Config, parse_zone};
use crate::domain::{
    Timestamp,
    agenda::Week,
    email::EmailAddress,
    gates::Gates,
    issue::IssueKey,
    schedule::{Coalesce, Deadline, Schedule},
    segment::Segment,
};
use crate::keys::{File, Overrides, Problem, Problems, Section, parse_duration};
use chrono::{NaiveTime, TimeDelta, Weekday};
use std::path::{Path, PathBuf};
use url::Url;

#[derive(rust_embed::Embed)]
#[folder = "jobs/"]
struct BuiltIn;

/// The standing definition of what is mailed, to whom, when.
#[derive(Debug, Clone)]
pub struct Mailing {
    /// The file's name; once something was sent, a name in the ledger.
    pub id: String,
    pub title: String,
    pub schedule: Schedule,
    /// How often a held issue is tried again.
    pub retry: TimeDelta,
    pub covers: Covers,
    pub sources: Vec<Source>,
    pub template: Template,
    pub attach: Vec<Attach>,
    /// Contacts subscribed to this mailing receive it.
    pub audience: String,
    /// And of these only whoever is meant by it: `audience.where`.
    pub segment: Option<Segment>,
    pub approval: Approval,
    pub on_unknown: OnUnknown,
    pub sender_name: Option<String>,
    pub sender_address: Option<EmailAddress>,
    pub gates: Gates,
}

/// The time a mailing speaks of, from the day it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    NextWeek,
    /// For a mailing that leaves on Monday morning.
    ThisWeek,
}

/// Which flow and which templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    Agenda,
}

/// A document that goes with the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    Poster,
    Booklet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    Automatic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    Hold,
}

impl Mailing {
    /// The week an occurrence announces.
    pub fn week(&self, occurrence: Timestamp) -> Week {
        let day = occurrence.with_timezone(&self.schedule.zone).date_naive();
        match self.covers {
            Covers::NextWeek => Week::after(day),
            Covers::ThisWeek => Week::of(day),
        }
    }

    /// The key of what an occurrence publishes: from the week, not from the hour, so that an edited schedule, a run by
    /// hand or a second daemon meets the same issue.
    pub fn issue_key(&self, occurrence: Timestamp) -> IssueKey {
        IssueKey::new(&self.id, self.week(occurrence))
    }
}

/// All mailings, by id: of the configured directory, or the built-in ones.
///
/// # Errors
/// All that is wrong in all the files.
pub fn load(config: &Config, now: Timestamp) -> Result<Vec<Mailing>, Problems> {
    let files = match &config.jobs {
        Some(dir) => read_dir(dir)?,
        None => BuiltIn::iter()
            .filter_map(|name| {
                let text = String::from_utf8_lossy(&BuiltIn::get(&name)?.data).into_owned();
                Some((PathBuf::from("built-in jobs").join(name.as_ref()), text))
            })
            .collect(),
    };
    let (mut mailings, mut problems) = (Vec::new(), Vec::new());
    for (path, text) in files {
        match parse(&path, &text, config, now) {
            Ok(mailing) => mailings.push(mailing),
            Err(Problems(found)) => problems.extend(found),
        }
    }
    mailings.sort_by(|a: &Mailing, b| a.id.cmp(&b.id));
    if problems.is_empty() { Ok(mailings) } else { Err(Problems(problems)) }
}

fn read_dir(dir: &Path) -> Result<Vec<(PathBuf, String)>, Problems> {
    let problem = |path: &Path, message: String| {
        Problems(vec![Problem { place: path.display().to_string(), key: String::new(), message }])
    };
    let entries = std::fs::read_dir(dir).map_err(|why| problem(dir, format!("cannot be read: {why}")))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    if paths.is_empty() {
        return Err(problem(dir, "expected at least one mailing, a file such as agenda.toml".to_owned()));
    }
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(why) => Err(problem(&path, format!("cannot be read: {why}"))),
    };
    paths.into_iter().map(read).collect()
}

/// # Errors
/// All that is wrong in the file.
pub fn parse(path: &Path, text: &str, config: &Config, now: Timestamp) -> Result<Mailing, Problems> {
    let overrides = Overrides::default();
    let file = File::parse(path.display().to_string(), text, &overrides);
    let id = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let root = file.root();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        root.problem("", "the file's name is the mailing's id: expected small letters, digits and -");
    }
    let mailing = read(root, id, config, now);
    match (mailing, file.problems()) {
        (Some(mailing), problems) if problems.is_empty() => Ok(mailing),
        (_, problems) => Err(Problems(problems)),
    }
}

/// `None` only where there is a problem as well.
fn read(root: Section, id: String, config: &Config, now: Timestamp) -> Option<Mailing> {
    let title = root.required("title", "\"Que faire à Auch cette semaine\"", |raw| raw.text());
    let template = root.required("template", "\"agenda\"", |raw| word(&raw.text()?, &[("agenda", Template::Agenda)]));
    let covers =
        root.parsed("covers", |text| word(text, &[("next week", Covers::NextWeek), ("this week", Covers::ThisWeek)]));
    let attach = root.value("attach", |raw| {
        let kinds = [("poster", Attach::Poster), ("booklet", Attach::Booklet)];
        raw.texts()?.iter().map(|text| word(text, &kinds)).collect::<Result<Vec<_>, _>>()
    });
    let approval = root.parsed("approval", |text| word(text, &[("automatic", Approval::Automatic)]));
    let on_unknown = root.parsed("on_unknown", |text| word(text, &[("hold", OnUnknown::Hold)]));

    let audience = root.section("audience");
    let subscribed = audience.text("subscribed").unwrap_or_else(|| id.clone());
    let segment = audience.parsed("where", Segment::parse);
    audience.finish();

    let sender = root.section("sender");
    let (sender_name, sender_address) = (sender.text("name"), sender.parsed("address", EmailAddress::parse));
    sender.finish();

    let gates = root.section("gates");
    let default = Gates::default();
    let gate = |key, bounds, default| gates.whole(key, bounds).and_then(|n| usize::try_from(n).ok()).unwrap_or(default);
    let read_gates = Gates {
        min_events: gate("min_events", 1..=1000, default.min_events),
        max_unplaced_percent: gate("max_unplaced_percent", 0..=100, default.max_unplaced_percent),
    };
    gates.finish();

    let schedule = root.section("schedule");
    let retry = schedule.duration("retry").unwrap_or(TimeDelta::minutes(15));
    let read_schedule = read_schedule(&schedule, config, now);
    schedule.finish();

    let sources: Vec<_> = root.sections("source").into_iter().filter_map(|s| read_source(s, config)).collect();
    if !root.has("source") {
        root.problem("source", "missing; write for example source = [{ kind = \"page\", url = \"https://…\" }]");
    }
    root.finish();
    Some(Mailing {
        id,
        title: title?,
        schedule: read_schedule?,
        retry,
        covers: covers.unwrap_or(Covers::NextWeek),
        sources,
        template: template?,
        attach: attach.unwrap_or_default(),
        audience: subscribed,
        segment,
        approval: approval.unwrap_or(Approval::Automatic),
        on_unknown: on_unknown.unwrap_or(OnUnknown::Hold),
        sender_name,
        sender_address,
        gates: read_gates,
    })
}

fn read_schedule(section: &Section, config: &Config, now: Timestamp) -> Option<Schedule> {
    let zone = section.parsed("zone", parse_zone).unwrap_or(config.zone);
    let catch_up = section.duration("catch_up").unwrap_or(TimeDelta::hours(12));
    let coalesce = section.parsed("coalesce", |t| word(t, &[("latest", Coalesce::Latest), ("all", Coalesce::All)]));
    let deadline = section.parsed("deadline", parse_deadline).unwrap_or(Deadline::After(TimeDelta::hours(72)));
    let coalesce = coalesce.unwrap_or_default();
    section.required("cron", "\"0 8 * 7,8 SAT\"", |raw| {
        Schedule::new(&raw.text()?, zone, catch_up, coalesce, deadline, now).map_err(|why| why.to_string())
    })
}

fn read_source(section: Section, config: &Config) -> Option<Source> {
    let url = |section: &Section| {
        let given = section.parsed("url", |text| {
            let web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.has_host();
            text.parse::<Url>().ok().filter(web).ok_or("expected an address such as https://office.example")
        });
        given.or_else(|| (!section.has("url")).then(|| config.website()))
    };
    let kinds = [("wordpress", 0), ("page", 1), ("file", 2)];
    let source = match section.required("kind", "\"wordpress\"", |raw| word(&raw.text()?, &kinds))? {
        0 => {
            let search = section.required("search", "\"Que faire à Auch cette semaine\"", |raw| raw.text());
            url(&section).zip(search).map(|(url, search)| Source::Wordpress { url, search })
        }
        1 => url(&section).map(|url| Source::Page { url }),
        _ => {
            let path = section.required("path", "\"article.html\"", |raw| raw.text());
            path.map(|path| Source::File { path: path.into(), published: None })
        }
    };
    section.finish();
    source
}

/// One of a closed list of words.
fn word<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
        format!("expected {}, found {text:?}", names.join(" or "))
    })
}

/// `Sat 20:00`, or a duration.
fn parse_deadline(text: &str) -> Result<Deadline, String> {
    let at = || {
        let (day, time) = text.split_once(' ')?;
        Some(Deadline::At(day.parse::<Weekday>().ok()?, NaiveTime::parse_from_str(time, "%H:%M").ok()?))
    };
    at().or_else(|| parse_duration(text).ok().map(Deadline::After)).ok_or_else(|| {
        format!("expected a day and an hour such as \"Sat 20:00\", or a duration such as \"72h\", found {text:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(website: Option<&str>) -> Config {
        let text = website.map(|w| format!("[office]\nwebsite = {w:?}")).unwrap_or_default();
        Config::parse(None, &text, &Overrides::default()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_built_in_mailings_parse() {
        let mailings = load(&config(Some("https://office.example")), now()).unwrap();
        let agenda = mailings.iter().find(|m| m.id == "agenda").unwrap();
        let saturday: Timestamp = "2026-07-04T06:00:00Z".parse().unwrap();
        assert_eq!(agenda.schedule.next_after(now()), Some(saturday));
        assert_eq!(agenda.issue_key(saturday).as_str(), "agenda/2026-W28");
        assert_eq!(agenda.schedule.deadline_of(saturday), "2026-07-04T18:00:00Z".parse::<Timestamp>().unwrap());
    }

    #[test]
    fn all_that_is_wrong_in_a_file_is_said_at_once() {
        let text = "titel = 'x'\ntemplate = 'letter'\nattach = ['flyer']\n\
                    source = [{ kind = 'wordpress', search = 'x' }, { kind = 'ftp' }]\n\
                    [schedule]\ncron = '0 8 * 13 SAT'\ndeadline = 'soon'\n[audience]\nwhere = 'commune = Auch'\n[gates]\nmin_events = 0";
        let said = parse(Path::new("jobs/Agenda 1.toml"), text, &config(None), now()).unwrap_err().to_string();
        for part in [
            "jobs/Agenda 1.toml: the file's name is the mailing's id",
            "jobs/Agenda 1.toml: title: missing; write for example title = ",
            "jobs/Agenda 1.toml:1: titel: unknown key; did you mean title?",
            "jobs/Agenda 1.toml:2: template: expected \"agenda\", found \"letter\"",
            "jobs/Agenda 1.toml:3: attach: expected \"poster\" or \"booklet\", found \"flyer\"",
            "source[1].kind: expected \"wordpress\" or \"page\" or \"file\", found \"ftp\"",
            "jobs/Agenda 1.toml:6: schedule.cron: not a cron pattern",
            "jobs/Agenda 1.toml:7: schedule.deadline: expected a day and an hour",
            "jobs/Agenda 1.toml:9: audience.where: column 11: expected a text in \"…\", found Auch",
            "jobs/Agenda 1.toml:11: gates.min_events: expected 1 to 1000, found 0",
        ] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
    }
}
