//! Connecting to the relay: connections, TLS, authentication, limits, and failures of the relay as a whole.

use crate::support::{
    ledger::Ledger,
    office::Office,
    smtp::{Options, SmtpRelay},
};
use semainier::{
    deliver::Summary,
    domain::{
        delivery::{Phase, State},
        issue::IssueState,
        lane::{Lanes, Limits},
    },
    trust::Authorities,
};
use std::{sync::Arc, time::Duration};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};
use tokio_util::sync::CancellationToken;

on_both_databases! {
    without_pipelining_the_result_is_the_same
    the_next_envelope_is_pipelined_behind_the_end_of_the_previous_message
    a_pipelined_message_is_not_sent_when_its_issue_pauses
    a_refused_pipelined_envelope_affects_only_that_recipient
    nothing_due_opens_no_connection
    s01_a_refused_connection_leaves_all_queued_without_counting_attempts
    s02_a_421_greeting_opens_the_breaker_after_one_connection
    s03_a_relay_of_two_connections_gets_two_and_all_are_sent
    s03_a_provider_that_refuses_connections_gets_fewer
    s17_a_slow_banner_opens_the_breaker
    s20_broken_starttls_opens_the_breaker_and_no_password_is_sent
    s20_missing_starttls_is_not_ignored
    s21_an_untrusted_certificate_opens_the_breaker_and_no_password_is_sent
    s21_password_and_mail_are_sent_over_a_trusted_certificate
    s22_a_refused_password_is_tried_once
    field_report_6_login_is_tried_after_plain_is_refused
    field_report_8_a_configured_self_signed_certificate_is_trusted
    s23_eight_bit_text_is_declared_or_not_sent
    s24_a_limit_per_connection_fails_no_delivery
    s25_a_message_too_large_pauses_the_issue_before_mail
    the_configured_limit_per_connection_is_respected
    many_connections_share_the_ledger_and_send_to_each_recipient_once
    consecutive_lost_connections_open_the_breaker
    a_relay_that_always_answers_421_opens_the_breaker
    sigterm_finishes_marked_deliveries_and_releases_the_rest
    captured_mail_is_written_once_per_delivery
}

async fn without_pipelining_the_result_is_the_same(ledger: Ledger) {
    let options = Options { pipelining: false, ..Options::default() };
    let office = Office::writing_to(ledger, &["a@x.example", "f550@x.example", "b@x.example"], options).await;
    assert_eq!((office.send().await.sent, office.relay.numbers().connections), (2, 1));
}

/// RFC 2920 3.1: two ways to the relay and back for a message instead of three.
async fn the_next_envelope_is_pipelined_behind_the_end_of_the_previous_message(ledger: Ledger) {
    let addresses = (0..20).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    assert_eq!(office.send().await.sent, 20);
    // Two are claimed, then four, and so on: what waits in memory can be announced.
    let flights = office.relay.numbers().flights;
    let (hello, first, two_each, goodbye) = (2, 1, 2 * 20, 1);
    let claims = 5;
    assert!(flights <= hello + first + two_each + goodbye + claims, "{flights}");
}

async fn a_pipelined_message_is_not_sent_when_its_issue_pauses(ledger: Ledger) {
    // Two are claimed, then four.
    let addresses = ["a@x.example", "b@x.example", "t-gmail26@x.example", "u@x.example", "v@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.paused.len()), (2, 1));
    let seen = office.relay.numbers();
    let said = (seen.accepted, seen.data_commands, seen.mail_commands);
    assert_eq!(said, (2, 3, 4), "the fourth was announced, and nothing of it left");
    for waits in ["u@x.example", "v@x.example"] {
        assert_eq!(office.state(waits).await, State::Queued);
    }
    assert!(
        office.log().await.iter().filter(|row| row.address.starts_with(['u', 'v'])).all(|row| row.attempts.is_empty())
    );
}

async fn a_refused_pipelined_envelope_affects_only_that_recipient(ledger: Ledger) {
    let addresses = ["a@x.example", "b@x.example", "f550@x.example", "g@x.example", "h@x.example", "i@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed), (5, 1));
    let seen = office.relay.numbers();
    assert_eq!((seen.connections, seen.data_commands, seen.mail_commands), (1, 5, 6), "each said once");
}

async fn nothing_due_opens_no_connection(ledger: Ledger) {
    let office = Office::writing_to(ledger, &[], Options::default()).await;
    assert_eq!(office.send().await, Summary::default());
    assert_eq!(office.relay.numbers().connections, 0);
}

async fn s01_a_refused_connection_leaves_all_queued_without_counting_attempts(ledger: Ledger) {
    let mut office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], Options::default()).await;
    office.url = "smtp://127.0.0.1:1?tls=none".into();
    let trouble = office.send().await.breaker.unwrap();
    assert_eq!(trouble.phase, Phase::Connect);
    assert_eq!(trouble.reply.code, None, "nobody answered");
    assert_eq!(office.counts().await.queued, 2);
    assert!(office.log().await.iter().all(|row| row.attempts.is_empty()));
}

async fn s02_a_421_greeting_opens_the_breaker_after_one_connection(ledger: Ledger) {
    let options = Options { greeting: Some("421 4.3.2 shutting down".into()), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example", "b@x.example", "c@x.example"], options).await;
    office.settings.connections = 4;
    assert_eq!(office.send().await.breaker.unwrap().reply.code, Some(421));
    assert_eq!((office.counts().await.queued, office.relay.numbers().connections), (3, 1));
}

async fn s03_a_relay_of_two_connections_gets_two_and_all_are_sent(ledger: Ledger) {
    let addresses = (0..60).map(|n| format!("slow5+{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let options = Options { max_connections: 2, ..Options::default() };
    let mut office = Office::writing_to(ledger, &addresses, options).await;
    office.settings.connections = 5;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.breaker), (60, None));
    let seen = office.relay.numbers();
    assert_eq!((seen.peak, seen.turned_away), (2, 1), "asked for one more, then never again");
}

async fn s03_a_provider_that_refuses_connections_gets_fewer(ledger: Ledger) {
    let addresses = (0..40).map(|n| format!("slow20+{n}@x.example")).collect::<Vec<_>>();
    let mut addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    addresses.insert(0, "t-ofr104@x.example");
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 4;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred, summary.breaker), (40, 1, None));
    assert!(office.relay.numbers().peak <= 4);
}

async fn s17_a_slow_banner_opens_the_breaker(ledger: Ledger) {
    let options = Options { banner_delay: Duration::from_secs(60), ..Options::default() };
    let office = Office::writing_to(ledger, &["a@x.example"], options).await;
    assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Connect);
    assert_eq!(office.state("a@x.example").await, State::Queued);
}

/// A certificate for `localhost`, and a client that trusts it alone.
fn certificate() -> (TlsAcceptor, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let certificate = made.cert.der().clone();
    let server = acceptor(certificate.clone(), &made.signing_key);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, Arc::new(client))
}

fn acceptor(certificate: CertificateDer<'static>, key: &rcgen::KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(server))
}

async fn field_report_6_login_is_tried_after_plain_is_refused(ledger: Ledger) {
    let (theirs, trust) = certificate();
    let mut office = Office::writing_to(ledger, &["a@x.example"], Options::default()).await;
    office.settings.tls = Some(trust);
    for (refusal, goes) in [
        ("504 5.7.4 Unrecognized authentication type", true),
        ("503 5.5.1 AUTH PLAIN not available", true),
        ("534 5.7.9 Authentication mechanism is too weak", true),
        ("535 5.7.8 authentication failed", false),
    ] {
        let (auth, plain_refused) = (Some(true), Some(refusal));
        let options = Options { implicit_tls: Some(theirs.clone()), auth, plain_refused, ..Options::default() };
        let relay = SmtpRelay::start(options).await;
        office.url = format!("smtps://u:p@localhost:{}", relay.address.port());
        let summary = office.try_send(&CancellationToken::new(), &|_| {}).await.unwrap();
        assert_eq!(summary.sent, u64::from(goes), "{refusal}: {summary:?}");
        assert_eq!(relay.numbers().auth_tries, 1 + usize::from(goes), "{refusal}");
        office.another_issue().await;
    }
}

/// As `openssl req -x509` makes it.
async fn field_report_8_a_configured_self_signed_certificate_is_trusted(ledger: Ledger) {
    let mut params = rcgen::CertificateParams::new(["relais.local".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let theirs = acceptor(made.der().clone(), &key);
    let options = Options { starttls: Some(theirs), auth: Some(true), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example"], options).await;
    office.url = format!("smtp://u:p@localhost:{}?tls=required", office.relay.address.port());
    let said = office.send().await.breaker.unwrap().reply.text;
    assert!(said.contains("relay_ca_file"), "{said}");
    let another = rcgen::generate_simple_self_signed(["relais.local".to_owned()]).unwrap();
    office.settings.authorities = Authorities::parse(another.cert.pem().as_bytes()).unwrap();
    assert!(office.send().await.breaker.is_some());
    assert_eq!(office.relay.numbers().auth_tries, 0);
    office.settings.authorities = Authorities::parse(made.pem().as_bytes()).unwrap();
    assert_eq!(office.send().await.sent, 1);
}

async fn s20_broken_starttls_opens_the_breaker_and_no_password_is_sent(ledger: Ledger) {
    let options = Options { starttls_broken: true, auth: Some(true), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example"], options).await;
    let port = office.relay.address.port();
    // Even where TLS is only opportunistic, an offer that fails is not followed by clear text.
    for url in [format!("smtp://u:p@localhost:{port}"), format!("smtp://u:p@localhost:{port}?tls=starttls")] {
        office.url = url;
        assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Tls);
    }
    assert_eq!((office.relay.numbers().auth_tries, office.relay.numbers().mail_commands), (0, 0));
    assert_eq!(office.state("a@x.example").await, State::Queued);
}

async fn s20_missing_starttls_is_not_ignored(ledger: Ledger) {
    let options = Options { auth: Some(true), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example"], options).await;
    let port = office.relay.address.port();
    office.url = format!("smtp://u:p@localhost:{port}?tls=required");
    assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Tls);
    office.url = format!("smtp://u:p@localhost:{port}?tls=starttls");
    assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Auth);
    assert_eq!((office.relay.numbers().auth_tries, office.relay.numbers().mail_commands), (0, 0));
}

async fn s21_an_untrusted_certificate_opens_the_breaker_and_no_password_is_sent(ledger: Ledger) {
    let (theirs, _) = certificate();
    let options = Options { implicit_tls: Some(theirs), auth: Some(true), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example"], options).await;
    let (_, another) = certificate();
    let port = office.relay.address.port();
    // Trusted by nobody; trusted by another authority; trusted, but for another name.
    for (host, trust) in [("localhost", None), ("localhost", Some(another))] {
        office.settings.tls = trust;
        office.url = format!("smtps://u:p@{host}:{port}");
        let trouble = office.send().await.breaker.unwrap();
        assert_eq!(trouble.phase, Phase::Tls, "{trouble:?}");
    }
    assert_eq!(office.relay.numbers().auth_tries, 0);
    assert_eq!(office.state("a@x.example").await, State::Queued);
}

async fn s21_password_and_mail_are_sent_over_a_trusted_certificate(ledger: Ledger) {
    let (theirs, trust) = certificate();
    let options = Options { starttls: Some(theirs), auth: Some(true), ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], options).await;
    let port = office.relay.address.port();
    office.settings.tls = Some(trust);
    // The same certificate under a name it does not have.
    office.url = format!("smtp://u:p@127.0.0.1:{port}");
    assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Tls);
    office.url = format!("smtp://u:p@localhost:{port}");
    assert_eq!(office.send().await.sent, 2);
    let seen = office.relay.numbers();
    assert_eq!((seen.auth_tries, seen.auth_in_clear), (1, 0));
}

async fn s22_a_refused_password_is_tried_once(ledger: Ledger) {
    let (theirs, trust) = certificate();
    let options = Options { implicit_tls: Some(theirs), auth: Some(false), ..Options::default() };
    let addresses = ["a@x.example", "b@x.example", "c@x.example", "d@x.example"];
    let mut office = Office::writing_to(ledger, &addresses, options).await;
    office.settings.connections = 4;
    office.settings.tls = Some(trust);
    office.url = format!("smtps://u:p@localhost:{}", office.relay.address.port());
    let trouble = office.send().await.breaker.unwrap();
    assert_eq!((trouble.phase, trouble.reply.code), (Phase::Auth, Some(535)));
    assert_eq!((office.relay.numbers().auth_tries, office.counts().await.queued), (1, 4));
}

async fn s23_eight_bit_text_is_declared_or_not_sent(ledger: Ledger) {
    let options = Options { eight_bit: false, ..Options::default() };
    let mut office = Office::writing_to(ledger, &["a@x.example"], options).await;
    let ascii = Arc::clone(&office.body);
    office.body = "Été à Auch\r\n".as_bytes().into();
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.deferred, office.relay.numbers().mail_commands), (1, 1, 0));
    let (from, to) = (&[IssueState::Paused], IssueState::Sending);
    office.ledger.store.set_issue_state(&office.issue, from, to, None, office.clock.now()).await.unwrap();
    office.body = ascii;
    assert_eq!(office.send().await.sent, 1);
}

async fn s24_a_limit_per_connection_fails_no_delivery(ledger: Ledger) {
    let addresses = (0..50).map(|n| format!("sess20+{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred, summary.breaker), (50, 0, None));
    assert_eq!(office.relay.numbers().connections, 3);
    assert!(office.log().await.iter().all(|row| row.attempts.len() == 1));
}

async fn s25_a_message_too_large_pauses_the_issue_before_mail(ledger: Ledger) {
    let options = Options { size: 100, ..Options::default() };
    let office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], options).await;
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.failed), (1, 0));
    assert!(summary.paused[0].reason.contains("100"), "{}", summary.paused[0].reason);
    assert_eq!((office.counts().await.queued, office.relay.numbers().mail_commands), (2, 0));
}

async fn the_configured_limit_per_connection_is_respected(ledger: Ledger) {
    let addresses = (0..10).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.messages_per_connection = 4;
    assert_eq!(office.send().await.sent, 10);
    assert_eq!(office.relay.numbers().connections, 3);
}

/// So many that a write is begun while those of the last one are still to be told.
async fn many_connections_share_the_ledger_and_send_to_each_recipient_once(ledger: Ledger) {
    let addresses = (0..400).map(|n| format!("a{n}@x{}.example", n % 40)).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 32;
    let generous = Limits { connections: 32, ..Limits::DEFAULT };
    office.settings.lanes = Lanes::new(Vec::new(), generous);
    assert_eq!(office.send().await.sent, 400);
    let seen = office.relay.numbers();
    assert!(seen.accepted == 400 && seen.peak > 16, "{seen:?}");
}

async fn consecutive_lost_connections_open_the_breaker(ledger: Ledger) {
    let addresses = (0..30).map(|n| format!("dropdata+{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.deferred, summary.breaker.unwrap().phase), (10, Phase::Data));
    assert_eq!(office.counts().await.queued, 30);
}

async fn a_relay_that_always_answers_421_opens_the_breaker(ledger: Ledger) {
    let addresses = (0..30).map(|n| format!("f421+{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.deferred, summary.breaker.unwrap().reply.code), (10, Some(421)));
    assert_eq!(office.relay.numbers().connections, 10);
}

/// F09, without the signal: the caller cancels `stop`.
async fn sigterm_finishes_marked_deliveries_and_releases_the_rest(ledger: Ledger) {
    let mut addresses = vec!["slow300@x.example".to_owned()];
    // Later in the alphabet, which is the order of an issue.
    addresses.extend((0..20).map(|n| format!("z{n}@x.example")));
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let stop = CancellationToken::new();
    let stopping = async {
        while office.relay.numbers().data_commands == 0 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (summary, ()) = tokio::join!(office.try_send(&stop, &|_| {}), stopping);
    assert_eq!(summary.unwrap().sent, 1);
    office.check().await;
    let counts = office.counts().await;
    assert_eq!((counts.sent, counts.queued), (1, 20));
}

async fn captured_mail_is_written_once_per_delivery(ledger: Ledger) {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], Options::default()).await;
    office.url = format!("capture:{}", directory.path().join("mail").display());
    let summary = office.try_send(&CancellationToken::new(), &|_| {}).await.unwrap();
    assert_eq!((summary.sent, office.counts().await.sent), (2, 2));
    let files =
        std::fs::read_dir(directory.path().join("mail")).unwrap().map(|it| it.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(files.len(), 2);
    for row in office.log().await {
        let file = files.iter().find(|it| it.to_string_lossy().ends_with(&format!("_{}.eml", row.id))).unwrap();
        assert!(std::fs::read(file).unwrap().ends_with(&office.body));
    }
}
