//! TCP connections to servers.
//!
//! Without the options that are set here, a host that vanishes would be noticed only by `pool.queryTimeout`: by each lane,
//! one batch after another.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use socket2::{SockRef, TcpKeepalive};
use sqlx_core::net::TCP_CONNECTOR;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Limit for an attempt to connect to one address. The system repeats the first packet after 1 s, so one may be lost.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How long an address may take until the next one is tried besides (RFC 8305 recommends 250 ms).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// How long a connection is silent until the server is asked whether it is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(3);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEPALIVE_RETRIES: u32 = 3;

/// How long what was sent may stay without an acknowledgement, which the server's system gives however long the statement takes.
/// Linux also applies it to keep-alive, in the place of the number of retries.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(6);

/// Has the driver connect in this way, in the whole process.
pub fn install() {
    // The first call counts; the others would set the same.
    _ = TCP_CONNECTOR.set(|host, port| connect(host, port).boxed());
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    // In the order of the system (RFC 6724).
    let addresses = tokio::net::lookup_host((host, port)).await?;
    let stream = connect_to_any(addresses.collect()).await?;
    set_options(&stream);
    Ok(stream)
}

/// Connects to the first address that answers. They are tried in their order, each a moment after the one before it, or as soon as
/// that one has failed.
async fn connect_to_any(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        attempts.extend(waiting.next().map(attempt));
        let last = waiting.len() == 0;
        tokio::select! {
            attempt = attempts.next() => match attempt {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => failed = error,
                None if last => return Err(failed),
                None => {}
            },
            () = sleep(NEXT_ADDRESS), if !last => {}
        }
    }
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    let connected = timeout(ATTEMPT, TcpStream::connect(address)).await;
    connected.unwrap_or_else(|_| {
        let message = format!("{address} did not answer within {} s", ATTEMPT.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}

/// If one of them fails, the connection works without.
fn set_options(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    // Together with delayed acknowledgements, Nagle's algorithm stalls for 40 ms each batch that is sent in two writes.
    _ = socket.set_tcp_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream as StdStream};
    use std::time::Instant;

    /// A listener whose queue is full, so that the system drops whatever else comes: a black hole on this machine.
    fn black_hole() -> (SocketAddr, socket2::Socket, Vec<StdStream>) {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = StdStream::connect_timeout(&address, Duration::from_millis(200)) {
            queued.push(stream);
        }
        (address, socket, queued)
    }

    #[tokio::test]
    async fn connections_have_the_options() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect("localhost", port).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        }
    }

    /// How long it takes until a connection to a host that has vanished fails, and how, after this was sent.
    #[cfg(target_os = "linux")]
    async fn noticed(sent: &[u8]) -> (Duration, io::ErrorKind) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = connect("127.0.0.1", address.port()).await.unwrap();
        let (peer, _) = listener.accept().unwrap();
        // A filter that drops all, before anything is acknowledged: BPF_RET with 0.
        let nothing = [socket2::SockFilter::new(0x06, 0, 0, 0)];
        SockRef::from(&peer).attach_filter(&nothing).unwrap();
        let begun = Instant::now();
        if !sent.is_empty() {
            stream.try_write(sent).unwrap();
        }
        stream.readable().await.unwrap();
        let error = stream.try_read(&mut [0]).unwrap_err();
        (begun.elapsed(), error.kind())
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_host_that_vanishes_is_noticed() {
        let noticed = futures_util::future::join(noticed(b""), noticed(b"statement")).await;
        for (after, kind) in [noticed.0, noticed.1] {
            assert_eq!(kind, io::ErrorKind::TimedOut);
            assert!(
                after >= KEEPALIVE_AFTER && after <= UNACKNOWLEDGED * 2,
                "{after:?}"
            );
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn an_address_that_does_not_answer_is_given_up() {
        let (address, _socket, _queued) = black_hole();
        let begun = Instant::now();
        let error = connect_to_any(vec![address]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() < ATTEMPT * 2);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn another_address_is_tried_besides() {
        let (silent, _socket, _queued) = black_hole();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let begun = Instant::now();
        let stream = connect_to_any(vec![silent, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert!(begun.elapsed() < ATTEMPT);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_followed_at_once() {
        let refusing = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = connect_to_any(vec![refusing, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let error = connect_to_any(vec![refusing]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect_to_any(Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
