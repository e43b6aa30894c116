//! Every declared route, by everybody: nobody, half a login, each role; and requests that come from elsewhere.

use super::entering::{Browser, CLAIRE, OURS, Office, PASSWORD};
use crate::support::house::On;
use semainier::accounts::{Permission, Roles};
use semainier::web::console::{Asks, declared};

/// An address of the route.
fn address(path: &str) -> String {
    let filled = [
        ("{mailing}", "agenda"),
        ("{period}", "2027-W28"),
        ("{hash}", "c0ffee"),
        ("{file}", "mail.html"),
        ("{id}", "nobody"),
        ("{slug}", "carte-2027"),
        ("{lane}", "orange"),
        ("{target}", "2027-07-12.00000000.0.0"),
        ("{token}", "nothing"),
    ];
    let address = filled.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    assert!(!address.contains('{'), "{address}: say what stands there");
    address
}

#[test]
fn each_route_opens_to_its_permission_alone() {
    let office = Office::on(On::Sqlite);
    let members: Vec<_> = Permission::ALL
        .iter()
        .map(|role| (*role, office.member(&format!("{}@ot.test", role.as_str()), role.as_str())))
        .collect();
    let mut nobody = Browser::new(&office);
    let mut half = Browser::new(&office);
    assert_eq!(half.password("validation@ot.test", PASSWORD).status, 303);
    let all = declared();
    assert!(all.len() > 30, "{}", all.len());
    for (path, post, asks) in &all {
        let (method, path) = (if *post { "POST" } else { "GET" }, address(path));
        let login = |status: u16, location: &str| match *post {
            true => status == 401,
            false => status == 303 && location.starts_with("/connexion"),
        };
        for (who, browser) in [("nobody", &mut nobody), ("half", &mut half)] {
            let before = browser.jar.clone();
            let reply = browser.send(method, &path, &[], OURS);
            browser.jar = before;
            let (status, location) = (reply.status, reply.header("location"));
            match (asks, who) {
                // No account, no invitation of that name: looked at, and refused as such.
                (Asks::Nothing, _) => assert!([200, 410, 422].contains(&status), "{who} {method} {path}: {status}"),
                // Without the token of its form a POST gets no further.
                (Asks::HalfALogin, "half") => {
                    assert_eq!(status, if *post { 403 } else { 200 }, "{who} {method} {path}");
                }
                _ => assert!(login(status, location), "{who} {method} {path}: {status} {location}"),
            }
        }
    }
    for (role, member) in &members {
        let mut browser = Browser::of(&office, member);
        let token = browser.token();
        for (path, post, asks) in &all {
            let Asks::May(permission) = asks else { continue };
            if *path == "/deconnexion" {
                continue;
            }
            let (method, path) = (if *post { "POST" } else { "GET" }, address(path));
            let reply = browser.send(method, &path, &[("jeton", &token)], OURS);
            let may = Roles::of([*role]).may(*permission);
            assert_eq!(reply.status != 403, may, "{role:?} {method} {path}: {}", reply.status);
            assert!(reply.status < 500 && reply.status != 401, "{role:?} {method} {path}: {}", reply.status);
            assert!(!reply.header("location").starts_with("/connexion"), "{role:?} {method} {path}");
            // A page is dressed like every page.
            let policy = reply.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; s"), "{path}: {policy}");
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
            assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin", "{path}");
        }
        // A method that the route does not have does nothing.
        assert_eq!(browser.send("POST", "/envois", &[("jeton", &token)], OURS).status, 405);
        assert_eq!(browser.send("DELETE", "/envois", &[("jeton", &token)], OURS).status, 405);
        assert!(browser.is_in());
    }
}

#[test]
fn an_address_written_otherwise_leads_around_nothing() {
    let office = Office::on(On::Sqlite);
    let claire = office.member(CLAIRE, "lecture");
    let mut nobody = Browser::new(&office);
    let mut reader = Browser::of(&office, &claire);
    for path in [
        "//envois",
        "/envois/",
        "/ENVOIS",
        "/%65nvois",
        "/envois%2F",
        "/x/../envois",
        "/connexion/../envois",
        "/connexion//code",
        "/static/../envois",
        "/static/..%2Fenvois",
        "/envois?vers=/connexion",
        "/envois;/connexion",
        "/utilisateurs/",
        "//utilisateurs",
        "/%75tilisateurs",
        "/Utilisateurs",
        "/moi/%2e%2e/utilisateurs",
    ] {
        let reply = nobody.get(path);
        let closed = reply.status == 303 && reply.header("location").starts_with("/connexion");
        assert!(closed || reply.status == 404, "{path}: {} {}", reply.status, reply.header("location"));
        if path.to_lowercase().contains("tilisateurs") {
            assert!([403, 404].contains(&reader.get(path).status), "{path}");
        }
    }
}

#[test]
fn a_form_comes_from_a_page_of_the_console_or_nothing_is_done() {
    let office = Office::on(On::Sqlite);
    let admin = office.member(CLAIRE, "administration");
    let mut browser = Browser::of(&office, &admin);
    let token = browser.token();
    let ours = format!("http://{}", office.host);
    let foreign: [&[(&str, &str)]; 8] = [
        &[],
        &[("Origin", "null")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "https://127.0.0.1")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", &ours)],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Referer", &ours)],
    ];
    for (path, post, asks) in declared() {
        if !post {
            continue;
        }
        let path = address(path);
        for headers in foreign {
            let reply = browser.send("POST", &path, &[("jeton", &token)], headers);
            assert_eq!(reply.status, 403, "{path} {headers:?}");
        }
        if asks == Asks::May(Permission::See) || asks == Asks::May(Permission::Administer) {
            for wrong in ["", "x", &token[1..], &"A".repeat(43)] {
                let reply = browser.send("POST", &path, &[("jeton", wrong)], OURS).expect(403, &["Rien n’a été fait"]);
                assert!(reply.text().contains("Claire"), "she is still logged in");
            }
            assert_eq!(browser.send("POST", &path, &[], OURS).status, 403, "{path} without a token");
        }
    }
    assert!(browser.is_in(), "not even logged out");
    // A browser that sends no Sec-Fetch-Site says where the form was.
    let fields = [("jeton", token.as_str()), ("langue", "en")];
    assert_eq!(browser.send("POST", "/moi/langue", &fields, &[("Origin", &ours)]).status, 303);
    assert!(browser.get("/moi?fait=language").text().contains("lang=\"en\""));
    // Another name of the same address is another site.
    for host in ["evil.example", "localhost", "127.0.0.1"] {
        assert_eq!(browser.send("GET", "/envois", &[], &[("Host", host)]).status, 421, "{host}");
    }
    // A form is as long as forms are.
    let long = "x".repeat(128 * 1024);
    let reply = browser.send("POST", "/moi/langue", &[("jeton", &token), ("langue", &long)], OURS);
    assert_eq!(reply.status, 413);
}
