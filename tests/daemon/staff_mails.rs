//! Mails to staff by the clock: on the evening before an issue leaves, on the working morning after, and silence.

use crate::support::town::{NO_MAILS_BY_THE_CLOCK, STAFF, Town, at, engine, mailing};
use chrono::TimeDelta;
use semainier::{
    actions::{Actor, Door, issues},
    clock::Clock,
    daemon::Daemon,
    domain::{Timestamp, issue::IssueKey},
    views::readiness::readiness,
};

const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'";
const FRIDAY: &str = "2026-07-03T15:00:00Z";

fn saturday() -> Timestamp {
    at("2026-07-04T06:00:00Z")
}

/// With the mails by the clock at their hours.
fn agenda() -> (String, String) {
    let (name, text) = mailing("agenda", AGENDA);
    (name, text.replace(NO_MAILS_BY_THE_CLOCK, ""))
}

/// On Wednesday. `more`: further keys of the mailing; `tail`: further sections.
async fn office(more: &str, tail: &str) -> Town {
    let (name, text) = agenda();
    let text = format!("{}\n{tail}", text.replace("template =", &format!("{more}\ntemplate =")));
    let town = Town::at("2026-07-01T08:00:00Z", &[(name, text)]).await;
    town.daemon.beat().await;
    town.publish_for("agenda", saturday());
    town
}

impl Town {
    /// As [`Town::pass_at`], of a daemon whose heart beats.
    async fn alive_at(&self, hour: &str) {
        self.clock.advance(at(hour) - self.clock.now());
        self.daemon.beat().await;
        self.daemon.pass(&self.stop).await;
    }

    /// Kinds of what is wrong now.
    async fn findings(&self) -> Vec<&'static str> {
        let engine = self.engine();
        let (config, mailings) = (&engine.app.config, &engine.app.mailings);
        let found = readiness(&*engine.store, config, mailings, self.clock.now()).await.unwrap();
        found.findings.iter().map(|finding| finding.kind()).collect()
    }
}

#[tokio::test]
async fn staff_are_told_on_the_evening_before_what_leaves_to_how_many_and_what_is_missing() {
    let town = office("", "").await;
    town.alive_at("2026-07-03T14:59:00Z").await;
    assert_eq!(town.told("eve"), 0);
    town.alive_at(FRIDAY).await;
    assert_eq!(town.told("w28-eve"), 1);
    let mail = town.text_of(STAFF, "w28-eve");
    let said = mail.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Je ne peux pas le promettre. Rien n’est composé encore : l’article sera lu à l’heure de l’envoi.",
        "« Lettre agenda » part demain à 8 h à 2 partenaires.",
        "Le service tourne.",
        "semainier issues rehearse agenda/2026-W28",
        "semainier issues skip agenda/2026-W28 --why \"MOTIF\"",
    ] {
        assert!(said.contains(part), "{part} is not in\n{mail}");
    }
    // Once, whatever happens until it leaves; and nobody else is told anything.
    town.live_until(at("2026-07-04T05:59:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.told("eve"), town.mails("hotel@auch.example", "")), (1, 0));
    // The next one is a week later.
    town.publish_for("agenda", at("2026-07-11T06:00:00Z"));
    town.live_until(at("2026-07-10T14:59:00Z"), TimeDelta::hours(6)).await;
    assert_eq!(town.told("eve"), 1);
    town.alive_at("2026-07-10T15:00:00Z").await;
    assert_eq!(town.told("w29-eve"), 1);
}

#[tokio::test]
async fn the_rehearsal_of_that_evening_is_the_mail_and_nothing_is_said_twice() {
    let town = office("rehearse = 'Fri 17:00'", "").await;
    town.alive_at(FRIDAY).await;
    town.live_until(at("2026-07-03T18:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.told("w28-rehearsed"), town.told("eve")), (1, 0));
    let said = town.text_of(STAFF, "w28-rehearsed").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Vous pouvez dormir.") && said.contains("issues freeze agenda/2026-W28"), "{said}");
    assert_eq!(town.findings().await.iter().filter(|kind| **kind == "silence").count(), 0, "it was told");

    // Without an article it is held, which is said once, too.
    let town = office("rehearse = 'Fri 17:00'", "").await;
    town.nothing_published("agenda");
    town.alive_at(FRIDAY).await;
    town.live_until(at("2026-07-03T18:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.told("w28-held"), town.told("w28-")), (1, 1));

    // One that was rehearsed on another day says nothing of that evening.
    let town = office("rehearse = 'Wed 17:00'", "").await;
    town.live_until(at("2026-07-03T14:59:00Z"), TimeDelta::hours(3)).await;
    assert_eq!((town.told("w28-rehearsed"), town.told("eve")), (1, 0));
    town.alive_at(FRIDAY).await;
    assert_eq!(town.told("eve"), 1);
    let said = town.text_of(STAFF, "w28-eve");
    assert!(said.contains("semainier issues show agenda/2026-W28"), "{said}");
}

#[tokio::test]
async fn an_issue_that_somebody_stopped_is_said_to_stay_and_one_that_left_is_not_announced() {
    let claire = Actor::new("Claire", Door::CommandLine).unwrap();
    let key = IssueKey::parse("agenda/2026-W28").unwrap();
    let town = office("rehearse = 'Fri 17:00'", "").await;
    issues::skip(&town.engine(), &claire, &key, "fête annulée").await.unwrap();
    town.alive_at(FRIDAY).await;
    let said = town.text_of(STAFF, "w28-eve").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Rien ne part : c’est voulu.") && said.contains("fête annulée"), "{said}");
    assert!(said.contains("semainier issues unskip agenda/2026-W28") && !said.contains("issues skip"), "{said}");

    let off = office("", "[staff_mails]\neve = 'off'\nsummary = 'off'").await;
    off.live_until(at("2026-07-07T10:00:00Z"), TimeDelta::hours(1)).await;
    assert_eq!((off.mails("hotel@auch.example", ""), off.told("eve"), off.told("summary")), (1, 0, 0));
}

#[tokio::test]
async fn two_daemons_send_one_mail_of_the_evening_and_one_summary() {
    let database = crate::support::postgres::Database::create().await;
    let (name, text) = agenda();
    let dir = tempfile::tempdir().unwrap();
    let more = "[delivery]\nconnections = 1\n";
    let config =
        crate::support::town::furnish(dir.path(), &[(name, text)], Some(&database.url), "capture:outbox", more);
    let clock = Clock::manual(at("2026-07-01T08:00:00Z"));
    let (one, other) = (engine(&config, clock.clone()).await, engine(&config, clock.clone()).await);
    crate::support::town::subscribe(&one, &["hotel@auch.example"]).await;
    let (one, other) = (Daemon::new(one).await.unwrap(), Daemon::new(other).await.unwrap());
    let stop = tokio_util::sync::CancellationToken::new();
    let town = Town { dir, clock, daemon: one, stop };
    town.daemon.pass(&town.stop).await;
    town.publish_for("agenda", saturday());
    for hour in [FRIDAY, "2026-07-03T16:00:00Z", "2026-07-04T06:00:00Z", "2026-07-06T06:30:00Z", "2026-07-06T07:00:00Z"]
    {
        town.clock.advance(at(hour) - town.clock.now());
        // At the same moment, and neither knows what the other has in memory.
        tokio::join!(town.daemon.pass(&town.stop), other.pass(&town.stop));
    }
    assert_eq!((town.told("eve"), town.told("summary")), (1, 1));
    assert_eq!(town.mails("hotel@auch.example", ""), 1);
}

#[tokio::test]
async fn a_notice_is_taken_by_one_process_until_it_dies_or_lets_it_go() {
    for postgres in [false, true] {
        let database = match postgres {
            true => Some(crate::support::postgres::Database::create().await),
            false => None,
        };
        let dir = tempfile::tempdir().unwrap();
        let url = database.as_ref().map(|it| it.url.as_str());
        let config = crate::support::town::furnish(dir.path(), &[agenda()], url, "capture:outbox", "");
        let town = engine(&config, Clock::manual(saturday())).await;
        let (store, key) = (&town.store, IssueKey::parse("agenda/2026-W28").unwrap());
        store.queue_notice(&key, &semainier::domain::notice::Notice::Eve, saturday()).await.unwrap();
        let claim = async |owner: &str, minutes: i64| {
            let now = saturday() + TimeDelta::minutes(minutes);
            store.claim_notices(owner, now + TimeDelta::minutes(20), now).await.unwrap().len()
        };
        assert_eq!((claim("a", 0).await, claim("b", 1).await, claim("a", 10).await), (1, 0, 1));
        assert_eq!((claim("b", 29).await, claim("b", 30).await), (0, 1), "its time is over");
        store.release_notices("a", None).await.unwrap();
        assert_eq!(claim("a", 31).await, 0, "it is not its own any more");
        store.release_notices("b", Some(&["eve:agenda/2026-W28"])).await.unwrap();
        assert_eq!(claim("a", 32).await, 1);
        store.notices_sent(&["eve:agenda/2026-W28"], saturday()).await.unwrap();
        assert_eq!(claim("a", 33).await, 0);
        let times = store.notice_of(&key, "eve").await.unwrap().unwrap();
        assert_eq!((times.created_at, times.sent_at), (saturday(), Some(saturday())));
        assert_eq!(store.notice_of(&key, "summary").await.unwrap(), None);
    }
}

#[tokio::test]
async fn silence_on_the_evening_before_is_a_finding_from_six_o_clock_on() {
    let (name, text) = agenda();
    // Nothing listens there.
    let town =
        Town::with_relay("2026-07-03T14:00:00Z", &[(name, text)], "smtp://127.0.0.1:9?tls=none", &["a@b.example"])
            .await;
    town.publish_for("agenda", saturday());
    town.alive_at(FRIDAY).await;
    let silence = async || town.findings().await.contains(&"silence");
    assert!(!silence().await, "it is five o’clock");
    town.alive_at("2026-07-03T15:59:00Z").await;
    assert!(!silence().await);
    town.alive_at("2026-07-03T16:00:00Z").await;
    assert!(silence().await, "no mail by six: {:?}", town.findings().await);
    assert!(!town.findings().await.contains(&"notices_pending"), "one finding says it");
    // Once the hour has come it is about the issue itself, and nobody is told of yesterday.
    town.alive_at("2026-07-04T06:00:00Z").await;
    assert!(!silence().await);
}

#[tokio::test]
async fn staff_get_a_summary_on_the_first_working_morning_with_whom_to_telephone() {
    let town = office("", "").await;
    town.live_until(at("2026-07-04T07:00:00Z"), TimeDelta::minutes(30)).await;
    let engine = town.engine();
    let log = engine.store.log(&Default::default()).await.unwrap();
    assert_eq!(log.len(), 2);
    town.alive_at("2026-07-06T06:29:00Z").await;
    assert_eq!(town.told("summary"), 0);
    town.alive_at("2026-07-06T06:30:00Z").await;
    assert_eq!(town.told("w28-summary"), 1);
    let said = town.text_of(STAFF, "w28-summary").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["« Lettre agenda » est parti le samedi 4 juillet 2026 à 8 h.", "2 destinataires : 2 remis au relais."]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(!said.contains("Refusés") && !said.contains("incertain") && !said.contains("commande"), "{said}");
    town.live_until(at("2026-07-09T10:00:00Z"), TimeDelta::hours(3)).await;
    assert_eq!(town.told("summary"), 1);
}

#[tokio::test]
async fn the_summary_says_whom_to_telephone_what_to_decide_and_where() {
    for console in [false, true] {
        let town = office("", "").await;
        town.live_until(at("2026-07-04T07:00:00Z"), TimeDelta::minutes(30)).await;
        let of = |address: &str| format!("(SELECT id FROM deliveries WHERE recipient_key = '{address}')");
        let (refused, doubtful) = (of("hotel@auch.example"), of("gite@pavie.example"));
        let sql = format!(
            "UPDATE deliveries SET state = 'failed' WHERE id = {refused};
             UPDATE attempts SET outcome = 'refused', phase = 'rcpt', code = 550, enhanced = '5.1.1', text = 'no such user'
                WHERE delivery = {refused};
             UPDATE deliveries SET state = 'unknown' WHERE id = {doubtful};
             UPDATE partners SET phone = '05 62 00 00 01';"
        );
        let url = format!("sqlite://{}", town.dir.path().join("semainier.db").display());
        let mut database = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
        if console {
            town.reload(|app| {
                app.config.console.bind = Some("127.0.0.1:0".parse().unwrap());
                app.config.console.url = Some("https://console.office.example".parse().unwrap());
            })
            .await;
        }
        town.alive_at("2026-07-06T06:30:00Z").await;
        let said = town.text_of(STAFF, "w28-summary").split_whitespace().collect::<Vec<_>>().join(" ");
        let places = match console {
            true => [
                "https://console.office.example/journal?envoi=agenda%2F2026%2DW28&etat=failed",
                "https://console.office.example/envois/agenda/2026-W28/incertains",
            ],
            false => ["semainier log --issue agenda/2026-W28 --state failed", "--state unknown"],
        };
        for part in [
            "2 destinataires : 1 refusé, 1 incertain.",
            "- Gîte, 05 62 00 00 01 : cette adresse n’existe pas (ou plus) : demandez-en une autre au partenaire",
            "Un envoi est incertain : le relais l’a peut-être. Il ne repart pas sans vous",
        ]
        .into_iter()
        .chain(places)
        {
            assert!(said.contains(part), "{part} is not in\n{said}");
        }
    }
}

#[tokio::test]
async fn once_a_year_staff_are_told_how_many_contacts_gave_no_sign_of_life() {
    for postgres in [false, true] {
        let database = match postgres {
            true => Some(crate::support::postgres::Database::create().await),
            false => None,
        };
        let dir = tempfile::tempdir().unwrap();
        let url = database.as_ref().map(|it| it.url.as_str());
        let config = crate::support::town::furnish(dir.path(), &[agenda()], url, "capture:outbox", "");
        let clock = Clock::manual(at("2026-07-01T08:00:00Z"));
        let one = engine(&config, clock.clone()).await;
        crate::support::town::subscribe(&one, &["hotel@auch.example"]).await;
        let daemon = Daemon::new(one).await.unwrap();
        let other = match postgres {
            true => Some(Daemon::new(engine(&config, clock.clone()).await).await.unwrap()),
            false => None,
        };
        let town = Town { dir, clock, daemon, stop: tokio_util::sync::CancellationToken::new() };
        let told_at = async |hour: &str| {
            town.clock.advance(at(hour) - town.clock.now());
            let second = async {
                if let Some(other) = &other {
                    other.staff_pass().await;
                }
            };
            tokio::join!(town.daemon.staff_pass(), second);
            town.told("silent")
        };
        assert_eq!(told_at("2029-02-01T08:00:00Z").await, 0, "it is not three years yet");
        assert_eq!(told_at("2030-02-01T07:00:00Z").await, 0, "it is eight o’clock");
        assert_eq!(told_at("2030-02-01T08:00:00Z").await, 1);
        assert_eq!(told_at("2030-02-01T08:00:30Z").await, 1);
        assert_eq!(told_at("2030-09-01T08:00:00Z").await, 1, "once a year");
        assert_eq!(told_at("2031-02-03T10:00:00Z").await, 2, "and by whoever runs again");
        let mail = town.text_of(STAFF, "contacts-2030-silent");
        assert!(mail.contains("1 contact") && mail.contains("semainier partners silent --years 3"), "{mail}");
        assert!(!mail.contains("hotel@"), "{mail}");
    }
}
