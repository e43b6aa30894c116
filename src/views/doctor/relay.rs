//! The relay: whether it can be reached and logged in to, and what it offers.

use super::{Finding, Topic, Verdict};
use crate::app::App;
use crate::deliver::{self, Probe, Relay, SmtpRelay};
use crate::domain::{Timestamp, delivery::Phase};

/// What relays accept by default (Postfix); mails of ours are smaller.
const USUAL_SIZE: usize = 10_240_000;
/// Certificates are renewed weeks before.
const SOON_DAYS: i64 = 14;

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    let relay = match app.relay() {
        Ok(Relay::Smtp(relay)) => relay,
        Ok(Relay::Capture(_)) => {
            let what = "the relay is a folder: nothing is sent to anybody";
            return vec![
                Finding::new(Topic::Relay, Verdict::Unknown, what)
                    .ask("set relay = \"smtp://…\" when mails are to be sent"),
            ];
        }
        Err(_) => {
            let what = "no relay is configured: nothing can be sent";
            return vec![
                Finding::new(Topic::Relay, Verdict::Bad, what)
                    .ask("ask your provider for the SMTP server, and set relay"),
            ];
        }
    };
    let shown = format!("{}:{}", relay.host, relay.port);
    match deliver::probe(&relay, &app.config.relay_ca).await {
        Ok(probe) => offers(&relay, &shown, &probe, app.clock.now()),
        Err(trouble) => {
            let (topic, ask) = match trouble.phase {
                Phase::Tls => {
                    (Topic::Tls, "see relay and relay_ca_file; ask the operator for the name in its certificate")
                }
                Phase::Auth => (Topic::Auth, "see relay and relay_password_file; ask the operator for the login"),
                Phase::Ehlo => (Topic::Relay, "see delivery.hello; ask the operator why it refuses"),
                _ => (Topic::Relay, "ask the operator whether it is up, and whether this machine may connect to it"),
            };
            vec![Finding::new(topic, Verdict::Bad, format!("{shown} does not take mail now: {trouble}")).ask(ask)]
        }
    }
}

fn offers(relay: &SmtpRelay, shown: &str, probe: &Probe, now: Timestamp) -> Vec<Finding> {
    let finding = |topic, verdict, what: String| Finding::new(topic, verdict, what);
    let is_here = probe.peer.is_some_and(|peer| peer.is_loopback());
    let mut findings = vec![finding(Topic::Relay, Verdict::Good, format!("{shown} can be reached"))];
    findings.push(match (probe.encrypted, probe.certificate_ends) {
        (true, Some(end)) => {
            let days = (end - now).num_days();
            let what = format!("the certificate of {shown} is valid for {days} more days");
            match days < SOON_DAYS {
                true => finding(Topic::Tls, Verdict::Warning, what)
                    .ask("ask its operator to renew it; without it nothing is sent"),
                false => finding(Topic::Tls, Verdict::Good, what),
            }
        }
        (true, None) => finding(Topic::Tls, Verdict::Good, format!("the connection to {shown} is encrypted")),
        (false, _) if is_here => {
            finding(Topic::Tls, Verdict::Good, format!("{shown} is on this machine and needs no encryption"))
        }
        (false, _) => finding(Topic::Tls, Verdict::Bad, format!("the connection to {shown} is not encrypted"))
            .ask("write smtps://… or tls=required; ask the operator for a port with TLS"),
    });
    findings.push(match (&relay.login, probe.auth.is_empty()) {
        (Some(_), _) => {
            finding(Topic::Auth, Verdict::Good, format!("{shown} accepts the login ({})", probe.auth.join(", ")))
        }
        (None, true) => finding(Topic::Auth, Verdict::Good, format!("{shown} asks for no login")),
        (None, false) if is_here => {
            finding(Topic::Auth, Verdict::Good, format!("{shown} is on this machine and needs no login"))
        }
        (None, false) => {
            finding(Topic::Auth, Verdict::Warning, format!("{shown} offers a login, and none is configured"))
                .ask("ask the operator whether this machine may send without one")
        }
    });
    findings.push(match probe.size {
        None => finding(Topic::Size, Verdict::Unknown, format!("{shown} does not say how large a message may be"))
            .ask("ask the operator; the mails of an agenda with its documents have up to 5 MB"),
        Some(size) if size < USUAL_SIZE => {
            finding(Topic::Size, Verdict::Warning, format!("{shown} takes messages of at most {size} bytes"))
                .ask(format!("ask for at least {USUAL_SIZE}, or send without attachments; larger ones are never sent"))
        }
        Some(size) => finding(Topic::Size, Verdict::Good, format!("{shown} takes messages of up to {size} bytes")),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn what_the_relay_offers_is_judged() {
        let Ok(Relay::Smtp(relay)) = "smtp://192.0.2.1:25".parse() else { panic!() };
        let now: Timestamp = "2027-07-10T08:00:00Z".parse().unwrap();
        let judged = |probe: &Probe, topic: Topic| {
            let found = offers(&relay, "mx:25", probe, now);
            found.into_iter().find(|it| it.topic == topic).unwrap().verdict
        };
        let good = Probe {
            peer: "192.0.2.1".parse().ok(),
            encrypted: true,
            certificate_ends: Some(now + TimeDelta::days(60)),
            size: Some(10_240_000),
            auth: vec![],
        };
        for topic in [Topic::Relay, Topic::Tls, Topic::Auth, Topic::Size] {
            assert_eq!(judged(&good, topic), Verdict::Good, "{topic:?}");
        }
        let ending = Probe { certificate_ends: Some(now + TimeDelta::days(13)), ..good.clone() };
        assert_eq!(judged(&ending, Topic::Tls), Verdict::Warning);
        let open = Probe { encrypted: false, certificate_ends: None, auth: vec!["PLAIN".to_owned()], ..good.clone() };
        assert_eq!((judged(&open, Topic::Tls), judged(&open, Topic::Auth)), (Verdict::Bad, Verdict::Warning));
        let here = Probe { peer: "127.0.0.1".parse().ok(), ..open };
        assert_eq!((judged(&here, Topic::Tls), judged(&here, Topic::Auth)), (Verdict::Good, Verdict::Good));
        let small = Probe { size: Some(1_000_000), ..good.clone() };
        assert_eq!(judged(&small, Topic::Size), Verdict::Warning);
        assert_eq!(judged(&Probe { size: None, ..good }, Topic::Size), Verdict::Unknown);
    }
}
