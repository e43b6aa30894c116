//! Composing is deterministic (I6): approvals refer to bytes, so the same article must always give the same bytes.

use crate::support::town::{article, at, furnish};
use semainier::{
    app::App,
    clock::Clock,
    config::Config,
    domain::{agenda::Week, issue::Content},
    issue::{Due, agenda, content::content_hash},
    toml_reader::Overrides,
};

async fn composed(config: &std::path::Path, now: &str) -> Content {
    let text = std::fs::read_to_string(config).unwrap();
    let config = Config::parse(Some(config), &text, &Overrides::default()).unwrap();
    let app = App::new(config, Clock::manual(at(now))).unwrap();
    let mailing = app.mailing("agenda").unwrap();
    let occurrence = at("2026-07-04T06:00:00Z");
    let due = Due::scheduled(mailing, occurrence, mailing.schedule.deadline_of(occurrence));
    let publishes = mailing.agenda().unwrap();
    let found = agenda::collect(&app, due, publishes, None, &Default::default()).await.outcome.unwrap();
    agenda::compose(&app, due, publishes, &found).await.unwrap()
}

#[tokio::test]
async fn composed_twice_a_day_apart_mail_and_papers_have_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mailing = "title = 'Que faire'\ntemplate = 'agenda'\ncovers = 'next week'\naudience = { subscribed = 'agenda' }\n\
        attach = ['poster', 'booklet']\nsource = [{ kind = 'file', path = 'ARTICLES/agenda.html' }]\n\
        schedule = { cron = '0 8 * 7,8 SAT', zone = 'Europe/Paris', catch_up = '12h', deadline = 'Sat 20:00' }\n";
    let config = furnish(dir.path(), &[("agenda".to_owned(), mailing.to_owned())], None, "capture:outbox", "");
    let week = Week::of("2026-07-06".parse().unwrap());
    std::fs::write(dir.path().join("articles/agenda.html"), article(week)).unwrap();
    let friday = composed(&config, "2026-07-03T15:00:00Z").await;
    let saturday = composed(&config, "2026-07-04T15:00:00Z").await;
    assert_eq!(friday.attachments.len(), 2);
    assert_eq!(content_hash(&friday), content_hash(&saturday));
    assert!(friday == saturday, "the same article gives the same content");
}
