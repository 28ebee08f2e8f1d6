//! Sharing an SQLite file with another copy of SQLite in the same process, such as that of the npm package sqlite3.
//!
//! On Unix, SQLite locks with POSIX record locks. Those belong to the process: two copies never see each other's, and
//! closing any descriptor of a file drops all that the process has on it. Both damage the file
//! (<https://www.sqlite.org/howtocorrupt.html>, 2.2). On Windows a lock belongs to a handle, and there is nothing to do.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod linux;

/// Prepares SQLite for it; what was opened before stays unprepared. False where a file must not be shared in a process.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub fn share_files_safely() -> bool {
    static INSTALLED: once_cell::sync::OnceCell<bool> = once_cell::sync::OnceCell::new();
    *INSTALLED.get_or_init(linux::install)
}

/// Whether a file may be shared in a process.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub fn share_files_safely() -> bool {
    cfg!(windows)
}
