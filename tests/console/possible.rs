//! What a sheet offers is what would succeed: every decision in every state, before, at and after its hours, for mailings that leave
//! by themselves and for those that wait for an approval.

use crate::support::{
    postgres::Database,
    town::{at, engine, furnish, mailing, subscribe},
};
use semainier::{
    actions::{
        ActionError, Actor, Door, Refusal,
        issues::{approve, cancel, pause, recompose, refuse, rehearse, resume, skip, unskip, withdraw},
        may::{Act, may},
    },
    app::Engine,
    clock::Clock,
    domain::{Timestamp, agenda::Week, issue::IssueKey, issue::IssueState},
    jobs::Approval,
    views::console::decide,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

pub const ISSUE: &str = "agenda/2026-W28";
const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'";

/// Behind the program's back.
pub async fn sql(url: &str, text: &str) {
    let sql = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
    match url.starts_with("postgres") {
        true => sql.execute(&mut PgConnection::connect(url).await.unwrap()).await.map(drop).unwrap(),
        false => sql.execute(&mut SqliteConnection::connect(url).await.unwrap()).await.map(drop).unwrap(),
    }
}

/// The issue in this state, with its content where there may be some.
pub fn put(state: IssueState, held_content: bool) -> String {
    let frozen = matches!(state, IssueState::Sending | IssueState::Paused | IssueState::Done);
    let over = matches!(state, IssueState::Expired | IssueState::Cancelled | IssueState::Done);
    let without = state == IssueState::Held && !held_content || state == IssueState::Expired;
    let (saturday, deadline) = (millis("2026-07-04T06:00:00Z"), millis("2026-07-04T18:00:00Z"));
    let approved = state == IssueState::Approved;
    format!(
        "DELETE FROM skips; DELETE FROM approvals; DELETE FROM refusals; DELETE FROM notices;
         UPDATE issues SET state = '{}', reason = {}, scheduled_for = {saturday}, expires_at = {deadline},
            frozen_at = {}, closed_at = {}, content_hash = {} WHERE key = '{ISSUE}';
         {}",
        state.as_str(),
        if state == IssueState::Held { "'pas d''article'" } else { "NULL" },
        if frozen { "1" } else { "NULL" },
        if over { "2" } else { "NULL" },
        if without { "NULL" } else { "(SELECT hash FROM kept)" },
        if approved {
            format!(
                "INSERT INTO approvals (issue, content_hash, approved_by, approved_at) SELECT '{ISSUE}', hash, 'Claire', 1 FROM kept;"
            )
        } else {
            String::new()
        },
    )
}

fn millis(text: &str) -> i64 {
    at(text).timestamp_millis()
}

pub async fn decide_it(engine: &Engine, act: Act) -> Result<(), ActionError> {
    let (claire, key) = (Actor::new("Claire", Door::Console).unwrap(), IssueKey::parse(ISSUE).unwrap());
    match act {
        Act::Approve => approve(engine, &claire, &key, None).await.map(drop),
        Act::Refuse => refuse(engine, &claire, &key, None, "le bal est à 22 h").await,
        Act::Withdraw => withdraw(engine, &claire, &key, None, "").await,
        Act::Skip => skip(engine, &claire, &key, "fête").await,
        Act::Unskip => unskip(engine, &claire, &key).await,
        Act::Rehearse => rehearse(engine, &claire, &key).await.map(drop),
        Act::Recompose => recompose(engine, &claire, &key, None).await.map(drop),
        Act::Pause => pause(engine, &claire, &key).await,
        Act::Resume => resume(engine, &claire, &key).await,
        Act::Stop => cancel(engine, &claire, &key).await,
    }
}

/// An office whose coming issue is rehearsed, on the Friday before.
pub struct Desk {
    pub engine: Engine,
    pub clock: Clock,
    pub url: String,
    _dir: tempfile::TempDir,
    _database: Option<Database>,
}

impl Desk {
    pub async fn on(postgres: bool) -> Self {
        let database = if postgres { Some(Database::create().await) } else { None };
        let dir = tempfile::tempdir().unwrap();
        let (name, text) = mailing("agenda", AGENDA);
        let config =
            furnish(dir.path(), &[(name, text)], database.as_ref().map(|it| it.url.as_str()), "capture:outbox", "");
        let url = database.as_ref().map_or_else(
            || format!("sqlite://{}", dir.path().join("semainier.db").display()),
            |database| database.url.clone(),
        );
        let article = crate::support::town::article(Week::after(at("2026-07-04T06:00:00Z").date_naive()));
        std::fs::write(dir.path().join("articles/agenda.html"), article).unwrap();
        let clock = Clock::manual(at("2026-07-03T16:00:00Z"));
        let engine = engine(&config, clock.clone()).await;
        subscribe(&engine, &["gite@pavie.example"]).await;
        decide_it(&engine, Act::Rehearse).await.unwrap();
        sql(&url, &format!("CREATE TABLE kept AS SELECT content_hash AS hash FROM issues WHERE key = '{ISSUE}'")).await;
        Self { engine, clock, url, _dir: dir, _database: database }
    }

    /// Whether the mailing waits for an approval.
    pub fn asking_for_approval(&self, required: bool) -> Engine {
        let mut app = self.engine.app.clone();
        app.mailings[0].approval = if required { Approval::Required } else { Approval::Automatic };
        self.engine.with_app(app)
    }
}

#[tokio::test]
async fn a_sheet_that_is_offered_would_succeed_and_one_that_is_not_would_be_refused() {
    let mut offered = std::collections::BTreeSet::new();
    for postgres in [false, true] {
        let desk = Desk::on(postgres).await;
        let (clock, url) = (&desk.clock, &desk.url);
        let times: [Timestamp; 3] = ["2026-07-03T16:00:00Z", "2026-07-04T07:00:00Z", "2026-07-04T19:00:00Z"].map(at);
        let states = IssueState::ALL.iter().flat_map(|state| {
            [true, false].into_iter().filter(|held| *held || *state == IssueState::Held).map(|held| (*state, held))
        });
        let states: Vec<_> = states.collect();
        for required in [false, true] {
            let engine = desk.asking_for_approval(required);
            for now in times {
                clock.advance(now - clock.now());
                for (state, held_content) in &states {
                    for skipped in [false, true] {
                        for act in Act::ALL {
                            let mut before = put(*state, *held_content);
                            if skipped {
                                before += &format!("INSERT INTO skips VALUES ('{ISSUE}', 'fête', 'Marc', 1);");
                            }
                            sql(url, &before).await;
                            let key = IssueKey::parse(ISSUE).unwrap();
                            let subject = decide::subject(&engine, &key).await.unwrap().unwrap();
                            let choices = decide::choices(&subject);
                            let is_offered = choices.iter().any(|choice| choice.href == act.href(&subject.key));
                            let case = format!(
                                "{act:?} of {state:?} ({held_content}) at {now}, required {required}, skipped {skipped}"
                            );
                            match (may(act, &subject), decide_it(&engine, act).await) {
                                (Ok(()), Ok(())) => assert!(is_offered, "{case}"),
                                // What is approved is approved again without a word.
                                (Err(Refusal::ApprovedAlready { .. }), Ok(())) => assert!(!is_offered, "{case}"),
                                (Err(expected), Err(ActionError::Refused(refusal))) => {
                                    assert!(!is_offered, "{case}");
                                    assert_eq!(expected, refusal, "{case}");
                                }
                                (may, done) => panic!("{case}: {may:?}, but {done:?}"),
                            }
                            if is_offered {
                                offered.insert(act.as_str());
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(offered.len(), Act::ALL.len(), "each of them is possible at some time: {offered:?}");
}
