//! Bounces that come back alike for very many recipients are about us, and suppress nobody (docs/adr/0017).

use crate::support::ledger::{Ledger, at, finished, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::Outcome as Ended,
        email::EmailAddress,
        feedback::FeedbackKind,
        issue::IssueState,
        lane::{Lanes, Pace},
        partner::NewContact,
    },
    inbound::{Inbox, Message, Outcome},
    store::{LogFilter, LoggedDelivery, Store},
    tokens::Tokens,
};

on_both_databases! {
    sixty_alike_are_about_the_relay_and_suppress_nobody
    a_few_dead_addresses_are_suppressed_as_ever
    the_order_of_reading_makes_no_difference
    what_was_suppressed_before_is_taken_back_and_an_opt_out_is_not
    an_issue_that_is_still_sent_is_paused
    a_provider_that_returns_all_is_at_fault_and_its_dead_addresses_are_not
    two_readers_at_once_count_what_the_other_read
}

const DEAD: &str = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in relay recipient table (id {n})";

fn tokens() -> Tokens {
    Tokens::new("a secret for tests".to_owned().into())
}

fn hash_of(address: &str) -> String {
    format!("hash of {address}")
}

/// Partners of the agenda, each with the hash that the ledger knows it by.
async fn partners(ledger: &Ledger, addresses: &[String]) {
    let contact = |it: &String| NewContact::new(EmailAddress::parse(it).unwrap(), hash_of(it), "", "", "Auch");
    let contacts: Vec<_> = addresses.iter().map(contact).collect();
    ledger.store.import_contacts(&contacts, &["agenda".to_owned()], "test", false, at(0)).await.unwrap();
}

fn across(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("p{n:05}@hotel{}.example", n % 20)).collect()
}

/// The first `n` were handed over; the others wait.
async fn handed_over(ledger: &Ledger, n: usize) {
    let claims = ledger.claim(u32::try_from(n).unwrap(), at(1)).await;
    assert_eq!(claims.len(), n);
    for claims in claims.chunks(500) {
        ledger.store.mark_in_data(claims, at(1)).await.unwrap();
        let sent: Vec<_> = claims.iter().map(|it| finished(it, Ended::Accepted, at(1))).collect();
        ledger.store.finish_attempts(&sent).await.unwrap();
    }
}

async fn sent(ledger: &Ledger, addresses: &[String]) -> Vec<LoggedDelivery> {
    partners(ledger, addresses).await;
    ledger.store.freeze_issue(&new_issue("2026-W28"), at(0)).await.unwrap();
    handed_over(ledger, addresses.len()).await;
    ledger.store.close_finished_issues(at(2)).await.unwrap();
    ledger.store.log(&LogFilter::default()).await.unwrap()
}

/// As the relay returns it.
fn bounce(delivery: &LoggedDelivery, said: &str, n: usize) -> Message {
    let (token, address) = (tokens().return_token(&delivery.id), &delivery.address);
    let said = said.replace("{to}", address).replace("{n}", &format!("4F3A{n}"));
    let status = said.split(' ').nth(1).unwrap().to_owned();
    let text = format!(
        "From: MAILER-DAEMON@relay.ot.test\nTo: retours+{token}@lettre.ot.test\nMessage-ID: <{n}@relay.ot.test>\n\
         Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"xx\"\n\n--xx\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.ot.test\n\n\
         Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {said}\n\n--xx--\n"
    );
    Message::read(text.as_bytes())
}

async fn take(store: &dyn Store, messages: &[Message], second: i64) -> Vec<Outcome> {
    let (tokens, lanes) = (tokens(), Lanes::default());
    let inbox = Inbox { store, tokens: &tokens, soft_limit: 5, lanes: &lanes };
    let mut outcomes = Vec::new();
    for batch in messages.chunks(64) {
        outcomes.extend(inbox.take(batch, at(second)).await.unwrap());
    }
    outcomes
}

fn bounces<'a>(log: impl IntoIterator<Item = &'a LoggedDelivery>) -> Vec<Message> {
    log.into_iter().enumerate().map(|(n, it)| bounce(it, DEAD, n)).collect()
}

async fn suppressed(ledger: &Ledger) -> usize {
    let log = ledger.store.log(&LogFilter::default()).await.unwrap();
    let contacts: Vec<_> = log
        .iter()
        .map(|it| NewContact::new(EmailAddress::parse(&it.address).unwrap(), hash_of(&it.address), "", "", ""))
        .collect();
    ledger.store.import_contacts(&contacts, &[], "test", true, at(9)).await.unwrap().suppressed
}

fn kinds(notices: &[semainier::store::PendingNotice]) -> Vec<String> {
    notices.iter().map(|it| it.notice.kind()).collect()
}

async fn sixty_alike_are_about_the_relay_and_suppress_nobody(ledger: Ledger) {
    let log = sent(&ledger, &across(60)).await;
    let messages = bounces(&log);
    let outcomes = take(&*ledger.store, &messages, 10).await;
    assert_eq!(suppressed(&ledger).await, 0);
    let withheld = |it: &Outcome| matches!(it, Outcome::Recorded { suppress: None, withheld: true, .. });
    assert!(outcomes.last().is_some_and(withheld), "{outcomes:?}");
    let found = ledger.store.mass_bounces(at(0)).await.unwrap();
    assert_eq!((found.len(), found[0].family.as_deref(), found[0].issue.as_str()), (1, None, "agenda/2026-W28"));
    assert!(found[0].said.contains("User unknown") && !found[0].said.contains("p00000@"), "{found:?}");
    let notices = ledger.store.pending_notices().await.unwrap();
    assert_eq!(kinds(&notices), ["returned"]);
    assert!(notices[0].notice.text().contains("aucune adresse n’est écartée"), "{notices:?}");
    // Read again, each counts once, and staff are not notified again.
    let again = take(&*ledger.store, &messages, 11).await;
    assert!(again.iter().all(|it| *it == Outcome::Before));
    assert_eq!((ledger.store.pending_notices().await.unwrap().len(), suppressed(&ledger).await), (1, 0));
}

async fn a_few_dead_addresses_are_suppressed_as_ever(ledger: Ledger) {
    let log = sent(&ledger, &across(60)).await;
    let outcomes = take(&*ledger.store, &bounces(&log[..3]), 10).await;
    let hard = |it: &&Outcome| matches!(it, Outcome::Recorded { kind: FeedbackKind::Bounce, suppress: Some(_), .. });
    assert_eq!((outcomes.iter().filter(hard).count(), suppressed(&ledger).await), (3, 3));
    // Nineteen of sixty are still a list that was not cared for; the same about one delivery is no other recipient.
    take(&*ledger.store, &bounces(&log[..19]), 11).await;
    let same: Vec<_> = (100..110).map(|n| bounce(&log[0], DEAD, n)).collect();
    take(&*ledger.store, &same, 12).await;
    assert_eq!(suppressed(&ledger).await, 19);
    assert!(ledger.store.mass_bounces(at(0)).await.unwrap().is_empty());
    // Their list, page by page; each once.
    let issue = Some(new_issue("2026-W28").key);
    let mut filter = LogFilter { issue, bounced: true, newest_first: true, limit: Some(8), ..LogFilter::default() };
    let mut listed = Vec::new();
    loop {
        let page = ledger.store.log(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.mark());
        listed.extend(page.into_iter().map(|it| it.address));
    }
    listed.sort();
    let mut came_back: Vec<_> = log[..19].iter().map(|it| it.address.clone()).collect();
    came_back.sort();
    assert_eq!(listed, came_back);
    assert!(ledger.store.pending_notices().await.unwrap().is_empty());
}

/// In batches, backwards; one in ten came back in other words, which are true.
async fn the_order_of_reading_makes_no_difference(ledger: Ledger) {
    let log = sent(&ledger, &across(300)).await;
    let gone = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found";
    let mut messages: Vec<_> =
        log.iter().enumerate().map(|(n, it)| bounce(it, if n % 10 == 0 { gone } else { DEAD }, n)).collect();
    messages.reverse();
    messages.rotate_left(77);
    take(&*ledger.store, &messages, 10).await;
    assert_eq!(suppressed(&ledger).await, 30, "those who are gone");
    assert_eq!(ledger.store.mass_bounces(at(0)).await.unwrap().len(), 1);
}

async fn what_was_suppressed_before_is_taken_back_and_an_opt_out_is_not(ledger: Ledger) {
    let log = sent(&ledger, &across(30)).await;
    let messages = bounces(&log);
    take(&*ledger.store, &messages[..9], 10).await;
    assert_eq!(suppressed(&ledger).await, 9);
    // One of them unsubscribes meanwhile; another was suppressed by the office.
    let opt_out = semainier::domain::partner::SuppressionReason::OptOut;
    ledger.store.suppress(&hash_of(&log[0].address), None, opt_out, at(11)).await.unwrap();
    take(&*ledger.store, &messages[9..], 12).await;
    assert_eq!(suppressed(&ledger).await, 1, "the opt-out is final");
    let hash = hash_of(&log[1].address);
    let key = EmailAddress::parse(&log[1].address).unwrap().key();
    let history = ledger.store.dossier(&key, &hash).await.unwrap().history;
    assert!(history.iter().any(|it| it.source.contains("the same came back for many")), "{history:?}");
}

async fn an_issue_that_is_still_sent_is_paused(ledger: Ledger) {
    let addresses = across(60);
    partners(&ledger, &addresses).await;
    let issue = new_issue("2026-W28");
    ledger.store.freeze_issue(&issue, at(0)).await.unwrap();
    handed_over(&ledger, 12).await;
    let log = ledger.store.log(&LogFilter::default()).await.unwrap();
    let out: Vec<_> = log.iter().filter(|it| !it.attempts.is_empty()).collect();
    take(&*ledger.store, &bounces(out), 10).await;
    assert_eq!((ledger.issue_state(&issue.key).await, suppressed(&ledger).await), (IssueState::Paused, 0));
    let paused = ledger.store.issue(&issue.key).await.unwrap().unwrap();
    let reason = paused.reason().unwrap();
    assert!(reason.contains("sont revenus avec les mêmes mots") && reason.contains("suspendu"), "{reason}");
    assert!(kinds(&ledger.store.pending_notices().await.unwrap()).is_empty(), "a pause has a notice of its own");
    // A person resumes it; the same does not pause it again.
    let from = [IssueState::Paused];
    ledger.store.set_issue_state(&issue.key, &from, IssueState::Sending, None, at(20)).await.unwrap();
    take(&*ledger.store, &[bounce(&log[0], DEAD, 999)], 21).await;
    assert_eq!(ledger.issue_state(&issue.key).await, IssueState::Sending);
}

async fn a_provider_that_returns_all_is_at_fault_and_its_dead_addresses_are_not(ledger: Ledger) {
    let mut addresses = across(200);
    addresses.extend((0..6).map(|n| format!("q{n}@orange.fr")));
    addresses.extend((0..4).map(|n| format!("q{n}@wanadoo.fr")));
    addresses.extend((0..30).map(|n| format!("q{n}@gmail.com")));
    partners(&ledger, &addresses).await;
    let issue = new_issue("2026-W28");
    ledger.store.freeze_issue(&issue, at(0)).await.unwrap();
    handed_over(&ledger, 240).await;
    let log = ledger.store.log(&LogFilter { issue: Some(issue.key.clone()), ..LogFilter::default() }).await.unwrap();
    let of = |domains: &[&str]| -> Vec<&LoggedDelivery> {
        log.iter().filter(|it| domains.iter().any(|domain| it.address.ends_with(domain))).collect()
    };
    let mut messages = bounces(of(&["@orange.fr", "@wanadoo.fr"]));
    let gone = "550 5.1.1 The email account that you tried to reach does not exist";
    messages.extend(of(&["@gmail.com"])[..6].iter().enumerate().map(|(n, it)| bounce(it, gone, 500 + n)));
    take(&*ledger.store, &messages, 10).await;
    assert_eq!(suppressed(&ledger).await, 6, "six of thirty at Gmail are dead");
    let found = ledger.store.mass_bounces(at(0)).await.unwrap();
    assert_eq!((found.len(), found[0].family.as_deref()), (1, Some("orange")));
    let notices = ledger.store.pending_notices().await.unwrap();
    let lanes = ledger.store.lanes().await.unwrap();
    match lanes.is_empty() {
        true => assert_eq!(kinds(&notices), ["returned-orange"]),
        false => assert_eq!((lanes[0].pace, kinds(&notices)), (Pace::Paused, vec!["lane-paused-orange".to_owned()])),
    }
}

async fn two_readers_at_once_count_what_the_other_read(ledger: Ledger) {
    let log = sent(&ledger, &across(60)).await;
    let messages = bounces(&log);
    let other = ledger.another().await;
    let (mut one, mut two): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for (n, message) in messages.into_iter().enumerate() {
        if n % 2 == 0 { one.push(message) } else { two.push(message) }
    }
    tokio::join!(take(&*ledger.store, &one, 10), take(&*other, &two, 10));
    assert_eq!((suppressed(&ledger).await, ledger.store.mass_bounces(at(0)).await.unwrap().len()), (0, 1));
    assert_eq!(ledger.store.pending_notices().await.unwrap().len(), 1);
}
