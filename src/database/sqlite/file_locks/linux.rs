//! The system calls that replace those of SQLite on Linux. README.md says why, and what they promise.

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
    /// The descriptor that sets all locks: the one through which the first was set.
    locker: Option<RawFd>,
}

struct Descriptor {
    fd: RawFd,
    /// Reading, writing or both, as in the flags of open(2).
    access: c_int,
    /// SQLite has not closed it yet.
    in_use: bool,
}

/// Makes SQLite call the functions in this file. Returns false if the system has no such locks.
pub fn install() -> bool {
    supported() && override_calls()
}

/// Whether the system has these locks. Sandboxes that emulate the kernel may lack them.
#[expect(unsafe_code, reason = "system calls")]
fn supported() -> bool {
    // SAFETY: the path is a C string. The descriptor is open, is not used elsewhere, and is closed once.
    unsafe {
        let fd = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        let supported = is_unlocked(fd);
        libc::close(fd);
        supported
    }
}

#[expect(unsafe_code, reason = "SQLite takes its system calls by address")]
fn override_calls() -> bool {
    // SAFETY: the name is a C string, and SQLite registers this VFS for the life of the process.
    let Some(vfs) = (unsafe { sqlite3_vfs_find(c"unix".as_ptr()).as_mut() }) else {
        return false;
    };
    let Some(set) = vfs.xSetSystemCall else {
        return false;
    };
    // SAFETY: SQLite casts them back to these types before it calls them. It calls the last one with variable arguments,
    // which Linux passes like others on both processors.
    let calls: [(&CStr, Option<Call>); 3] = unsafe {
        [
            (c"open", Some(transmute::<Open, Call>(open))),
            (c"close", Some(transmute::<Close, Call>(close))),
            (c"fcntl", Some(transmute::<Fcntl, Call>(fcntl))),
        ]
    };
    // SAFETY: the VFS and the names are valid, and no connection is open yet that could call these.
    unsafe { calls.map(|(name, call)| set(vfs, name.as_ptr(), call)) == [SQLITE_OK; 3] }
}

#[expect(unsafe_code, reason = "called by SQLite in place of open(2)")]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: SQLite passes a C string.
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

#[expect(unsafe_code, reason = "called by SQLite in place of close(2)")]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    let mut files = files();
    if files.closed(fd) {
        return 0;
    }
    // SAFETY: SQLite opened the descriptor, and `files` does not keep it.
    unsafe { libc::close(fd) }
}

#[expect(unsafe_code, reason = "called by SQLite in place of fcntl(2)")]
unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
    let command = match command {
        libc::F_GETLK => libc::F_OFD_GETLK,
        // Never wait here, which would block other connections: SQLite has its own way to wait for a lock.
        libc::F_SETLK | libc::F_SETLKW => libc::F_OFD_SETLK,
        // SAFETY: the arguments are SQLite's own.
        other => return unsafe { libc::fcntl(fd, other, argument) },
    };
    // SAFETY: with these commands SQLite passes a lock, which nothing else refers to.
    let lock = unsafe { &mut *argument.cast::<libc::flock>() };
    // SQLite leaves it undefined, but these commands require zero.
    lock.l_pid = 0;
    let writes = command == libc::F_OFD_SETLK && c_int::from(lock.l_type) == libc::F_WRLCK;
    let mut files = files();
    let locker = files.locker(fd, writes);
    // SAFETY: the commands take a lock, and the descriptor stays open while `files` is locked.
    unsafe { libc::fcntl(locker, command, &raw mut *lock) }
}

fn files() -> MutexGuard<'static, Files> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// A kept descriptor for a file that SQLite opens, if there is one.
    fn reopen(&mut self, path: &CStr, flags: c_int) -> Option<RawFd> {
        let kept = self.files.values().any(File::keeps);
        if !kept || flags & (libc::O_EXCL | libc::O_TRUNC) != 0 {
            return None;
        }
        // While the file is open, no other file can have its inode number.
        let file = self.files.get_mut(&inode_at(path)?)?;
        let descriptor = file.descriptors.iter_mut().find(|descriptor| {
            !descriptor.in_use
                && descriptor.access == flags & libc::O_ACCMODE
                // SQLite does not accept the numbers of the standard streams, and opens the file again until it gets another.
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

    /// Takes over a descriptor that SQLite closes, and closes those that can be closed. Returns false if it is not one of
    /// a file.
    fn closed(&mut self, fd: RawFd) -> bool {
        let Some(inode) = self.inodes.get(&fd).copied() else {
            return false;
        };
        if let Some(file) = self.files.get_mut(&inode) {
            for descriptor in &mut file.descriptors {
                descriptor.in_use &= descriptor.fd != fd;
            }
            if let Some(locker) = file.locker.filter(|_| !file.in_use()) {
                // SQLite leaves the lock on the -shm file to be released by closing it.
                set_lock(locker, whole_file(libc::F_UNLCK));
            }
        }
        self.close_unused();
        true
    }

    /// Closes the files that SQLite has closed, now or earlier, unless something else has a lock on them.
    fn close_unused(&mut self) {
        let unused: Vec<Inode> = (self.files.iter())
            .filter_map(|(inode, file)| (!file.in_use()).then_some(*inode))
            .collect();
        for inode in unused {
            let Some(last) = self.writable(inode) else {
                continue;
            };
            if !no_other_locks(last) {
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

    /// A descriptor for setting an exclusive lock, or one for reading if this process may not write to the file.
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

    /// The descriptor for setting or testing a lock when SQLite uses `fd`.
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

/// Whether nothing else has a lock on the file. If so, nothing else can set one until `fd` is closed, except for read
/// locks if this process may not write to the file.
fn no_other_locks(fd: RawFd) -> bool {
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

/// Moves the locks of a descriptor for reading to another one of the same file. They are all read locks, so both can hold
/// them at the same time.
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

/// Sets or releases a lock. Returns false if it fails.
#[expect(unsafe_code, reason = "a system call")]
fn set_lock(fd: RawFd, mut lock: libc::flock) -> bool {
    // SAFETY: the command takes a lock.
    unsafe { libc::fcntl(fd, libc::F_OFD_SETLK, &raw mut lock) == 0 }
}

#[expect(unsafe_code, reason = "a system call")]
fn is_unlocked(fd: RawFd) -> bool {
    let mut lock = whole_file(libc::F_WRLCK);
    // SAFETY: the command takes a lock.
    let tested = unsafe { libc::fcntl(fd, libc::F_OFD_GETLK, &raw mut lock) == 0 };
    tested && c_int::from(lock.l_type) == libc::F_UNLCK
}

#[expect(clippy::cast_possible_truncation, reason = "the constants are small")]
fn whole_file(lock_type: c_int) -> libc::flock {
    libc::flock {
        l_type: lock_type as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[expect(unsafe_code, reason = "a system call")]
fn close_for_good(fd: RawFd) {
    // SAFETY: SQLite has closed it, and `files` no longer has it.
    _ = unsafe { libc::close(fd) };
}

/// Another descriptor of an open file, if this process may write to the file.
#[expect(unsafe_code, reason = "a system call")]
fn open_for_writing(fd: RawFd) -> Option<RawFd> {
    let path = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    // SAFETY: the path is a C string.
    let writable = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    (writable >= 0).then_some(writable)
}

/// The file at a path, if there is one.
#[expect(unsafe_code, reason = "a system call")]
fn inode_at(path: &CStr) -> Option<Inode> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string, and the call fills `stat` if it succeeds.
    let stat = unsafe {
        (libc::lstat(path.as_ptr(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init())
    }?;
    Some((stat.st_dev, stat.st_ino))
}

/// The file of a descriptor; `None` for a folder or a device.
#[expect(unsafe_code, reason = "a system call")]
fn inode_of(fd: RawFd) -> Option<Inode> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the call fills `stat` if it succeeds.
    let stat = unsafe { (libc::fstat(fd, stat.as_mut_ptr()) == 0).then(|| stat.assume_init()) }?;
    (stat.st_mode & libc::S_IFMT == libc::S_IFREG).then_some((stat.st_dev, stat.st_ino))
}

#[cfg(test)]
mod tests;
