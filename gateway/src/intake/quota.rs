//! What one node may bring. What is beyond is dropped, counted, and named by gaps.
//!
//! A dropped message is acknowledged like a durable one, or its broker would send it for ever. Its count waits in memory for
//! the gap: at most [`LONGEST_SPAN_US`], and while there is no room as long as [`super::Untold`] waits. A gateway that is killed in this
//! time forgets the count; one that stops does not.

use super::units::OwnGap;
use config::NodeId;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sensors::{Gap, Reading, Stamp};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::{info, warn};

/// Nodes remembered at once; a further one takes the place of the one that was silent for longest.
const MOST_NODES: usize = 4096;
/// Seconds of the quota that a node may bring at once.
const BURST_S: u32 = 10;
/// A node that had nothing dropped for so long is within its quota again.
const QUIET_US: u64 = 1_000_000;
/// While a node stays over its quota, each gap stands for so long at most.
const LONGEST_SPAN_US: u64 = 10_000_000;

/// The time since boot at which the message came that is being judged: a stalled disk must not make an even stream a flood.
#[derive(Debug, Clone, Default)]
struct ArrivalClock(Arc<AtomicU64>);

impl Clock for ArrivalClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, ArrivalClock, NoOpMiddleware<Duration>>;

/// What is known of every node, as far as [`MOST_NODES`] go.
pub struct Quotas {
    per_second: NonZeroU32,
    clock: ArrivalClock,
    nodes: HashMap<NodeId, Account>,
    /// Gaps of nodes that had to make place for others.
    owed: Vec<OwnGap>,
    judged: u64,
    dropped: u64,
}

/// One node.
struct Account {
    limiter: Limiter,
    /// The number of its last message among all that were judged.
    last_judged: u64,
    over: Option<Over>,
}

/// A node over its quota.
struct Over {
    last_drop_us: u64,
    /// What no gap tells yet.
    untold: Option<Span>,
}

/// Dropped readings.
struct Span {
    since_us: u64,
    from_us: i64,
    to_us: i64,
    count: u64,
    /// The other gateway of the site may have all of them.
    shared: bool,
}

impl Quotas {
    /// For nodes that may bring so many readings a second each.
    pub fn new(per_second: NonZeroU32) -> Self {
        let clock = ArrivalClock::default();
        Self { per_second, clock, nodes: HashMap::new(), owed: Vec::new(), judged: 0, dropped: 0 }
    }

    /// Whether the readings of one message are taken: all of them or none. `shared`: the other gateway may have them too.
    pub fn admits(&mut self, readings: &[Reading], shared: bool) -> bool {
        let Some(Reading { node, stamp, .. }) = readings.first() else { return true };
        let burst = self.burst();
        // A message larger than the burst takes all of it: else it could never pass.
        let wanted = u32::try_from(readings.len()).ok().and_then(NonZeroU32::new).unwrap_or(burst).min(burst);
        self.clock.0.store(stamp.boottime_us, Ordering::Relaxed);
        let account = self.account(node);
        if matches!(account.limiter.check_n(wanted), Ok(Ok(()))) {
            return true;
        }
        let count = u64::try_from(readings.len()).unwrap_or(u64::MAX);
        account.drop_readings(node, *stamp, count, shared);
        self.dropped = self.dropped.saturating_add(count);
        false
    }

    /// Gaps that are to be written now, because a node is within its quota again or has been over it for long.
    pub fn due(&mut self, now: Stamp) -> Vec<OwnGap> {
        let mut gaps = std::mem::take(&mut self.owed);
        for (node, account) in &mut self.nodes {
            gaps.extend(account.due(now.boottime_us).map(|span| gap(node, span, self.per_second)));
            account.forgive(node, now.boottime_us);
        }
        gaps
    }

    /// Gaps for all that no gap tells yet.
    pub fn rest(&mut self) -> Vec<OwnGap> {
        let mut gaps = std::mem::take(&mut self.owed);
        for (node, account) in &mut self.nodes {
            gaps.extend(account.over.take().and_then(|over| over.untold).map(|span| gap(node, span, self.per_second)));
        }
        gaps
    }

    /// Readings dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn burst(&self) -> NonZeroU32 {
        self.per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_S - 1))
    }

    fn account(&mut self, node: &NodeId) -> &mut Account {
        self.judged += 1;
        if self.nodes.len() >= MOST_NODES && !self.nodes.contains_key(node) {
            self.forget_one();
        }
        let quota = Quota::per_second(self.per_second).allow_burst(self.burst());
        let account = self.nodes.entry(node.clone()).or_insert_with(|| Account {
            limiter: RateLimiter::direct_with_clock(quota, self.clock.clone()),
            last_judged: 0,
            over: None,
        });
        account.last_judged = self.judged;
        account
    }

    fn forget_one(&mut self) {
        let oldest = self.nodes.iter().min_by_key(|(_, account)| account.last_judged).map(|(node, _)| node.clone());
        let Some((node, account)) = oldest.and_then(|node| self.nodes.remove_entry(&node)) else { return };
        let untold = account.over.and_then(|over| over.untold);
        self.owed.extend(untold.map(|span| gap(&node, span, self.per_second)));
    }
}

impl Account {
    fn drop_readings(&mut self, node: &NodeId, stamp: Stamp, count: u64, shared: bool) {
        if self.over.is_none() {
            warn!(%node, "the node sends more readings than its quota; what is beyond is dropped and counted. Find out why, or raise quota.readings_per_second");
        }
        let over = self.over.get_or_insert(Over { last_drop_us: 0, untold: None });
        over.last_drop_us = stamp.boottime_us;
        let (since_us, from_us, to_us) = (stamp.boottime_us, stamp.wall_us, stamp.wall_us);
        let span = over.untold.get_or_insert(Span { since_us, from_us, to_us, count: 0, shared });
        (span.to_us, span.shared) = (to_us, span.shared && shared);
        span.count = span.count.saturating_add(count);
    }

    /// What is to be told now.
    fn due(&mut self, now_us: u64) -> Option<Span> {
        let over = self.over.as_mut()?;
        let long = over.untold.as_ref().is_some_and(|span| now_us.saturating_sub(span.since_us) >= LONGEST_SPAN_US);
        if long || over.is_past(now_us) { over.untold.take() } else { None }
    }

    fn forgive(&mut self, node: &NodeId, now_us: u64) {
        if self.over.take_if(|over| over.is_past(now_us)).is_some() {
            info!(%node, "the node is within its quota again");
        }
    }
}

impl Over {
    fn is_past(&self, now_us: u64) -> bool {
        now_us.saturating_sub(self.last_drop_us) >= QUIET_US
    }
}

fn gap(node: &NodeId, span: Span, per_second: NonZeroU32) -> OwnGap {
    let gap = Gap {
        node: Some(node.clone()),
        channel: None,
        reason: format!("more readings than the quota of {per_second} a second"),
        from_us: Some(span.from_us),
        to_us: Some(span.to_us),
        count: Some(span.count),
    };
    OwnGap { gap, shared: span.shared }
}

#[cfg(test)]
mod tests;
