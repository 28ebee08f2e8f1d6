//! What is known of the servers: to which one the connections of a store lead, and whether it accepts writes.

use crate::error::Cause;

/// The server of all connections.
#[derive(Debug, Default)]
pub struct Route {
    /// Connections of an earlier generation are closed before they are used again.
    pub generation: u64,
    /// The server of this generation, by its index.
    pub host: usize,
    /// The next connection asks what its server accepts.
    pub doubt: bool,
    /// How a server has refused a write, until one is found that accepts writes.
    pub refused: Option<Cause>,
    /// No server that accepts writes was found for so long that one that does not serves the reads meanwhile.
    pub reads_apart: bool,
}

impl Route {
    /// Begins a new generation.
    pub fn leave(&mut self, refused: Option<Cause>) {
        self.generation += 1;
        self.doubt = true;
        self.refused = refused;
    }

    /// Notes that a server that was asked accepts writes.
    pub fn accepts_writes(&mut self) {
        self.doubt = false;
        self.refused = None;
        self.reads_apart = false;
    }
}
