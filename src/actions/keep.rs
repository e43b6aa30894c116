//! Backing up everything needed to continue elsewhere, and restoring it.

use super::{Actor, Refusal, Result};
use crate::app::{App, Engine};
use crate::private;
use crate::secret::{Credential, SecretPlace, absolute, is_equal};
use crate::store::keep::{self, Holds, Kind, Target};
use crate::tokens::Tokens;
use crate::views::readiness::BACKUP_RECORD;
use anyhow::{Context, anyhow, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

const MANIFEST: &str = "manifest.json";
const SECRET: &str = "secret";
const LINK_KEYS: &str = "link-keys";
/// Version of the manifest's format.
const FORMAT: u32 = 1;

/// `manifest.json` describes the backup beside it. It is written last: without it a backup is incomplete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that wrote it.
    pub semainier: String,
    /// The newest migration of the ledger.
    pub schema: i64,
    /// RFC 3339, UTC.
    pub made_at: String,
    pub database: Kind,
    /// The Postgres schema of the dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_schema: Option<String>,
    /// [`Tokens::check_value`] of the backed-up secret.
    pub secret_check: String,
    pub files: Vec<Kept>,
    /// Number of rows of each table.
    pub rows: BTreeMap<String, u64>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

fn ledger_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "ledger.db",
        Kind::Postgres => "ledger.dump",
    }
}

/// Writes a consistent copy of the ledger, the secret, the link keys and a manifest into an empty folder, readable only by their
/// owner. A daemon may be running.
///
/// # Errors
/// When the folder is not empty; when the secret does not match the ledger, which would make the backup useless; or when
/// something cannot be read or written.
pub async fn backup(engine: &Engine, actor: &Actor, dir: &Path) -> Result<Manifest> {
    let config = &engine.app.config;
    let secret_check = engine.tokens().await?.check_value();
    let secret = config.secret_place().read().map_err(anyhow::Error::from)?.context("the secret is missing")?;
    let link_keys = match &config.link_keys_file {
        Some(path) => Some(std::fs::read(path).with_context(|| format!("cannot read {}", absolute(path)))?),
        None => None,
    };
    if !prepare(dir)? {
        return Err(Refusal::FolderNotEmpty(dir.to_owned()).into());
    }
    let kind = keep::kind_of(config.database.expose_secret());
    let ledger = dir.join(ledger_name(kind));
    let copied = keep::copy_to(config.database.expose_secret(), &ledger).await.map_err(anyhow::Error::from)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        private::write_atomically(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write(SECRET, format!("{}\n", secret.expose_secret()).as_bytes())?;
    let mut names = vec![ledger_name(kind), SECRET];
    if let Some(keys) = link_keys {
        write(LINK_KEYS, &keys)?;
        names.push(LINK_KEYS);
    }
    let files = names.into_iter().map(|name| kept(dir, name)).collect::<anyhow::Result<_>>()?;
    let manifest = Manifest {
        format: FORMAT,
        semainier: env!("CARGO_PKG_VERSION").to_owned(),
        schema: keep::schema_version(),
        made_at: engine.app.clock.now().to_rfc3339(),
        database: kind,
        postgres_schema: copied.schema,
        secret_check,
        files,
        rows: copied.rows,
    };
    let json = serde_json::to_string_pretty(&manifest).map_err(anyhow::Error::from)?;
    write(MANIFEST, format!("{json}\n").as_bytes())?;
    actor.audit(engine, "ledger.backup", "ledger".to_owned(), serde_json::json!({})).await;
    info!(door = %actor.door, "the ledger was backed up");
    record(&engine.app, &manifest);
    Ok(manifest)
}

/// For `status`, alerts and metrics, which warn of an old backup. The backup is good without the record.
fn record(app: &App, manifest: &Manifest) {
    let Some(folder) = app.config.state_directory() else { return };
    let (path, at) = (folder.join(BACKUP_RECORD), format!("{}\n", manifest.made_at));
    if let Err(why) = std::fs::write(&path, at) {
        warn!(%why, "cannot record the backup in {}", path.display());
    }
}

/// Creates an empty private folder; `false`: it exists and is not empty.
fn prepare(dir: &Path) -> anyhow::Result<bool> {
    let cannot = || format!("cannot create {}", dir.display());
    private::create_folder(dir).with_context(cannot)?;
    if std::fs::read_dir(dir).with_context(cannot)?.next().is_some() {
        return Ok(false);
    }
    std::fs::set_permissions(dir, PermissionsExt::from_mode(private::FOLDER)).with_context(cannot)?;
    Ok(true)
}

fn kept(dir: &Path, name: &str) -> anyhow::Result<Kept> {
    let path = dir.join(name);
    let cannot = || format!("cannot read {}", path.display());
    let mut file = File::open(&path).with_context(cannot)?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).with_context(cannot)? {
            0 => break,
            n => {
                hash.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Kept { name: name.to_owned(), size, sha256 })
}

/// The result of a restore.
#[derive(Debug, Clone)]
pub struct Restored {
    pub manifest: Manifest,
    /// The new names of what was there before.
    pub aside: Vec<String>,
}

/// Restores a backup to the places the configuration names: the ledger, marked as restored, its secret and its link keys.
/// Everything is checked before anything is changed. The next program that opens the ledger upgrades it to the newest schema, and
/// a daemon pauses its unfinished issues.
///
/// # Errors
/// When the backup is incomplete or does not fit the configuration; when there is a ledger with data, or another secret, and
/// `replace` is not set; when a daemon is running; or when something cannot be written.
pub async fn restore(app: &App, actor: &Actor, dir: &Path, replace: bool) -> Result<Restored> {
    let url = app.config.database.expose_secret();
    let manifest = verified(dir, keep::kind_of(url))?;
    let secret = crate::secret::read(&dir.join(SECRET)).context("cannot read the secret of the backup")?;
    if Tokens::new(secret.clone()).check_value() != manifest.secret_check {
        return Err(anyhow!("{}: the secret does not match the ledger beside it", dir.display()).into());
    }
    let now = app.clock.now();
    let suffix = now.format(".before-%Y%m%dT%H%M%SZ").to_string();
    let keys = match manifest.files.iter().any(|it| it.name == LINK_KEYS) {
        true => Some(std::fs::read_to_string(dir.join(LINK_KEYS)).context("cannot read the link keys of the backup")?),
        false => None,
    };
    let to_put = || -> std::result::Result<_, Box<Refusal>> {
        let keys =
            keys.as_deref().map(|keys| link_keys_to_put(keys, app.config.link_keys_file.as_deref())).transpose()?;
        Ok([secret_to_put(&app.config.secret_place(), &secret)?, keys.flatten()])
    };
    let files: Vec<Put> = to_put().map_err(|refusal| *refusal)?.into_iter().flatten().collect();
    let mut target = Target::claim(url).await.map_err(anyhow::Error::from)?;
    let in_the_way = files.iter().filter(|it| it.path.exists()).map(|it| absolute(&it.path)).next();
    match (target.holds, in_the_way) {
        _ if replace => {}
        (Holds::Ledger, _) => return Err(Refusal::LedgerInTheWay.into()),
        (_, Some(path)) => return Err(Refusal::FileInTheWay(path).into()),
        _ => {}
    }
    // Before the ledger, which takes longer: they are known to be writable.
    for file in &files {
        file.prepare()?;
    }
    let ledger = dir.join(ledger_name(manifest.database));
    let put = target.put(&ledger, manifest.postgres_schema.as_deref(), &suffix, now).await;
    if put.is_err() {
        // Do not leave copies of a secret behind.
        files.iter().for_each(|file| drop(std::fs::remove_file(file.unfinished())));
    }
    let mut aside: Vec<String> = put.map_err(anyhow::Error::from)?.into_iter().collect();
    for file in files {
        aside.extend(file.put(&suffix)?);
    }
    drop(target);
    info!(door = %actor.door, made_at = manifest.made_at, "a backup was restored");
    Ok(Restored { manifest, aside })
}

/// Reads and checks the manifest of a complete backup of this kind of database.
fn verified(dir: &Path, kind: Kind) -> anyhow::Result<Manifest> {
    let path = dir.join(MANIFEST);
    let text = match std::fs::read_to_string(&path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            bail!("{} is not a complete backup: there is no {MANIFEST}", dir.display())
        }
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let manifest: Manifest =
        serde_json::from_str(&text).with_context(|| format!("{} is not a valid manifest", path.display()))?;
    let Manifest { format, schema, semainier, database, .. } = &manifest;
    if *format != FORMAT || *schema > keep::schema_version() {
        bail!("the backup was made by a newer semainier ({semainier}, schema {schema}): upgrade the program");
    }
    if *database != kind {
        bail!(
            "the backup is of {database:?}, the configuration names {kind:?}: restore it into {database:?} (`database` in the \
             configuration), then move it: semainier migrate --from URL --to URL"
        );
    }
    for name in [ledger_name(kind), SECRET] {
        if !manifest.files.iter().any(|it| it.name == name) {
            bail!("{}: {name} is not in the manifest", dir.display());
        }
    }
    for file in &manifest.files {
        if ![ledger_name(kind), SECRET, LINK_KEYS].contains(&file.name.as_str()) {
            bail!("{}: {:?} in the manifest is no file of a backup", dir.display(), file.name);
        }
        let found = kept(dir, &file.name)?;
        if found != *file {
            bail!(
                "{} is damaged: {} bytes with SHA-256 {}, expected {} bytes with {}",
                dir.join(&file.name).display(),
                found.size,
                found.sha256,
                file.size,
                file.sha256
            );
        }
    }
    Ok(manifest)
}

/// A file that is put where the configuration says.
struct Put {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Put {
    fn unfinished(&self) -> PathBuf {
        private::beside(&self.path, ".restoring")
    }

    fn prepare(&self) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent().filter(|it| !it.as_os_str().is_empty()) {
            private::create_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        private::write_atomically(&self.unfinished(), &self.bytes).with_context(|| {
            format!(
                "{} cannot be written; where it is handed to the service (LoadCredential, a container's secret), put the file \
                 of the backup there yourself, then repeat",
                absolute(&self.path)
            )
        })
    }

    /// Returns under which name the old one is kept.
    fn put(self, suffix: &str) -> anyhow::Result<Option<String>> {
        let cannot = || format!("cannot put {} in place", absolute(&self.path));
        let aside = private::beside(&self.path, suffix);
        let was_there = self.path.exists();
        if was_there {
            std::fs::rename(&self.path, &aside).with_context(cannot)?;
        }
        private::rename_durably(&self.unfinished(), &self.path).with_context(cannot)?;
        Ok(was_there.then(|| absolute(&aside)))
    }
}

/// `None`: it is there.
fn secret_to_put(place: &SecretPlace, secret: &SecretString) -> std::result::Result<Option<Put>, Box<Refusal>> {
    let is_there = place.read().ok().flatten().is_some_and(|found| is_equal(&found, secret));
    match place {
        _ if is_there => Ok(None),
        SecretPlace::Beside(path) | SecretPlace::Configured(Credential::File { path, .. }) => {
            Ok(Some(Put { path: path.clone(), bytes: format!("{}\n", secret.expose_secret()).into_bytes() }))
        }
        SecretPlace::Configured(Credential::Given { .. }) | SecretPlace::Nowhere => {
            Err(Box::new(Refusal::SecretNotOfBackup(place.file())))
        }
    }
}

/// The keys that are there stay, before those of the backup: links of either open.
fn link_keys_to_put(kept: &str, configured: Option<&Path>) -> std::result::Result<Option<Put>, Box<Refusal>> {
    let path = configured.ok_or_else(|| Box::new(Refusal::LinkKeysNotConfigured))?;
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines: Vec<&str> = there.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let before = lines.len();
    for key in kept.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !lines.contains(&key) {
            lines.push(key);
        }
    }
    if lines.len() == before {
        return Ok(None);
    }
    Ok(Some(Put { path: path.to_owned(), bytes: format!("{}\n", lines.join("\n")).into_bytes() }))
}
