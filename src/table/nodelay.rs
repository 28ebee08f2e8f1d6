//! Turning off Nagle's algorithm on the connections to a server.
//!
//! sqlx 0.9.0 leaves it on (<https://github.com/transact-rs/sqlx/issues/4335>), and gives no hold of its sockets.
//! Together with delayed acknowledgements that stalls a batch which goes out in two writes, as every TLS batch of more
//! than 16 KB does, for 40 ms. Its main branch has the cure: with the next release this file can go.

/// Turns it off on every TCP connection of this process to `port`. On other systems than Unix it does nothing.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "a descriptor of another owner has to be borrowed by its number"
)]
pub fn disable_nagle(port: u16) {
    use std::os::fd::{BorrowedFd, RawFd};

    let Ok(descriptors) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    for descriptor in descriptors.flatten() {
        let number = descriptor
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<RawFd>().ok());
        let Some(number) = number.filter(|number| *number >= 0) else {
            continue;
        };
        // SAFETY: the borrow ends before the next turn, and is used for calls that check the descriptor themselves. If
        // another thread closes it meanwhile, they fail; if it opens another one under the number, that one has the
        // option set if it is a connection to the same port, too, and is left alone otherwise.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        let socket = socket2::SockRef::from(&borrowed);
        let peer = socket
            .peer_addr()
            .ok()
            .and_then(|address| address.as_socket());
        if peer.is_some_and(|peer| peer.port() == port) {
            // Without it the connection is slower, not wrong.
            _ = socket.set_tcp_nodelay(true);
        }
    }
}

#[cfg(not(unix))]
pub fn disable_nagle(_port: u16) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn finds_the_connections_to_a_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connection = TcpStream::connect(address).unwrap();
        assert!(!connection.nodelay().unwrap());
        disable_nagle(address.port());
        assert!(connection.nodelay().unwrap());
    }
}
