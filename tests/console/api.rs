//! The API as programs use it: every route with every scope, answers compared with the document, and what it refuses.

use super::entering::{Browser, CLAIRE, OURS, Office};
use super::{EVIL, Reply, busy, parsed};
use crate::support::house::{BOTH, House, ISSUE, On, article, block_on};
use semainier::accounts::{Scope, Scopes};
use semainier::web::{Limits, api::declared};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const NOW: &str = "2027-07-10T06:10:00Z";

fn office(house: House) -> Office {
    Office::open_at(house.set("console.bind", "127.0.0.1:0"), None, NOW.parse().unwrap())
}

impl Office {
    /// A new token with these scopes, by the command line.
    fn api_token(&self, scopes: Scopes) -> String {
        let name = format!("Agence {}", self.number_of_tokens());
        let args = ["tokens", "add", &name, "--scope", &scopes.to_string()];
        // The command's clock is the machine's, the console's is the test's: the token must be valid by both.
        let secret = self.house.semainier(&args).expect(0).stdout.trim().to_owned();
        self.house.sql("UPDATE api_tokens SET expires_at = 4000000000000 WHERE revoked_at IS NULL;");
        assert!(secret.starts_with("sem_") && secret.len() == 47, "{secret}");
        secret
    }

    fn number_of_tokens(&self) -> i64 {
        self.house.number("SELECT count(*) FROM api_tokens")
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a body may close before it has read it.
        let _ = stream.write_all(body);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        parsed(&all)
    }

    fn ask(&self, token: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let bearer = format!("Bearer {token}");
        self.call(method, path, &[&[("Authorization", bearer.as_str())], headers].concat(), body)
    }

    fn get_json(&self, token: &str, path: &str) -> Value {
        let reply = self.ask(token, "GET", path, &[], b"");
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{path}: {}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }
}

fn problem(reply: &Reply, status: u16, code: &str) -> Value {
    let body: Value =
        serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{status} {code}: {}", reply.text()));
    assert_eq!((reply.status, &body["code"], &body["status"]), (status, &json!(code), &json!(status)), "{body}");
    assert_eq!(reply.header("content-type"), "application/problem+json", "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{body}");
    body
}

fn address(path: &str) -> String {
    let filled = path.replace("{mailing}", "agenda").replace("{period}", "2027-W28").replace("{id}", "nothing");
    assert!(!filled.contains('{'), "{filled}");
    format!("/api/v1{filled}")
}

#[test]
fn each_route_opens_to_its_scope_alone() {
    let office = Office::on(On::Sqlite);
    let tokens: Vec<_> = Scope::ALL.map(|scope| (scope, office.api_token(Scopes::of([scope])))).into();
    let claire = office.member(CLAIRE, "administration,lecture");
    let mut browser = Browser::of(&office, &claire);
    assert!(browser.is_in());
    let cookie = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let all = declared();
    assert_eq!(all.len(), 10, "nine rows of the design; issues are two routes");
    for (path, post, scope) in &all {
        let (path, method) = (address(path), if *post { "POST" } else { "GET" });
        problem(&office.call(method, &path, &[], b""), 401, "token_missing");
        let with_a_session = office.call(method, &path, &[("Cookie", &cookie), OURS[0]], b"");
        problem(&with_a_session, 401, "token_missing");
        assert!(with_a_session.header("www-authenticate").starts_with("Bearer"));
        for wrong in ["sem_", "sem_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            problem(&office.ask(wrong, method, &path, &[], b""), 401, "token_invalid");
            office.house.sql("DELETE FROM login_failures;");
        }
        for (held, token) in &tokens {
            let reply = office.ask(token, method, &path, &[], b"");
            assert_eq!(reply.status == 403, held != scope, "{held:?} {method} {path}: {}", reply.text());
            if reply.status == 403 {
                problem(&reply, 403, "scope_missing");
                assert!(reply.header("www-authenticate").contains(scope.as_str()));
            }
            assert!(![401, 500, 503].contains(&reply.status), "{held:?} {method} {path}: {}", reply.text());
        }
        let other = if *post { "GET" } else { "POST" };
        let (_, token) = tokens.iter().find(|(held, _)| held == scope).unwrap();
        for method in [other, "PUT", "DELETE", "PATCH"] {
            let reply = office.ask(token, method, &path, &[], b"");
            problem(&reply, 405, "method_not_allowed");
            assert!(reply.header("allow").contains(if *post { "POST" } else { "GET" }), "{:?}", reply.headers);
        }
        if !post {
            let head = office.ask(token, "HEAD", &path, &[], b"");
            assert!(head.body.is_empty() && head.status == office.ask(token, "GET", &path, &[], b"").status, "{path}");
        }
    }
    // A token opens no page of the console, not even with the right scope.
    for path in ["/", "/envois", "/jetons", "/utilisateurs"] {
        let reply = office.ask(&tokens[0].1, "GET", path, &[], b"");
        assert_eq!(reply.status, 303, "{path}");
        assert!(reply.header("location").starts_with("/connexion"), "{path}");
    }
    let (_, reads_issues) = tokens.iter().find(|(held, _)| *held == Scope::ReadIssues).unwrap();
    problem(&office.ask(reads_issues, "GET", "/api/v1/issues/%FF/2027-W28", &[], b""), 400, "parameter_invalid");
    for path in ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/status", "/api/v1/issues/agenda"] {
        problem(&office.ask(&tokens[0].1, "GET", path, &[], b""), 404, "not_found");
    }
}

#[test]
fn a_token_is_kept_as_its_hash_shown_once_and_revoked_at_once() {
    for on in BOTH {
        let office = office(House::on(on));
        let token = office.api_token(Scopes::of([Scope::ReadStatus]));
        let everything = format!("{:?}", office.house.everything());
        assert!(!everything.contains(&token) && !everything.contains(token.trim_start_matches("sem_")));
        office.get_json(&token, "/api/v1/status");
        let listed = office.house.semainier(&["tokens", "list", "--json"]).expect(0).stdout;
        assert!(!listed.contains(&token));
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!((&listed[0]["state"], &listed[0]["scopes"]), (&json!("valid"), &json!(["read:status"])));
        assert!(listed[0]["used_at"].is_string());
        let id = listed[0]["id"].as_str().unwrap();
        office.house.semainier(&["tokens", "revoke", id]).expect(0);
        problem(&office.ask(&token, "GET", "/api/v1/status", &[], b""), 401, "token_invalid");
        office.house.semainier(&["tokens", "revoke", id]).expect(1);
        // A token that has run out.
        let token = office.api_token(Scopes::of([Scope::ReadStatus]));
        office.house.sql("UPDATE api_tokens SET expires_at = 1;");
        problem(&office.ask(&token, "GET", "/api/v1/status", &[], b""), 401, "token_invalid");
        for (args, why) in [(["--scope", "admin"], "expected scopes"), (["--days", "366"], "365")] {
            let more = if args[0] == "--days" { &["--scope", "orders"][..] } else { &[] };
            let args = [&["tokens", "add", "x"], &args[..], more].concat();
            assert!(format!("{:?}", office.house.semainier(&args)).contains(why), "{args:?}");
        }
        let audit = "SELECT count(*) FROM audit WHERE action IN ('token.add', 'token.first_use', 'token.revoke')";
        assert_eq!(office.house.number(audit), 4, "two made, one used, one revoked");
    }
}

/// The database is read, and cannot be written.
#[test]
fn a_token_that_was_used_before_opens_also_if_its_use_cannot_be_noted() {
    let office = office(House::new());
    let token = office.api_token(Scopes::of([Scope::ReadStatus]));
    let refuse = "CREATE TRIGGER full BEFORE UPDATE ON api_tokens BEGIN SELECT RAISE(FAIL, 'no room'); END;";
    office.house.sql(refuse);
    problem(&office.ask(&token, "GET", "/api/v1/status", &[], b""), 503, "unavailable");
    office.house.sql("DROP TRIGGER full;");
    office.get_json(&token, "/api/v1/status");
    office.house.sql(refuse);
    office.tick(61);
    office.get_json(&token, "/api/v1/status");
}

#[test]
fn wrong_tokens_are_slowed_down_and_right_ones_are_not() {
    let office = office(House::new());
    let token = office.api_token(Scopes::of([Scope::ReadStatus]));
    let wrong = || office.ask(&format!("sem_{}", "A".repeat(43)), "GET", "/api/v1/status", &[], b"");
    let statuses: Vec<_> = (0..13).map(|_| wrong().status).collect();
    assert_eq!(statuses[..10], [401; 10]);
    let slowed = wrong();
    problem(&slowed, 429, "too_many_failures");
    assert!(slowed.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
    office.get_json(&token, "/api/v1/status");
}

/// JSON Schema as far as the document uses it.
fn check(schema: &Value, schemas: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        assert!(schemas[name].is_object(), "{name}");
        return check(&schemas[name], schemas, value, at);
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let one = all.iter().find(|it| (it["type"] == "null") == value.is_null()).unwrap();
        return check(one, schemas, value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(all) => all.iter().any(|it| it == kind),
        _ => panic!("{at}: {schema}"),
    };
    assert!(allowed, "{at}: {kind} instead of {}", schema["type"]);
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    match value {
        Value::Array(all) => all.iter().for_each(|it| check(&schema["items"], schemas, it, &format!("{at}[]"))),
        Value::Object(all) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(all.contains_key(name.as_str().unwrap()), "{at}: {name} is missing in {value}");
            }
            for (name, it) in all {
                match schema["properties"].get(name) {
                    Some(schema) => check(schema, schemas, it, &format!("{at}.{name}")),
                    None => assert_eq!(schema["additionalProperties"], true, "{at}.{name} is not in the schema"),
                }
            }
        }
        _ => {}
    }
}

/// The answer is what the document says of the route.
fn is_documented(document: &Value, path: &str, method: &str, reply: &Reply) -> Value {
    let response = &document["paths"][path][method]["responses"][reply.status.to_string()];
    let schema = &response["content"][reply.header("content-type")]["schema"];
    assert!(
        schema.is_object(),
        "{method} {path}: {} {} is not documented: {}",
        reply.status,
        reply.header("content-type"),
        reply.text()
    );
    let value = serde_json::from_slice(&reply.body).unwrap();
    check(schema, &document["components"]["schemas"], &value, path);
    value
}

fn document(office: &Office) -> Value {
    let reply = office.call("GET", "/api/v1/openapi.json", &[], b"");
    assert_eq!(reply.status, 200);
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let office = office(House::new());
    let document = document(&office);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    let routes: BTreeSet<_> = declared()
        .into_iter()
        .map(|(path, post, scope)| {
            (path.to_owned(), if post { "post" } else { "get" }.to_owned(), scope.as_str().to_owned())
        })
        .collect();
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = operation["security"][0]["token"][0].as_str().unwrap();
            found.insert((path.clone(), method.clone(), scope.to_owned()));
        }
    }
    assert_eq!(found, routes);
}

#[test]
fn real_answers_are_what_the_document_says() {
    for on in BOTH {
        let (house, _relay) = busy(on);
        let office = office(house);
        let document = document(&office);
        let all = office.api_token(Scopes::of(Scope::ALL));
        let get =
            |path: &str, route: &str| is_documented(&document, route, "get", &office.ask(&all, "GET", path, &[], b""));
        let status = get("/api/v1/status", "/status");
        assert!(!status["waiting"].as_array().unwrap().is_empty());
        assert_ne!(status["verdict"]["level"], "good");
        let issues = get("/api/v1/issues?limit=3", "/issues");
        assert_eq!(issues["issues"].as_array().unwrap().len(), 3);
        let (mut after, mut keys) = (issues["next"].clone(), BTreeSet::new());
        while let Some(next) = after.as_str() {
            let page = get(&format!("/api/v1/issues?limit=3&after={}", next.replace('/', "%2F")), "/issues");
            keys.extend(page["issues"].as_array().unwrap().iter().map(|it| it["key"].to_string()));
            after = page["next"].clone();
        }
        assert_eq!(keys.len(), office.house.issues().len() - 3, "each issue once");
        let held = get("/api/v1/issues?state=held&mailing=agenda", "/issues");
        assert_eq!(held["issues"].as_array().unwrap().len(), 1, "{held}");
        get(&format!("/api/v1/issues/{ISSUE}"), "/issues/{mailing}/{period}");
        get("/api/v1/issues/agenda/2027-W30", "/issues/{mailing}/{period}");
        get("/api/v1/issues/agenda/2050-W01", "/issues/{mailing}/{period}");
        let log = get(&format!("/api/v1/issues/{ISSUE}/deliveries?limit=2"), "/issues/{mailing}/{period}/deliveries");
        let next = log["next"].as_str().unwrap().replace('/', "%2F");
        let rest =
            get(&format!("/api/v1/issues/{ISSUE}/deliveries?after={next}"), "/issues/{mailing}/{period}/deliveries");
        assert_eq!(rest["deliveries"].as_array().unwrap().len(), 2);
        get("/api/v1/orders?closed=true", "/orders");
        get("/api/v1/orders?edition=none", "/orders");
        let partners = get("/api/v1/partners?limit=2", "/partners");
        let next = partners["next"].as_str().unwrap();
        let rest = get(&format!("/api/v1/partners?after={next}"), "/partners");
        assert_eq!(rest["partners"].as_array().unwrap().len(), 2);
        let pavie = get("/api/v1/partners?where=commune+%3D+%22Pavie%22", "/partners");
        assert_eq!(pavie["partners"].as_array().unwrap().len(), 1);
        get("/api/v1/partners?where=commune+%3D", "/partners");
        get("/api/v1/partners?wher=x", "/partners");
        get("/api/v1/issues?limit=0", "/issues");
        get("/api/v1/issues?after=x", "/issues");
        // Who lacks the scope sees nobody.
        let some = office.api_token(Scopes::of([Scope::ReadLog, Scope::Orders]));
        for path in [format!("/api/v1/issues/{ISSUE}/deliveries"), "/api/v1/orders".to_owned()] {
            let (seen, masked) = (office.get_json(&all, &path), office.get_json(&some, &path));
            assert!(seen.to_string().contains("@hotel.example") && seen["masked"] == false, "{seen}");
            assert!(!masked.to_string().contains("@hotel.example") && masked["masked"] == true, "{masked}");
        }
        let orders = office.get_json(&some, "/api/v1/orders");
        for order in orders["orders"].as_array().unwrap() {
            assert_eq!((&order["name"], &order["remark"]), (&json!(""), &json!("")), "{order}");
        }
        let masked = office.get_json(&some, &format!("/api/v1/issues/{ISSUE}/deliveries")).to_string();
        assert!(!masked.contains("Éloïse") && !masked.contains("Gîte du Pré"), "{masked}");

        let post = |path: &str, route: &str, headers: &[(&str, &str)], body: &[u8]| {
            is_documented(&document, route, "post", &office.ask(&all, "POST", path, headers, body))
        };
        let delivered = post("/api/v1/orders/open/delivered", "/orders/{id}/delivered", &[], b"");
        assert_eq!((&delivered["before"], &delivered["state"]), (&json!("open"), &json!("delivered")));
        let again = post("/api/v1/orders/open/delivered", "/orders/{id}/delivered", &[], b"");
        assert_eq!(again["before"], "delivered");
        let cancelled = post("/api/v1/orders/cancelled/delivered", "/orders/{id}/delivered", &[], b"");
        assert_eq!(cancelled["code"], "order_not_open");
        post("/api/v1/orders/nothing/delivered", "/orders/{id}/delivered", &[], b"");
        office.house.sql("UPDATE occurrences SET next_try = 4000000000000 WHERE state = 'pending';");
        let reread = post("/api/v1/mailings/agenda/reread", "/mailings/{id}/reread", &[], b"");
        assert_eq!(reread["mailing"], "agenda");
        let soon = "SELECT count(*) FROM occurrences WHERE state = 'pending' AND next_try = 1815199800000";
        assert_eq!(office.house.number(soon), 1, "what waited is due");
        let often = office.ask(&all, "POST", "/api/v1/mailings/agenda/reread", &[], b"");
        problem(&often, 429, "reread_too_often");
        assert_eq!(often.header("retry-after"), "60");
        office.tick(60);
        post("/api/v1/mailings/agenda/reread", "/mailings/{id}/reread", &[], b"");
        post("/api/v1/mailings/nothing/reread", "/mailings/{id}/reread", &[], b"");
        let editions = post("/api/v1/mailings/editions/reread", "/mailings/{id}/reread", &[], b"");
        assert_eq!(editions["code"], "mailing_not_collected");
        let html = [("Content-Type", "text/html; charset=utf-8")];
        let checked =
            post("/api/v1/articles/check?week=2027-W28", "/articles/check", &html, article("2027-07-12").as_bytes());
        assert_eq!((&checked["mailing"], &checked["hold"]), (&json!("agenda"), &Value::Null), "{checked}");
        assert!(checked["events"].as_u64().unwrap() > 5);
        let other =
            post("/api/v1/articles/check?week=2027-W30", "/articles/check", &html, article("2027-07-12").as_bytes());
        assert!(other["hold"].is_string(), "{other}");
        post("/api/v1/articles/check?week=soon", "/articles/check", &html, b"x");
        post("/api/v1/articles/check?mailing=editions", "/articles/check", &html, b"x");
        post("/api/v1/articles/check", "/articles/check", &[("Content-Type", "application/json")], b"{}");
        post("/api/v1/articles/check", "/articles/check", &html, &[0xff, 0xfe]);
    }
}

#[test]
fn an_import_says_what_changes_removes_nobody_and_happens_once() {
    for on in BOTH {
        let (house, _relay) = busy(on);
        let office = office(house);
        let document = document(&office);
        let token = office.api_token(Scopes::of([Scope::WritePartners, Scope::ReadPersons]));
        let blind = office.api_token(Scopes::of([Scope::WritePartners]));
        let list = "email;nom;etablissement;commune\nnouveau@camping.example;Luc;Camping du Lac;Pavie\n\
                    marie@gite.example;Marie-Éloïse;;\n";
        let contacts = || office.house.number("SELECT count(*) FROM contacts");
        let before = contacts();
        let csv = ("Content-Type", "text/csv");
        let send = |token: &str, query: &str, headers: &[(&str, &str)], body: &str| {
            let path = format!("/api/v1/partners/imports{query}");
            let reply = office.ask(token, "POST", &path, headers, body.as_bytes());
            is_documented(&document, "/partners/imports", "post", &reply);
            reply
        };
        let json = |reply: &Reply| serde_json::from_slice::<Value>(&reply.body).unwrap();
        let dry = json(&send(&token, "?dry_run=true", &[csv], list));
        assert_eq!((&dry["added"], &dry["changed"], contacts()), (&json!(1), &json!(1), before), "{dry}");
        assert!(dry["differences"].to_string().contains("nouveau@camping.example"));
        assert!(dry["differences"].to_string().contains("Marie-Éloïse"), "{dry}");
        let masked = json(&send(&blind, "?dry_run=true", &[csv], list));
        for hidden in ["nouveau@camping.example", "Éloïse"] {
            assert!(!masked.to_string().contains(hidden), "{hidden}: {masked}");
        }
        let changed = masked["differences"].as_array().unwrap().iter().find(|it| it["change"] == "changed").unwrap();
        let fields = changed["fields"].as_array().unwrap();
        assert_eq!(fields[0], json!({ "field": "name" }));
        assert!(fields.iter().all(|it| it.as_object().unwrap().len() == 1), "without values: {changed}");
        problem(&send(&token, "", &[csv], list), 400, "idempotency_key_missing");
        let key = ("Idempotency-Key", "sync-2027-07-10");
        let done = send(&token, "", &[csv, key], list);
        assert_eq!((done.status, contacts()), (200, before + 1), "{}", done.text());
        assert_eq!(done.header("idempotency-replayed"), "");
        // What a person changes meanwhile is not changed back by a repetition.
        office.house.sql("UPDATE contacts SET name = 'Marie' WHERE email_key = 'marie@gite.example';");
        let again = send(&token, "", &[csv, key], list);
        assert_eq!((again.status, again.header("idempotency-replayed"), &again.body), (200, "true", &done.body));
        assert_eq!(office.house.text("SELECT name FROM contacts WHERE email_key = 'marie@gite.example'"), "Marie");
        problem(&send(&token, "", &[csv, key], "email\nx@y.example\n"), 422, "idempotency_key_reused");
        // The key of another token is another key.
        assert_eq!(send(&blind, "", &[csv, key], list).header("idempotency-replayed"), "");
        let bad = "email;nom\nno address;Luc\nfine@camping.example;Lise\n";
        let refused = problem(&send(&token, "", &[csv, ("Idempotency-Key", "b")], bad), 422, "list_invalid");
        assert!(refused["lines"][0].as_str().unwrap().contains('2'), "{refused}");
        assert_eq!(contacts(), before + 1, "all or nothing");
        problem(&send(&token, "", &[csv, ("Idempotency-Key", "c")], "not a list"), 422, "list_invalid");
        problem(&send(&token, "?replace=true", &[csv, key], list), 400, "parameter_unknown");
        problem(&send(&token, "?mailings=nothing", &[csv, key], list), 404, "mailing_unknown");
        let audited = "SELECT count(*) FROM audit WHERE action = 'partners.import' AND kind = 'token'";
        assert_eq!(office.house.number(audited), 2);
        // An answer names persons: it goes with one who is erased, and after a day. The request is not done again.
        let kept = || office.house.number("SELECT count(*) FROM api_requests WHERE answer IS NOT NULL");
        assert_eq!(kept(), 2);
        office.house.semainier(&["partners", "erase", "nouveau@camping.example"]).expect(0);
        assert_eq!(kept(), 0);
        problem(&send(&token, "", &[csv, key], list), 410, "answer_erased");
        assert_eq!(contacts(), before);
        office.tick(86_401);
        block_on(office.store.expire_answers(office.clock.now())).unwrap();
        assert_eq!(office.house.number("SELECT count(*) FROM api_requests"), 0);
    }
}

#[test]
fn an_article_that_is_hostile_is_read_or_refused_and_nothing_is_kept() {
    let (house, _relay) = busy(On::Sqlite);
    let office = office(house);
    let token = office.api_token(Scopes::of([Scope::CheckArticle]));
    office.ask(&token, "POST", "/api/v1/articles/check", &[("Content-Type", "text/html")], b"x");
    let before = office.house.everything();
    let deep = "<div>".repeat(200_000);
    let day = "<h3>Lundi 12 juillet</h3><ul>";
    for (body, expected) in [
        (format!("{day}<li>10h : {EVIL} à Auch</li></ul><script>alert(1)</script>"), &[200][..]),
        (deep, &[200]),
        ("\u{0}".repeat(100_000), &[200]),
        // More than is understood in the time it is given on a slow machine.
        (format!("{day}{}", "<li>(«".repeat(100_000)), &[200, 422]),
        (String::new(), &[200]),
        ("a".repeat((2 << 20) + 1), &[413]),
    ] {
        let reply =
            office.ask(&token, "POST", "/api/v1/articles/check", &[("Content-Type", "text/html")], body.as_bytes());
        let begin: String = body.chars().take(40).collect();
        assert!(expected.contains(&reply.status), "{begin}: {} {}", reply.status, reply.text());
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let big =
        office.ask(&token, "POST", "/api/v1/articles/check", &[("Content-Type", "text/html")], &vec![b'a'; 3 << 20]);
    problem(&big, 413, "body_too_large");
    assert_eq!(office.house.everything(), before, "nothing is stored");
}

#[test]
fn a_request_that_takes_too_long_is_answered_as_a_problem_and_nothing_is_done() {
    let limits = Limits { whole: Duration::from_secs(1), ..Limits::default() };
    let house = House::on(On::Sqlite).set("console.bind", "127.0.0.1:0");
    let office = Office::open_limited(house, None, NOW.parse().unwrap(), limits);
    let token = office.api_token(Scopes::of([Scope::CheckArticle, Scope::WritePartners]));
    for (path, kind) in [("/api/v1/articles/check", "text/html"), ("/api/v1/partners/imports", "text/csv")] {
        let mut stream = TcpStream::connect(&office.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\nIdempotency-Key: a\r\nContent-Length: 1000\r\n\r\nemail\n",
            office.host
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        problem(&parsed(&all), 408, "request_timeout");
    }
    assert_eq!(office.house.number("SELECT count(*) FROM contacts"), 0);
    assert_eq!(office.house.number("SELECT count(*) FROM api_requests"), 0);
}
