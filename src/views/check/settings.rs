//! Valid settings that are wrong for a real office: example values, bare host names, misleading schedules, unreadable secrets.

use super::{Level, Report, is_example, mailing_file};
use crate::app::App;
use crate::deliver::{Relay, hello};
use crate::domain::email::EmailAddress;
use crate::secret::read_link_keys;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use url::Url;

pub(super) fn look(app: &App, report: &mut Report) {
    for warning in app.config.warnings() {
        report.find(Level::Warning, "", "", warning);
    }
    credentials(app, report);
    signatures(app, report);
    examples(app, report);
    greeting(app, report);
    schedules(app, report);
    command(app, report);
}

/// Files with secrets, which are read only when needed.
fn credentials(app: &App, report: &mut Report) {
    let config = &app.config;
    let relay = config.relay.as_ref().and_then(|_| app.relay().err()).map(|why| format!("{why:#}"));
    let keys = config.link_keys_file.as_deref().and_then(|path| read_link_keys(path).err()).map(|why| why.to_string());
    for message in [relay, config.secret_place().problem(), keys].into_iter().flatten() {
        report.find(Level::Error, "", "", message);
    }
    if let Some(why) = config.alert.webhook.as_ref().and_then(|it| it.key().err()) {
        report.setting(app, Level::Error, "alert.webhook_secret_file", why);
    }
}

/// Keys that cannot be used, and senders that no key signs for although there are keys.
fn signatures(app: &App, report: &mut Report) {
    let keys = &app.config.dkim;
    for key in keys.iter() {
        match key.record() {
            Ok(record) => report.well(format!("DKIM signs; publish {} TXT \"{record}\"", key.name.record_name())),
            Err(why) => report.setting(app, Level::Error, "dkim", why.to_string()),
        }
    }
    let senders = app.mailings.iter().filter_map(|mailing| mailing.sender_address.as_ref());
    let domains: BTreeSet<_> = senders.chain([&app.config.sender.address]).map(EmailAddress::domain).collect();
    for domain in domains.into_iter().filter(|domain| !keys.is_empty() && keys.for_sender(domain).is_empty()) {
        let message =
            format!("no key signs for the sender domain {domain}, so the relay must; or add a key of that domain");
        report.setting(app, Level::Warning, "dkim", message);
    }
}

/// Only values of the file: missing ones are warnings already.
fn examples(app: &App, report: &mut Report) {
    let config = &app.config;
    if config.file.is_none() {
        return;
    }
    let host = |text: &str| text.parse::<Url>().ok().and_then(|url| url.host_str().map(str::to_owned));
    let domain = |address: &EmailAddress| Some(address.domain().to_owned());
    let relay = app.relay().ok().and_then(|relay| match relay {
        Relay::Smtp(relay) => Some(relay.host),
        Relay::Capture(_) => None,
    });
    let staff = config.staff.iter().map(|it| ("staff", domain(it)));
    let lists = [
        ("public_url", host(config.public_url.as_str()).filter(|_| !config.has_default_public_url())),
        ("console.url", config.console.url.as_ref().and_then(|url| host(url.as_str()))),
        ("office.website", config.office.website.as_deref().and_then(host)),
        ("office.email", config.office.email.as_deref().and_then(|it| Some(it.rsplit_once('@')?.1.to_owned()))),
        ("sender.address", domain(&config.sender.address).filter(|_| !config.has_default_sender())),
        ("sender.reply_to", config.sender.reply_to.as_ref().and_then(domain)),
        ("sender.return_path", config.sender.return_path.as_ref().map(|path| path.domain().to_owned())),
        ("relay", relay),
    ];
    let mut said = Vec::new();
    for (key, host) in lists.into_iter().chain(staff) {
        let Some(host) = host.filter(|host| is_example(host) && !said.contains(&key)) else { continue };
        said.push(key);
        report.setting(app, Level::Error, key, format!("still the value of the example ({host})"));
    }
}

/// Many relays refuse a host name without a dot.
fn greeting(app: &App, report: &mut Report) {
    if !matches!(app.relay(), Ok(Relay::Smtp(_))) || app.config.delivery.hello.is_some() {
        return;
    }
    let name = hello(None);
    if name.starts_with('[') {
        let message = "the host name has no dot, so EHLO sends the address of this machine, which many relays distrust; set \
                       the full name of this machine";
        report.setting(app, Level::Warning, "delivery.hello", message);
    } else {
        report.well(format!("EHLO sends {name}"));
    }
}

fn schedules(app: &App, report: &mut Report) {
    for mailing in &app.mailings {
        let Some((day, weekday)) = mailing.schedule.either_day() else { continue };
        let message = format!(
            "cron takes day of month or weekday: due on {day} of the month and on every {weekday}; write +{weekday} for \
             days that are both, or TUE#1 for the first Tuesday"
        );
        report.find(Level::Warning, mailing_file(app, &mailing.id), "schedule.cron", message);
    }
}

/// The program that receives alerts.
fn command(app: &App, report: &mut Report) {
    let Some(program) = app.config.alert.command.first() else { return };
    match std::fs::metadata(program) {
        Err(why) => report.setting(app, Level::Error, "alert.command", format!("{program}: {why}")),
        Ok(file) if !file.is_file() || file.permissions().mode() & 0o111 == 0 => {
            report.setting(app, Level::Error, "alert.command", format!("{program} is not an executable file"));
        }
        Ok(_) => report.well(format!("alert command: {program}")),
    }
}
