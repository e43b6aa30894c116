//! `doctor` before a DNS and a relay that are as they should be, and one fault at a time.

use crate::signing::{read, written};
use crate::support::{
    dns::{DnsServer, Zone},
    house::{House, Relay},
    process::Done,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// As long as a key of 2048 bits.
const KEY: [u8; 294] = [0x5a; 294];

/// Everything as it should be.
fn good() -> Zone {
    let key = BASE64_STANDARD.encode(KEY);
    let (first, rest) = key.split_at(200);
    Zone::default()
        .txt("lettre.auch.example", &["v=spf1 ip4:192.0.2.10 -all"])
        .txt("lettre.auch.example", &["some-site-verification=1"])
        .mx("lettre.auch.example", "mail.auch.example")
        .address("mail.auch.example", "192.0.2.10")
        .reverse("192.0.2.10", "mail.auch.example")
        // In two strings, as every long record.
        .txt("s1._domainkey.auch.example", &[&format!("v=DKIM1; k=rsa; p={first}"), rest])
        .txt("_dmarc.auch.example", &["v=DMARC1; p=none; rua=mailto:dmarc@auch.example"])
}

/// An office with a relay of its own on this machine.
fn house(relay: &Relay) -> House {
    let house = House::new().relay(relay).set("delivery.hello", "mail.auch.example");
    let house = house.set("sender.address", "agenda@auch.example");
    let house = house.set("sender.return_path", "rebonds@lettre.auch.example");
    house.import(&["a@gite.test"]);
    house
}

fn run(house: &House, zone: Zone, more: &[&str]) -> Done {
    let dns = DnsServer::start(zone);
    let address = dns.address.to_string();
    house.semainier(&[&["doctor", "--nameserver", &address, "--selector", "s1"], more].concat())
}

fn report(zone: Zone, more: &[&str]) -> Value {
    let relay = Relay::start();
    let done = run(&house(&relay), zone, &[more, &["--json"]].concat());
    assert!(matches!(done.code, Some(0 | 1)), "{}", done.said());
    done.json()
}

/// What was found of a topic: verdicts and words.
fn found<'a>(report: &'a Value, topic: &str) -> Vec<(&'a str, &'a str)> {
    let checks = report["checks"].as_array().unwrap();
    let of = checks.iter().filter(|it| it["topic"] == topic);
    of.map(|it| (it["verdict"].as_str().unwrap(), it["what"].as_str().unwrap())).collect()
}

/// The only record to publish of a topic: host, type, value.
fn published<'a>(report: &'a Value, topic: &str) -> (&'a str, &'a str, &'a str) {
    let checks = report["checks"].as_array().unwrap();
    let records: Vec<_> =
        checks.iter().filter(|it| it["topic"] == topic).map(|it| &it["publish"]).filter(|it| !it.is_null()).collect();
    assert_eq!(records.len(), 1, "{report:#}");
    let text = |key: &str| records[0][key].as_str().unwrap();
    assert_eq!(records[0]["ttl"], 3_600);
    (text("host"), text("type"), text("value"))
}

/// This zone has exactly this wrong, of this topic.
fn assert_finds(zone: Zone, topic: &str, verdict: &str, words: &str) -> Value {
    let report = report(zone, &[]);
    let all = found(&report, topic);
    assert!(
        all.iter().any(|(v, what)| *v == verdict && what.contains(words)),
        "{verdict} {words:?} is not in {all:#?}"
    );
    // What does not depend on it stays as it is.
    for other in ["spf", "dkim", "dmarc", "bounces", "ptr", "hello"].into_iter().filter(|it| *it != topic) {
        let others = found(&report, other);
        assert!(others.iter().all(|(v, _)| *v == "good"), "{other} {others:#?}");
    }
    report
}

#[test]
fn with_everything_in_order_nothing_is_to_do() {
    let relay = Relay::start();
    let house = house(&relay);
    let everything = house.everything();
    let done = run(&house, good(), &[]).expect(0);
    done.expect_said(&[
        "mail from auch.example, bounces to lettre.auch.example",
        "What is good",
        "lettre.auch.example has one valid SPF record (0 of 10 lookups)",
        "SPF lets 192.0.2.10 send for lettre.auch.example",
        "there is a valid key at s1._domainkey.auch.example",
        "auch.example has a DMARC policy at _dmarc.auch.example (p=none)",
        "From (auch.example) and the return path (lettre.auch.example) are aligned",
        "bounces to lettre.auch.example go to mail.auch.example",
        "192.0.2.10 is mail.auch.example, and mail.auch.example leads back to it",
        "EHLO says mail.auch.example, which has an address",
        "can be reached",
        "is on this machine and needs no encryption",
        "0 bad",
    ]);
    assert_eq!((relay.numbers().connections, relay.numbers().mail_commands), (1, 0), "nothing is sent");
    assert_eq!(house.everything(), everything, "it only looks");
}

#[test]
fn spf_is_checked_with_all_that_it_includes() {
    let host = "lettre.auch.example";
    let with = |record: &str| good().without(host).mx(host, "mail.auch.example").txt(host, &[record]);
    let none = assert_finds(good().without(host).mx(host, "mail.auch.example"), "spf", "bad", "has no SPF record");
    assert_eq!(published(&none, "spf"), (host, "TXT", "v=spf1 ip4:192.0.2.10 ~all"));
    let two = assert_finds(good().txt(host, &["v=spf1 mx ~all"]), "spf", "bad", "has 2 SPF records");
    assert_eq!(published(&two, "spf"), (host, "TXT", "v=spf1 ip4:192.0.2.10 mx ~all"));
    // Counted through includes: two in the record itself, and nine below.
    let many = (0..9).fold(with("v=spf1 ip4:192.0.2.10 mx include:many.example -all"), |zone, n| {
        zone.address(&format!("a{n}.many.example"), "198.51.100.7")
    });
    let terms: String = (0..9).map(|n| format!("a:a{n}.many.example ")).collect();
    let many = many.txt("many.example", &[&format!("v=spf1 {terms}"), "-all"]);
    assert_finds(many, "spf", "bad", "asks the DNS 11 times");
    assert_finds(with("v=spf1 ip4:192.0.2.999 -all"), "spf", "bad", "cannot be read: ip4:192.0.2.999");
    assert_finds(
        with("v=spf1 ip4:192.0.2.10 include:gone.example -all"),
        "spf",
        "bad",
        "includes gone.example, which has no SPF record",
    );
    assert_finds(with("v=spf1 +all"), "spf", "bad", "lets everybody send");
    assert_finds(with("v=spf1 ip4:192.0.2.10"), "spf", "warning", "ends in no all");
    let other = assert_finds(with("v=spf1 ip4:198.51.100.0/24 -all"), "spf", "bad", "does not let 192.0.2.10 send");
    assert_eq!(published(&other, "spf").2, "v=spf1 ip4:192.0.2.10 ip4:198.51.100.0/24 -all");
    let included = with("v=spf1 include:ours.example -all").txt("ours.example", &["v=spf1 mx:ours.example ", "-all"]);
    let included = included.mx("ours.example", "mail.auch.example");
    assert_finds(included, "spf", "good", "SPF lets 192.0.2.10 send");
    let aside = with("v=spf1 redirect=ours.example").txt("ours.example", &["v=spf1 ip4:192.0.2.0/24 -all"]);
    assert_finds(aside, "spf", "good", "SPF lets 192.0.2.10 send");
}

#[test]
fn a_dns_that_does_not_answer_is_not_a_missing_record() {
    assert_finds(good().fails("s1._domainkey.auch.example"), "dkim", "unknown", "the DNS does not answer (it says ");
    let silent = assert_finds(
        good().silent("_dmarc.auch.example"),
        "dmarc",
        "unknown",
        "the DNS does not answer (no answer within 5 s)",
    );
    assert!(
        silent["checks"].as_array().unwrap().iter().all(|it| it["publish"].is_null()),
        "nothing is to publish: {silent:#}"
    );
    // Whether bounces arrive is in the records of the same name.
    let failed = report(good().fails("lettre.auch.example"), &[]);
    for topic in ["spf", "bounces"] {
        let found = found(&failed, topic);
        let all = found.iter().all(|(verdict, what)| *verdict == "unknown" && what.contains("the DNS does not answer"));
        assert!(all && !found.is_empty(), "{topic} {found:#?}");
    }
}

#[test]
fn dkim_is_the_key_at_the_selector() {
    let host = "s1._domainkey.auch.example";
    let none = assert_finds(
        good().without(host),
        "dkim",
        "bad",
        "there is no DKIM key at s1._domainkey.auch.example: the name does not exist",
    );
    assert!(
        none["checks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["ask"].as_str().is_some_and(|ask| ask.contains("operates the relay")))
    );
    assert_finds(good().without(host).txt(host, &["v=DKIM1; p="]), "dkim", "bad", "was revoked");
    assert_finds(good().without(host).txt(host, &["hello"]), "dkim", "bad", "is no DKIM key");
    let short = BASE64_STANDARD.encode([1; 162]);
    assert_finds(good().without(host).txt(host, &[&format!("p={short}")]), "dkim", "warning", "fewer than 2048 bits");
    // As providers ask for it.
    let key = format!("v=DKIM1; p={}", BASE64_STANDARD.encode(KEY));
    let (first, rest) = key.split_at(255);
    let alias = good().without(host).cname(host, "key.provider.example").txt("key.provider.example", &[first, rest]);
    assert_finds(alias, "dkim", "good", "there is a valid key");
}

#[test]
fn our_own_keys_must_be_the_published_ones() {
    let keys = [("auch.example", "s1", "rsa.pem"), ("auch.example", "e1", "ed25519.pem")];
    let relay = Relay::start();
    let house = house(&relay);
    let settings = std::fs::read_to_string(house.path("semainier.toml")).unwrap();
    house.write("semainier.toml", format!("{settings}\n{}", written(&keys)));
    let records: Vec<_> =
        read(&keys).unwrap().iter().map(|key| (key.name.record_name(), key.record().unwrap())).collect();
    let look = |zone: Zone| {
        let dns = DnsServer::start(zone);
        house.semainier(&["doctor", "--nameserver", &dns.address.to_string(), "--json"]).json()
    };
    let without = || records.iter().fold(good(), |zone, (host, _)| zone.without(host));
    let (first, rest) = records[0].1.split_at(200);
    let complete = look(without().txt(&records[0].0, &[first, rest]).txt(&records[1].0, &[&records[1].1]));
    let verdicts = found(&complete, "dkim");
    assert_eq!(verdicts[0], ("good", "the key at s1._domainkey.auch.example is the one that signs"));
    assert_eq!(verdicts[1], ("good", "the key at e1._domainkey.auch.example is the one that signs"));
    // The key of another under the selector of ours: what is to be published is ours.
    let other = look(good().without(&records[1].0).txt(&records[1].0, &[&records[1].1]));
    let verdicts = found(&other, "dkim");
    assert_eq!(verdicts[0], ("bad", "the key at s1._domainkey.auch.example is not the one that signs"));
    let (host, kind, value) = published(&other, "dkim");
    assert_eq!((host, kind, value), (&*records[0].0, "TXT", &*records[0].1));
    let missing = look(without());
    assert!(found(&missing, "dkim").iter().all(|(verdict, what)| *verdict == "bad" && what.contains("no DKIM key at")));
}

#[test]
fn dmarc_is_looked_for_upwards_and_must_name_a_mailbox() {
    let host = "_dmarc.auch.example";
    let with = |record: &str| good().without(host).txt(host, &[record]);
    let none = assert_finds(good().without(host), "dmarc", "bad", "auch.example has no DMARC record");
    assert_eq!(published(&none, "dmarc"), (host, "TXT", "v=DMARC1; p=none; rua=mailto:dmarc@auch.example"));
    let silent = assert_finds(with("v=DMARC1; p=reject; pct=50"), "dmarc", "warning", "has no rua");
    assert_eq!(published(&silent, "dmarc").2, "v=DMARC1; p=reject; rua=mailto:dmarc@auch.example");
    assert!(found(&silent, "dmarc").iter().any(|(_, what)| what.contains("has pct")), "{silent:#}");
    assert_finds(
        with("v=DMARC1; p=maybe; rua=mailto:a@auch.example"),
        "dmarc",
        "bad",
        "p=maybe, which nobody understands",
    );
    assert_finds(good().txt(host, &["v=DMARC1; p=none"]), "dmarc", "bad", "there are 2 DMARC records");
    let strict = with("v=DMARC1; p=none; rua=mailto:a@auch.example; aspf=s");
    assert_finds(strict, "dmarc", "warning", "is not aligned with From (auch.example) under aspf=s");
    let elsewhere = with("v=DMARC1; p=none; rua=mailto:auch@reports.test");
    let elsewhere = assert_finds(elsewhere, "dmarc", "warning", "reports to reports.test are not sent");
    assert_eq!(published(&elsewhere, "dmarc"), ("auch.example._report._dmarc.reports.test", "TXT", "v=DMARC1"));
    let agrees = with("v=DMARC1; p=none; rua=mailto:auch@reports.test")
        .txt("auch.example._report._dmarc.reports.test", &["v=DMARC1"]);
    assert!(found(&report(agrees, &[]), "dmarc").iter().all(|(verdict, _)| *verdict == "good"));
    // Of a subdomain, from the domain above it.
    let below = report(good(), &["--domain", "agenda.auch.example"]);
    assert!(
        found(&below, "dmarc")[0].1.contains("agenda.auch.example has a DMARC policy at _dmarc.auch.example"),
        "{below:#}"
    );
}

#[test]
fn bounces_and_names_lead_somewhere() {
    let path = "lettre.auch.example";
    let spf = |zone: Zone| zone.without(path).txt(path, &["v=spf1 ip4:192.0.2.10 -all"]);
    assert_finds(spf(good()), "bounces", "bad", "has no MX and no address");
    assert_finds(
        spf(good()).address(path, "192.0.2.10"),
        "bounces",
        "warning",
        "has no MX; bounces go to its own address",
    );
    assert_finds(spf(good()).mx(path, "."), "bounces", "bad", "null MX");
    assert_finds(
        spf(good()).mx(path, "gone.auch.example"),
        "bounces",
        "bad",
        "gone.auch.example, the MX of lettre.auch.example, has no address",
    );
    let address = "10.2.0.192.in-addr.arpa";
    let nameless = assert_finds(good().without(address), "ptr", "bad", "192.0.2.10 has no name");
    assert_eq!(published(&nameless, "ptr"), (address, "PTR", "mail.auch.example."));
    let astray =
        good().without(address).reverse("192.0.2.10", "vps7.host.test").address("vps7.host.test", "198.51.100.1");
    assert_finds(astray, "ptr", "bad", "192.0.2.10 is named vps7.host.test, which does not lead back to it");
    // Without an address of the name we send from nowhere that is known, unless somebody says it.
    let lost = report(good().without("mail.auch.example"), &["--from-address", "192.0.2.10"]);
    assert_eq!(found(&lost, "hello")[0].0, "bad");
    assert_eq!(published(&lost, "hello"), ("mail.auch.example", "A", "192.0.2.10"));
}

#[test]
fn behind_a_provider_it_says_what_cannot_be_known() {
    let relay = Relay::start();
    let house = house(&relay);
    // Nobody answers there, and nobody is asked: a reserved name.
    let house = house.set("relay", "smtp://smtp.provider.invalid:587?tls=none");
    let done = run(&house, good(), &["--json"]).expect(1);
    let report = done.json();
    assert!(
        found(&report, "spf")
            .iter()
            .any(|(v, what)| *v == "unknown" && what.contains("only the operator of smtp.provider.invalid knows"))
    );
    assert_eq!(found(&report, "ptr")[0].0, "unknown");
    let (verdict, what) = found(&report, "relay")[0];
    assert!(verdict == "bad" && what.contains("does not take mail now: connect"), "{what}");
    let done = run(&house, good(), &[]).expect(1);
    done.expect_said(&["What to do", "bad: smtp.provider.invalid:587", "What cannot be known from here"]);
}

#[test]
fn a_domain_with_accents_is_asked_for_in_punycode() {
    let domain = "xn--t-auch-9uab.example";
    let key = format!("p={}", BASE64_STANDARD.encode(KEY));
    let zone = good()
        .txt(domain, &["v=spf1 ip4:192.0.2.10 -all"])
        .mx(domain, "mail.auch.example")
        .txt(&format!("s1._domainkey.{domain}"), &[&key[..255], &key[255..]])
        .txt(&format!("_dmarc.{domain}"), &[&format!("v=DMARC1; p=none; rua=mailto:d@{domain}")]);
    let report = report(zone, &["--domain", "été-auch.example"]);
    assert_eq!((report["domain"].as_str(), report["return_path_domain"].as_str()), (Some(domain), Some(domain)));
    for topic in ["spf", "dkim", "dmarc", "bounces"] {
        assert!(found(&report, topic).iter().all(|(verdict, _)| *verdict == "good"), "{report:#}");
    }
}

#[test]
fn the_certificate_of_the_relay_and_what_it_offers_are_shown() {
    let (options, certificate) = super::refusing_passwords();
    let relay = Relay::with(options);
    let house = house(&relay);
    house.write("localhost.pem", certificate);
    let url = format!("smtp://localhost:{}?tls=required", relay.address.port());
    let house = house.set("relay", url).set("relay_ca_file", "localhost.pem");
    let done = run(&house, good(), &["--json"]);
    let report = done.json();
    let (verdict, what) = found(&report, "tls")[0];
    assert!(verdict == "good" && what.contains(" more days"), "{report:#}");
    let house = house.without("relay_ca_file");
    let report = run(&house, good(), &["--json"]).expect(1).json();
    let (verdict, what) = found(&report, "tls")[0];
    assert!(verdict == "bad" && what.contains("nobody this system trusts has signed"), "{report:#}");
}
