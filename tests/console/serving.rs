//! The console as the daemon serves it: a listener of its own, beside the pages of partners and across a reload.

use super::{ask, entering::CLAIRE};
use crate::support::house::{House, Relay};

fn host(line: &str) -> String {
    line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().trim_matches('"').to_owned()
}

#[test]
fn the_daemon_serves_it_beside_the_pages_and_shows_new_files_after_a_reload() {
    let relay = Relay::start();
    let mut house = House::new().relay(&relay).set("web.bind", "127.0.0.1:0").set("console.bind", "127.0.0.1:0");
    let mut daemon = house.serve();
    let first = daemon.hear(" served on http://");
    let second = daemon.hear(" served on http://");
    let (pages, console) = match first.contains("the console") {
        true => (host(&second), host(&first)),
        false => (host(&first), host(&second)),
    };
    ask(&console, "GET", "/").expect(401, &["semainier users add"]);
    // Nothing of it answers where partners are, and nothing of theirs here.
    for path in ["/connexion", "/envois", "/moi", "/utilisateurs", "/invitation/x", "/reglages"] {
        let reply = ask(&pages, "GET", path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    for path in ["/agenda", "/archives", "/healthz"] {
        assert_eq!(ask(&console, "GET", path).status, 401, "{path}");
    }
    let said = house.semainier(&["users", "add", CLAIRE, "--name", "Claire", "--role", "validation"]).expect(0).stdout;
    let invitation = said.split_whitespace().find_map(|it| it.split_once("/invitation/")).unwrap().1.to_owned();
    let path = format!("/invitation/{invitation}");
    let page = ask(&console, "GET", &path).expect(200, &["Claire"]).text();
    assert!(page.contains(CLAIRE), "{page}");

    house = house.set("office.name", "Office des Coteaux").set("console.bind", "127.0.0.1:1");
    daemon.signal("HUP");
    daemon.hear("needs a restart: console.bind");
    let page = ask(&console, "GET", &path).expect(200, &["Claire"]).text();
    assert!(page.contains("Office des Coteaux"), "{page}");
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // A token of an invitation is in no log (I7).
    assert!(!ended.said(&invitation) && !ended.said(CLAIRE), "{ended:?}");
    drop(house);
}
