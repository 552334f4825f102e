//! A record in the words of the database's tables.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use queue::{Kind, Record};
use sensors::{ClockQuality, DeadLetter, Gap, NoData, Reading, Value};
use serde_json::{Map, Value as Json, json};

/// The names of the kinds that have one.
const KINDS: [(Kind, &str); 3] = [(Kind::READING, "reading"), (Kind::GAP, "gap"), (Kind::DEAD_LETTER, "dead letter")];

/// What is said of a record that is not this gateway's alone.
const SHARED: &str = "(the other gateway may have it too)";

/// The name of a kind, whoever else may have the record; a number for one that this version does not know.
pub fn kind_name(kind: Kind) -> String {
    let kind = kind.plain();
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| kind.0.to_string(), |(_, name)| (*name).to_owned())
}

/// The kind with this name.
pub fn kind_named(name: &str) -> Option<Kind> {
    let known = KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
    known.or_else(|| name.parse().ok().map(Kind))
}

/// What a record says, by column; none when this version does not understand it.
pub fn data(record: &Record) -> Option<Map<String, Json>> {
    let body = &record.body;
    let json = match record.kind.plain() {
        Kind::READING => reading(&Reading::from_bytes(body).ok()?),
        Kind::GAP => gap(&Gap::from_bytes(body).ok()?),
        Kind::DEAD_LETTER => dead_letter(&DeadLetter::from_bytes(body).ok()?),
        _ => return None,
    };
    match json {
        Json::Object(columns) => Some(columns),
        _ => None,
    }
}

fn reading(reading: &Reading) -> Json {
    let value = match &reading.value {
        Ok(Value::Float(float)) => json!(float),
        Ok(Value::Int(int)) => json!(int),
        Ok(Value::Bool(bool)) => json!(bool),
        Ok(Value::Text(text)) => json!(text),
        Err(_) => Json::Null,
    };
    json!({
        "node": reading.node.as_str(),
        "channel": reading.channel.as_str(),
        "unit": reading.unit.as_ref().map(|unit| unit.as_str()),
        "value": value,
        "no_data": reading.value.as_ref().err().map(|reason| no_data(*reason)),
        "raw": reading.raw,
        "sampled_at": time(reading.stamp.wall_us),
        "time_quality": quality(reading.stamp.quality),
        "time_error_us": reading.stamp.error_us,
        "node_seq": reading.node_seq,
        "node_time": reading.node_time_us.map(time),
    })
}

fn gap(gap: &Gap) -> Json {
    json!({
        "node": gap.node.as_ref().map(|node| node.as_str()),
        "channel": gap.channel.as_ref().map(|channel| channel.as_str()),
        "reason": gap.reason,
        "from_time": gap.from_us.map(time),
        "to_time": gap.to_us.map(time),
        "count": gap.count,
    })
}

fn dead_letter(letter: &DeadLetter) -> Json {
    json!({
        "origin": letter.origin,
        "reason": letter.reason,
        "bytes": BASE64.encode(&letter.bytes),
        "length": letter.length,
        "hash": format!("{:016x}", letter.hash),
        "arrived_at": time(letter.stamp.wall_us),
    })
}

fn no_data(reason: NoData) -> &'static str {
    match reason {
        NoData::Absent => "absent",
        NoData::Timeout => "timeout",
        NoData::BusFault => "bus fault",
        NoData::BadFrame => "bad frame",
        NoData::OutOfRange => "out of range",
        NoData::Shed => "dropped for want of room",
    }
}

/// How far a time can be believed.
fn quality(quality: ClockQuality) -> &'static str {
    match quality {
        ClockQuality::Unset => "clock never set",
        ClockQuality::Holdover => "clock set earlier",
        ClockQuality::Synced => "synchronised",
    }
}

/// Microseconds since 1970 as RFC 3339, UTC. What no calendar reaches stays a number of microseconds.
pub fn time(us: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(us);
    at.map_or_else(|_| format!("{us} us"), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

/// One line for people.
pub fn line(record: &Record) -> String {
    let said = match record.kind.plain() {
        Kind::READING => Reading::from_bytes(&record.body).map(|reading| reading_line(&reading)),
        Kind::GAP => Gap::from_bytes(&record.body).map(|gap| gap_line(&gap)),
        Kind::DEAD_LETTER => DeadLetter::from_bytes(&record.body).map(|letter| {
            let (origin, length, at) = (&letter.origin, letter.length, time(letter.stamp.wall_us));
            format!("{origin}: {} ({length} bytes) {at}", letter.reason)
        }),
        _ => Ok(format!("{} bytes that this version does not know", record.body.len())),
    };
    // A line break would look like another record, and an escape sequence would reach the terminal.
    let said = said.unwrap_or_else(|error| format!("{} bytes: {error}", record.body.len()));
    let said = if record.kind.is_shared() { format!("{said} {SHARED}") } else { said };
    said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn reading_line(reading: &Reading) -> String {
    let unit = reading.unit.as_ref().map(|unit| format!(" {}", unit.as_str())).unwrap_or_default();
    let value = match &reading.value {
        Ok(Value::Float(float)) => format!("{float:?}{unit}"),
        Ok(Value::Int(int)) => format!("{int}{unit}"),
        Ok(Value::Bool(bool)) => bool.to_string(),
        Ok(Value::Text(text)) => format!("{text:?}"),
        Err(reason) => format!("no data ({})", no_data(*reason)),
    };
    let (node, channel, stamp) = (reading.node.as_str(), reading.channel.as_str(), &reading.stamp);
    format!("{node}/{channel} {value} {} {}", time(stamp.wall_us), quality(stamp.quality))
}

fn gap_line(gap: &Gap) -> String {
    let node = gap.node.as_ref().map_or("any node", |node| node.as_str());
    let channel = gap.channel.as_ref().map(|channel| format!("/{}", channel.as_str())).unwrap_or_default();
    let count = gap.count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let from = gap.from_us.map(|us| format!(" from {}", time(us))).unwrap_or_default();
    let to = gap.to_us.map(|us| format!(" to {}", time(us))).unwrap_or_default();
    format!("{node}{channel} missing: {count}{from}{to} {}", gap.reason)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use sensors::Stamp;

    pub fn reading_record(value: Result<Value, NoData>) -> Record {
        let stamp = Stamp {
            boot: 1,
            boottime_us: 2,
            wall_us: 1_763_632_800_000_001,
            quality: ClockQuality::Synced,
            error_us: Some(17),
        };
        let reading = Reading {
            node: "shed".to_owned().try_into().unwrap(),
            channel: "t".to_owned().try_into().unwrap(),
            unit: Some("°C".to_owned().try_into().unwrap()),
            value,
            raw: None,
            stamp,
            node_seq: Some(3),
            node_time_us: None,
        };
        Record { kind: Kind::READING, body: reading.to_bytes().unwrap() }
    }

    #[test]
    fn a_reading_is_said_by_column_and_in_a_line() {
        let record = reading_record(Ok(Value::Float(20.0)));
        let said = data(&record).unwrap();
        assert_eq!((&said["node"], &said["value"], &said["no_data"]), (&json!("shed"), &json!(20.0), &Json::Null));
        assert_eq!(said["sampled_at"], json!("2025-11-20T10:00:00.000001Z"));
        assert_eq!(line(&record), "shed/t 20.0 °C 2025-11-20T10:00:00.000001Z synchronised");
        let none = reading_record(Err(NoData::Timeout));
        assert_eq!(data(&none).unwrap()["no_data"], json!("timeout"));
        assert!(line(&none).contains("no data (timeout)"));
    }

    #[test]
    fn a_shared_record_says_the_same_and_that_it_is_shared() {
        let record = reading_record(Ok(Value::Float(20.0)));
        let shared = Record { kind: record.kind.shared(), ..record.clone() };
        assert_eq!((kind_name(shared.kind), data(&shared)), ("reading".to_owned(), data(&record)));
        assert_eq!(line(&shared), format!("{} (the other gateway may have it too)", line(&record)));
    }

    #[test]
    fn nothing_in_a_record_reaches_the_terminal_as_a_command_or_another_line() {
        let gap = Gap {
            node: None,
            channel: None,
            reason: "a\nb\x1b[2J".into(),
            from_us: None,
            to_us: Some(i64::MAX),
            count: None,
        };
        let record = Record { kind: Kind::GAP, body: gap.to_bytes().unwrap() };
        assert!(!line(&record).contains(['\n', '\x1b']), "{}", line(&record));
        assert!(line(&Record { kind: Kind::READING, body: vec![0xff] }).starts_with("1 bytes: "));
        assert!(line(&Record { kind: Kind(9), body: vec![1, 2] }).starts_with("2 bytes"));
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in [Kind::READING, Kind::GAP, Kind::DEAD_LETTER, Kind(13)] {
            assert_eq!(kind_named(&kind_name(kind)), Some(kind));
        }
        assert_eq!(kind_named("readings"), None);
    }
}
