//! What arrivals and gaps leave in the queue.

use queue::{Kind, Record, Unit};
use sensors::reading::WireError;
use sensors::{Arrival, Content, Gap};
use tracing::error;

/// Gaps that the intake itself knows of.
pub fn gap_units(gaps: Vec<Gap>) -> Vec<Unit> {
    let arrival = |gap| Arrival { content: Content::Gap(gap), receipt: None, ticket: None, room: None };
    gaps.into_iter().filter_map(|gap| unit(&arrival(gap))).collect()
}

/// What an arrival leaves in the queue; none when it is there already.
pub fn unit(arrival: &Arrival) -> Option<Unit> {
    let mut records = match &arrival.content {
        Content::AlreadyQueued => return None,
        Content::Readings(readings) => {
            readings.iter().map(|reading| record(Kind::READING, reading.to_bytes())).collect()
        }
        Content::DeadLetter(letter) => vec![record(Kind::DEAD_LETTER, letter.to_bytes())],
        Content::Gap(gap) => vec![record(Kind::GAP, gap.to_bytes())],
    };
    if let Some(receipt) = &arrival.receipt {
        records.push(record(Kind::MQTT_RECEIPT, receipt.to_bytes()));
    }
    let whole: Result<Vec<Record>, WireError> = records.into_iter().collect();
    let unit = whole
        .map_err(|error| error.to_string())
        .and_then(|records| Unit::new(records).map_err(|error| error.to_string()));
    unit.or_else(|why| refused(&why)).ok()
}

fn record(kind: Kind, body: Result<Vec<u8>, WireError>) -> Result<Record, WireError> {
    body.map(|body| Record { kind, body })
}

/// The decoders bound everything, so this is a bug; what was lost by it is named all the same.
fn refused(why: &str) -> Result<Unit, String> {
    error!("readings could not be put into the queue: {why}");
    let gap = Gap {
        node: None,
        channel: None,
        reason: format!("could not be queued: {why}"),
        from_us: None,
        to_us: None,
        count: None,
    };
    let body = gap.to_bytes().map_err(|error| error.to_string())?;
    Unit::new(vec![Record { kind: Kind::GAP, body }]).map_err(|error| error.to_string())
}
