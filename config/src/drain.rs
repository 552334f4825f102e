//! `[drain]`: how fast, and in which order, what waits in the queue goes into the database.

use std::num::NonZeroU32;
use std::time::Duration;

use toml::de::DeValue;

use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{choice, count, duration, size_bytes};

const MOST_ROWS_PER_SECOND: usize = 1_000_000;
const LEAST_BYTES_PER_SECOND: u64 = 1 << 10;
const MOST_BYTES_PER_SECOND: u64 = 1 << 30;
const LEAST_BUDGET: Duration = Duration::from_millis(1);
const MOST_BUDGET: Duration = Duration::from_secs(60);

/// What holds the drain back, which is nothing where nothing is configured, and what goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drain {
    /// Rows a second at most, 1 to 1000000. None: as many as the database takes.
    pub rows_per_second: Option<NonZeroU32>,
    /// Bytes of rows a second at most, 1 KiB to 1 GiB. None: as many as the database takes.
    pub bytes_per_second: Option<NonZeroU32>,
    /// How long a transaction is to take at most, 1 ms to 1 min. None: half of
    /// `mysql.query_timeout`.
    pub latency_budget: Option<Duration>,
    /// What goes first after an outage. Default: the oldest.
    pub order: Order,
}

/// Which readings go into the database first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// In the order in which they came.
    #[default]
    OldestFirst,
    /// Those that come in now; those that waited follow behind them.
    LiveFirst,
}

const ORDERS: &[(&str, Order)] = &[("oldest-first", Order::OldestFirst), ("live-first", Order::LiveFirst)];

pub(crate) fn read(section: &mut Section<'_, '_>, with_standby: bool) -> Drain {
    Drain {
        rows_per_second: section.optional("rows_per_second", rows),
        bytes_per_second: section.optional("bytes_per_second", bytes),
        latency_budget: section.optional("latency_budget", duration(LEAST_BUDGET..=MOST_BUDGET)),
        order: section.or("order", Order::default(), |value| order(value, with_standby)),
    }
}

/// What one of two gateways has delivered up to some time says that all before is there, and the other one leaves that out.
fn order(value: &DeValue<'_>, with_standby: bool) -> Result<Order, ValueError> {
    match choice(ORDERS)(value)? {
        Order::LiveFirst if with_standby => {
            let what = "is \"live-first\", but with [standby] what came first goes first";
            Err(ValueError::new(what, "write \"oldest-first\", or remove it"))
        }
        order => Ok(order),
    }
}

fn rows(value: &DeValue<'_>) -> Result<NonZeroU32, ValueError> {
    let remedy = "write a whole number between 1 and 1000000";
    let found = count(value, 1..=MOST_ROWS_PER_SECOND, remedy)?;
    whole(u64::try_from(found).unwrap_or(u64::MAX), remedy)
}

fn bytes(value: &DeValue<'_>) -> Result<NonZeroU32, ValueError> {
    let found = size_bytes(LEAST_BYTES_PER_SECOND..=MOST_BYTES_PER_SECOND)(value)?;
    whole(found, "write between \"1 KiB\" and \"1 GiB\"")
}

fn whole(found: u64, remedy: &str) -> Result<NonZeroU32, ValueError> {
    let whole = u32::try_from(found).ok().and_then(NonZeroU32::new);
    whole.ok_or_else(|| ValueError::new("is out of bounds", remedy))
}
