//! A connection between the program and Postgres that a test can cut.

use sqlx::postgres::PgConnectOptions;
use std::{
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    runtime::Runtime,
    sync::watch,
};

/// Listens on a port of its own, on threads of its own, and passes on what it hears: to Postgres and back.
pub struct Wire {
    port: u16,
    cut: watch::Sender<bool>,
    commits: Arc<AtomicU32>,
    lose: Arc<AtomicU32>,
    _runtime: Runtime,
}

/// Of one conversation.
#[derive(Clone)]
struct Line {
    cut: watch::Receiver<bool>,
    commits: Arc<AtomicU32>,
    lose: Arc<AtomicU32>,
}

impl Wire {
    /// To the server whose socket is in this directory.
    pub fn to(directory: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, seen) = watch::channel(false);
        let (commits, lose) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let line = Line { cut: seen, commits: Arc::clone(&commits), lose: Arc::clone(&lose) };
        runtime.spawn(async move {
            while let Ok((program, _)) = listener.accept().await {
                let server = UnixStream::connect(directory.join(".s.PGSQL.5432")).await;
                if let Ok(server) = server {
                    tokio::spawn(line.clone().converse(program, server));
                }
            }
        });
        Self { port, cut, commits, lose, _runtime: runtime }
    }

    /// The same database, over this line.
    pub fn url(&self, database: &str) -> String {
        let options = PgConnectOptions::from_str(database).unwrap();
        let name = options.get_database().unwrap();
        format!("postgres://semainier@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// From now on nothing passes, either way, and nobody is told.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// What was on its way arrives.
    pub fn mend(&self) {
        self.cut.send_replace(false);
    }

    /// The line breaks after the `nth` commit from here on reached the server, before its answer came back.
    pub fn lose_the_answer_to_commit(&self, nth: u32) {
        self.lose.store(self.commits.load(Ordering::SeqCst) + nth, Ordering::SeqCst);
    }

    /// Whether that happened.
    pub fn has_lost_an_answer(&self) -> bool {
        self.commits.load(Ordering::SeqCst) >= self.lose.load(Ordering::SeqCst)
    }
}

impl Line {
    async fn converse(mut self, mut program: TcpStream, mut server: UnixStream) {
        let (mut said, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut lost = false;
        loop {
            if self.cut.wait_for(|cut| !*cut).await.is_err() {
                return;
            }
            tokio::select! {
                biased;
                _ = self.cut.changed() => {}
                n = program.read(&mut said) => {
                    let Ok(n @ 1..) = n else { return };
                    if server.write_all(&said[..n]).await.is_err() {
                        return;
                    }
                    // As sqlx says it: a simple query of its own; and what settles is a transaction of its own.
                    if said[..n].windows(7).any(|it| it == b"COMMIT\0" || it == b"EXECUTE") {
                        let commit = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
                        lost |= commit == self.lose.load(Ordering::SeqCst);
                    }
                }
                n = server.read(&mut answered) => {
                    let Ok(n @ 1..) = n else { return };
                    if lost || program.write_all(&answered[..n]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}
