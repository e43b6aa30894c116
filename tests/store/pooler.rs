//! PgBouncer between us and Postgres (field report 44): one that keeps sessions changes nothing, one that hands them on is refused.

use crate::support::{
    house::{House, ISSUE, On, Relay},
    process::{self, until},
};
use sqlx::postgres::PgConnectOptions;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;

/// A pooler before the database of a house.
struct Pooler {
    process: Child,
    port: u16,
}

impl Pooler {
    fn before(house: &House, mode: &str) -> Self {
        let program = process::tool("pgbouncer").expect("pgbouncer is installed by scripts/test");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let database = PgConnectOptions::from_str(&house.database_url()).unwrap();
        let host = database.get_socket().map_or(database.get_host().to_owned(), |socket| socket.display().to_string());
        let folder = house.path("pooler");
        std::fs::create_dir_all(&folder).unwrap();
        // As Debian ships it, but for the mode, the place and whom it believes.
        let settings = format!(
            "[databases]\n* = host={host} port={} user=semainier\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\n",
            database.get_port()
        );
        let file = house.write("pooler/pgbouncer.ini", settings);
        // It refuses to run as root.
        let root = std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
        let mut command = match root {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        if root {
            for path in [house.path(""), folder, file.clone()] {
                let mode = if path.is_dir() { 0o755 } else { 0o644 };
                std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            }
        }
        let quiet = || Stdio::null();
        let process = command.arg(file).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        until("the pooler listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { process, port }
    }

    /// The database through it.
    fn url(&self, house: &House) -> String {
        let database = PgConnectOptions::from_str(&house.database_url()).unwrap();
        format!("postgres://semainier@127.0.0.1:{}/{}", self.port, database.get_database().unwrap())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The agenda leaves through it, and every marker is written with our settings, whatever the server's are.
#[test]
fn field_report_44_a_pooler_that_keeps_sessions_drops_no_setting() {
    let relay = Relay::start();
    let house = House::on(On::Postgres).relay(&relay);
    house.import_many(3);
    house.sql(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$;
         CREATE TABLE seen (setting TEXT);
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
         CREATE TRIGGER see AFTER INSERT OR UPDATE ON claims FOR EACH ROW EXECUTE FUNCTION see();",
    );
    let pooler = Pooler::before(&house, "session");
    let url = pooler.url(&house);
    let house = house.set("database", url);
    house.run().expect(0);
    assert_eq!(relay.to_partners(), 3);
    assert!(house.number("SELECT count(*) FROM seen") >= 3);
    assert_eq!(house.number("SELECT count(*) FROM seen WHERE setting <> 'on'"), 0);
    assert_eq!(house.issue()["key"], ISSUE);
}

#[test]
fn field_report_44_a_pooler_that_hands_sessions_on_is_refused_in_words() {
    for more in ["", "server_round_robin = 1\nmin_pool_size = 4\n"] {
        let house = House::on(On::Postgres);
        let pooler = Pooler::before(&house, &format!("transaction\n{more}"));
        let url = pooler.url(&house);
        let house = house.set("database", url);
        house.write("partners.csv", "email\nhotel@auch.example\n");
        let import = house.semainier(&["partners", "import", "partners.csv"]).expect(1);
        import.expect_said(&["connection pooler", "connect to Postgres directly", "pool_mode = session"]);
        house.semainier(&["check", "--offline"]).expect(1).expect_said(&["pool_mode = session"]);
        assert_eq!(house.number("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"), 0);
    }
}
