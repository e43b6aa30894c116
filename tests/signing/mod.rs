//! DKIM signatures, judged by three verifiers that are not ours, and return paths that name their delivery.

mod leaving;
mod verifiers;

use semainier::compose::mime::{Mime, To};
use semainier::config::Config;
use semainier::domain::{
    email::EmailAddress,
    issue::{Attachment, Content, Envelope},
    message::Message,
};
use semainier::signing::Keys;
use semainier::toml_reader::Overrides;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use verifiers::{dkimpy, mail_auth, open_dkim};

/// Made once for all tests: `rsa.pem`, `second.pem` (RSA of 2048 bits), `ed25519.pem`, `weak.pem` (RSA of 1024), `ec.pem`.
fn made() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        for (file, args) in [
            ("rsa.pem", &["genrsa", "-out", "rsa.pem", "2048"][..]),
            ("second.pem", &["genrsa", "-traditional", "-out", "second.pem", "2048"]),
            ("weak.pem", &["genrsa", "-out", "weak.pem", "1024"]),
            ("ed25519.pem", &["genpkey", "-algorithm", "ed25519", "-out", "ed25519.pem"]),
            ("ec.pem", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem"]),
        ] {
            openssl(folder.path(), args);
            assert!(folder.path().join(file).exists(), "{file}");
        }
        folder
    });
    folder.path()
}

fn openssl(folder: &Path, args: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(args).current_dir(folder).output().expect("openssl is installed");
    assert!(done.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// `[[dkim]]` sections: domain, selector, file in [`made`].
pub fn written(keys: &[(&str, &str, &str)]) -> String {
    let section = |(domain, selector, file): &(&str, &str, &str)| {
        format!(
            "[[dkim]]\ndomain = \"{domain}\"\nselector = \"{selector}\"\nkey_file = \"{}\"\n",
            made().join(file).display()
        )
    };
    keys.iter().map(section).collect()
}

/// The same of keys that sign only what was frozen with them.
fn retired(keys: &[(&str, &str, &str)]) -> String {
    written(keys).replace("key_file", "retired = true\nkey_file")
}

fn parsed(text: &str) -> Result<Keys, String> {
    let config = Config::parse(Some(Path::new("/etc/semainier.toml")), text, &Overrides::default());
    config.map(|config| config.dkim).map_err(|problems| problems.to_string())
}

pub fn read(keys: &[(&str, &str, &str)]) -> Result<Keys, String> {
    parsed(&written(keys))
}

fn keys(keys: &[(&str, &str, &str)]) -> Keys {
    read(keys).unwrap()
}

const BOTH_KINDS: [(&str, &str, &str); 2] =
    [("office.example", "s2026", "rsa.pem"), ("office.example", "e2026", "ed25519.pem")];

fn content(subject: &str, text: &str, attachment: usize) -> Content {
    Content {
        subject: subject.to_owned(),
        html: format!("<html lang=\"fr\"><p>{text}</p></html>"),
        text: text.to_owned(),
        attachments: (attachment > 0)
            .then(|| Attachment {
                name: "Agenda du 6 au 12 juillet – été.pdf".to_owned(),
                media_type: "application/pdf".to_owned(),
                bytes: (0..=255).cycle().take(attachment).collect(),
            })
            .into_iter()
            .collect(),
        inline: Vec::new(),
        data: String::new(),
        envelope: Envelope {
            from_name: "Office de tourisme d’Auch".to_owned(),
            from_address: "partenaires@office.example".to_owned(),
            reply_to: Some("reponse@office.example".to_owned()),
            return_path: "retours+*@lettre.office.example".to_owned(),
            domain: "office.example".to_owned(),
            list_id: "agenda.lettre.office.example".to_owned(),
            list_name: "Que faire à Auch".to_owned(),
            feedback_id: "agenda:2026-w28:semainier:office-example".to_owned(),
            date_ms: 1_783_144_800_000,
            public_url: "https://partenaires.office.example/".to_owned(),
            edition: None,
            article_url: None,
            marks: String::new(),
            dkim: Vec::new(),
        },
    }
}

fn message(content: Content) -> Message {
    let address = EmailAddress::parse("hotel@auch.example").unwrap();
    let to = To {
        address: &address,
        name: "Éloïse Cœur",
        establishment: "Hôtel de France",
        message_id: "agenda-2026-w28.1@office.example",
        unsubscribe_url: "https://partenaires.office.example/u/1",
        order_url: "",
    };
    Mime::new(content).unwrap().message(to).unwrap()
}

fn signed(keys: &Keys, content: Content) -> Vec<u8> {
    let message = message(content);
    keys.sign(message, &keys.for_sender("office.example")).unwrap().to_bytes()
}

/// Every kind of text and size: the canonical forms differ where lines are long, blank or end in spaces.
fn contents() -> Vec<Content> {
    let long = "Que faire à Auch cette semaine\u{a0}: du 6 au 12 juillet, « l’été à la fraîche », nocturnes, marchés \
                gourmands, théâtre de verdure et visites guidées pour les petits et les grands 🎪";
    vec![
        content("Agenda", "Un mot.", 0),
        content(long, "Été.\n\n\n  deux espaces  \n\t\nfin \t\n\n\n", 0),
        content("Été", &"Une ligne assez longue pour être pliée, avec des accents : é è ê ç œ. ".repeat(40), 300_000),
        content("=?utf-8?q?rien?= : a;b=c", ".un\n..deux\n", 1),
        content("Points", ".\n.\n..seul\n", 1),
    ]
}

#[test]
fn three_verifiers_accept_each_kind_of_message() {
    let keys = keys(&BOTH_KINDS);
    for (n, content) in contents().into_iter().enumerate() {
        let raw = signed(&keys, content);
        assert_eq!(mail_auth(&keys, &raw), ["pass", "pass"], "mail-auth, message {n}");
        assert_eq!(dkimpy(&keys, &raw), ["pass", "pass"], "dkimpy, message {n}");
        // OpenDKIM 2.11 knows no Ed25519.
        let keys = self::keys(&BOTH_KINDS[..1]);
        let raw = signed(&keys, contents().swap_remove(n));
        // Reading a file, it takes a lone dot for the end of the message.
        if memchr::memmem::find(&raw, b"\r\n.\r\n").is_none() {
            assert_eq!(open_dkim(&keys, &raw), "pass", "OpenDKIM, message {n}");
        }
    }
}

#[test]
fn what_was_changed_or_added_on_the_way_no_longer_verifies() {
    let keys = keys(&BOTH_KINDS);
    let raw = signed(&keys, content("Agenda de la semaine", "Le marché est à 9 h.", 0));
    let text = String::from_utf8(raw.clone()).unwrap();
    let after_signatures = text.find("\r\nTo: ").expect("To comes first") + 2;
    let with =
        |line: &str| format!("{}{line}\r\n{}", &text[..after_signatures], &text[after_signatures..]).into_bytes();
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        text.replace(from, to).into_bytes()
    };
    for changed in [
        replaced("Agenda de la", "Agenda d’une"),
        replaced("9 h.", "8 h."),
        replaced("/u/1>", "/u/2>"),
        replaced("List-Unsubscribe=One-Click", "List-Unsubscribe=No"),
        with("From: another@office.example"),
        with("Subject: gratuit"),
        with("Reply-To: voleur@ailleurs.example"),
    ] {
        for verdict in mail_auth(&keys, &changed).into_iter().chain(dkimpy(&keys, &changed)) {
            assert_ne!(verdict, "pass", "{}", String::from_utf8_lossy(&changed));
        }
    }
    // What relays do on the way: folding, white space, a header of their own.
    for harmless in [with("X-Relay: seen"), replaced("Subject: ", "Subject:   "), replaced("\r\nTo: ", "\r\nto:")] {
        assert_eq!(mail_auth(&keys, &harmless), ["pass", "pass"], "{}", String::from_utf8_lossy(&harmless));
    }
}

#[test]
fn the_signature_covers_what_receivers_ask_for_and_is_the_same_each_time() {
    let keys = keys(&BOTH_KINDS[..1]);
    let raw = signed(&keys, contents().swap_remove(1));
    assert_eq!(raw, signed(&keys, contents().swap_remove(1)), "a resend has the same bytes");
    let head = String::from_utf8(raw).unwrap().split("\r\n\r\n").next().unwrap().to_owned();
    let signature = head.split("\r\nTo: ").next().unwrap();
    assert!(signature.lines().all(|line| line.len() <= 78), "{signature}");
    let signature = signature.replace("\r\n\t", "");
    let covered = signature.split("h=").nth(1).unwrap().split(';').next().unwrap().to_ascii_lowercase();
    let times = |name: &str| covered.split(':').filter(|it| *it == name).count();
    for name in ["from", "to", "subject", "date", "message-id", "reply-to"] {
        assert_eq!(times(name), 2, "{name} is over-signed: {covered}");
    }
    for name in
        ["list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id", "auto-submitted", "content-type"]
    {
        assert_eq!(times(name), 1, "{name} in {covered}");
    }
    for tag in ["v=1;", "a=rsa-sha256;", "c=relaxed/relaxed;", "d=office.example;", "s=s2026;"] {
        assert!(signature.contains(tag), "{tag} in {signature}");
    }
    for tag in [" l=", " t=", " x="] {
        assert!(!signature.contains(tag), "{tag} in {signature}");
    }
}

#[test]
fn the_published_key_is_the_one_openssl_shows() {
    let keys = keys(&[("office.example", "a", "rsa.pem"), ("office.example", "b", "second.pem"), BOTH_KINDS[1]]);
    for (key, file) in keys.iter().zip(["rsa.pem", "second.pem"]) {
        assert_eq!(key.public().unwrap(), openssl(made(), &["rsa", "-in", file, "-pubout", "-outform", "DER"]));
        assert!(key.record().unwrap().starts_with("v=DKIM1; k=rsa; p=MII"));
    }
    // The last 32 bytes of its SubjectPublicKeyInfo (RFC 8410).
    let der = openssl(made(), &["pkey", "-in", "ed25519.pem", "-pubout", "-outform", "DER"]);
    let last = keys.iter().last().unwrap();
    assert_eq!(last.public().unwrap(), der[der.len() - 32..]);
    assert_eq!(last.name.record_name(), "e2026._domainkey.office.example");
}

#[test]
fn the_keys_of_the_nearest_domain_sign_but_retired_ones() {
    let text = [
        written(&[("tourisme.example", "root", "rsa.pem"), ("office.example", "new", "rsa.pem")]),
        retired(&[("office.example", "old", "second.pem"), ("lettre.office.example", "older", "second.pem")]),
        written(&[("office.example", "ed", "ed25519.pem")]),
    ];
    let keys = parsed(&text.concat()).unwrap();
    let signs = |domain: &str| keys.for_sender(domain).into_iter().map(|it| it.selector).collect::<Vec<_>>();
    assert_eq!(signs("office.example"), ["new", "ed"]);
    assert_eq!(signs("lettre.office.example"), ["new", "ed"], "a parent is aligned");
    assert_eq!(signs("lettre.tourisme.example"), ["root"]);
    assert_eq!(signs("autreoffice.example"), [""; 0], "ends alike, and is another domain");
}

#[test]
fn an_issue_keeps_the_key_it_was_frozen_with_while_that_is_configured() {
    let (old, new) = (("office.example", "old", "second.pem"), ("office.example", "new", "rsa.pem"));
    let before = keys(&[old]);
    let frozen = before.for_sender("office.example");
    let selector = |keys: &Keys| {
        let raw = keys.sign(message(content("Agenda", "Un mot.", 0)), &frozen).unwrap().to_bytes();
        assert_eq!(mail_auth(keys, &raw), ["pass"]);
        let text = String::from_utf8(raw).unwrap();
        text.split("\r\n\ts=").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    assert_eq!(selector(&before), "old");
    let rotated = parsed(&(written(&[new]) + &retired(&[old]))).unwrap();
    assert_eq!(selector(&rotated), "old", "what is frozen keeps its bytes");
    assert_eq!(rotated.for_sender("office.example")[0].selector, "new");
    assert_eq!(selector(&keys(&[new])), "new", "rather than no signature");
    let unsigned = Keys::default().sign(message(content("Agenda", "Un mot.", 0)), &frozen).unwrap().to_bytes();
    assert!(unsigned.starts_with(b"To: "), "the relay signs now");
}

#[test]
fn what_is_no_key_is_refused_with_the_way_to_make_one() {
    let said = |file: &str| keys(&[("office.example", "s1", file)]).load().unwrap_err().to_string();
    std::fs::write(made().join("text.pem"), "secret").unwrap();
    for (file, expected) in [
        ("none.pem", "cannot be read"),
        ("text.pem", "expected a private key in PEM"),
        ("weak.pem", "neither RSA of 2048 to 4096 bits nor Ed25519"),
        ("ec.pem", "neither RSA of 2048 to 4096 bits nor Ed25519"),
    ] {
        let said = said(file);
        assert!(said.contains(file) && said.contains(expected), "{said}");
    }
    let said = read(&[("office.example", "s1", "rsa.pem"), ("office.example", "s1", "second.pem")]).unwrap_err();
    assert!(said.contains("s1._domainkey.office.example is written twice"), "{said}");
    for (domain, selector) in [("office", "s1"), ("office.example", "S 1"), ("office.example", "")] {
        assert!(read(&[(domain, selector, "rsa.pem")]).is_err(), "{domain} {selector}");
    }
}

/// A file with these bytes, in a folder that lasts as long as the value.
fn file(raw: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message.eml");
    std::fs::write(&path, raw).unwrap();
    (folder, path)
}
