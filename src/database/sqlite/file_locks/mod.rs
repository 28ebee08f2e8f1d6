//! Sharing an SQLite file with another copy of SQLite in the same process; see README.md.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod linux;

/// Replaces SQLite's locks in this process, at the first call. Files that are open already are not covered. Returns false
/// if a file must not be shared in a process on this system.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub fn share_files_safely() -> bool {
    static INSTALLED: once_cell::sync::OnceCell<bool> = once_cell::sync::OnceCell::new();
    *INSTALLED.get_or_init(linux::install)
}

/// Whether a file may be shared in a process on this system. On Windows a lock belongs to a handle, so it may.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub fn share_files_safely() -> bool {
    cfg!(windows)
}
