//! Runs `pg_dump` and `pg_restore`. The connection is passed in the environment, because arguments, and a password among them,
//! are visible to other users.

use super::{super::postgres, KeepError, Result};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::Path;
use tokio::process::Command;
use url::Url;

pub(super) async fn dump(url: &str, schema: &str, snapshot: &str, file: &Path) -> Result<()> {
    let mut command = command("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]);
    command.arg(format!("--schema={}", quoted(schema))).arg(format!("--snapshot={snapshot}"));
    run("pg_dump", command.arg(format!("--file={}", file.display()))).await
}

/// Restores in a single transaction.
pub(super) async fn restore(url: &str, schema: &str, file: &Path) -> Result<()> {
    let mut command = command("pg_restore", url)?;
    command.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]);
    command.arg(format!("--schema={schema}"));
    let options = postgres::options(url)?;
    // Without `--dbname`, pg_restore would write the SQL to its output instead.
    command.arg(format!("--dbname={}", options.get_database().unwrap_or(options.get_username())));
    run("pg_restore", command.arg(file)).await
}

/// A pattern that matches only this name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn command(program: &'static str, url: &str) -> Result<Command> {
    let options = postgres::options(url)?;
    let mut command = Command::new(program);
    command.env("PGAPPNAME", "semainier, keeping").stdin(std::process::Stdio::null());
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    command.env("PGHOST", host).env("PGPORT", options.get_port().to_string()).env("PGUSER", options.get_username());
    command.env("PGDATABASE", options.get_database().unwrap_or(options.get_username()));
    command.env("PGSSLMODE", ssl_mode(&options));
    if let Some(options) = options.get_options() {
        command.env("PGOPTIONS", options);
    }
    let Ok(url) = Url::parse(url) else { return Ok(command) };
    let asked = |names: &[&str]| {
        url.query_pairs().filter(|(name, _)| names.contains(&&**name)).last().map(|(_, value)| value.into_owned())
    };
    let in_front = url.password().map(|it| percent_encoding::percent_decode_str(it).decode_utf8_lossy().into_owned());
    for (variable, value) in [
        ("PGPASSWORD", asked(&["password"]).or(in_front)),
        ("PGSSLROOTCERT", asked(&["sslrootcert", "ssl-root-cert", "ssl-ca"])),
        ("PGSSLCERT", asked(&["sslcert", "ssl-cert"])),
        ("PGSSLKEY", asked(&["sslkey", "ssl-key"])),
    ] {
        if let Some(value) = value {
            command.env(variable, value);
        }
    }
    Ok(command)
}

fn ssl_mode(options: &PgConnectOptions) -> &'static str {
    match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

async fn run(program: &'static str, command: &mut Command) -> Result<()> {
    let output = command.kill_on_drop(true).output().await.map_err(|why| KeepError::NoTool { program, why })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // DETAIL lines quote rows, which contain personal data (I7).
    let errors = said.lines().filter(|line| line.starts_with(program)).collect::<Vec<_>>().join("; ");
    Err(KeepError::Tool { program, status: output.status.to_string(), why: errors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn the_password_is_passed_in_the_environment_and_never_as_an_argument() {
        let url = "postgres://us%40er:hunter%2F2@db.example:6432/led%20ger?sslmode=verify-full&sslrootcert=/etc/ca.pem";
        let command = command("pg_dump", url).unwrap();
        let command = command.as_std();
        assert_eq!(command.get_args().count(), 0);
        let value = |name: &str| {
            let found = command.get_envs().find(|(it, _)| *it == OsStr::new(name)).and_then(|(_, value)| value);
            found.unwrap_or_else(|| panic!("{name} is not set")).to_str().unwrap()
        };
        let expected = [
            ("PGHOST", "db.example"),
            ("PGPORT", "6432"),
            ("PGUSER", "us@er"),
            ("PGPASSWORD", "hunter/2"),
            ("PGDATABASE", "led ger"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/etc/ca.pem"),
        ];
        for (name, expected) in expected {
            assert_eq!(value(name), expected, "{name}");
        }
        let by_socket = super::command("pg_dump", "postgres://me@%2Fvar%2Frun%2Fpostgresql/x").unwrap();
        let host = by_socket.as_std().get_envs().find(|(name, _)| *name == OsStr::new("PGHOST")).unwrap().1;
        assert_eq!(host, Some(OsStr::new("/var/run/postgresql")));
    }
}
