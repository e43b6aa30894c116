//! July and August 2026. The office publishes each Friday at 18 h; one week it does so on Saturday only, one week it
//! publishes last week's programme again, one week nothing. The relay misbehaves as its recipients ask, and is away one
//! morning; the machine is off over one Saturday morning, and over one whole week-end. At the end the ledger tells exactly
//! this, and the relay's own ledger agrees.

use super::until;
use crate::support::{
    postgres,
    serve::Serve,
    sky::Sky,
    smtp::{Accepted, Options, SmtpRelay},
    town::{self, STAFF, article, at, furnish, subscribe, summer_saturdays},
    web::{Post, Web},
};
use chrono::TimeDelta;
use semainier::{
    clock::Clock,
    domain::{Timestamp, agenda::Week, delivery::State, french, issue::IssueState},
    store::{self, Access, LogFilter, Store},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// What the relay is to do with each, for the whole summer.
const PARTNERS: [&str; 10] = [
    "hotel@auch.example",
    "gite@pavie.example",
    "ferme@preignan.example",
    "musee@auch.example",
    "camping@duran.example",
    // Not known yet the first time.
    "grey1@auch.example",
    // No such address: never written to again.
    "f550@auch.example",
    "f552@auch.example",
    // Later, always later.
    "d452@auch.example",
    // Accepted, and nobody hears it.
    "dropafter@auch.example",
];

const AGENDA: &str = "title = 'Que faire à Auch cette semaine'\ntemplate = 'agenda'\ncovers = 'next week'\n\
    attach = ['poster']\naudience = { subscribed = 'all' }\n\
    source = [{ kind = 'wordpress', url = 'SITE', search = 'Que faire à Auch cette semaine' }]\n\
    [schedule]\ncron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'\n\
    [staff_mails]\neve = 'off'\nsummary = 'off'\n";

/// A summer, with everything in it that the story touches.
struct Summer {
    dir: tempfile::TempDir,
    config: PathBuf,
    sky: Sky,
    web: Web,
    relay: SmtpRelay,
    /// By relays that went away.
    accepted_before: Vec<Accepted>,
    store: Arc<dyn Store>,
    daemon: Option<Serve>,
    _database: Option<postgres::Database>,
}

impl Summer {
    async fn begin(database: Option<postgres::Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let web = Web::wordpress(vec![]);
        let relay = SmtpRelay::start(Options::default()).await;
        let more = format!("[fetch]\nallow = ['{}']\n[delivery]\nconnections = 2\n", web.host());
        let agenda = AGENDA.replace("SITE", web.url("/").as_str());
        let mailings = [("agenda".to_owned(), agenda)];
        let url = database.as_ref().map(|it| it.url.clone());
        let config = furnish(dir.path(), &mailings, url.as_deref(), &relay.url(), &more);
        let begin = at("2026-07-01T06:00:00Z");
        let engine = town::engine(&config, Clock::manual(begin)).await;
        subscribe(&engine, &PARTNERS).await;
        drop(engine);
        let url = url.unwrap_or_else(|| format!("sqlite://{}", dir.path().join("semainier.db").display()));
        let store = store::open(&url, Access::Shared).await.unwrap();
        let sky = Sky::at(dir.path(), begin);
        let summer =
            Self { dir, config, sky, web, relay, accepted_before: vec![], store, daemon: None, _database: database };
        summer.and_the_daemon()
    }

    fn and_the_daemon(mut self) -> Self {
        self.power_on();
        self
    }

    fn power_on(&mut self) {
        let mut daemon = self.sky.serve(&self.config);
        daemon.hear("semainier started");
        self.daemon = Some(daemon);
    }

    /// As a cleaner does, with the plug.
    fn power_cut(&mut self) {
        self.daemon.take().unwrap().signal("KILL");
    }

    /// The programme of a week, with its title as the office writes it; `told` may be another week than the title says.
    fn publish(&self, week: Week, told: Week, when: Timestamp) {
        let title = format!("Que faire à Auch cette semaine ? Du {}", french::week(week));
        let html = article(told);
        let content = html.split("</h1>").nth(1).unwrap().split("</article>").next().unwrap();
        self.web.publish(Post::new(&title, &when.format("%Y-%m-%dT%H:%M:%S").to_string(), content));
    }

    /// It is this hour, and everything that can be done at it is done.
    async fn passes(&self, hour: Timestamp, occurrences: usize) {
        self.sky.set(hour + TimeDelta::seconds(5));
        until(&hour.to_rfc3339(), &self.store, async |store| {
            // What was frozen a moment ago is due a moment after the hour; what is tried again comes minutes later.
            let hour = hour + TimeDelta::minutes(5);
            // In this order: what is claimed while we look is not due any more, and then seen in flight.
            let looked = store.occurrences(None, 100).await.unwrap().len() == occurrences
                && store.due_occurrences(hour).await.unwrap().is_empty();
            let tried = store.next_due(None).await.unwrap().is_none_or(|at| at > hour);
            let over = |state, at| matches!(state, IssueState::Held | IssueState::Sending) && at <= hour;
            let settled = store
                .open_issues()
                .await
                .unwrap()
                .iter()
                .all(|it| it.counts.claimed + it.counts.in_data == 0 && !over(it.state(), it.expires_at));
            looked && tried && settled && store.pending_notices().await.unwrap().is_empty()
        })
        .await;
    }

    /// A Saturday on which the article is there at eight.
    async fn saturday(&self, n: usize, hours: &[TimeDelta]) {
        for hour in hours {
            self.passes(saturday(n) + *hour, n + 1).await;
        }
    }

    async fn the_relay_goes_away(&mut self) {
        let away = Options { greeting: Some("421 4.3.2 maintenance".to_owned()), ..Options::default() };
        self.replace_relay(away).await;
    }

    async fn the_relay_comes_back(&mut self) {
        self.replace_relay(Options::default()).await;
    }

    async fn replace_relay(&mut self, options: Options) {
        self.accepted_before.append(&mut self.relay.seen().accepted);
        let other = SmtpRelay::start(Options::default()).await;
        let address = std::mem::replace(&mut self.relay, other).end().await;
        self.relay = SmtpRelay::start_at(address, options).await;
    }

    fn accepted(&self) -> Vec<Accepted> {
        let now = self.relay.seen().accepted.clone();
        self.accepted_before.iter().cloned().chain(now).collect()
    }
}

fn saturday(n: usize) -> Timestamp {
    summer_saturdays(2026)[n]
}

fn friday(n: usize) -> Timestamp {
    saturday(n) - TimeDelta::hours(14)
}

fn week(n: usize) -> Week {
    Week::after(saturday(n).date_naive())
}

/// Eight o'clock; when the greylisted are tried again; when it is too late.
fn usual_hours() -> [TimeDelta; 3] {
    [TimeDelta::zero(), TimeDelta::minutes(30), TimeDelta::hours(12)]
}

async fn lives_through_the_summer(database: Option<postgres::Database>) {
    let mut summer = Summer::begin(database).await;
    let [eight, again, too_late] = usual_hours();
    // 4 and 11 July: as it should be.
    for n in [0, 1] {
        summer.publish(week(n), week(n), friday(n));
        summer.saturday(n, &usual_hours()).await;
    }
    // 18 July: published on Saturday at eleven.
    summer.saturday(2, &[eight, TimeDelta::hours(2)]).await;
    summer.publish(week(2), week(2), saturday(2) + TimeDelta::hours(3));
    summer.saturday(2, &[TimeDelta::hours(4), too_late]).await;
    // 25 July: last week's programme under the new title.
    summer.publish(week(3), week(2), friday(3));
    summer.saturday(3, &[eight, TimeDelta::hours(5), too_late]).await;
    // 1 August: nothing.
    summer.saturday(4, &[eight, too_late]).await;
    // 8 August: the relay is away until ten.
    summer.publish(week(5), week(5), friday(5));
    summer.the_relay_goes_away().await;
    summer.sky.set(saturday(5) + TimeDelta::seconds(5));
    until("the relay is left alone", &summer.store, async |store| {
        store.pending_notices().await.unwrap().iter().any(|it| it.notice.kind() == "relay")
    })
    .await;
    summer.the_relay_comes_back().await;
    summer.saturday(5, &[TimeDelta::hours(2), TimeDelta::hours(2) + again, too_late]).await;
    // 15 August: the machine is off from Friday on, and comes back on Saturday at eleven.
    summer.publish(week(6), week(6), friday(6));
    summer.power_cut();
    summer.sky.set(saturday(6) + TimeDelta::hours(3));
    summer.power_on();
    summer.saturday(6, &[TimeDelta::hours(3), TimeDelta::hours(3) + again, too_late]).await;
    // 22 August: off until Sunday evening.
    summer.publish(week(7), week(7), friday(7));
    summer.power_cut();
    summer.sky.set(saturday(7) + TimeDelta::hours(35));
    summer.power_on();
    summer.passes(saturday(7) + TimeDelta::hours(35), 8).await;
    // 29 August: as it should be, and then autumn.
    summer.publish(week(8), week(8), friday(8));
    summer.saturday(8, &usual_hours()).await;
    summer.passes(at("2026-09-30T12:00:00Z"), 9).await;
    let ended = summer.daemon.take().unwrap().stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(summer.dir.path().exists());

    the_ledger_tells(&summer).await;
    both_ledgers_agree(&summer).await;
    staff_were_told(&summer);
}

async fn the_ledger_tells(summer: &Summer) {
    let mut occurrences = summer.store.occurrences(Some("agenda"), 100).await.unwrap();
    occurrences.reverse();
    let told: Vec<_> = occurrences
        .iter()
        .map(|it| format!("{} {} {}", &it.local[5..16], it.state.as_str(), it.reason.as_deref().unwrap_or_default()))
        .collect();
    let wrong = format!(
        "07-25T08:00 missed l’article « Que faire à Auch cette semaine ? Du {} » parle de la semaine {}, et non de la \
         semaine {}",
        french::week(week(3)),
        french::week(week(2)),
        french::week(week(3))
    );
    let expected = [
        "07-04T08:00 done ",
        "07-11T08:00 done ",
        "07-18T08:00 done ",
        wrong.as_str(),
        "08-01T08:00 missed ",
        "08-08T08:00 done ",
        "08-15T08:00 done ",
        "08-22T08:00 missed le service n’a pu s’en occuper que 35 h après l’heure prévue",
        "08-29T08:00 done ",
    ];
    let plain = |text: &str| text.replace(['\u{a0}', '\u{202f}'], " ");
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        let same =
            plain(told) == plain(expected) || expected.ends_with("08-01T08:00 missed ") && told.starts_with(expected);
        assert!(same, "{told}\nis not\n{expected}");
    }

    let mut issues = summer.store.issues().await.unwrap();
    issues.reverse();
    let sums: Vec<_> = issues.iter().map(|it| format!("{} {}: {}", it.key, it.state().as_str(), it.counts)).collect();
    let usual = "10 = 6 sent + 1 failed + 1 unknown + 1 suppressed + 1 expired";
    let expected = [
        // The dead address is found out the first time.
        "agenda/2026-W28 done: 10 = 6 sent + 2 failed + 1 unknown + 1 expired".to_owned(),
        format!("agenda/2026-W29 done: {usual}"),
        format!("agenda/2026-W30 done: {usual}"),
        "agenda/2026-W31 expired: nobody".to_owned(),
        "agenda/2026-W32 expired: nobody".to_owned(),
        format!("agenda/2026-W33 done: {usual}"),
        format!("agenda/2026-W34 done: {usual}"),
        // The mailbox that was full five times is written to no more.
        "agenda/2026-W36 done: 10 = 6 sent + 1 unknown + 2 suppressed + 1 expired".to_owned(),
    ];
    assert_eq!(sums, expected);
}

/// O1 to O3 and O6: what we say was sent was taken once, and nothing else was.
async fn both_ledgers_agree(summer: &Summer) {
    let accepted = summer.accepted();
    let mut taken = BTreeMap::<String, usize>::new();
    for it in &accepted {
        *taken.entry(it.message_id.trim_matches(['<', '>']).to_owned()).or_default() += 1;
    }
    let log = summer.store.log(&LogFilter::default()).await.unwrap();
    assert_eq!(log.len(), 60);
    for delivery in &log {
        let times = taken.remove(&delivery.message_id).unwrap_or_default();
        let expected = match delivery.state {
            State::Sent | State::Unknown => 1,
            State::Failed | State::Suppressed | State::Expired => 0,
            state => panic!("{} is {state}", delivery.message_id),
        };
        assert_eq!(times, expected, "{} to {}: {}", delivery.issue, delivery.address, delivery.state);
    }
    assert!(taken.keys().all(|id| id.contains("equipe")), "the relay took what nobody knows of: {taken:?}");
}

fn staff_were_told(summer: &Summer) {
    let accepted = summer.accepted();
    let told = accepted.iter().filter(|it| it.recipient == STAFF);
    let mut told: Vec<_> =
        told.map(|it| it.message_id.trim_start_matches('<').split(".equipe").next().unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "agenda-2026-w30.held",
            "agenda-2026-w30.resolved",
            "agenda-2026-w31.expired",
            "agenda-2026-w31.held",
            "agenda-2026-w32.expired",
            "agenda-2026-w32.held",
            "agenda-2026-w33.relay",
            "agenda-2026-w35.missed",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_runs_through_july_and_august_on_sqlite() {
    lives_through_the_summer(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_runs_through_july_and_august_on_postgres() {
    lives_through_the_summer(Some(postgres::Database::create().await)).await;
}
