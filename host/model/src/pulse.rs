//! Whether a task gets on: what it is waiting for, since when, and what stands in its way.
//!
//! Enters: begin and end of each wait, at most a few a batch; obstacles, as they come. Leaves: what a status needs to be true
//! (L8). Invariant: no lock on the way of a record that meets no obstacle; what is over is forgotten at once.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
pub fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Doing {
    /// Nothing.
    Nothing,
    /// Instances are being opened.
    Opening,
    /// The plugin is told its partitions.
    Assigning,
    /// A batch is with the plugin.
    Delivering,
    /// The plugin is asked for records.
    Polling,
    /// Records are on their way to Kafka.
    Producing,
    /// Offsets or positions are being stored.
    Committing,
}

impl Doing {
    /// In words, behind "for 70 s".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "the consumer has been in trouble",
            Self::Opening => "the plugin has been opening",
            Self::Assigning => "the plugin has been told its partitions and has not answered",
            Self::Delivering => "a batch has been with the plugin",
            Self::Polling => "a poll of the plugin has been under way",
            Self::Producing => "records have been waiting for Kafka's acknowledgement",
            Self::Committing => "offsets have been waiting to be stored",
        }
    }

    const fn of(code: u8) -> Self {
        match code {
            1 => Self::Opening,
            2 => Self::Assigning,
            3 => Self::Delivering,
            4 => Self::Polling,
            5 => Self::Producing,
            6 => Self::Committing,
            _ => Self::Nothing,
        }
    }
}

/// One thing that a task waits for at a time.
#[derive(Debug, Default)]
pub struct Track {
    doing: AtomicU8,
    /// Epoch milliseconds of the last step forward of what is under way.
    since_ms: AtomicI64,
    hindered: AtomicBool,
    obstacle: Mutex<Option<Obstacle>>,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// In words; no payload, no secret.
    pub text: String,
    /// Epoch milliseconds: met first, and last.
    pub since_ms: i64,
    /// Likewise.
    pub last_ms: i64,
}

/// What a track waits for at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What is under way.
    pub doing: Doing,
    /// Since when, epoch milliseconds.
    pub since_ms: i64,
    /// What stands in its way.
    pub obstacle: Option<Obstacle>,
}

/// An obstacle that was met while nothing was under way, and not again for so long, is gone: the client repeats itself more
/// often than that while its trouble lasts.
const FORGOTTEN_AFTER_MS: i64 = 90_000;

impl Track {
    /// Something is under way. What was hindered before goes on counting from then.
    pub fn begin(&self, doing: Doing) {
        if self.hindered.load(Relaxed) && self.doing.load(Relaxed) == doing as u8 {
            return;
        }
        self.since_ms.store(epoch_ms(), Relaxed);
        self.doing.store(doing as u8, Relaxed);
    }

    /// It got on, and is not over.
    pub fn step(&self) {
        self.since_ms.store(epoch_ms(), Relaxed);
        self.clear();
    }

    /// It is over.
    pub fn end(&self) {
        self.doing.store(Doing::Nothing as u8, Relaxed);
        self.clear();
    }

    /// Something stands in its way.
    pub fn hindered(&self, by: &dyn std::fmt::Display) {
        let (now, text) = (epoch_ms(), by.to_string());
        let mut obstacle = self.obstacle.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |o: &&mut Obstacle| now - o.last_ms <= FORGOTTEN_AFTER_MS;
        let since_ms = obstacle.as_mut().filter(fresh).map_or(now, |o| o.since_ms);
        *obstacle = Some(Obstacle { text, since_ms, last_ms: now });
        self.hindered.store(true, Relaxed);
    }

    /// What it waits for; `None` if for nothing.
    pub fn waiting(&self, now_ms: i64) -> Option<Waiting> {
        let (doing, mut since_ms) = (Doing::of(self.doing.load(Relaxed)), self.since_ms.load(Relaxed));
        let mut obstacle = None;
        if self.hindered.load(Relaxed) {
            obstacle.clone_from(&self.obstacle.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if doing == Doing::Nothing {
            let known = obstacle.as_ref().filter(|o| now_ms - o.last_ms <= FORGOTTEN_AFTER_MS)?;
            since_ms = known.since_ms;
        }
        Some(Waiting { doing, since_ms, obstacle })
    }

    fn clear(&self) {
        if self.hindered.swap(false, Relaxed) {
            self.obstacle.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

/// All that a task waits for.
#[derive(Debug, Default)]
pub struct Pulse {
    /// The plugin.
    pub guest: Track,
    /// Kafka, as the other end of records.
    pub kafka: Track,
    /// Where offsets and positions are kept.
    pub store: Track,
    /// When the task's loop must have turned, epoch milliseconds; 0 = no promise.
    turn_by_ms: AtomicI64,
    lag: LagWatch,
}

/// Records in Kafka that do not come.
#[derive(Debug, Default)]
struct LagWatch {
    since_ms: AtomicI64,
    first: AtomicI64,
}

impl Pulse {
    /// A new incarnation of the task begins.
    pub fn reset(&self) {
        for track in [&self.guest, &self.kafka, &self.store] {
            track.end();
        }
        self.turn_by_ms.store(0, Relaxed);
        self.lag.since_ms.store(0, Relaxed);
    }

    /// The loop turns, and will again within this time.
    pub fn turns_within(&self, time: Duration) {
        let time_ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.turn_by_ms.store(epoch_ms().saturating_add(time_ms), Relaxed);
    }

    /// When the loop should have turned last, if that is past.
    pub fn turn_missed(&self, now_ms: i64) -> Option<i64> {
        Some(self.turn_by_ms.load(Relaxed)).filter(|by| *by > 0 && *by < now_ms)
    }

    /// The lag was looked at; `progress_ms` is when the task last got on.
    pub fn lag_seen(&self, lag: i64, progress_ms: i64) {
        let since = self.lag.since_ms.load(Relaxed);
        if lag <= 0 {
            self.lag.since_ms.store(0, Relaxed);
        } else if since == 0 || progress_ms >= since {
            self.lag.first.store(lag, Relaxed);
            self.lag.since_ms.store(epoch_ms(), Relaxed);
        }
    }

    /// Since when the lag grows while nothing comes, and by how much. A lag that stands still is none: what a transaction
    /// leaves at a partition's end never comes.
    pub fn lag_grows(&self, lag: i64, progress_ms: i64) -> Option<(i64, i64)> {
        let (since, first) = (self.lag.since_ms.load(Relaxed), self.lag.first.load(Relaxed));
        (since > 0 && progress_ms < since && lag > first).then_some((since, lag - first))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wait_is_seen_while_it_lasts_and_what_hinders_it_counts_from_the_first_time() {
        let track = Track::default();
        assert_eq!(track.waiting(epoch_ms()), None);
        track.begin(Doing::Delivering);
        let first = track.waiting(epoch_ms()).unwrap();
        assert_eq!((first.doing, first.obstacle), (Doing::Delivering, None));
        track.hindered(&"503");
        track.since_ms.store(5, Relaxed);
        track.begin(Doing::Delivering);
        track.hindered(&"504");
        let waiting = track.waiting(epoch_ms()).unwrap();
        assert_eq!(waiting.since_ms, 5, "the same again is no step forward");
        assert_eq!(waiting.obstacle.unwrap().text, "504");
        track.end();
        assert_eq!(track.waiting(epoch_ms()), None);
    }

    #[test]
    fn trouble_without_work_is_forgotten_when_it_is_not_repeated() {
        let track = Track::default();
        track.hindered(&"broker away");
        let now = epoch_ms();
        assert_eq!(track.waiting(now).unwrap().doing, Doing::Nothing);
        assert_eq!(track.waiting(now + FORGOTTEN_AFTER_MS + 1_000), None);
    }

    #[test]
    fn only_a_lag_that_grows_while_nothing_comes_is_one() {
        let pulse = Pulse::default();
        pulse.lag_seen(1, 0);
        assert_eq!(pulse.lag_grows(1, 0), None, "it stands still");
        let (since, more) = pulse.lag_grows(9, 0).unwrap();
        assert_eq!(more, 8);
        assert_eq!(pulse.lag_grows(9, since), None, "something came");
        pulse.lag_seen(0, 0);
        assert_eq!(pulse.lag_grows(9, 0), None);
    }
}
