//! Files and folders that only their owner can read, whatever the umask: for addresses, keys, and links that grant access.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Modes of files and folders.
pub const FILE: u32 = 0o600;
pub const FOLDER: u32 = 0o700;

/// Creates or truncates a file and makes it private.
///
/// # Errors
/// When it cannot be created or truncated.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)?;
    // The mode applies only to new files.
    file.set_permissions(Permissions::from_mode(FILE))?;
    Ok(file)
}

/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Like [`write()`], but atomic and durable: written under a temporary name, flushed to disk, then renamed.
///
/// # Errors
/// When it cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = beside(path, ".part");
    let mut file = create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename_durably(&unfinished, path)
}

/// Renames a finished file to its final name, durably.
///
/// # Errors
/// When it cannot be renamed.
pub fn rename_durably(unfinished: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(unfinished, path)?;
    sync_folder_of(path)
}

/// Flushes the folder of this file to disk, so that renames in it are durable.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Creates the folder and its missing parents. An existing one keeps its mode.
///
/// # Errors
/// When one of them cannot be created.
pub fn create_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(FOLDER).create(path) {
        // Making a folder below one that this user may not enter fails with "exists" where a link is in its place: looking at
        // it says what is wrong.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match std::fs::metadata(path)?.is_dir() {
            true => Ok(()),
            false => Err(error),
        },
        made => made,
    }
}

/// `semainier.db`, `-wal` -> `semainier.db-wal`
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trial_f16_a_folder_that_cannot_be_reached_is_not_said_to_exist() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target, file) =
            (folder.path().join("link"), folder.path().join("target"), folder.path().join("file"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(create_folder(&link).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::create_dir(&target).unwrap();
        create_folder(&link).unwrap();
        std::fs::write(&file, "").unwrap();
        assert_eq!(create_folder(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_public_file_becomes_private_when_it_is_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/list.csv");
        create_folder(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "old, and longer").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write(&path, b"new").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (FILE, FOLDER));
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        write_atomically(&path, b"newer").unwrap();
        assert_eq!((mode(&path), std::fs::read(&path).unwrap()), (FILE, b"newer".to_vec()));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
