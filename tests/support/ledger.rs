//! A fresh ledger on either database, and helpers for tests of the store.

use super::postgres;
use chrono::{DateTime, TimeDelta};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        Timestamp,
        delivery::{Claim, Finished, Outcome, Phase, Reply, State},
        email::EmailAddress,
        issue::{Attachment, Basis, Content, Envelope, IssueKey, IssueState, NewIssue, RecipientScope},
        partner::NewContact,
    },
    store::{self, Access, LogFilter, Store},
};
use sqlx::{
    AssertSqlSafe, PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use std::sync::Arc;
use tokio::sync::OnceCell;

pub struct Ledger {
    pub store: Arc<dyn Store>,
    pub url: String,
    pub back_door: OnceCell<BackDoor>,
    pub _place: Place,
}

pub enum Place {
    Directory {
        _dir: tempfile::TempDir,
    },
    Database {
        _database: postgres::Database,
    },
    /// In an [`Audit`].
    Kept,
}

/// What is looked at when a test of the store is over: whatever it did, the sums are those of the rows (I1), and nothing that
/// ended is claimed.
pub struct Audit {
    url: String,
    _place: Place,
}

impl Audit {
    pub async fn finds_nothing_wrong(self) {
        // A test may have left a ledger that does not open.
        if let Ok(store) = store::open(&self.url, Access::Shared).await {
            assert_eq!(store.miscounted().await.unwrap(), []);
            let stray =
                "SELECT count(*) FROM claims WHERE delivery NOT IN (SELECT id FROM deliveries WHERE state = 'queued')";
            assert_eq!(BackDoor::open(&self.url).await.number(stray).await, 0, "claims of what is over");
        }
    }
}

pub enum BackDoor {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl BackDoor {
    async fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(path) => {
                let options = SqliteConnectOptions::new().filename(path).synchronous(SqliteSynchronous::Off);
                BackDoor::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap())
            }
            None => BackDoor::Postgres(PgPoolOptions::new().max_connections(1).connect(url).await.unwrap()),
        }
    }

    async fn number(&self, select: &'static str) -> i64 {
        match self {
            BackDoor::Sqlite(pool) => sqlx::query_scalar(select).fetch_one(pool).await.unwrap(),
            BackDoor::Postgres(pool) => sqlx::query_scalar(select).fetch_one(pool).await.unwrap(),
        }
    }
}

impl Ledger {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("semainier.db").display());
        let store = store::open(&url, Access::Exclusive).await.unwrap();
        Self { store, url, back_door: OnceCell::new(), _place: Place::Directory { _dir: dir } }
    }

    pub async fn postgres() -> Self {
        let database = postgres::Database::create().await;
        let store = store::open(&database.url, Access::Exclusive).await.unwrap();
        Self {
            store,
            url: database.url.clone(),
            back_door: OnceCell::new(),
            _place: Place::Database { _database: database },
        }
    }

    /// With what looks at it when the test is over.
    pub fn audited(mut self) -> (Self, Audit) {
        let place = std::mem::replace(&mut self._place, Place::Kept);
        let audit = Audit { url: self.url.clone(), _place: place };
        (self, audit)
    }

    /// Another opener of the same database, as a command or a second daemon would be.
    pub async fn another(&self) -> Arc<dyn Store> {
        store::open(&self.url, Access::Shared).await.unwrap()
    }

    /// Behind the store's back: to set up what a crash, another version or a hand left.
    pub async fn sql(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self.back_door.get_or_init(|| BackDoor::open(&self.url)).await {
            BackDoor::Sqlite(pool) => drop(sql.execute(pool).await.unwrap()),
            BackDoor::Postgres(pool) => drop(sql.execute(pool).await.unwrap()),
        }
    }

    /// So many partners, subscribed to the agenda.
    pub async fn partners(&self, n: usize) {
        let contacts: Vec<_> = (1..=n).map(contact).collect();
        self.store.import_contacts(&contacts, &["agenda".to_owned()], "test", false, at(0)).await.unwrap();
    }

    /// An agenda frozen for so many partners, ready to be sent.
    pub async fn frozen(&self, n: usize) -> IssueKey {
        self.partners(n).await;
        let issue = new_issue("2026-W28");
        self.store.freeze_issue(&issue, at(0)).await.unwrap();
        issue.key
    }

    pub async fn claim(&self, limit: u32, now: Timestamp) -> Vec<Claim> {
        self.store.claim_deliveries(None, "here", limit, now).await.unwrap()
    }

    /// The state of each delivery, by address.
    pub async fn states(&self) -> Vec<State> {
        let mut log = self.store.log(&LogFilter::default()).await.unwrap();
        log.sort_by(|a, b| a.address.cmp(&b.address));
        log.iter().map(|it| it.state).collect()
    }

    pub async fn issue_state(&self, key: &IssueKey) -> IssueState {
        self.store.issue(key).await.unwrap().unwrap().state()
    }
}

/// Seconds after the Saturday morning at which everything here happens.
pub fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_783_144_800, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub const HOUR: i64 = 3600;

pub fn contact(n: usize) -> NewContact {
    NewContact::new(address(n), hash(n), &format!("Personne {n}"), &format!("Gîte n° {n}"), "Auch")
}

pub fn address(n: usize) -> EmailAddress {
    EmailAddress::parse(&format!("Partenaire{n:06}@gite.example")).unwrap()
}

pub fn hash(n: usize) -> String {
    format!("{n:064x}")
}

/// An agenda that may go out for twelve hours.
pub fn new_issue(period: &str) -> NewIssue {
    NewIssue {
        key: IssueKey::new("agenda", period),
        audience: "agenda".to_owned(),
        segment: None,
        whom: RecipientScope::Audience,
        mailing: "agenda".to_owned(),
        scheduled_for: at(0),
        expires_at: at(12 * HOUR),
        content: content(),
        content_hash: "c0ffee".to_owned(),
        composed_at: at(0),
        second_person: false,
        author: None,
        basis: Basis::Sources,
    }
}

pub fn content() -> Content {
    Content {
        subject: "Que faire à Auch du 6 au 12 juillet".to_owned(),
        html: "<p>Marché d’Auch, 8 h</p>".to_owned(),
        text: "Marché d’Auch, 8 h".to_owned(),
        attachments: vec![
            Attachment {
                name: "Agenda à afficher.pdf".to_owned(),
                media_type: "application/pdf".to_owned(),
                bytes: vec![0, 1, 255],
            },
            Attachment { name: "Livret.pdf".to_owned(), media_type: "application/pdf".to_owned(), bytes: vec![] },
        ],
        inline: vec![],
        data: "{}".to_owned(),
        envelope: Envelope {
            from_name: "Office de tourisme".to_owned(),
            from_address: "partenaires@office.example".to_owned(),
            reply_to: None,
            domain: "office.example".to_owned(),
            list_id: "agenda.office.example".to_owned(),
            list_name: "Agenda".to_owned(),
            feedback_id: "agenda:office".to_owned(),
            date_ms: 1_783_144_800_000,
            return_path: "retours@office.example".to_owned(),
            public_url: "https://office.example/".to_owned(),
            edition: None,
            article_url: None,
            marks: String::new(),
            dkim: Vec::new(),
        },
    }
}

pub fn finished(claim: &Claim, outcome: Outcome, now: Timestamp) -> Finished {
    let (phase, code, enhanced, text) = match outcome {
        Outcome::Accepted => (Phase::Dot, Some(250), Some("2.0.0"), "queued as 4AB1"),
        Outcome::Refused { .. } => (Phase::Rcpt, Some(550), Some("5.1.1"), "no such user"),
        Outcome::Deferred { .. } => (Phase::Rcpt, Some(450), Some("4.2.0"), "greylisted"),
        Outcome::SenderFault { .. } => (Phase::Connect, None, None, "connection refused"),
        Outcome::Unknown => (Phase::Dot, None, None, "the connection was lost"),
    };
    let reply = Reply { code, enhanced: enhanced.map(str::to_owned), text: text.to_owned() };
    Finished { claim: claim.clone(), phase, reply, outcome, at: now }
}
