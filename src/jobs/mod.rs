//! Mailings: one TOML file each, whose name is the mailing's id. All problems are reported at once.

use crate::collect::source::{Provides, Source};
use crate::config::{Config, parse_zone};
use crate::domain::{
    Timestamp,
    agenda::Week,
    edition::ORDERS,
    email::EmailAddress,
    gates::Gates,
    issue::IssueKey,
    newsletter::{Month, Section as Part},
    schedule::{Coalesce, Deadline, Rehearsal, Schedule},
    segment::Segment,
};
use crate::toml_reader::{File, Overrides, Problem, Problems, Section, parse_duration};
use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use std::path::{Path, PathBuf};
use url::Url;

mod newsletter;
mod sources;
mod staff_mails;

use sources::read_source;
pub use staff_mails::{Eve, StaffMails};

#[derive(rust_embed::Embed)]
#[folder = "jobs/"]
struct BuiltIn;

/// A mailing: what is mailed, to whom, when.
#[derive(Debug, Clone)]
pub struct Mailing {
    /// The file's name; once something was sent, it is in the ledger.
    pub id: String,
    pub title: String,
    pub schedule: Schedule,
    /// The retry interval of a held issue.
    pub retry: TimeDelta,
    /// How long before its hour an issue is composed for approval. Zero if no approval is required.
    pub compose_before: TimeDelta,
    /// When an issue that needs no approval is composed and shown to staff before its hour.
    pub rehearse: Option<Rehearsal>,
    pub sources: Vec<SourceRule>,
    pub kind: Kind,
    /// Contacts subscribed to this mailing receive it.
    pub audience: String,
    /// And of these only those that match: `audience.where`.
    pub segment: Option<Segment>,
    pub approval: Approval,
    /// The author of the content cannot be its only approver.
    pub second_person: bool,
    pub staff_mails: StaffMails,
    pub sender_name: Option<String>,
    pub sender_address: Option<EmailAddress>,
}

/// The kind of a mailing, which determines its process and templates.
#[derive(Debug, Clone)]
pub enum Kind {
    Agenda(Agenda),
    Newsletter(Newsletter),
    /// A brochure: its content is in the ledger, and a person announces it.
    Edition,
}

/// A week's agenda, from an article.
#[derive(Debug, Clone)]
pub struct Agenda {
    pub covers: Covers,
    pub attach: Vec<Attach>,
    pub gates: Gates,
}

/// A month's news, from several sources.
#[derive(Debug, Clone)]
pub struct Newsletter {
    /// The sections, in order. At most one is the editorial; exactly one news section is without conditions.
    pub sections: Vec<Part>,
}

/// A source of a mailing, and what to do if it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRule {
    pub source: Source,
    /// If this source fails the issue is held; otherwise it is sent without its content, and says so.
    pub required: bool,
}

/// The period a mailing covers, relative to the day it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    NextWeek,
    /// For a mailing that is sent on Monday morning.
    ThisWeek,
}

/// The templates, which imply the [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Template {
    Agenda,
    Newsletter,
    Edition,
}

/// A document attached to the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    Poster,
    Booklet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Sent if it passes the gates.
    Automatic,
    /// Stored if it passes the gates, and sent once exactly that is approved (I6).
    Required,
}

impl Mailing {
    /// The key of what an occurrence publishes: from the week or the month, not from the hour, so that an edited schedule,
    /// a manual run or a second daemon refers to the same issue.
    pub fn issue_key(&self, occurrence: Timestamp) -> IssueKey {
        match &self.kind {
            Kind::Agenda(agenda) => IssueKey::new(&self.id, agenda.week(self.day(occurrence))),
            Kind::Newsletter(_) => IssueKey::new(&self.id, Month::of(self.day(occurrence))),
            // Editions have no schedule; their key is the slug (`issue::Due::period`).
            Kind::Edition => IssueKey::new(&self.id, self.day(occurrence)),
        }
    }

    /// The sources with their names; those of the same name are told apart by a number: `office.example (2)`.
    pub fn named_sources(&self) -> impl Iterator<Item = (String, &SourceRule)> {
        let names: Vec<_> = self.sources.iter().map(|rule| rule.source.name()).collect();
        self.sources.iter().enumerate().map(move |(at, rule)| {
            let name = &names[at];
            match names[..at].iter().filter(|other| *other == name).count() {
                0 => (name.clone(), rule),
                n => (format!("{name} ({})", n + 1), rule),
            }
        })
    }

    /// The occurrence that publishes this issue: the last one, until its deadline, or one of those to come.
    pub fn occurrence_of(&self, key: &IssueKey, now: Timestamp) -> Option<Timestamp> {
        /// Occurrences that are looked through.
        const FAR: usize = 60;
        let last = self.schedule.last_until(now).filter(|at| self.schedule.deadline_of(*at) > now);
        let mut all = last.into_iter().chain(self.schedule.after(now).take(FAR));
        all.find(|at| self.issue_key(*at) == *key)
    }

    pub fn is_of_editions(&self) -> bool {
        matches!(self.kind, Kind::Edition)
    }

    /// The day of an occurrence in the mailing's zone.
    pub fn day(&self, occurrence: Timestamp) -> NaiveDate {
        occurrence.with_timezone(&self.schedule.zone).date_naive()
    }

    /// Its agenda settings, if it publishes one.
    pub fn agenda(&self) -> Option<&Agenda> {
        match &self.kind {
            Kind::Agenda(agenda) => Some(agenda),
            Kind::Newsletter(_) | Kind::Edition => None,
        }
    }
}

impl Agenda {
    /// The week that an occurrence on that day covers.
    pub fn week(&self, day: NaiveDate) -> Week {
        match self.covers {
            Covers::NextWeek => Week::after(day),
            Covers::ThisWeek => Week::of(day),
        }
    }
}

/// All mailings, by id: from the configured directory, or the built-in ones.
///
/// # Errors
/// All problems of all files.
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

/// First path segments of other public pages.
const PAGES: [&str; 9] = ["archives", "accessibilite", "editions", "static", "healthz", "readyz", "o", "u", "v"];

/// # Errors
/// All problems of the file.
pub fn parse(path: &Path, text: &str, config: &Config, now: Timestamp) -> Result<Mailing, Problems> {
    let overrides = Overrides::default();
    let file = File::parse(path.display().to_string(), text, &overrides);
    let id = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let root = file.root();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        root.problem("", "the file's name is the mailing's id: expected small letters, digits and -");
    }
    if id == ORDERS {
        root.problem("", "expected another name: confirmations of orders are kept under this one");
    }
    let mailing = read(root, id, config, now);
    if let Some(Mailing { id, kind: Kind::Agenda(..), .. }) = &mailing
        && PAGES.contains(&id.as_str())
    {
        file.root().problem(
            "",
            "expected another name: a page of the site has this one, and each weekly mailing has pages of its own",
        );
    }
    match (mailing, file.problems()) {
        (Some(mailing), problems) if problems.is_empty() => Ok(mailing),
        (_, problems) => Err(Problems(problems)),
    }
}

/// `None` only if a problem was reported.
fn read(root: Section, id: String, config: &Config, now: Timestamp) -> Option<Mailing> {
    let title = root.required("title", "\"Que faire à Auch cette semaine\"", |raw| raw.line());
    let templates =
        [("agenda", Template::Agenda), ("newsletter", Template::Newsletter), ("edition", Template::Edition)];
    let template = root.required("template", "\"agenda\"", |raw| word(&raw.text()?, &templates));
    let kind = match template {
        Some(Template::Newsletter) => Kind::Newsletter(newsletter::read(&root, config)),
        Some(Template::Edition) => Kind::Edition,
        Some(Template::Agenda) | None => Kind::Agenda(read_agenda(&root)),
    };
    let approval = root
        .parsed("approval", |text| word(text, &[("automatic", Approval::Automatic), ("required", Approval::Required)]));
    let approval = approval.unwrap_or(Approval::Automatic);
    let compose_before = root.duration("compose_before").unwrap_or_default();
    if compose_before > TimeDelta::zero() && approval == Approval::Automatic {
        root.problem("compose_before", "only where approval = \"required\": what is composed leaves at once otherwise");
    }

    let rehearse = root.parsed("rehearse", parse_rehearsal);
    if rehearse.is_some() && (approval == Approval::Required || template == Some(Template::Edition)) {
        root.problem(
            "rehearse",
            "only where approval = \"automatic\" and a schedule says when it leaves; write compose_before",
        );
    }

    let second_person = root.truth("second_person").unwrap_or(false);
    if second_person && approval == Approval::Automatic {
        root.problem("second_person", "only where approval = \"required\"");
    }

    let staff_mails = root.section("staff_mails");
    let leaves_by_itself = approval == Approval::Automatic && template != Some(Template::Edition);
    let read_staff_mails = staff_mails::read(&staff_mails, leaves_by_itself);
    staff_mails.finish();

    let audience = root.section("audience");
    let subscribed = audience.text("subscribed").unwrap_or_else(|| id.clone());
    let segment = audience.parsed("where", Segment::parse);
    audience.finish();

    let sender = root.section("sender");
    let (sender_name, sender_address) = (sender.line("name"), sender.parsed("address", EmailAddress::parse));
    sender.finish();

    let schedule = root.section("schedule");
    let retry = schedule.duration("retry").unwrap_or(TimeDelta::minutes(15));
    let read_schedule = match template {
        Some(Template::Edition) => Some(read_schedule_by_word(&schedule, config)),
        _ => read_schedule(&schedule, config, now),
    };
    schedule.finish();

    if let (Some(schedule), Kind::Newsletter(_)) = (&read_schedule, &kind) {
        newsletter::check_monthly(&root, schedule, now);
    }
    let provides: &[Provides] = match template {
        Some(Template::Agenda) => &[Provides::Article, Provides::Listings],
        Some(Template::Newsletter) => &[Provides::News],
        Some(Template::Edition) => &[],
        None => &[Provides::Article, Provides::News, Provides::Listings],
    };
    let sections = if template == Some(Template::Edition) { Vec::new() } else { root.sections("source") };
    let sources: Vec<_> = sections.into_iter().filter_map(|section| read_source(section, config, provides)).collect();
    if !root.has("source") && template != Some(Template::Edition) {
        root.problem("source", "missing; write for example source = [{ kind = \"page\", url = \"https://…\" }]");
    }
    let provides_article = |rule: &SourceRule| rule.source.provides() == Provides::Article;
    if template == Some(Template::Agenda) && !sources.is_empty() && !sources.iter().any(provides_article) {
        let kinds = "\"wordpress\", \"page\" or \"file\"";
        root.problem("source", format!("an agenda needs a source of its article: one of kind {kinds}"));
    }
    root.finish();
    Some(Mailing {
        id,
        title: title?,
        schedule: read_schedule?,
        retry,
        compose_before,
        rehearse,
        sources,
        kind: template.map(|_| kind)?,
        audience: subscribed,
        segment,
        approval,
        second_person,
        staff_mails: read_staff_mails,
        sender_name,
        sender_address,
    })
}

fn read_agenda(root: &Section) -> Agenda {
    let covers =
        root.parsed("covers", |text| word(text, &[("next week", Covers::NextWeek), ("this week", Covers::ThisWeek)]));
    let attach = root.value("attach", |raw| {
        let kinds = [("poster", Attach::Poster), ("booklet", Attach::Booklet)];
        raw.texts()?.iter().map(|text| word(text, &kinds)).collect::<Result<Vec<_>, _>>()
    });
    let gates = root.section("gates");
    let default = Gates::default();
    let gate = |key, bounds, default| gates.whole(key, bounds).and_then(|n| usize::try_from(n).ok()).unwrap_or(default);
    let read_gates = Gates {
        min_events: gate("min_events", 1..=1000, default.min_events),
        max_unplaced_percent: gate("max_unplaced_percent", 0..=100, default.max_unplaced_percent),
        ..default
    };
    gates.finish();
    Agenda { covers: covers.unwrap_or(Covers::NextWeek), attach: attach.unwrap_or_default(), gates: read_gates }
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

/// Without `cron`, which would never fire for this kind.
fn read_schedule_by_word(section: &Section, config: &Config) -> Schedule {
    if section.has("cron") {
        section.problem("cron", "not allowed: an edition is sent when somebody announces it");
        section.text("cron");
    }
    let zone = section.parsed("zone", parse_zone).unwrap_or(config.zone);
    let catch_up = section.duration("catch_up").unwrap_or(TimeDelta::hours(12));
    let deadline = section.parsed("deadline", parse_deadline).unwrap_or(Deadline::After(TimeDelta::hours(72)));
    Schedule::by_word(zone, catch_up, deadline)
}

pub(crate) fn web_address(text: &str) -> Result<Url, String> {
    let web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.has_host();
    text.parse::<Url>().ok().filter(web).ok_or_else(|| "expected an address such as https://office.example".to_owned())
}

/// One of a closed list of words.
pub(crate) fn word<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
        format!("expected {}, found {text:?}", names.join(" or "))
    })
}

/// `Sat 20:00`
fn parse_day_and_hour(text: &str) -> Option<(Weekday, NaiveTime)> {
    let (day, time) = text.split_once(' ')?;
    Some((day.parse().ok()?, NaiveTime::parse_from_str(time, "%H:%M").ok()?))
}

/// `Fri 17:00`, or a duration of at most a week.
fn parse_rehearsal(text: &str) -> Result<Rehearsal, String> {
    let before =
        || parse_duration(text).ok().filter(|lead| (TimeDelta::minutes(1)..=TimeDelta::days(7)).contains(lead));
    let at = parse_day_and_hour(text).map(|(day, time)| Rehearsal::At(day, time));
    at.or_else(|| before().map(Rehearsal::Before)).ok_or_else(|| {
        format!("expected a day and an hour such as \"Fri 17:00\", or how long before such as \"15h\", found {text:?}")
    })
}

/// `Sat 20:00`, or a duration.
fn parse_deadline(text: &str) -> Result<Deadline, String> {
    let at = || parse_day_and_hour(text).map(|(day, time)| Deadline::At(day, time));
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
        let newsletter = mailings.iter().find(|m| m.id == "newsletter").unwrap();
        let tuesday: Timestamp = "2026-01-06T08:00:00Z".parse().unwrap();
        assert_eq!(newsletter.schedule.next_after(now()), Some(tuesday));
        assert_eq!(newsletter.issue_key(tuesday).as_str(), "newsletter/2026-01");
        assert_eq!((newsletter.approval, newsletter.compose_before), (Approval::Required, TimeDelta::days(3)));
        let Kind::Newsletter(Newsletter { sections }) = &newsletter.kind else { panic!("{newsletter:?}") };
        assert!(matches!(sections[..], [Part::Editorial { .. }, Part::News { .. }, Part::News { .. }, ..]));
    }

    #[test]
    fn an_edition_mailing_has_no_schedule_and_no_sources() {
        let editions = load(&config(Some("https://office.example")), now()).unwrap();
        let editions = editions.iter().find(|m| m.is_of_editions()).unwrap();
        assert_eq!((editions.id.as_str(), editions.schedule.next_after(now())), ("editions", None));
        assert!(editions.schedule.is_due_at(now()), "any hour that somebody names");
        let text = "title = 'x'\ntemplate = 'edition'\nsource = [{ kind = 'posts' }]\n[schedule]\ncron = '0 8 * * *'";
        let said = parse(Path::new("jobs/editions.toml"), text, &config(None), now()).unwrap_err().to_string();
        let orders = parse(Path::new("jobs/orders.toml"), text, &config(None), now()).unwrap_err().to_string();
        assert!(orders.contains("jobs/orders.toml: expected another name"), "{orders}");
        let weekly = "title = 'x'\ntemplate = 'agenda'\nsource = [{ kind = 'file', path = 'a.html' }]\n\
                      [schedule]\ncron = '0 8 * 7,8 SAT'\ndeadline = 'Sat 20:00'";
        for page in PAGES {
            let path = PathBuf::from(format!("jobs/{page}.toml"));
            let said = parse(&path, weekly, &config(None), now()).unwrap_err().to_string();
            assert!(said.contains(&format!("jobs/{page}.toml: expected another name")), "{said}");
        }
        for part in ["jobs/editions.toml:3: source: unknown key", "jobs/editions.toml:5: schedule.cron: not allowed"] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
    }

    #[test]
    fn a_newsletter_that_would_lose_something_is_refused() {
        let text = "title = 'Lettre'\ntemplate = 'newsletter'\ncompose_before = '3d'\nattach = ['poster']\n\
                    source = [{ kind = 'posts' }]\n\
                    section = [{ kind = 'editorial', file = 'edito.md' }, { kind = 'news', communes = ['Auch'] }, { kind = 'x' }]\n\
                    [schedule]\ncron = '0 9 * * TUE'";
        let config = config(Some("https://office.example"));
        let said = parse(Path::new("jobs/letter.toml"), text, &config, now()).unwrap_err().to_string();
        for part in [
            "jobs/letter.toml:3: compose_before: only where approval = \"required\"",
            "jobs/letter.toml:4: attach: unknown key",
            "section[0].file: expected {period} in it",
            "section[2].kind: expected \"editorial\" or \"news\"",
            "jobs/letter.toml:6: section: expected one section of kind \"news\" without categories and communes",
            "jobs/letter.toml:7: schedule: expected one occurrence a month, found two in 2026-01",
        ] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
    }

    #[test]
    fn all_problems_of_a_file_are_reported_at_once() {
        let text = "titel = 'x'\ntemplate = 'letter'\nattach = ['flyer']\n\
                    source = [{ kind = 'wordpress', search = 'x' }, { kind = 'ftp' }]\n\
                    [schedule]\ncron = '0 8 * 13 SAT'\ndeadline = 'soon'\n[gates]\nmin_events = 0";
        let said = parse(Path::new("jobs/Agenda 1.toml"), text, &config(None), now()).unwrap_err().to_string();
        for part in [
            "jobs/Agenda 1.toml: the file's name is the mailing's id",
            "jobs/Agenda 1.toml: title: missing; write for example title = ",
            "jobs/Agenda 1.toml:1: titel: unknown key; did you mean title?",
            "jobs/Agenda 1.toml:2: template: expected \"agenda\" or \"newsletter\" or \"edition\", found \"letter\"",
            "jobs/Agenda 1.toml:3: attach: expected \"poster\" or \"booklet\", found \"flyer\"",
            "source[1].kind: expected \"wordpress\" or \"page\" or \"file\" or \"feed\"",
            "jobs/Agenda 1.toml:6: schedule.cron: not a cron pattern",
            "jobs/Agenda 1.toml:7: schedule.deadline: expected a day and an hour",
            "jobs/Agenda 1.toml:9: gates.min_events: expected 1 to 1000, found 0",
        ] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
    }

    #[test]
    fn event_databases_report_missing_settings() {
        let mailing = |sources: &str| {
            let text = format!(
                "title = 'x'\ntemplate = 'agenda'\nsource = [{{ kind = 'file', path = 'a.html' }}, {sources}]\n\
                 [schedule]\ncron = '0 8 * 7,8 SAT'\ndeadline = 'Sat 20:00'"
            );
            parse(Path::new("jobs/agenda.toml"), &text, &config(None), now())
        };
        let good = "{ kind = 'openagenda', agenda = 111, key_file = 'k' }, \
                    { kind = 'datatourisme', filters = 'x[eq]=32', key_file = 'k' }, \
                    { kind = 'datatourisme_flux', path = 'flux' }, \
                    { kind = 'apidae', project = 1, selections = ['2'], key_file = 'k' }, \
                    { kind = 'tourinsoft', url = 'https://t.example/{key}/Objects', key_file = 'k' }, \
                    { kind = 'tourinsoft_v3', url = 'https://t.example/x', fields = { commune = 'A.B', opens = ['h'] } }";
        let sources = mailing(good).unwrap().sources;
        assert_eq!(sources.len(), 7);
        assert!(sources[1..].iter().all(|rule| rule.source.provides() == Provides::Listings));
        let Source::TourinsoftV3 { fields, .. } = &sources[6].source else { panic!("{sources:?}") };
        assert_eq!((fields.commune.as_str(), fields.opens.as_slice()), ("A.B", &["h".to_owned()][..]));
        let bad = "{ kind = 'openagenda', agenda = -1 }, { kind = 'datatourisme', filters = '', key_file = 'k' }, \
                   { kind = 'apidae', selections = ['x'] }, { kind = 'tourinsoft', url = 'https://t.example/{key}' }, \
                   { kind = 'tourinsoft_v3', url = 'https://t.example/x', fields = { comune = 'x' } }";
        let said = mailing(bad).unwrap_err().to_string();
        for part in [
            "source[1].key_file: missing; write for example key_file",
            "source[1].agenda: expected a number such as 12345678, found -1",
            "source[2].filters: expected a filter",
            "source[3].project: missing",
            "source[3].selections: \"x\" is no selection's number",
            "source[4].key_file: expected with {key} in the url",
            "source[5].fields.comune: unknown key; did you mean commune?",
        ] {
            assert!(said.contains(part), "{part}\nnot in\n{said}");
        }
    }
}
