//! Her week on the console, in a real browser with scripts and without: what she finds, and how long a person needs for it.

use super::entering::{CLAIRE, Office, PASSWORD};
use super::{millis, quoted};
use crate::support::browser::node;
use crate::support::house::{BOTH, House, ISSUE, MONDAY, Relay, article};
use serde_json::{Value, json};

/// The agenda leaves the next morning at eight.
const FRIDAY: &str = "2027-07-09T16:00:00Z";
const SENT: &str = "agenda/2027-W27";
const ANNOUNCED: &str = "editions/carte-2027";

/// A task with its bar in seconds of a person, what she must have read at its end, and its steps (see `tests/pages/week.mjs`).
struct Task {
    name: &'static str,
    bar: f64,
    /// As many clicks.
    most_clicks: u64,
    answer: &'static str,
    steps: Value,
}

/// `cover`: the path of a picture.
fn tasks(cover: &str) -> Vec<Task> {
    let task = |name, bar, answer, steps| Task { name, bar, answer, steps, most_clicks: 7 };
    vec![
        task("does Saturday go", 10.0, "À voir avant le départ.", json!([["read", ".verdict strong"]])),
        task(
            "did the hotel get it, and why not",
            20.0,
            "cette adresse n’existe pas",
            json!([
                ["follow", "nav a", "Journal"],
                ["type", "#q", "gite 2"],
                ["enter", "#q"],
                ["follow", "main table a", "Gîte n° 2"],
                ["read", "main ol li"],
            ]),
        ),
        task(
            "approve",
            30.0,
            "Approuvé",
            json!([
                ["follow", "nav a", "Envois"],
                ["follow", "main table a[href$='newsletter/2027-08']", ""],
                ["follow", "main a", "Approuver"],
                ["read", "main dl"],
                ["tick", "#vu"],
                ["follow", "main button", "Approuver"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "refuse",
            30.0,
            "correction",
            json!([
                ["follow", "nav a", "Envois"],
                ["follow", "main table a[href$='newsletter/2027-09']", ""],
                ["follow", "main a", "Demander une correction"],
                ["type", "#pourquoi", "La photo de une est floue"],
                ["follow", "main button", "Demander"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "skip",
            30.0,
            "ne partira pas",
            json!([
                ["follow", "nav a", "À venir"],
                ["follow", "main a", "Ne pas envoyer cette fois du 2 au 8 août"],
                ["type", "#pourquoi", "Congés de l’équipe"],
                ["follow", "main button", "Ne pas envoyer"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "fix a line without a day",
            60.0,
            "C’est corrigé",
            json!([
                ["follow", "main a", "n’a pas trouvé son jour"],
                ["read", "main tbody th"],
                ["follow", "main table a", "Feu d’artifice"],
                ["choose", "#day", "2027-07-14"],
                ["follow", "main form button", "Enregistrer"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "test to me",
            30.0,
            "Remis au relais",
            json!([
                ["follow", "nav a", "Envois"],
                ["follow", "main table a[href$='2027-W28']", ""],
                ["follow", "main button", "essai"],
                ["read", "main [role=status]"],
            ]),
        ),
        Task {
            // Of these, five go into fields, three into the dialog of the file, and two into a list.
            most_clicks: 17,
            ..task(
                "announce an edition",
                120.0,
                "Elle partira",
                json!([
                    ["follow", "nav a", "Éditions"],
                    ["follow", "main a", "Nouvelle édition"],
                    ["type", "#title", "Plan de ville 2028"],
                    ["choose", "#kind", "map"],
                    ["type", "#summary", "Les rues, les musées et les parkings."],
                    ["attach", "#cover", cover],
                    ["type", "#online", "https://office.example/plan-2028"],
                    ["follow", "main form button", "Enregistrer et continuer"],
                    ["type", "#printed", "5000"],
                    ["type", "#pack", "50"],
                    ["type", "#words", "Le plan 2028 est arrivé : demandez-le à l’office !"],
                    ["follow", "main form button", "Enregistrer"],
                    ["follow", "main a", "Annoncer"],
                    ["read", "main .lead"],
                    ["follow", "main form button", "Annoncer à 3 partenaires"],
                    ["read", "main [role=status]"],
                ]),
            )
        },
        Task {
            most_clicks: 7,
            ..task(
                "an order by telephone, handed over",
                60.0,
                "1 commande notée comme remise",
                json!([
                    ["follow", "nav a", "Commandes"],
                    ["follow", "main a", "Commande par téléphone"],
                    ["type", "#q", "gite 2"],
                    ["enter", "#q"],
                    ["follow", "main .found a", "Gîte n° 2"],
                    ["follow", "main form button", "Enregistrer la commande"],
                    ["read", "main [role=status]"],
                    ["tick", "main table input[type=checkbox]"],
                    ["follow", "main form button", "Noter les commandes cochées comme remises"],
                    ["read", "main [role=status]"],
                ]),
            )
        },
        task(
            "add a partner who telephones",
            45.0,
            "Le partenaire est ajouté",
            json!([
                ["follow", "nav a", "Partenaires"],
                ["follow", "main a", "Ajouter un partenaire"],
                ["type", "#adresse", "lac@gite.example"],
                ["type", "#origine", "appel de ce matin"],
                ["type", "#establishment", "Gîte du Lac"],
                ["type", "#commune", "Auch"],
                ["follow", "main form button", "Ajouter"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "change an address",
            45.0,
            "L’adresse est changée",
            json!([
                ["follow", "nav a", "Partenaires"],
                ["type", "#q", "gite lac"],
                ["enter", "#q"],
                ["follow", "main table a", "Gîte du Lac"],
                ["follow", "main a", "Changer d’adresse"],
                ["type", "#adresse", "marie@lac.example"],
                ["follow", "main form button", "Changer l’adresse"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "unsubscribe somebody who telephones",
            45.0,
            "ces envois ne partiront plus",
            json!([
                ["follow", "nav a", "Partenaires"],
                ["type", "#q", "gite lac"],
                ["enter", "#q"],
                ["follow", "main table a", "Gîte du Lac"],
                ["follow", "main a", "Ne plus lui écrire"],
                ["read", "main form fieldset"],
                ["follow", "main form button", "Ne plus lui écrire"],
                ["read", "main [role=status]"],
            ]),
        ),
        task(
            "pause",
            30.0,
            "pause",
            json!([
                ["follow", "nav a", "Envois"],
                ["follow", "main table a[href$='carte-2027']", ""],
                ["follow", "main a", "Mettre en pause"],
                ["follow", "main button", "Mettre en pause"],
                ["read", "main [role=status]"],
            ]),
        ),
    ]
}

/// An office on Friday evening: last week's agenda left, and one address is dead; this week's is rehearsed, two newsletters
/// wait for an approval, and a map is being announced.
fn friday(house: House) -> House {
    house.write("jobs/editions.toml", include_str!("../../jobs/editions.toml"));
    house.write("jobs/newsletter.toml", include_str!("../../jobs/newsletter.toml"));
    house.import_many(3);
    house.run_at("2027-07-03T08:00", &article("2027-07-05")).expect(0);
    let at = millis("2027-07-10T06:00:00Z");
    let with_content = |key: &str, state: &str, days: i64| {
        let at = at + days * 24 * 3_600_000;
        format!(
            "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, composed_at, subject, content_hash)
                SELECT '{key}', '{}', '{state}', {at}, {}, {at}, {at}, subject, content_hash FROM issues WHERE key = '{SENT}';
            INSERT INTO issue_content (issue, html, text, data, envelope)
                SELECT '{key}', html, text, data, envelope FROM issue_content WHERE issue = '{SENT}';
            INSERT INTO attachments (issue, n, name, media_type, bytes)
                SELECT '{key}', n, name, media_type, bytes FROM attachments WHERE issue = '{SENT}';",
            key.split('/').next().unwrap(),
            at + 12 * 3_600_000
        )
    };
    let (sent, now) = (millis("2027-07-03T06:00:00Z"), millis(FRIDAY));
    house.write("article.html", format!("<p>Feu d’artifice à 22h30 au bord du Gers</p>{}", article(MONDAY)));
    let extract = ["extract", "article.html", "--json", "--published", "2027-07-09", "--week", "2027-W28"];
    let agenda = quoted(&house.semainier(&extract).expect(0).json().to_string());
    house.sql(&[
        format!("UPDATE deliveries SET changed_at = {sent}; UPDATE attempts SET at = {sent};
            UPDATE issues SET closed_at = {sent} WHERE closed_at IS NOT NULL;
            UPDATE deliveries SET state = 'failed' WHERE recipient_key LIKE 'partenaire3@%';
            UPDATE attempts SET outcome = 'refused', phase = 'rcpt', code = 550, text = '5.1.1 OFR_416 no such user'
                WHERE delivery IN (SELECT id FROM deliveries WHERE recipient_key LIKE 'partenaire3@%');
            INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, composed_at, frozen_at, subject,
                content_hash)
                SELECT '{ANNOUNCED}', 'editions', 'sending', {now}, {now} + 86400000, {now}, {now}, {now},
                    'La carte 2027 est parue', content_hash FROM issues WHERE key = '{SENT}';
            INSERT INTO daemons (owner, host, pid, version, started_at, seen_at) VALUES ('d', 'h', 7, '1', {now}, {now});"),
        with_content(ISSUE, "rehearsed", 0),
        // One line of the article says no day.
        format!("UPDATE issue_content SET data = {agenda} WHERE issue = '{ISSUE}';
            INSERT INTO readings (issue, read_at, title, agenda, missing)
                VALUES ('{ISSUE}', {now}, 'Que faire à Auch cette semaine', {agenda}, '[]');"),
        with_content("newsletter/2027-08", "awaiting_approval", 25),
        with_content("newsletter/2027-09", "awaiting_approval", 60),
    ]
    .concat());
    house
}

fn perform(office: &Office, path: &str, scripts: &str, tasks: &[Task]) -> Vec<Value> {
    let (origin, now) = (format!("http://{}", office.host), office.clock.now().timestamp_millis().to_string());
    let lines: String = tasks.iter().map(|it| format!("{}\n", json!({"name": it.name, "steps": it.steps}))).collect();
    let said = node("week.mjs", &[&origin, path, CLAIRE, PASSWORD, &now, scripts], &lines);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn her_tasks_are_done_in_a_browser_within_their_time_with_scripts_and_without() {
    for (on, scripts) in BOTH.into_iter().zip(["on", "off"]) {
        let relay = Relay::start();
        let house = friday(House::on(on).relay(&relay).set("console.bind", "127.0.0.1:0"));
        let now = FRIDAY.parse().unwrap();
        let office = Office::open_at(house, None, now);
        let path = office.add(CLAIRE, "rédaction,validation,exploitation");
        // The command line lives today, the console in July.
        office.house.sql(&format!("UPDATE invitations SET expires_at = {}", millis(FRIDAY) + 3_600_000));
        office.house.write("plan.png", crate::editions::picture());
        let tasks = tasks(office.house.path("plan.png").to_str().unwrap());
        let done = perform(&office, &path, scripts, &tasks);
        assert_eq!(done.len(), tasks.len());
        for (task, done) in tasks.iter().zip(done) {
            let (seconds, said) = (done["person"].as_f64().unwrap(), done["said"].as_str().unwrap());
            println!(
                "{on:?}, scripts {scripts}: {} in {seconds:.1} s and {} of the machine: {said}",
                task.name, done["machine"]
            );
            assert!(said.contains(task.answer), "{}: {said}", task.name);
            assert!(done["clicks"].as_u64().unwrap() <= task.most_clicks, "{}: {} clicks", task.name, done["clicks"]);
            assert!(seconds <= task.bar, "{} takes {seconds:.1} s of {}: {said}", task.name, task.bar);
        }
    }
}
