use super::*;
use crate::clock::ClockQuality;

fn stamp() -> Stamp {
    Stamp { boot: 1, boottime_us: 2, wall_us: 3, quality: ClockQuality::Unset, error_us: None }
}

fn run(channel: Option<&str>, payload: &str) -> Result<Vec<Reading>, DecodeError> {
    let node = NodeId::try_from("silo".to_owned()).unwrap();
    decode(Origin { node: &node, channel, sequence: "/seq", time: "/time" }, payload.as_bytes(), stamp())
}

fn one(payload: &str) -> Result<Value, NoData> {
    let mut readings = run(Some("level"), payload).unwrap();
    assert_eq!(readings.len(), 1);
    readings.remove(0).value
}

fn pairs(payload: &str) -> Vec<(String, Result<Value, NoData>)> {
    let readings = run(None, payload).unwrap();
    readings.into_iter().map(|r| (r.channel.as_str().to_owned(), r.value)).collect()
}

#[test]
fn a_single_value_keeps_its_kind() {
    assert_eq!(one("21.5"), Ok(Value::Float(21.5)));
    assert_eq!(one("21.0"), Ok(Value::Float(21.0)));
    assert_eq!(one("21"), Ok(Value::Int(21)));
    assert_eq!(one("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
    assert_eq!(one(" +21.5\n"), Ok(Value::Float(21.5)));
    assert_eq!(one(".5"), Ok(Value::Float(0.5)));
    assert_eq!(one("true"), Ok(Value::Bool(true)));
    assert_eq!(one("\"open\""), Ok(Value::Text("open".into())));
    assert_eq!(one("null"), Err(NoData::Absent));
}

#[test]
fn an_object_for_a_topic_with_a_channel_carries_value_unit_and_identity() {
    let reading =
        run(Some("level"), r#"{"value": 3.25, "unit": "m", "seq": 17, "time": "2026-03-01T12:00:00.5Z"}"#).unwrap();
    let reading = reading.first().unwrap();
    assert_eq!(reading.value, Ok(Value::Float(3.25)));
    assert_eq!(reading.unit.as_ref().unwrap().as_str(), "m");
    assert_eq!((reading.node_seq, reading.node_time_us), (Some(17), Some(1_772_366_400_500_000)));
    assert_eq!(run(Some("level"), r#"{"level": 3}"#), Err(DecodeError::NoValue));
}

#[test]
fn an_object_without_a_channel_gives_one_reading_a_member_and_names_inner_ones_by_path() {
    let found = pairs(
        r#"{"seq": 1, "time": 1772366400, "AM2301": {"Temperature": 20.5, "Humidity": 40}, "relay": [true, null]}"#,
    );
    let expected = [
        ("AM2301.Humidity", Ok(Value::Int(40))),
        ("AM2301.Temperature", Ok(Value::Float(20.5))),
        ("relay.0", Ok(Value::Bool(true))),
        ("relay.1", Err(NoData::Absent)),
    ];
    assert_eq!(found, expected.map(|(channel, value)| (channel.to_owned(), value)));
}

#[test]
fn node_times_are_understood_in_every_common_form() {
    let time =
        |time: &str| run(Some("c"), &format!(r#"{{"value": 1, "time": {time}}}"#)).unwrap().remove(0).node_time_us;
    assert_eq!(time("1772366400"), Some(1_772_366_400_000_000));
    assert_eq!(time("1772366400123"), Some(1_772_366_400_123_000));
    assert_eq!(time("1772366400123456"), Some(1_772_366_400_123_456));
    assert_eq!(time("1772366400.25"), Some(1_772_366_400_250_000));
    assert_eq!(time("\"2026-03-01T13:00:00+01:00\""), Some(1_772_366_400_000_000));
    assert_eq!(time("4711"), None, "seconds since the node's own start");
    assert_eq!(time("-1"), None);
    assert_eq!(time("1e300"), None);
}

#[test]
fn what_stands_at_the_identity_and_is_none_stays_a_reading() {
    let found = pairs(r#"{"seq": 1.5, "time": "noon"}"#);
    let expected = [("seq", Ok(Value::Float(1.5))), ("time", Ok(Value::Text("noon".into())))];
    assert_eq!(found, expected.map(|(channel, value)| (channel.to_owned(), value)));
}

#[test]
fn bad_payloads_say_what_is_wrong() {
    for bad in ["", "hello", "nan", "inf", "{\"a\":", "\u{0}", "1e999"] {
        assert!(matches!(run(Some("c"), bad), Err(DecodeError::NotJson(_))), "{bad:?}");
    }
    assert_eq!(run(None, "21.5"), Err(DecodeError::NoChannel));
    assert_eq!(run(None, "{}"), Err(DecodeError::Empty));
    assert_eq!(run(None, r#"{"seq": 4}"#), Err(DecodeError::Empty));
    assert_eq!(run(Some("c"), "18446744073709551615"), Err(DecodeError::TooLarge("c".into())));
    let long = format!("\"{}\"", "x".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(run(Some("c"), &long), Err(DecodeError::TextTooLong("c".into(), MAX_TEXT_BYTES + 1)));
    assert!(matches!(run(None, r#"{"": 1}"#), Err(DecodeError::BadName(_))));
    assert!(matches!(run(Some("c"), r#"{"value":1,"unit":"\u0007"}"#), Err(DecodeError::BadName(_))));
    let many: Vec<u32> = (0..5000).collect();
    assert_eq!(run(None, &serde_json::to_string(&many).unwrap()), Err(DecodeError::TooMany));
    assert!(matches!(run(None, &"[".repeat(5000)), Err(DecodeError::NotJson(_))), "depth is bounded");
}

proptest::proptest! {
    #[test]
    fn no_payload_panics_and_every_reading_is_within_its_bounds(payload: Vec<u8>, with_channel: bool) {
        let node = NodeId::try_from("n".to_owned()).unwrap();
        let channel = with_channel.then_some("c");
        if let Ok(readings) = decode(Origin { node: &node, channel, sequence: "/seq", time: "/time" }, &payload, stamp()) {
            for reading in readings {
                let back = Reading::from_bytes(&reading.to_bytes().unwrap()).unwrap();
                assert_eq!(back, reading);
            }
        }
    }

    #[test]
    fn every_finite_number_survives(number in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL) {
        let payload = serde_json::to_string(&number).unwrap();
        let Ok(Value::Float(back)) = one(&payload) else { panic!("{payload} is not a float") };
        assert_eq!(back.to_bits(), number.to_bits());
    }
}
