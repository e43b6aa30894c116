//! The Postgres for tests: the server that `SEMAINIER_TEST_POSTGRES` names, or a temporary cluster, started once per test
//! process. Without either the tests fail, since half of the ledger would not be tested.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    str::FromStr,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Makes the cluster, says where it is, then does what it is told. Ends it when the test process is gone, however that went:
/// its end closes our standard input.
const CLUSTER: &str = include_str!("cluster.sh");

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The one that all tests share.
enum Server {
    Given(String),
    Ours(Cluster),
}

fn server_url() -> &'static str {
    let server =
        || std::env::var("SEMAINIER_TEST_POSTGRES").map_or_else(|_| Server::Ours(Cluster::start()), Server::Given);
    match SERVER.get_or_init(server) {
        Server::Given(url) => url,
        Server::Ours(cluster) => &cluster.url,
    }
}

/// A throw-away server of one's own, for a test that ill-treats it.
pub struct Cluster {
    pub url: String,
    /// Its socket is here, and its files in `data`.
    pub dir: PathBuf,
    /// The shell that minds it; ends when its standard input does.
    shell: Child,
    orders: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Cluster {
    pub fn start() -> Self {
        let bin = binaries();
        let root = std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
        let mut command = if root {
            // The server refuses to run as root.
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", CLUSTER, "cluster", &bin, "max_connections=400"]).current_dir("/");
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("setpriv and sh are there");
        let mut answers = BufReader::new(shell.stdout.take().unwrap());
        let mut dir = String::new();
        answers.read_line(&mut dir).unwrap();
        if dir.is_empty() {
            let mut why = String::new();
            let _ = shell.stderr.take().unwrap().read_to_string(&mut why);
            panic!("Postgres did not start:\n{why}");
        }
        let url = format!("postgres://semainier@localhost/postgres?host={}", dir.trim());
        let orders = Mutex::new(Some((shell.stdin.take().unwrap(), answers)));
        Self { url, dir: dir.trim().into(), shell, orders }
    }

    fn order(&self, word: &str) {
        let mut orders = self.orders.lock().unwrap();
        let (say, hear) = orders.as_mut().unwrap();
        writeln!(say, "{word}").unwrap();
        let mut done = String::new();
        hear.read_line(&mut done).unwrap();
        assert_eq!(done.trim(), word, "Postgres did not {word}");
    }

    /// As `pg_ctl stop -m immediate`: nobody is waited for.
    pub fn stop(&self) {
        self.order("stop");
    }

    pub fn start_again(&self) {
        self.order("start");
    }

    /// An empty database on it.
    pub async fn database(&self) -> Database {
        Database::on(&self.url).await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.orders.lock().unwrap().take());
        let _ = self.shell.wait();
    }
}

/// The newest of the versions installed where Debian puts them, or those on the PATH.
fn binaries() -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|it| it.path().join("bin")).filter(|it| it.join("initdb").exists()).max();
    newest.unwrap_or_else(|| on_path("initdb")).display().to_string()
}

fn on_path(program: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|dir| Path::new(dir).join(program).exists())
        .expect("a Postgres server: install postgresql, or set SEMAINIER_TEST_POSTGRES to the URL of one")
}

/// An empty database of one's own, dropped with this.
pub struct Database {
    pub url: String,
    name: String,
    server: String,
}

impl Database {
    pub async fn create() -> Self {
        Self::on(server_url()).await
    }

    async fn on(server: &str) -> Self {
        let name = format!("semainier_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        administer(server, format!("CREATE DATABASE {name}")).await.expect("the Postgres server answers");
        let url = PgConnectOptions::from_str(server).unwrap().database(&name).to_url_lossy().to_string();
        Self { url, name, server: server.to_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Blocking, and the test's own runtime may be ending: on a thread and a runtime of its own. A server that is gone
        // took the database with it.
        let drop = administer(&self.server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let on_a_runtime = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = runtime.block_on(drop);
        };
        let _ = std::thread::scope(|scope| scope.spawn(on_a_runtime).join());
    }
}

async fn administer(server: &str, sql: String) -> sqlx::Result<()> {
    let mut server = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut server).await?;
    let _ = server.close().await;
    Ok(())
}
