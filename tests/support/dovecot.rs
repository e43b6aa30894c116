//! A Dovecot of this machine, as a child process in a folder of its own, on ports of the loopback.

use super::process::{signal, tool};
use std::{
    fs,
    io::Read,
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

pub const PASSWORD: &str = "geheim";

pub struct Dovecot {
    child: Child,
    folder: tempfile::TempDir,
    /// In clear, and STARTTLS.
    pub port: u16,
    /// TLS from the first byte.
    pub tls_port: u16,
    /// Of `localhost`, to be trusted.
    pub certificate: String,
    owner: (u32, u32),
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Dovecot {
    /// `capabilities`: instead of all that it has, after the login.
    pub fn start(capabilities: Option<&str>) -> Self {
        let program = tool("dovecot").expect("dovecot is missing: apt-get install dovecot-imapd");
        let folder = tempfile::Builder::new().prefix("dovecot").tempdir().unwrap();
        let me = fs::metadata(folder.path()).unwrap();
        // Root's mail is refused.
        let owner = if me.uid() == 0 { (65_534, 65_534) } else { (me.uid(), me.gid()) };
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["run", "state", "mail", "mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["mail", "mail/new", "mail/cur", "mail/tmp"] {
            chown(folder.path().join(name), Some(owner.0), Some(owner.1)).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (port, tls_port) = (free_port(), free_port());
        let config = folder.path().join("dovecot.conf");
        fs::write(&config, configuration(folder.path(), port, tls_port, owner, me.uid() == 0, capabilities)).unwrap();
        let child = Command::new(program)
            .args(["-F", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let it = Self { child, folder, port, tls_port, certificate: made.cert.pem(), owner };
        it.wait_for_the_greeting();
        it
    }

    fn wait_for_the_greeting(&self) {
        for _ in 0..1_000 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let mut some = [0; 4];
                if stream.read_exact(&mut some).is_ok() {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("dovecot does not start:\n{}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn mail(&self, folder: &str) -> PathBuf {
        self.folder.path().join("mail").join(folder)
    }

    /// A message arrives.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.mail("tmp").join(name);
        fs::write(&path, text).unwrap();
        chown(&path, Some(self.owner.0), Some(self.owner.1)).unwrap();
        fs::rename(path, self.mail("new").join(name)).unwrap();
    }

    /// Messages of a folder, `""` for INBOX: the names of their files, which end with their flags.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let of = |name: &str| fs::read_dir(self.mail(folder).join(name)).into_iter().flatten();
        let files = of("new").chain(of("cur")).map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        files.collect()
    }
}

fn configuration(
    folder: &Path,
    port: u16,
    tls_port: u16,
    (uid, gid): (u32, u32),
    is_root: bool,
    capabilities: Option<&str>,
) -> String {
    let here = folder.display();
    let capability = capabilities.map(|it| format!("imap_capability = {it}\n")).unwrap_or_default();
    // Without root nobody can be switched to, and nothing be locked up.
    let own_user = match is_root {
        true => String::new(),
        false => {
            let name = std::env::var("USER").unwrap_or_default();
            format!(
                "default_internal_user = {name}\ndefault_login_user = {name}\n\
                 service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n"
            )
        }
    };
    let chroot = if is_root { "" } else { "  chroot =\n" };
    format!(
        "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {here}/run\nstate_dir = {here}/state\nlog_path = {here}/log\n\
         ssl = yes\nssl_cert = <{here}/certificate.pem\nssl_key = <{here}/key.pem\ndisable_plaintext_auth = yes\n\
         auth_mechanisms = plain\nmail_location = maildir:{here}/mail\nnamespace inbox {{\n  inbox = yes\n}}\n\
         passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={here}/mail\n}}\n{capability}{own_user}\
         service imap-login {{\n{chroot}  inet_listener imap {{\n    port = {port}\n  }}\n\
         inet_listener imaps {{\n    port = {tls_port}\n    ssl = yes\n  }}\n}}\n"
    )
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // It ends its own children.
        if let Ok(None) = self.child.try_wait() {
            signal(self.child.id(), "TERM");
        }
        let _ = self.child.wait();
    }
}
