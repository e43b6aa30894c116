//! Files and folders for their owner alone, whatever the umask: what holds addresses, keys, or links that open something.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Mode of a file, and of a folder.
pub const FILE: u32 = 0o600;
pub const FOLDER: u32 = 0o700;

/// An empty file, also where one was before, which becomes private.
///
/// # Errors
/// When it cannot be made or emptied.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)?;
    // The mode counts only for a file that is made.
    file.set_permissions(Permissions::from_mode(FILE))?;
    Ok(file)
}

/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// As [`write()`], on disk when it returns, and never half written: under another name first, then renamed.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = beside(path, ".part");
    let mut file = create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    put_in_place(&unfinished, path)
}

/// Renames a finished file to its name; that it has it is on disk when this returns.
///
/// # Errors
/// When it cannot be renamed.
pub fn put_in_place(unfinished: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(unfinished, path)?;
    sync_folder_of(path)
}

/// What happened to the names in the folder of this file is on disk when this returns.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The folder, and those above it that are missing. One that is there keeps its mode.
///
/// # Errors
/// When one of them cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)
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
    fn a_file_that_everybody_could_read_becomes_private_when_it_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/list.csv");
        create_folder(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "old, and longer").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write(&path, b"new").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (FILE, FOLDER));
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        write_whole(&path, b"newer").unwrap();
        assert_eq!((mode(&path), std::fs::read(&path).unwrap()), (FILE, b"newer".to_vec()));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
