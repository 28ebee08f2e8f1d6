//! Taking a connection from the pool, and opening one: the store waits for servers that cannot be reached at the moment,
//! and goes to the one that accepts writes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{ColumnIndex, ConnectOptions, Connection, Decode, Executor, IntoArguments, Row, Type};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::database::{ACCEPTS_ONLY_READS, Access, Database};
use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::pause::Pauses;

use super::pool::{Live, Pool, TableConnection, close_hard};

/// The pause before the servers are asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// With less time left, there is no further attempt.
const LEAST: Duration = Duration::from_millis(20);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Reads,
    Writes,
    /// Asking what became of a statement that was sent to this host.
    Lost(usize),
}

/// Why an attempt has brought no connection.
struct Failure {
    host: usize,
    error: StoreError,
}

impl<DB: Database> Pool<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Takes a connection that reads, or also writes. Waits for it until `acquireTimeout`.
    ///
    /// # Errors
    /// `ERR_SESSION_CONNECTION` with the last reason of each server. At once if waiting is in vain, as after a wrong password.
    pub(super) async fn acquire(&self, writes: bool) -> Result<TableConnection<DB>> {
        let deadline = Instant::now() + self.0.limits.acquire_timeout;
        let permit = Arc::clone(&self.0.permits).acquire_owned();
        let Ok(permit) = timeout_at(deadline, permit).await else {
            let message = "no connection within `pool.acquireTimeout`: all of them are in use";
            return Err(StoreError::new(ErrorKind::Timeout, message));
        };
        // Fails only after the pool was closed.
        let permit = permit.map_err(|_| StoreError::closed())?;
        (self.0.target.prepare)();
        let live = match self.take_idle().await {
            Some(live) => live,
            None if writes => self.search(Purpose::Writes, deadline).await?,
            None => self.search(Purpose::Reads, deadline).await?,
        };
        Ok(TableConnection::new(live, permit, self))
    }

    /// Opens a connection besides the pool, to ask what became of a statement.
    pub(super) async fn open_beside(&self, host: usize) -> Result<Live<DB>> {
        let deadline = Instant::now() + self.0.limits.acquire_timeout;
        self.search(Purpose::Lost(host), deadline).await
    }

    /// An idle connection that works.
    async fn take_idle(&self) -> Option<Live<DB>> {
        while let Some(mut live) = self.pop_idle() {
            if self.suits(&live, true) && !self.is_old(&live) && self.works(&mut live).await {
                return Some(live);
            }
            close_hard(live);
        }
        None
    }

    /// Finds the connections that a restart has ended, and those to a server that accepts no more writes. A lane keeps its
    /// connection, so this is rare.
    async fn works(&self, live: &mut Live<DB>) -> bool {
        if self.0.target.in_memory {
            return true;
        }
        if self.heeds_access() {
            let access = timeout(self.attempt(), DB::access(&mut live.raw)).await;
            return matches!(access, Ok(Ok(Access::All)));
        }
        matches!(timeout(self.attempt(), live.raw.ping()).await, Ok(Ok(())))
    }

    /// Whether it matters what a server accepts. A server that has refused no write may take them from this user though it
    /// is set to read-only.
    fn heeds_access(&self) -> bool {
        let target = &self.0.target;
        target.hosts.len() > 1 || target.only_writable || self.route().refused.is_some()
    }

    /// Tries all servers again and again, with pauses.
    async fn search(&self, purpose: Purpose, deadline: Instant) -> Result<Live<DB>> {
        let began = Instant::now();
        let mut pauses = Pauses::new(FIRST_PAUSE, LAST_PAUSE);
        // A server that is slow gets more time, once the others had their turn.
        let mut attempt = self.attempt();
        let mut last = Vec::new();
        loop {
            let patient = began.elapsed() < self.0.limits.acquire_timeout / 2;
            let round = self.round(purpose, patient, attempt, deadline).await;
            let failures = match round {
                Ok(live) => return Ok(live),
                // It had no time to find out more than the one before.
                Err(_) if Instant::now() >= deadline && !last.is_empty() => last,
                Err(failures) => failures,
            };
            attempt *= 2;
            if let [only] = failures.as_slice()
                && only.error.remedy == Remedy::Retry
            {
                return Err(only.error.clone());
            }
            let may_pass = |failure: &Failure| failure.error.remedy != Remedy::Discard;
            let hopeless = !failures.is_empty() && !failures.iter().any(may_pass);
            let left = deadline.saturating_duration_since(Instant::now());
            if hopeless || left < LEAST {
                return Err(self.unreachable(&failures, !hopeless));
            }
            last = failures;
            sleep(pauses.pause().min(left / 2)).await;
        }
    }

    /// Tries each server once, the last good one first. No failures if the others have gone elsewhere meanwhile.
    async fn round(
        &self,
        purpose: Purpose,
        patient: bool,
        attempt: Duration,
        deadline: Instant,
    ) -> Result<Live<DB>, Vec<Failure>> {
        let (generation, mut first) = {
            let route = self.route();
            (route.generation, route.host)
        };
        if let Purpose::Lost(host) = purpose {
            first = host;
        }
        let count = self.0.target.hosts.len();
        let mut reader: Option<Live<DB>> = None;
        let mut failures = Vec::new();
        for host in (first..count).chain(0..first) {
            let end = deadline.min(Instant::now() + attempt);
            let opened = timeout_at(end, self.open(host, purpose)).await;
            let error = match opened.unwrap_or_else(|_| Err(self.no_answer())) {
                Ok(live) if purpose == Purpose::Lost(host) => return Ok(live),
                Ok(live) if live.access == Access::All => {
                    // Where writes are accepted, the statement cannot take effect elsewhere any more.
                    if matches!(purpose, Purpose::Lost(_)) {
                        return Ok(live);
                    }
                    return self.welcome(live, generation).ok_or_else(Vec::new);
                }
                Ok(live) => {
                    let error = self.refusal(live.access);
                    reader = reader.or(Some(live).filter(|live| live.access == Access::Reads));
                    error
                }
                Err(error) => error,
            };
            failures.push(Failure { host, error });
        }
        match reader {
            Some(live) if self.may_read(purpose, patient) => {
                self.welcome(live, generation).ok_or_else(Vec::new)
            }
            unused => {
                if let Some(live) = unused {
                    tokio::spawn(live.raw.close());
                }
                Err(failures)
            }
        }
    }

    /// Whether a server that accepts no writes may serve this: reads, once a better one was looked for.
    fn may_read(&self, purpose: Purpose, patient: bool) -> bool {
        if self.0.target.only_writable {
            return false;
        }
        let mut route = self.route();
        route.reads_apart |= !patient;
        route.reads_apart && purpose == Purpose::Reads
    }

    /// Opens a connection to a server.
    async fn open(&self, host: usize, purpose: Purpose) -> Result<Live<DB>> {
        // One that asks what became of a statement is not used for sessions.
        let bare = matches!(purpose, Purpose::Lost(_));
        let heeds_access = self.heeds_access();
        let asks = heeds_access || (!bare && self.route().doubt);
        let server = &self.0.target.hosts[host];
        let failed = |error| DB::connect_error(error, &self.0.target);
        let mut raw = server.options.connect().await.map_err(failed)?;
        if !bare {
            let set_up = DB::set_up(&mut raw, &self.0.settings).await;
            set_up.map_err(failed)?;
        }
        let mut access = Access::All;
        if asks {
            access = match DB::access(&mut raw).await.map_err(failed) {
                Ok(Access::Reads) if !heeds_access => Access::All,
                Ok(access) => access,
                Err(error) if error.remedy == Remedy::Reconnect => return Err(error),
                // Servers that only speak the same protocol may not know.
                Err(_) => Access::All,
            };
        }
        let backend = match DB::BACKEND.filter(|_| self.0.named && !bare) {
            Some(sql) => {
                match sqlx::raw_sql(sql).fetch_one(&mut raw).await {
                    Err(error @ sqlx::Error::Io(_)) => return Err(failed(error)),
                    // The same. The statements of a lost connection are then left to themselves.
                    named => named.and_then(|row| row.try_get_unchecked(0)).ok(),
                }
            }
            None => None,
        };
        Ok(Live {
            raw,
            backend,
            host,
            generation: 0,
            access,
            opened: Instant::now(),
        })
    }

    /// Makes the server of a connection the one of all. `None` if the others have gone elsewhere since.
    fn welcome(&self, mut live: Live<DB>, generation: u64) -> Option<Live<DB>> {
        let mut route = self.route();
        if route.generation != generation {
            drop(route);
            close_hard(live);
            return None;
        }
        let moved = route.host != live.host;
        if moved {
            route.host = live.host;
            route.generation += 1;
        }
        live.generation = route.generation;
        if live.access == Access::All {
            route.accepts_writes();
        }
        drop(route);
        if moved {
            self.close_idle();
        }
        Some(live)
    }

    /// The error of a server that cannot be used for what a connection is for.
    fn refusal(&self, access: Access) -> StoreError {
        let message = match access {
            Access::Nothing => "the server is not part of its cluster at the moment",
            _ => ACCEPTS_ONLY_READS,
        };
        let mut error =
            StoreError::new(ErrorKind::Connection, message).with_remedy(Remedy::Reconnect);
        error.cause.clone_from(&self.route().refused);
        error
    }

    fn no_answer(&self) -> StoreError {
        let reason = "the server does not answer";
        let error = io::Error::new(io::ErrorKind::TimedOut, reason);
        DB::connect_error(sqlx::Error::Io(error), &self.0.target)
    }

    /// The error of a search, with the last reason of each server.
    fn unreachable(&self, failures: &[Failure], waited: bool) -> StoreError {
        let target = &self.0.target;
        let reasons: Vec<String> = match failures {
            [] => vec!["the server was changed again and again".to_owned()],
            [only] => vec![only.error.message.clone()],
            several => {
                let reason = |Failure { host, error }: &Failure| {
                    format!("{}: {}", target.hosts[*host].name, error.message)
                };
                several.iter().map(reason).collect()
            }
        };
        let waited = if waited {
            "no connection within `pool.acquireTimeout`: "
        } else {
            ""
        };
        let message = format!(
            "cannot open {}: {waited}{}",
            target.name,
            reasons.join("; ")
        );
        let mut causes = failures
            .iter()
            .filter_map(|failure| failure.error.cause.clone());
        StoreError {
            kind: ErrorKind::Connection,
            remedy: Remedy::Discard,
            message,
            cause: causes.next(),
        }
    }
}
