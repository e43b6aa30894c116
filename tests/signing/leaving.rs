//! What leaves the program: signed, and with a return path of its own per delivery.

use super::{mail_auth, read, written};
use crate::support::{
    house::{BOTH, House, STAFF},
    relay::Relay,
    smtp::Accepted,
};
use semainier::tokens::Tokens;

const KEYS: [(&str, &str, &str); 2] = [("ot.test", "s2026", "rsa.pem"), ("ot.test", "e2026", "ed25519.pem")];

fn house(on: crate::support::house::On, relay: &Relay) -> House {
    let house = House::on(on).relay(relay).set("sender.return_path", "retours+*@lettre.ot.test");
    let settings = std::fs::read_to_string(house.path("semainier.toml")).unwrap();
    house.write("semainier.toml", format!("{settings}\n{}", written(&KEYS)));
    house
}

fn to_partners(relay: &Relay) -> Vec<Accepted> {
    relay.seen().accepted.iter().filter(|it| it.recipient != STAFF).cloned().collect()
}

#[test]
fn each_message_is_signed_and_its_return_path_names_its_delivery() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        house.import(&["a@gite.example", "b@gite.example", "plain450@gite.example"]);
        house.run().expect(0);
        let keys = read(&KEYS).unwrap();
        let tokens = Tokens::new("a secret for tests".to_owned().into());
        let accepted = to_partners(&relay);
        assert_eq!(accepted.len(), 3);
        for accepted in accepted {
            assert_eq!(mail_auth(&keys, &accepted.bytes), ["pass", "pass"]);
            let (local, domain) = accepted.sender.split_once('@').unwrap();
            assert_eq!(domain, "lettre.ot.test");
            let delivery = tokens.check_return(local.strip_prefix("retours+").unwrap()).expect("our token");
            assert_eq!(delivery.0, house.delivery(&accepted.recipient).id, "{}", accepted.recipient);
            assert!(!accepted.sender.contains("gite"), "no address in it");
        }
        house.judge_at_rest(&relay, 3);
    }
}

#[test]
fn a_resend_has_the_same_signatures_and_the_same_return_path() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        house.import(&["dropafter@gite.example"]);
        house.run().expect(4);
        let id = house.delivery("dropafter@gite.example").id;
        house.semainier(&["deliveries", "resolve", &id, "--as", "resend", "--by", "Claire"]).expect(0);
        house.run();
        let taken = to_partners(&relay);
        assert_eq!(taken.len(), 2, "the relay took it twice");
        assert_eq!((&taken[0].bytes, &taken[0].sender), (&taken[1].bytes, &taken[1].sender));
        assert_eq!(mail_auth(&read(&KEYS).unwrap(), &taken[1].bytes), ["pass", "pass"]);
    }
}

#[test]
fn mails_to_staff_are_signed_too() {
    let relay = Relay::start();
    let house = house(crate::support::house::On::Sqlite, &relay);
    house.import_many(1);
    // An article of another week is held, and staff are told.
    house.run_at(crate::support::house::AT, &crate::support::house::article("2026-06-01")).expect(3);
    let seen = relay.seen();
    let told = seen.accepted.iter().find(|it| it.recipient == STAFF).expect("staff were told");
    assert_eq!(mail_auth(&read(&KEYS).unwrap(), &told.bytes), ["pass", "pass"]);
}
