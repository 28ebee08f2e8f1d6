//! Both copies of SQLite, played through the system calls that they make.
#![expect(
    unsafe_code,
    reason = "does what two copies of SQLite do, by their system calls"
)]

use super::*;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

const READ_AND_WRITE: c_int = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOFOLLOW;
const READ: c_int = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW;

/// A file that the other copy has open through the system's own calls.
struct Shared {
    path: PathBuf,
    other: std::fs::File,
}

impl Shared {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let other = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        Self { path, other }
    }

    fn open(&self, flags: c_int) -> RawFd {
        let path = CString::new(self.path.to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string.
        let fd = unsafe { open(path.as_ptr(), flags, 0o600) };
        assert!(fd >= 0);
        fd
    }

    fn other_locks(&self, lock_type: c_int, start: i64) -> bool {
        let lock = byte(lock_type, start);
        // SAFETY: the command takes a lock.
        unsafe { libc::fcntl(self.other.as_raw_fd(), libc::F_SETLK, &raw const lock) == 0 }
    }

    fn descriptors(&self) -> usize {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(&self.path).unwrap();
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        open.filter_map(|entry| std::fs::metadata(entry.unwrap().path()).ok())
            .filter(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()))
            .count()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.path);
    }
}

fn byte(lock_type: c_int, start: i64) -> libc::flock {
    libc::flock {
        l_start: start,
        l_len: 1,
        // Undefined in SQLite's.
        l_pid: 4711,
        ..whole_file(lock_type)
    }
}

fn locks(fd: RawFd, lock_type: c_int, start: i64) -> bool {
    let mut lock = byte(lock_type, start);
    // SAFETY: the command takes a lock, as SQLite passes it.
    unsafe { fcntl(fd, libc::F_SETLK, (&raw mut lock).cast()) == 0 }
}

fn is_locked(fd: RawFd, start: i64) -> bool {
    let mut lock = byte(libc::F_WRLCK, start);
    // SAFETY: the command takes a lock, as SQLite passes it.
    let tested = unsafe { fcntl(fd, libc::F_GETLK, (&raw mut lock).cast()) };
    assert_eq!(tested, 0);
    c_int::from(lock.l_type) != libc::F_UNLCK
}

fn closes(fd: RawFd) {
    // SAFETY: the descriptor was opened in place of SQLite.
    assert_eq!(unsafe { close(fd) }, 0);
}

#[test]
fn installs() {
    assert!(install());
}

#[test]
fn each_sees_the_locks_of_the_other() {
    let file = Shared::new("seen");
    let fd = file.open(READ_AND_WRITE);
    assert!(file.other_locks(libc::F_WRLCK, 1));
    assert!(is_locked(fd, 1));
    assert!(!locks(fd, libc::F_RDLCK, 1));
    assert!(locks(fd, libc::F_RDLCK, 2));
    assert!(!file.other_locks(libc::F_WRLCK, 2));
    assert!(file.other_locks(libc::F_RDLCK, 2));
    assert!(!locks(fd, libc::F_WRLCK, 2));
    closes(fd);
}

#[test]
fn a_file_has_one_set_of_locks() {
    let file = Shared::new("one");
    let [first, second] = [file.open(READ_AND_WRITE), file.open(READ_AND_WRITE)];
    assert!(locks(first, libc::F_RDLCK, 1));
    assert!(!is_locked(second, 1));
    assert!(locks(second, libc::F_WRLCK, 1));
    assert!(!file.other_locks(libc::F_RDLCK, 1));
    // The locker.
    closes(first);
    assert!(!file.other_locks(libc::F_RDLCK, 1));
    assert!(locks(second, libc::F_UNLCK, 1));
    assert!(file.other_locks(libc::F_WRLCK, 1));
    closes(second);
}

#[test]
fn closing_leaves_the_locks_of_the_other() {
    let file = Shared::new("closing");
    let [first, second] = [file.open(READ_AND_WRITE), file.open(READ)];
    assert!(file.other_locks(libc::F_RDLCK, 1));
    closes(first);
    closes(second);
    let again = file.open(READ_AND_WRITE);
    assert!(is_locked(again, 1));
    closes(again);
}

#[test]
fn what_is_locked_at_the_closing_is_unlocked() {
    let file = Shared::new("left");
    let fd = file.open(READ_AND_WRITE);
    assert!(locks(fd, libc::F_RDLCK, 1));
    assert!(file.other_locks(libc::F_RDLCK, 2));
    closes(fd);
    assert!(file.other_locks(libc::F_WRLCK, 1));
}

#[test]
fn what_was_kept_is_opened_again_and_closed_in_the_end() {
    let file = Shared::new("kept");
    assert!(file.other_locks(libc::F_RDLCK, 1));
    let fd = file.open(READ_AND_WRITE);
    for _ in 0..3 {
        closes(fd);
        assert_eq!(file.open(READ_AND_WRITE), fd);
    }
    let reader = file.open(READ);
    assert_ne!(reader, fd);
    closes(reader);
    assert_eq!(file.descriptors(), 3);
    assert!(file.other_locks(libc::F_UNLCK, 1));
    closes(fd);
    assert_eq!(file.descriptors(), 1);
    // Nothing is left that could block the other copy.
    assert!(file.other_locks(libc::F_WRLCK, 1));
}

#[test]
fn a_lock_set_while_reading_can_become_one_for_writing() {
    let file = Shared::new("reading");
    let reader = file.open(READ);
    assert!(locks(reader, libc::F_RDLCK, 1));
    assert!(locks(reader, libc::F_RDLCK, 3));
    let writer = file.open(READ_AND_WRITE);
    assert!(locks(writer, libc::F_WRLCK, 1));
    assert!(!file.other_locks(libc::F_RDLCK, 1));
    assert!(!file.other_locks(libc::F_WRLCK, 3));
    assert!(locks(reader, libc::F_UNLCK, 3));
    assert!(file.other_locks(libc::F_WRLCK, 3));
    closes(reader);
    assert!(file.other_locks(libc::F_UNLCK, 3));
    assert!(!file.other_locks(libc::F_RDLCK, 1));
    closes(writer);
    assert_eq!(file.descriptors(), 1);
}

#[test]
fn what_was_opened_for_reading_is_kept_and_closed_too() {
    let file = Shared::new("readers");
    assert!(file.other_locks(libc::F_RDLCK, 1));
    let reader = file.open(READ);
    assert!(locks(reader, libc::F_RDLCK, 1));
    closes(reader);
    assert!(is_locked(file.open(READ), 1));
    assert!(file.other_locks(libc::F_UNLCK, 1));
    closes(reader);
    assert_eq!(file.descriptors(), 1);
}

#[test]
fn a_file_that_can_only_be_read_is_closed_if_it_is_not_locked() {
    let file = Shared::new("readonly");
    let reader = std::fs::File::open(&file.path).unwrap();
    assert!(no_other_locks(reader.as_raw_fd()));
    assert!(file.other_locks(libc::F_RDLCK, 1));
    assert!(!no_other_locks(reader.as_raw_fd()));
}
