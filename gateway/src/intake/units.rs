//! What arrivals and gaps leave in the queue.

use queue::{Kind, Record, Unit};
use sensors::reading::WireError;
use sensors::{Arrival, Content, Gap};
use tracing::error;

/// A gap that the intake itself knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnGap {
    /// What is missing.
    pub gap: Gap,
    /// Whether the other gateway of the site may have all of it.
    pub shared: bool,
}

/// Gaps that the intake itself knows of.
pub fn gap_units(gaps: Vec<OwnGap>) -> Vec<Unit> {
    let arrival = |OwnGap { gap, shared }| Arrival { shared, ..Arrival::of(Content::Gap(gap)) };
    gaps.into_iter().filter_map(|gap| unit(&arrival(gap))).collect()
}

/// What an arrival leaves in the queue; none when it is there already.
pub fn unit(arrival: &Arrival) -> Option<Unit> {
    let kind = |kind: Kind| if arrival.shared { kind.shared() } else { kind };
    let mut records = match &arrival.content {
        Content::AlreadyQueued => return None,
        Content::Readings(readings) => {
            readings.iter().map(|reading| record(kind(Kind::READING), reading.to_bytes())).collect()
        }
        Content::DeadLetter(letter) => vec![record(kind(Kind::DEAD_LETTER), letter.to_bytes())],
        Content::Gap(gap) => vec![record(kind(Kind::GAP), gap.to_bytes())],
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

#[cfg(test)]
mod tests {
    use super::*;
    use sensors::receipts::{Finding, ReceiptBook};
    use sensors::{ClockQuality, DeadLetter, Stamp};

    fn gap() -> Gap {
        Gap { node: None, channel: None, reason: "test".to_owned(), from_us: None, to_us: None, count: None }
    }

    fn kinds(arrival: &Arrival) -> Vec<Kind> {
        unit(arrival).unwrap().records().iter().map(|record| record.kind).collect()
    }

    #[test]
    fn what_the_other_gateway_may_have_too_is_marked_and_a_receipt_never_is() {
        let stamp = Stamp { boot: 1, boottime_us: 1, wall_us: 1, quality: ClockQuality::Unset, error_us: None };
        let letter = || Content::DeadLetter(DeadLetter::new("t", "r".to_owned(), b"x", stamp));
        let Finding::New(receipt) = ReceiptBook::new(1, &[]).heard(1, 1, false) else { panic!("it is new") };
        for shared in [false, true] {
            let kind = |kind: Kind| if shared { kind.shared() } else { kind };
            let of = |content| Arrival { shared, ..Arrival::of(content) };
            let with_receipt = Arrival { receipt: Some(receipt), ..of(letter()) };
            assert_eq!(kinds(&with_receipt), [kind(Kind::DEAD_LETTER), Kind::MQTT_RECEIPT]);
            assert_eq!(kinds(&of(Content::Gap(gap()))), [kind(Kind::GAP)]);
            let units = gap_units(vec![OwnGap { gap: gap(), shared }]);
            assert_eq!(units[0].records()[0].kind, kind(Kind::GAP));
        }
    }
}
