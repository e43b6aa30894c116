//! People at the door of the console: the whole stack over HTTP with accounts made by the command line, on both databases.

use super::Reply;
use crate::support::{
    browser::visit,
    house::{BOTH, House, On, block_on},
};
use semainier::{
    accounts::totp::Secret,
    app::App,
    clock::Clock,
    config::Config,
    domain::Timestamp,
    store::{Access, Store},
    toml_reader::Overrides,
    web::{Limits, Pages, console::Console, serve},
};
use std::{
    collections::{BTreeMap, HashMap},
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

pub const PASSWORD: &str = "quatre chevaux blancs";
pub const CLAIRE: &str = "claire@ot.test";

/// A console as it is served, with a clock that tests move.
pub struct Office {
    pub house: House,
    pub host: String,
    pub clock: Clock,
    pub console: Arc<Console>,
    pub store: Arc<dyn Store>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Office {
    pub fn on(on: On) -> Self {
        Self::open(House::on(on).set("console.bind", "127.0.0.1:0"))
    }

    pub fn open(house: House) -> Self {
        Self::open_with(house, None)
    }

    /// `logins`: looked at in a second; tests are faster than people.
    pub fn open_with(house: House, logins: Option<u32>) -> Self {
        Self::open_at(house, logins, Clock::System.now())
    }

    pub fn open_at(house: House, logins: Option<u32>, now: Timestamp) -> Self {
        Self::open_limited(house, logins, now, Limits::default())
    }

    pub fn open_limited(house: House, logins: Option<u32>, now: Timestamp, limits: Limits) -> Self {
        let (stop, (tell, told)) = (CancellationToken::new(), std::sync::mpsc::channel());
        let (path, stopped, clock) = (house.path("semainier.toml"), stop.clone(), Clock::manual(now));
        let its = clock.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let text = std::fs::read_to_string(&path).unwrap();
                let config = Config::parse(Some(&path), &text, &Overrides::default()).unwrap();
                let engine = App::new(config, its).unwrap().open(Access::Shared).await.unwrap();
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let console = Console::new(&engine, Default::default(), stopped.clone()).unwrap().bound(address);
                let console = Arc::new(console.most_logins(logins.unwrap_or(1000)));
                tell.send((address.to_string(), Arc::clone(&console), Arc::clone(&engine.store))).unwrap();
                let pages = Arc::new(Pages::of_console(console, limits));
                serve(pages, listener, limits, stopped).await;
            });
        });
        let (host, console, store) = told.recv_timeout(Duration::from_secs(60)).unwrap();
        Self { house, host, clock, console, store, stop, thread: Some(thread) }
    }

    /// The path of a new account's invitation.
    pub fn add(&self, address: &str, roles: &str) -> String {
        let args = ["users", "add", address, "--name", "Claire", "--role", roles];
        link(&self.house.semainier(&args).expect(0).stdout)
    }

    /// An account whose invitation was accepted.
    pub fn member(&self, address: &str, roles: &str) -> Member {
        let path = self.add(address, roles);
        self.accept(&path, address)
    }

    pub fn accept(&self, path: &str, address: &str) -> Member {
        let mut browser = Browser::new(self);
        let page = browser.get(path);
        assert_eq!((page.status, page.header("referrer-policy")), (200, "no-referrer"), "{}", page.text());
        let secret = hidden(&page.text(), "secret");
        let code = self.code(&secret);
        let fields = [("nouveau", PASSWORD), ("encore", PASSWORD), ("secret", &secret), ("code", &code)];
        // As a browser does from a page without referrer.
        let done = browser.send("POST", path, &fields, &[("Sec-Fetch-Site", "same-origin"), ("Origin", "null")]);
        assert_eq!(done.status, 200, "{}", done.text());
        let html = done.text();
        let codes: Vec<_> =
            html.split("<li><code>").skip(1).map(|it| it.split('<').next().unwrap().to_owned()).collect();
        assert_eq!(codes.len(), 10, "{html}");
        Member { address: address.to_owned(), secret, codes }
    }

    /// The code of this instant.
    pub fn code(&self, secret: &str) -> String {
        Secret::parse(secret).unwrap().code_at(self.clock.now())
    }

    pub fn tick(&self, seconds: i64) {
        self.clock.advance(chrono::TimeDelta::seconds(seconds));
    }

    pub fn user(&self, address: &str) -> semainier::store::User {
        block_on(self.store.users(self.clock.now()))
            .unwrap()
            .into_iter()
            .find(|it| it.address.to_string() == address)
            .unwrap()
    }
}

/// Somebody with an account.
pub struct Member {
    pub address: String,
    pub secret: String,
    pub codes: Vec<String>,
}

fn link(said: &str) -> String {
    let at = said.find("/invitation/").unwrap_or_else(|| panic!("no link in {said}"));
    said[at..].split_whitespace().next().unwrap().to_owned()
}

/// The value of a hidden field.
pub fn hidden(html: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let at = html.find(&mark).unwrap_or_else(|| panic!("no field {name} in {html}"));
    html[at + mark.len()..].split('"').next().unwrap().to_owned()
}

/// A browser with its cookies, on a page of the console.
pub struct Browser<'a> {
    office: &'a Office,
    pub jar: BTreeMap<String, String>,
    /// `Set-Cookie` of the last answer.
    pub set: Vec<String>,
}

impl<'a> Browser<'a> {
    pub fn new(office: &'a Office) -> Self {
        Self { office, jar: BTreeMap::new(), set: Vec::new() }
    }

    /// Logged in completely.
    pub fn of(office: &'a Office, member: &Member) -> Self {
        let mut browser = Self::new(office);
        browser.log_in(member);
        browser
    }

    pub fn log_in(&mut self, member: &Member) {
        let first = self.password(&member.address, PASSWORD);
        assert_eq!(first.status, 303, "{}", first.text());
        // A code is good once.
        self.office.tick(30);
        let second = self.code(&self.office.code(&member.secret));
        assert_eq!((second.status, second.header("location")), (303, "/"), "{}", second.text());
    }

    pub fn password(&mut self, address: &str, password: &str) -> Reply {
        self.send("POST", "/connexion", &[("adresse", address), ("mot-de-passe", password)], OURS)
    }

    pub fn code(&mut self, code: &str) -> Reply {
        let token = hidden(&self.get("/connexion/code").text(), "jeton");
        self.send("POST", "/connexion/code", &[("jeton", &token), ("code", code)], OURS)
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    /// With the token of its session.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.token();
        let fields = [&[("jeton", token.as_str())], fields].concat();
        self.send("POST", path, &fields, OURS)
    }

    pub fn token(&mut self) -> String {
        hidden(&self.get("/moi").text(), "jeton")
    }

    pub fn is_in(&mut self) -> bool {
        let reply = self.get("/envois");
        assert!(reply.status == 200 || reply.header("location").starts_with("/connexion"), "{}", reply.status);
        reply.status == 200
    }

    pub fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send_bytes(method, path, "application/x-www-form-urlencoded", body.as_bytes(), headers)
    }

    /// A form with files, with the token of its session: fields, then name, file name and bytes of each file.
    pub fn upload(&mut self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Reply {
        let token = self.token();
        let fields = [&[("jeton", token.as_str())], fields].concat();
        let body = multipart(&fields, files);
        self.send_bytes("POST", path, "multipart/form-data; boundary=LIMIT", &body, OURS)
    }

    pub fn send_bytes(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut stream = TcpStream::connect(&self.office.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.office.host);
        }
        head += &format!("Content-Type: {content_type}\r\nUser-Agent: Firefox/1 (Linux)\r\n");
        let cookies = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            head += &format!("Cookie: {cookies}\r\n");
        }
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // A body that is not read to its end is answered all the same.
        let _ = stream.write_all(body);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> =
            lines.filter_map(|it| it.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        self.set = headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect();
        for cookie in &self.set {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.jar.remove(name),
                value => self.jar.insert(name.to_owned(), value.to_owned()),
            };
        }
        Reply { status, headers: headers.into_iter().collect::<HashMap<_, _>>(), body: all[end + 4..].to_vec() }
    }
}

/// The body of a form with files, as a browser sends it.
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--LIMIT\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    for (name, file, bytes) in files {
        let head = format!(
            "--LIMIT\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: image/svg+xml\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--LIMIT--\r\n");
    body
}

/// What a browser sends with a form of the console.
pub const OURS: &[(&str, &str)] = &[("Sec-Fetch-Site", "same-origin")];

#[test]
fn without_an_account_the_console_is_closed_and_says_which_command_makes_one() {
    for on in BOTH {
        let office = Office::on(on);
        let mut browser = Browser::new(&office);
        for path in ["/", "/envois", "/connexion", "/nothing", "/utilisateurs"] {
            browser.get(path).expect(401, &["semainier users add"]);
        }
        // An invitation that nobody accepted opens nothing but itself.
        let path = office.add(CLAIRE, "lecture");
        browser.get("/connexion").expect(401, &["semainier users add"]);
        browser.get(&path).expect(200, &["Claire", "De 12 à 128 caractères"]);
        office.accept(&path, CLAIRE);
        browser.get("/connexion").expect(200, &["Adresse électronique"]);
        assert_eq!(browser.get("/envois").header("location"), "/connexion?vers=1");
    }
}

#[test]
fn an_invitation_opens_the_account_once_and_a_login_takes_both_factors() {
    for on in BOTH {
        let office = Office::on(on);
        let path = office.add(CLAIRE, "validation,administration");
        let mut browser = Browser::new(&office);
        // Looking does not use it, and what is refused does not either.
        let secret = hidden(&browser.get(&path).text(), "secret");
        for (new, again, code, words) in [
            ("court", "court", "000000", "au moins 12 caractères"),
            (PASSWORD, "autre", "000000", "ne sont pas les mêmes"),
            (PASSWORD, PASSWORD, "000000", "celui de l’application"),
            (PASSWORD, PASSWORD, "", "celui de l’application"),
            ("motdepasse1234", "motdepasse1234", "000000", "premiers que l’on essaie"),
            (CLAIRE, CLAIRE, "000000", "ne peut pas être votre nom"),
        ] {
            let fields = [("nouveau", new), ("encore", again), ("code", code), ("secret", &secret)];
            let page = browser.send("POST", &path, &fields, OURS).expect(422, &[words]);
            assert_eq!(hidden(&page.text(), "secret"), secret, "the square that was photographed stays");
        }
        let claire = office.accept(&path, CLAIRE);
        browser.get(&path).expect(410, &["Un lien sert une seule fois"]);
        let fields = [("nouveau", "une autre phrase"), ("encore", "une autre phrase"), ("secret", secret.as_str())];
        browser.send("POST", &path, &fields, OURS).expect(410, &["Un lien sert une seule fois"]);

        // A session that somebody planted is not taken over, and each step has another one.
        browser.jar.insert("semainier".to_owned(), "A".repeat(43));
        let first = browser.password(&claire.address.to_uppercase(), PASSWORD);
        assert_eq!((first.status, first.header("location")), (303, "/connexion/code?vers=0"));
        let half = browser.jar["semainier"].clone();
        assert_ne!(half, "A".repeat(43));
        assert!(browser.set[0].ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{:?}", browser.set);
        // The password alone opens nothing.
        for path in ["/", "/moi", "/envois", "/utilisateurs"] {
            assert!(browser.get(path).header("location").starts_with("/connexion"), "{path}");
        }
        browser.code("123456").expect(422, &["Ce code n’est pas le bon"]);
        // The code that opened the account is used up; the next one is not.
        let used = office.code(&claire.secret);
        browser.code(&used).expect(422, &["il a déjà servi"]);
        office.tick(30);
        let done = browser.code(&office.code(&claire.secret));
        assert_eq!((done.status, done.header("location")), (303, "/"));
        let full = browser.jar["semainier"].clone();
        assert_ne!(full, half);
        browser.get("/").expect(200, &[]);
        assert!(browser.get("/").text().contains("Claire"));
        let mut old = Browser::new(&office);
        old.jar.insert("semainier".to_owned(), half);
        assert!(!old.is_in(), "the half session ended");

        // A code works once, in whatever browser.
        let mut other = Browser::new(&office);
        other.password(CLAIRE, PASSWORD);
        other.code(&office.code(&claire.secret)).expect(422, &["il a déjà servi"]);
        // A recovery code, too.
        let sloppy = claire.codes[3].to_uppercase().replace('-', " ");
        assert_eq!(other.code(&sloppy).status, 303);
        assert!(other.is_in());
        other.get("/moi").expect(200, &["Codes de secours qui restent : 9", "Validation, Administration"]);
        let mut third = Browser::new(&office);
        third.password(CLAIRE, PASSWORD);
        third.code(&claire.codes[3]).expect(422, &[]);

        // What the ledger keeps opens nothing, and the audit names nobody by address.
        let kept = office.house.text("SELECT token_hash FROM sessions LIMIT 1");
        assert!(kept != full && !office.house.everything().values().any(|rows| rows.contains(&full)));
        for column in ["actor", "object", "detail"] {
            let named = format!("SELECT count(*) FROM audit WHERE {column} LIKE '%@%'");
            assert_eq!(office.house.number(&named), 0, "{column}");
        }
        let actions = office.house.number("SELECT count(DISTINCT action) FROM audit");
        assert_eq!(actions, 4, "user.add, user.accept, login, login.recovery_code");
    }
}

#[test]
fn an_invitation_and_a_session_come_to_an_end_by_themselves() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "validation");
        let late = office.add("marc@ot.test", "lecture");
        let mut browser = Browser::of(&office, &claire);
        for _ in 0..4 {
            office.tick(7 * 3600);
            assert!(browser.is_in(), "used within 8 hours");
        }
        browser.get(&late).expect(410, &["pendant 24 heures"]);
        office.tick(8 * 3600);
        assert!(!browser.is_in(), "idle for 8 hours");
        let mut browser = Browser::of(&office, &claire);
        for _ in 0..24 {
            office.tick(7 * 3600);
            browser.is_in();
        }
        assert!(!browser.is_in(), "seven days, however often it is used");
        // A half login does not last.
        browser.password(CLAIRE, PASSWORD);
        office.tick(601);
        assert!(browser.get("/connexion/code").header("location").starts_with("/connexion"));
        // Whoever asked to stay does, for thirty days.
        let fields = [("adresse", CLAIRE), ("mot-de-passe", PASSWORD), ("rester", "1")];
        browser.send("POST", "/connexion", &fields, OURS);
        office.tick(30);
        browser.code(&office.code(&claire.secret));
        assert!(browser.set.iter().any(|it| it.starts_with("semainier=") && it.contains("Max-Age=2592000")));
        office.tick(29 * 24 * 3600);
        assert!(browser.is_in());
        office.tick(24 * 3600);
        assert!(!browser.is_in());
    }
}

/// What any page must be, with and without something to correct.
fn check(what: &str, html: &str) {
    use scraper::{Html, Selector};
    let document = Html::parse_document(html);
    assert!(document.errors.is_empty(), "{what}: {:?}\n{html}", document.errors);
    let all = |selector: &str| document.select(&Selector::parse(selector).unwrap()).collect::<Vec<_>>();
    for once in ["h1", "main#contenu", "title", "html[lang]", "a.skip[href='#contenu']"] {
        assert_eq!(all(once).len(), 1, "{what}: {once}");
    }
    assert!(all("[style], style, script:not([src]), [onclick], [onerror], img").is_empty(), "{what}");
    assert!(!html.contains("<script>alert"), "{what}");
    let ids: Vec<_> = all("[id]").iter().map(|it| it.value().attr("id").unwrap()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<std::collections::HashSet<_>>().len(), "{what}: {ids:?}");
    let labelled: Vec<_> = all("label[for]").iter().map(|it| it.value().attr("for").unwrap()).collect();
    let inside: Vec<_> = all("label input").iter().map(|it| it.value().attr("name").unwrap()).collect();
    for input in all("input:not([type=hidden]):not([hidden]), select") {
        let value = input.value();
        let is_labelled = value.attr("id").is_some_and(|id| labelled.contains(&id))
            || value.attr("name").is_some_and(|name| inside.contains(&name));
        assert!(is_labelled, "{what}: {:?} has no label", value.attr("name"));
        for id in value.attr("aria-describedby").unwrap_or_default().split_whitespace() {
            assert!(ids.contains(&id), "{what}: {id} is described nowhere");
        }
    }
    for problem in all(".problems a") {
        let field = problem.value().attr("href").unwrap().trim_start_matches('#');
        let input = all(&format!("#{field}[aria-invalid=true]"));
        assert_eq!(input.len(), 1, "{what}: {field} does not say that it is wrong");
        assert!(all(&format!("#{field}-erreur")).len() == 1, "{what}: {field} does not say what is wrong");
    }
    let posts = all("form[method=post]").len();
    assert_eq!(all("form[method=post] > input[name=jeton][value='']").len(), 0, "{what}");
    assert!(posts > 0 || all("a").len() > 1, "{what}: it leads nowhere");
}

#[test]
fn the_pages_of_accounts_are_whole_in_both_languages() {
    let office = Office::on(On::Sqlite);
    let evil = super::EVIL;
    let args = ["users", "add", CLAIRE, "--name", evil, "--role", "administration"];
    let path = link(&office.house.semainier(&args).expect(0).stdout);
    let mut browser = Browser::new(&office);
    check("invitation", &browser.get(&path).text());
    check("refused invitation", &browser.send("POST", &path, &[("nouveau", "x")], OURS).expect(422, &[]).text());
    let claire = office.accept(&path, CLAIRE);
    check("login", &browser.get("/connexion").text());
    check("wrong login", &browser.password(evil, evil).expect(422, &[]).text());
    check("used invitation", &browser.get(&path).expect(410, &[]).text());
    browser.password(CLAIRE, PASSWORD);
    check("code", &browser.get("/connexion/code").text());
    check("wrong code", &browser.code("x").expect(422, &[]).text());
    let mut browser = Browser::of(&office, &claire);
    let _other = Browser::of(&office, &claire);
    for language in ["fr", "en"] {
        assert_eq!(browser.post("/moi/langue", &[("langue", language)]).status, 303);
        for path in ["/moi", "/moi?fait=password", "/moi/second-facteur", "/moi/confirmer", "/utilisateurs"] {
            let html = browser.get(path).expect(200, &[]).text();
            assert!(html.contains(&format!("<html lang=\"{language}\"")), "{path}");
            check(path, &html);
        }
        let secret = hidden(&browser.get("/moi/second-facteur").text(), "secret");
        for (path, fields) in [
            ("/moi/mot-de-passe", &[("present", PASSWORD), ("nouveau", "court")][..]),
            ("/moi/mot-de-passe", &[("present", "faux")]),
            ("/moi/second-facteur", &[("secret", &secret), ("code", "1")]),
            ("/moi/confirmer", &[("present", "faux")]),
        ] {
            check(path, &browser.post(path, fields).expect(422, &[]).text());
            office.tick(1);
        }
        check("waiting", &browser.post("/moi/codes", &[]).expect(200, &[]).text());
        let fields = [("faire", "ajouter"), ("nom", evil), ("adresse", CLAIRE), ("role-lecture", "1")];
        check("refused", &browser.post("/utilisateurs", &fields).expect(409, &[]).text());
        let added = format!("{language}@ot.test");
        let fields = [("faire", "ajouter"), ("nom", evil), ("adresse", &added), ("role-lecture", "1")];
        check("added", &browser.post("/utilisateurs", &fields).expect(200, &["/invitation/"]).text());
        office.tick(100);
    }
}

/// With a real browser: its headers, its cookies, its content security policy.
#[test]
fn a_browser_opens_an_account_logs_in_and_out_with_scripts_and_without() {
    let office = Office::on(On::Sqlite);
    for scripts in ["on", "off"] {
        let address = format!("{scripts}@ot.test");
        let path = office.add(&address, "validation");
        let now = office.clock.now().timestamp_millis().to_string();
        let said = visit("enter", &office.host, &[&path, &address, PASSWORD, &now, scripts]);
        let expected = "200 Codes de secours\n200 Second facteur\n200 Ce soir\ncookies a script sees: \n200 My account\n\
                        200 Vous êtes déconnecté\n200 /connexion";
        assert_eq!(said.trim(), expected, "scripts {scripts}");
        office.tick(3600);
    }
}
