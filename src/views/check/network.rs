//! The relay, the site, the mailbox of bounces and every source, concurrently, each with its own time limit.

use super::{Level, Report, chain, is_example, mailing_file, settings_file};
use crate::app::App;
use crate::collect::source::{CollectError, Provides};
use crate::deliver::{self, Relay};
use crate::domain::{agenda::Week, delivery::Phase};
use crate::inbound::imap;
use crate::jobs::{Mailing, SourceRule};
use chrono::TimeDelta;
use futures_util::future::join_all;

/// The period of news to ask for.
const NEWS: TimeDelta = TimeDelta::days(31);

pub(super) async fn ask(app: &App, report: &mut Report) {
    let rules =
        app.mailings.iter().flat_map(|mailing| mailing.sources.iter().enumerate().map(move |(n, it)| (mailing, n, it)));
    let rules: Vec<_> = rules.collect();
    let sources = join_all(rules.iter().map(|(mailing, _, rule)| source(app, mailing, rule)));
    let (relay, site, mailbox, sources) = tokio::join!(relay(app), site(app), mailbox(app), sources);
    for answer in [relay, site, mailbox].into_iter().flatten() {
        match answer {
            Ok(line) => report.well(line),
            Err((key, message)) => report.find(Level::Error, settings_file(app), key, message),
        }
    }
    for ((mailing, n, rule), answer) in rules.into_iter().zip(sources) {
        let (name, key) = (rule.source.name(), format!("source[{n}]"));
        match answer {
            None => {}
            Some(Ok(found)) => report.well(format!("{} {key}, {name}: {found}", mailing.id)),
            Some(Err(error)) => {
                let level = if rule.required { Level::Error } else { Level::Warning };
                report.find(level, mailing_file(app, &mailing.id), key, chain(&error));
            }
        }
    }
}

type Answer = Option<Result<String, (&'static str, String)>>;

async fn relay(app: &App) -> Answer {
    let Ok(relay @ Relay::Smtp(smtp)) = &app.relay() else { return None };
    Some(match deliver::greet(relay, &app.config.relay_ca).await {
        Ok(()) if smtp.login.is_some() => Ok(format!("relay: {relay} accepts the login")),
        Ok(()) => Ok(format!("relay: {relay} is available")),
        Err(trouble) => {
            let key = match trouble.phase {
                Phase::Auth => "relay, relay_password_file",
                Phase::Ehlo => "delivery.hello, relay",
                _ => "relay",
            };
            Err((key, trouble.to_string()))
        }
    })
}

/// The mailbox of bounces by IMAP; `semainier doctor` says more.
async fn mailbox(app: &App) -> Answer {
    let settings = app.config.inbound.imap.as_ref()?;
    Some(match imap::probe(settings, &imap::Timing::default()).await {
        Ok(_) => Ok(format!("bounces are read from {settings}")),
        Err(why) => Err(("inbound.imap", format!("bounces cannot be read from {settings}: {why}"))),
    })
}

async fn site(app: &App) -> Answer {
    let site = app.config.website();
    if site.host_str().is_some_and(is_example) {
        return None;
    }
    Some(match app.fetcher.page(&site).await {
        Ok(_) => Ok(format!("site: {site} is available")),
        Err(error) => Err(("office.website", chain(&error))),
    })
}

/// `None` for an example site, which is reported already.
async fn source(app: &App, mailing: &Mailing, rule: &SourceRule) -> Option<Result<String, CollectError>> {
    let (source, now) = (&rule.source, app.clock.now());
    if is_example(&source.name()) {
        return None;
    }
    Some(match source.provides() {
        Provides::Article => source.articles(&app.fetcher, now).await.map(|it| format!("{} articles", it.len())),
        Provides::News => {
            let news = source.news(&app.fetcher, now - NEWS, now).await;
            news.map(|it| format!("{} pieces of news in the last {} days", it.items.len(), NEWS.num_days()))
        }
        Provides::Listings => {
            let week = Week::after(mailing.day(now));
            let days = week.monday()..=week.sunday();
            let listings = source.listings(&app.fetcher, days, mailing.schedule.zone, now).await;
            listings.map(|it| format!("{} events next week", it.items.len()))
        }
    })
}
