//! Turning off Nagle's algorithm on connections to a server.
//!
//! sqlx 0.9.0 leaves it on (<https://github.com/transact-rs/sqlx/issues/4335>), and gives no access to its sockets.
//! Together with delayed acknowledgements, it stalls for 40 ms each batch that is sent in two writes, as is every batch of
//! more than 16 KB over TLS. The main branch of sqlx turns it off; remove this file with its next release.

/// Turns it off on every TCP connection of this process to `port`. Does nothing on systems other than Unix.
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
        // SAFETY: the borrow ends with this iteration, and is used only for calls that check the descriptor themselves.
        // If another thread closes it in between, they fail. If another thread opens another one under the same number,
        // that one gets the option if it is a connection to the same port, too, and is left alone otherwise.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        let socket = socket2::SockRef::from(&borrowed);
        let peer = socket
            .peer_addr()
            .ok()
            .and_then(|address| address.as_socket());
        if peer.is_some_and(|peer| peer.port() == port) {
            // If it fails, the connection is slower, but works.
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
