//! Pauses between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Pauses that grow, each twice as long as the one before up to a bound. They vary by a quarter, so that those who wait for
/// the same server do not all come back at the same moment.
pub struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause * 3 / 4 + pause / 2 * per_mille(random()) / 1000
    }
}

fn per_mille(random: u64) -> u32 {
    u32::try_from(random % 1000).unwrap_or_default()
}

/// A random number, from the keys that the standard library has for hash maps.
pub fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_vary() {
        let ms = Duration::from_millis;
        for _ in 0..100 {
            let mut pauses = Pauses::new(ms(100), ms(400));
            for around in [100, 200, 400, 400] {
                let pause = pauses.pause();
                assert!(pause >= ms(around * 3 / 4) && pause <= ms(around * 5 / 4));
            }
        }
        let all: Vec<_> = (0..50)
            .map(|_| Pauses::new(ms(1000), ms(1000)).pause())
            .collect();
        assert!(all.iter().any(|pause| *pause != all[0]));
    }
}
