//! Creating a database file with permissions of its own: SQLite would let everybody read it.
//!
//! SQLite gives the log and the shared memory the permissions of the database file.

use std::path::{Path, PathBuf};

/// More links than a path may lead through.
const MAX_LINKS: usize = 40;

/// Creates an empty database file with these permissions. Leaves a file alone that exists. If it cannot be created, SQLite
/// fails to open it, and says why.
pub fn create(path: &Path, mode: u32) {
    let path = linked(path.to_owned());
    // The permissions once more, since the process may have a mask that takes some away.
    if create_empty(&path, mode).is_ok() {
        _ = set_permissions(&path, mode);
    }
}

/// The file that a symbolic link leads to. SQLite creates that one, too.
fn linked(mut path: PathBuf) -> PathBuf {
    for _ in 0..MAX_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    path
}

/// Creates the file without opening it: to close a descriptor of a file drops the locks of another copy of SQLite in this
/// process, which may have opened the file meanwhile.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#[expect(unsafe_code, reason = "a system call")]
fn create_empty(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;

    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string.
    match unsafe { libc::mknod(name.as_ptr(), libc::S_IFREG | mode, 0) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Creates the file. Where it cannot be done without opening the file, no other copy of SQLite may have it open.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
fn create_empty(path: &Path, mode: u32) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn set_permissions(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// Elsewhere a file has the permissions of its folder.
#[cfg(not(unix))]
fn set_permissions(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}
