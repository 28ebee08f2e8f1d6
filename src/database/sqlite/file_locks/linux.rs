//! Locks that belong to an open file instead of the process ("open file description locks", fcntl(2)), in place of
//! those that our copy of SQLite asks for. They conflict with the POSIX locks of everybody, this process included.
//!
//! SQLite counts its locks by file and sets them through any of its descriptors. So one descriptor of a file, the
//! locker, sets all of them.
//!
//! Closing a descriptor would still drop the POSIX locks that the other copy has on the file. So descriptors that SQLite
//! closes are kept, given out again when it opens the file again, and closed once it has none left and an exclusive lock
//! on the whole file proves that nobody has a lock. The system gives up that lock as the last step of the closing, so
//! none can be set meanwhile.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::Error;
use std::mem::{MaybeUninit, transmute};
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libsqlite3_sys::{SQLITE_OK, sqlite3_vfs_find};

type Call = unsafe extern "C" fn();
type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
type Close = unsafe extern "C" fn(c_int) -> c_int;
type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

static FILES: Mutex<Files> = Mutex::new(Files {
    files: BTreeMap::new(),
    inodes: BTreeMap::new(),
});

/// The files that SQLite has opened, until all their descriptors are closed.
struct Files {
    files: BTreeMap<Inode, File>,
    inodes: BTreeMap<RawFd, Inode>,
}

type Inode = (libc::dev_t, libc::ino_t);

#[derive(Default)]
struct File {
    descriptors: Vec<Descriptor>,
    /// The descriptor that sets all locks, from the first one on.
    locker: Option<RawFd>,
}

struct Descriptor {
    fd: RawFd,
    /// For reading, writing or both, as in the flags of open(2).
    access: c_int,
    /// SQLite has not closed it.
    in_use: bool,
}

/// Has SQLite call what is in this file. False if the system has no such locks.
pub fn install() -> bool {
    supported() && override_calls()
}

/// Sandboxes that stand in for the kernel do not always know these locks.
#[allow(unsafe_code, reason = "system calls")]
fn supported() -> bool {
    // SAFETY: the path is a C string; the descriptor is open, is used by nobody else, and is closed once.
    unsafe {
        let fd = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        let known = is_unlocked(fd);
        libc::close(fd);
        known
    }
}

#[allow(unsafe_code, reason = "SQLite takes its system calls by address")]
fn override_calls() -> bool {
    // SAFETY: the name is a C string, and SQLite registers this VFS for the life of the process.
    let Some(vfs) = (unsafe { sqlite3_vfs_find(c"unix".as_ptr()).as_mut() }) else {
        return false;
    };
    let Some(set) = vfs.xSetSystemCall else {
        return false;
    };
    // SAFETY: SQLite casts them back to the types that it calls them by, which are these. It calls the last one with
    // variable arguments, which this system passes on both processors as it does others.
    let calls: [(&CStr, Option<Call>); 3] = unsafe {
        [
            (c"open", Some(transmute::<Open, Call>(open))),
            (c"close", Some(transmute::<Close, Call>(close))),
            (c"fcntl", Some(transmute::<Fcntl, Call>(fcntl))),
        ]
    };
    // SAFETY: the VFS and the names are valid, and no connection is open yet that could be calling these.
    unsafe { calls.map(|(name, call)| set(vfs, name.as_ptr(), call)) == [SQLITE_OK; 3] }
}

#[allow(unsafe_code, reason = "called by SQLite in place of open(2)")]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: SQLite gives a C string.
    if let Some(fd) = files().reopen(unsafe { CStr::from_ptr(path) }, flags) {
        return fd;
    }
    // SAFETY: as above.
    let fd = unsafe { libc::open(path, flags, mode) };
    if fd >= 0 {
        files().opened(fd, flags);
    }
    fd
}

#[allow(unsafe_code, reason = "called by SQLite in place of close(2)")]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    let mut files = files();
    if files.closed(fd) {
        return 0;
    }
    // SAFETY: SQLite closes what it opened, and we do not keep it.
    unsafe { libc::close(fd) }
}

#[allow(unsafe_code, reason = "called by SQLite in place of fcntl(2)")]
unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
    let command = match command {
        libc::F_GETLK => libc::F_OFD_GETLK,
        // Who has to wait is told so by SQLite; here it must not hold up the others.
        libc::F_SETLK | libc::F_SETLKW => libc::F_OFD_SETLK,
        // SAFETY: passed on as it came.
        other => return unsafe { libc::fcntl(fd, other, argument) },
    };
    // SAFETY: with these commands SQLite gives a lock, which nobody else has.
    let lock = unsafe { &mut *argument.cast::<libc::flock>() };
    // SQLite leaves it undefined, and these locks want zero.
    lock.l_pid = 0;
    let writes = command == libc::F_OFD_SETLK && c_int::from(lock.l_type) == libc::F_WRLCK;
    let mut files = files();
    let locker = files.locker(fd, writes);
    // SAFETY: the commands take a lock, and the descriptor is open while `files` is held.
    unsafe { libc::fcntl(locker, command, &raw mut *lock) }
}

fn files() -> MutexGuard<'static, Files> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// A kept descriptor for what SQLite opens.
    fn reopen(&mut self, path: &CStr, flags: c_int) -> Option<RawFd> {
        let kept = self.files.values().any(File::keeps);
        if !kept || flags & (libc::O_EXCL | libc::O_TRUNC) != 0 {
            return None;
        }
        // A file that we have open is the only one of its number.
        let file = self.files.get_mut(&inode_at(path)?)?;
        let descriptor = file.descriptors.iter_mut().find(|descriptor| {
            !descriptor.in_use
                && descriptor.access == flags & libc::O_ACCMODE
                // SQLite does not take the standard streams' numbers, and tries again until it gets another one.
                && descriptor.fd > libc::STDERR_FILENO
        })?;
        descriptor.in_use = true;
        Some(descriptor.fd)
    }

    fn opened(&mut self, fd: RawFd, flags: c_int) {
        if let Some(inode) = inode_of(fd) {
            self.add(inode, fd, flags & libc::O_ACCMODE, true);
        }
    }

    fn add(&mut self, inode: Inode, fd: RawFd, access: c_int, in_use: bool) {
        let descriptors = &mut self.files.entry(inode).or_default().descriptors;
        descriptors.push(Descriptor { fd, access, in_use });
        self.inodes.insert(fd, inode);
    }

    /// Takes over what SQLite closes, and closes what can be closed. False for what is no file.
    fn closed(&mut self, fd: RawFd) -> bool {
        let Some(inode) = self.inodes.get(&fd).copied() else {
            return false;
        };
        if let Some(file) = self.files.get_mut(&inode) {
            for descriptor in &mut file.descriptors {
                descriptor.in_use &= descriptor.fd != fd;
            }
            if let Some(locker) = file.locker.filter(|_| !file.in_use()) {
                // The lock on the -shm file is left to the closing.
                set_lock(locker, whole_file(libc::F_UNLCK));
            }
        }
        self.close_unused();
        true
    }

    /// Closes the files that SQLite has closed, this time or before, if nobody has a lock on them.
    fn close_unused(&mut self) {
        let unused: Vec<Inode> = (self.files.iter())
            .filter_map(|(inode, file)| (!file.in_use()).then_some(*inode))
            .collect();
        for inode in unused {
            let Some(last) = self.writable(inode) else {
                continue;
            };
            if !nobody_has_a_lock(last) {
                continue;
            }
            let descriptors = self.files.remove(&inode).unwrap_or_default().descriptors;
            let others = descriptors.iter().map(|descriptor| descriptor.fd);
            for fd in others.filter(|fd| *fd != last).chain([last]) {
                self.inodes.remove(&fd);
                close_for_good(fd);
            }
        }
    }

    /// A descriptor to set an exclusive lock through; one for reading if this process may not write to the file.
    fn writable(&mut self, inode: Inode) -> Option<RawFd> {
        let file = self.files.get(&inode)?;
        let any = file.descriptors.first()?.fd;
        let mut all = file.descriptors.iter().map(|descriptor| descriptor.fd);
        if let Some(fd) = all.find(|fd| file.writes(*fd)) {
            return Some(fd);
        }
        let Some(fd) = open_for_writing(any) else {
            return Some(any);
        };
        self.add(inode, fd, libc::O_RDWR, false);
        Some(fd)
    }

    /// The descriptor to set or look for a lock through, when SQLite does so through `fd`.
    fn locker(&mut self, fd: RawFd, writes: bool) -> RawFd {
        let inode = self.inodes.get(&fd);
        let Some(file) = inode.and_then(|inode| self.files.get_mut(inode)) else {
            return fd;
        };
        let locker = *file.locker.get_or_insert(fd);
        // Only a descriptor for writing can set an exclusive lock.
        if writes && !file.writes(locker) && file.writes(fd) && move_locks(locker, fd) {
            file.locker = Some(fd);
            return fd;
        }
        locker
    }
}

impl File {
    fn in_use(&self) -> bool {
        self.descriptors.iter().any(|descriptor| descriptor.in_use)
    }

    fn writes(&self, fd: RawFd) -> bool {
        let mut descriptors = self.descriptors.iter();
        descriptors.any(|descriptor| descriptor.fd == fd && descriptor.access == libc::O_RDWR)
    }

    fn keeps(&self) -> bool {
        self.descriptors.iter().any(|descriptor| !descriptor.in_use)
    }
}

/// Whether nobody else has a lock on the file. If so, nobody can set one until `fd` is closed; only where this process
/// may not write, others can begin to read.
fn nobody_has_a_lock(fd: RawFd) -> bool {
    if set_lock(fd, whole_file(libc::F_WRLCK)) {
        return true;
    }
    match Error::last_os_error().raw_os_error() {
        Some(libc::EBADF) => is_unlocked(fd),
        // A file system without locks.
        Some(libc::EINVAL | libc::ENOLCK | libc::ENOSYS | libc::EOPNOTSUPP) => true,
        _ => false,
    }
}

/// Gives another descriptor of a file the locks that one for reading has. They are all for reading, so both can have
/// them meanwhile.
fn move_locks(from: RawFd, to: RawFd) -> bool {
    let Ok(info) = std::fs::read_to_string(format!("/proc/self/fdinfo/{from}")) else {
        return false;
    };
    let moved = info
        .lines()
        .filter(|line| line.contains("OFDLCK"))
        .all(|line| read_lock(line).is_some_and(|lock| set_lock(to, lock)));
    set_lock(if moved { from } else { to }, whole_file(libc::F_UNLCK));
    moved
}

/// Reads a line such as `lock: 1: OFDLCK ADVISORY  READ -1 00:1b:1234 1073741826 1073742335`.
fn read_lock(line: &str) -> Option<libc::flock> {
    let mut words = line.split_ascii_whitespace().rev();
    let last: i64 = words.next()?.parse().ok()?;
    let start: i64 = words.next()?.parse().ok()?;
    Some(libc::flock {
        l_start: start,
        l_len: last - start + 1,
        ..whole_file(libc::F_RDLCK)
    })
}

/// Sets or gives up a lock, or fails.
#[allow(unsafe_code, reason = "a system call")]
fn set_lock(fd: RawFd, mut lock: libc::flock) -> bool {
    // SAFETY: the command takes a lock.
    unsafe { libc::fcntl(fd, libc::F_OFD_SETLK, &raw mut lock) == 0 }
}

#[allow(unsafe_code, reason = "a system call")]
fn is_unlocked(fd: RawFd) -> bool {
    let mut lock = whole_file(libc::F_WRLCK);
    // SAFETY: the command takes a lock.
    let looked = unsafe { libc::fcntl(fd, libc::F_OFD_GETLK, &raw mut lock) == 0 };
    looked && c_int::from(lock.l_type) == libc::F_UNLCK
}

#[expect(clippy::cast_possible_truncation, reason = "the constants are small")]
fn whole_file(kind: c_int) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[allow(unsafe_code, reason = "a system call")]
fn close_for_good(fd: RawFd) {
    // SAFETY: SQLite has closed it, and we have forgotten it.
    _ = unsafe { libc::close(fd) };
}

/// Another descriptor of an open file, if this process may write to the file.
#[allow(unsafe_code, reason = "a system call")]
fn open_for_writing(fd: RawFd) -> Option<RawFd> {
    let path = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    // SAFETY: the path is a C string.
    let writable = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    (writable >= 0).then_some(writable)
}

/// The file at a path, if there is one.
#[allow(unsafe_code, reason = "a system call")]
fn inode_at(path: &CStr) -> Option<Inode> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string, and the call fills `stat` if it succeeds.
    let stat = unsafe {
        (libc::lstat(path.as_ptr(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init())
    }?;
    Some((stat.st_dev, stat.st_ino))
}

/// The file behind a descriptor. None if it is a folder or a device.
#[allow(unsafe_code, reason = "a system call")]
fn inode_of(fd: RawFd) -> Option<Inode> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the call fills `stat` if it succeeds.
    let stat = unsafe { (libc::fstat(fd, stat.as_mut_ptr()) == 0).then(|| stat.assume_init()) }?;
    (stat.st_mode & libc::S_IFMT == libc::S_IFREG).then_some((stat.st_dev, stat.st_ino))
}

#[cfg(test)]
#[allow(
    unsafe_code,
    reason = "does what two copies of SQLite do, by their system calls"
)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    const READ_AND_WRITE: c_int = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    const READ: c_int = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW;

    /// A file that the other copy has open, with the system's own calls.
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
            let fd = unsafe { open(path.as_ptr(), flags, 0o600) };
            assert!(fd >= 0);
            fd
        }

        fn other_locks(&self, kind: c_int, start: i64) -> bool {
            let lock = byte(kind, start);
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

    fn byte(kind: c_int, start: i64) -> libc::flock {
        libc::flock {
            l_start: start,
            l_len: 1,
            // Undefined in SQLite's.
            l_pid: 4711,
            ..whole_file(kind)
        }
    }

    fn locks(fd: RawFd, kind: c_int, start: i64) -> bool {
        let mut lock = byte(kind, start);
        unsafe { fcntl(fd, libc::F_SETLK, (&raw mut lock).cast()) == 0 }
    }

    fn is_locked(fd: RawFd, start: i64) -> bool {
        let mut lock = byte(libc::F_WRLCK, start);
        assert_eq!(
            unsafe { fcntl(fd, libc::F_GETLK, (&raw mut lock).cast()) },
            0
        );
        c_int::from(lock.l_type) != libc::F_UNLCK
    }

    fn closes(fd: RawFd) {
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
        // The one that the lock was set through first.
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
        // Nothing is left that could be in the way of the other.
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
        assert!(nobody_has_a_lock(reader.as_raw_fd()));
        assert!(file.other_locks(libc::F_RDLCK, 1));
        assert!(!nobody_has_a_lock(reader.as_raw_fd()));
    }
}
