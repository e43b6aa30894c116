//! A Postgres to test on: the server that `SEMAINIER_TEST_POSTGRES` names, or a throw-away cluster of our own, started once
//! for the test process. Without either the tests fail: half of the ledger would go untested otherwise.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Makes the cluster, says where it is, and ends it when the test process is gone, however that went: its end closes our
/// standard input. Nothing here must survive a crash, so nothing waits for the disk.
const CLUSTER: &str = r#"
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/semainier-postgres.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$1/initdb" --pgdata="$dir/data" --username=semainier --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    exit 1
}
"$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c max_connections=400 >>"$dir/log" 2>&1 </dev/null &
server=$!
until "$1/pg_isready" --quiet --host="$dir"; do
    kill -0 $server || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
read -r _ || true
kill -QUIT $server
wait $server || true
"#;

struct Server {
    url: String,
    /// Ends when its standard input does: with us.
    _cluster: Option<Child>,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

fn server_url() -> &'static str {
    &SERVER.get_or_init(|| std::env::var("SEMAINIER_TEST_POSTGRES").map_or_else(|_| start(), given)).url
}

fn given(url: String) -> Server {
    Server { url, _cluster: None }
}

fn start() -> Server {
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
    command.args(["-c", CLUSTER, "cluster", &bin]).current_dir("/");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("setpriv and sh are there");
    let mut dir = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut dir).unwrap();
    if dir.is_empty() {
        let mut why = String::new();
        let _ = child.stderr.take().unwrap().read_to_string(&mut why);
        panic!("Postgres did not start:\n{why}");
    }
    let url = format!("postgres://semainier@localhost/postgres?host={}", dir.trim());
    Server { url, _cluster: Some(child) }
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
}

impl Database {
    pub async fn create() -> Self {
        let name = format!("semainier_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        administer(format!("CREATE DATABASE {name}")).await;
        let url = PgConnectOptions::from_str(server_url()).unwrap().database(&name).to_url_lossy().to_string();
        Self { url, name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Blocking, and the test's own runtime may be ending: on a thread and a runtime of its own.
        let drop = administer(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = std::thread::spawn(move || runtime.block_on(drop)).join();
    }
}

async fn administer(sql: String) {
    let mut server = PgConnection::connect(server_url()).await.expect("the Postgres server answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut server).await.unwrap();
    let _ = server.close().await;
}
