use super::*;
use crate::reading::{MAX_DEAD_LETTER_BYTES, NoData, Reading, Value};
use proptest::prelude::*;

fn stamp() -> Stamp {
    let boot = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210;
    Stamp { boot, boottime_us: u64::MAX, wall_us: -1, quality: ClockQuality::Holdover, error_us: Some(17) }
}

fn reading(value: Result<Value, NoData>) -> Reading {
    Reading {
        node: "shed".to_owned().try_into().unwrap(),
        channel: "air temperature".to_owned().try_into().unwrap(),
        unit: Some("°C".to_owned().try_into().unwrap()),
        value,
        raw: Some(f64::MIN_POSITIVE),
        stamp: stamp(),
        node_seq: Some(i64::MIN),
        node_time_us: Some(i64::MAX),
    }
}

/// Only what every reading has.
fn bare_reading() -> Reading {
    let stamp = Stamp { error_us: None, ..stamp() };
    Reading { unit: None, raw: None, node_seq: None, node_time_us: None, stamp, ..reading(Ok(Value::Float(21.5))) }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_kind_of_value_comes_back_as_it_went_in() {
    let values = [
        Ok(Value::Float(1.0)),
        Ok(Value::Float(-0.0)),
        Ok(Value::Float(0.1)),
        Ok(Value::Float(f64::MAX)),
        Ok(Value::Int(1)),
        Ok(Value::Int(i64::MIN)),
        Ok(Value::Bool(true)),
        Ok(Value::Text(String::new())),
        Ok(Value::Text("naïve ☂".into())),
        Err(NoData::Shed),
    ];
    for value in values {
        let sent = reading(value);
        let back = Reading::from_bytes(&sent.to_bytes().unwrap()).unwrap();
        assert_eq!(back, sent);
        assert_eq!(format!("{:?}", back.value), format!("{:?}", sent.value), "the sign of zero is kept");
    }
}

fn any_value() -> impl Strategy<Value = Result<Value, NoData>> {
    prop_oneof![
        proptest::num::f64::NORMAL.prop_map(|float| Ok(Value::Float(float))),
        (any::<i32>(), 0..9).prop_map(|(digits, places)| Ok(Value::Float(f64::from(digits) / 10_f64.powi(places)))),
        any::<i64>().prop_map(|int| Ok(Value::Int(int))),
        any::<bool>().prop_map(|bool| Ok(Value::Bool(bool))),
        ".{0,40}".prop_map(|text| Ok(Value::Text(text))),
        Just(Err(NoData::Timeout)),
    ]
}

proptest! {
    #[test]
    fn any_reading_comes_back(
        value in any_value(),
        raw in proptest::option::of(proptest::num::f64::NORMAL),
        (boot, boottime_us, wall_us, error_us) in any::<(u128, u64, i64, Option<u32>)>(),
        (node_seq, node_time_us) in any::<(Option<i64>, Option<i64>)>(),
    ) {
        let stamp = Stamp { boot, boottime_us, wall_us, error_us, quality: ClockQuality::Synced };
        let sent = Reading { raw, stamp, node_seq, node_time_us, ..reading(value) };
        let back = Reading::from_bytes(&sent.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(back, sent);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_reading_but_no_panic(at in 0..200_usize, byte: u8, length in 0..200_usize) {
        let mut bytes = reading(Ok(Value::Float(21.37))).to_bytes().unwrap();
        let (at, length) = (at % bytes.len(), 1 + length % bytes.len());
        bytes[at] = byte;
        let _ = Reading::from_bytes(&bytes);
        prop_assert!(length == bytes.len() || Reading::from_bytes(&bytes[..length]).is_err());
    }
}

#[test]
fn version_2_does_not_change() {
    let expected = "82028c500123456789abcdeffedcba98765432100100f61bffffffffffffffff6473686564f6f66f616972207465\
                    6d7065726174757265f6f6f94d60";
    assert_eq!(bare_reading().to_bytes().unwrap(), bytes(expected));
}

#[test]
fn a_reading_that_version_1_wrote_is_still_read() {
    let before = "82018864736865646f6169722074656d706572617475726563c2b04384";
    let after = "fb0010000000000000861b0123456789abcdef1bfedcba98765432101bffffffffffffffff2001113b7fffffffffffffff1b7f\
                 ffffffffffffff";
    let values = [
        ("01fb3fb999999999999af6f6", Ok(Value::Float(0.1))),
        ("02f626f6", Ok(Value::Int(-7))),
        ("03f601f6", Ok(Value::Bool(true))),
        ("04f6f6627570", Ok(Value::Text("up".into()))),
        ("00f602f6", Err(NoData::Timeout)),
    ];
    for (hex, value) in values {
        let written = bytes(&[before, hex, after].concat());
        assert_eq!(Reading::from_bytes(&written).unwrap(), reading(value));
    }
    let bare = "82018864736865646f6169722074656d7065726174757265f68401f94d60f6f6f6861b0123456789abcdef1bfedcba98765432\
                101bffffffffffffffff2001f6f6f6";
    assert_eq!(Reading::from_bytes(&bytes(bare)).unwrap(), bare_reading());
}

#[test]
fn gaps_and_dead_letters_come_back() {
    let gap = Gap {
        node: None,
        channel: None,
        reason: "the broker lost our session".into(),
        from_us: Some(1),
        to_us: None,
        count: Some(3),
    };
    assert_eq!(Gap::from_bytes(&gap.to_bytes().unwrap()).unwrap(), gap);
    let letter = DeadLetter::new("plants/a", "not JSON".into(), &[0xff; 9000], stamp());
    assert_eq!((letter.bytes.len(), letter.length), (MAX_DEAD_LETTER_BYTES, 9000));
    assert_eq!(DeadLetter::from_bytes(&letter.to_bytes().unwrap()).unwrap(), letter);
}

#[test]
fn the_bytes_of_gaps_and_dead_letters_do_not_change() {
    let gap = Gap { node: None, channel: None, reason: "why".into(), from_us: Some(1), to_us: None, count: Some(3) };
    assert_eq!(gap.to_bytes().unwrap(), bytes("820186f6f66377687901f603"));
    let letter = DeadLetter::new("a/b", "not JSON".into(), &[0xff; 3], stamp());
    let expected = "82018663612f62686e6f74204a534f4e43ffffff031ba79db4af6ec707da861b0123456789abcdef1bfedcba9876543210\
                    1bffffffffffffffff200111";
    assert_eq!(letter.to_bytes().unwrap(), bytes(expected));
}

#[test]
fn a_newer_version_and_garbage_are_told_apart() {
    let newer = encode_as(9, &"whatever").unwrap();
    assert!(matches!(Reading::from_bytes(&newer), Err(WireError::Newer(9))));
    assert!(matches!(Gap::from_bytes(&newer), Err(WireError::Newer(9))));
    assert!(matches!(Reading::from_bytes(b"\xff\x00garbage"), Err(WireError::Malformed(_))));
    let gap = Gap { node: None, channel: None, reason: String::new(), from_us: None, to_us: None, count: None };
    assert!(matches!(Reading::from_bytes(&gap.to_bytes().unwrap()), Err(WireError::Malformed(_))));
    let letter = DeadLetter::new("a/b", "not JSON".into(), &[0xff; 3], stamp());
    assert!(matches!(Reading::from_bytes(&letter.to_bytes().unwrap()), Err(WireError::Malformed(_))));
}
