//! What is written comes back; what was changed afterwards is found, with its place.

use super::super::words::tests::reading_record;
use super::*;
use proptest::prelude::*;
use queue::Kind;
use sensors::Value;

fn header() -> Header {
    let stream = StreamId::from_u64(0xfeed).unwrap();
    let streams = vec![ExportedStream { stream, order: 3, gateway: "g1".into(), first: 1, last: 9 }];
    Header {
        fieldgate_export: VERSION,
        program: "0.1.0".into(),
        gateway: "g1".into(),
        site: None,
        exported_at: "2026-11-20T10:00:00.000000Z".into(),
        streams,
        sum: String::new(),
    }
    .sealed()
}

fn file(format: Format, items: &[Item]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::begin(format, &mut bytes, &header()).unwrap();
    items.iter().for_each(|item| encoder.item(item).unwrap());
    let range = Range { stream: StreamId::from_u64(0xfeed).unwrap(), first: 4, last: 5 };
    encoder.end(vec![range.clone()], vec![range]).unwrap();
    bytes
}

/// The records before the end, and why it is one; none when the file is whole.
fn read(bytes: &[u8]) -> (Vec<Item>, Option<String>) {
    let mut items = Vec::new();
    let mut decoder = match Decoder::open(bytes) {
        Ok((decoder, _)) => decoder,
        Err(damage) => return (items, Some(damage.to_string())),
    };
    loop {
        match decoder.next() {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return (items, None),
            Err(damage) => return (items, Some(damage.to_string())),
        }
    }
}

fn reading(seq: u64, value: f64) -> Item {
    let stream = StreamId::from_u64(0xfeed).unwrap();
    Item { stream, order: 3, seq, written_ms: 1_763_632_800_000, record: reading_record(Ok(Value::Float(value))) }
}

fn readings() -> Vec<Item> {
    (1..=9_u32).map(|seq| reading(seq.into(), f64::from(seq) + 0.25)).collect()
}

fn any_item() -> impl Strategy<Value = Item> {
    let record = (0_u8..0x80, proptest::collection::vec(any::<u8>(), 0..300));
    let bare = record.prop_map(|(kind, body)| Record { kind: Kind(kind), body });
    let real = any::<f64>().prop_filter("a reading is finite", |value| value.is_finite());
    let real = real.prop_map(|value| reading_record(Ok(Value::Float(value))));
    (1_u64.., any::<u64>(), 1_u64.., any::<u64>(), prop_oneof![bare, real]).prop_map(
        |(stream, order, seq, written_ms, record)| {
            let stream = StreamId::from_u64(stream).unwrap();
            Item { stream, order, seq, written_ms, record }
        },
    )
}

fn any_format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Ndjson), Just(Format::Cbor)]
}

proptest! {
    #[test]
    fn whatever_is_written_comes_back(format in any_format(), items in proptest::collection::vec(any_item(), 0..20)) {
        let mut items = items;
        items.sort_by_key(|item| (item.stream, item.seq));
        items.dedup_by_key(|item| (item.stream, item.seq));
        prop_assert_eq!(read(&file(format, &items)), (items, None));
    }

    #[test]
    fn a_changed_byte_is_found_and_nothing_wrong_is_read_before_it(
        format in any_format(), place in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let items = readings();
        let mut bytes = file(format, &items);
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let (found, damage) = read(&bytes);
        // The trailer tells of ranges that no checksum covers; they are for people.
        let whole = found == items;
        prop_assert!(damage.is_some() || whole);
        prop_assert!(items.starts_with(&found), "{:?}", damage);
    }

    #[test]
    fn a_cut_file_is_found_wherever_it_is_cut(format in any_format(), place in any::<prop::sample::Index>()) {
        let items = readings();
        let bytes = file(format, &items);
        let (found, damage) = read(&bytes[..place.index(bytes.len())]);
        prop_assert!(damage.is_some() && items.starts_with(&found));
    }

    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(read(&bytes).1.is_some());
    }
}

#[test]
fn the_place_of_the_damage_is_named() {
    let text = String::from_utf8(file(Format::Ndjson, &readings())).unwrap();
    let edited = text.replacen("\"value\":3.25", "\"value\":4.25", 1);
    let (found, damage) = read(edited.as_bytes());
    assert_eq!(found.len(), 2);
    assert!(damage.unwrap().starts_with("line 4 \"value\" does not say what the body says"));

    let without: Vec<&str> = text.lines().enumerate().filter(|(line, _)| *line != 3).map(|(_, line)| line).collect();
    let damage = read(format!("{}\n", without.join("\n")).as_bytes()).1.unwrap();
    assert_eq!(damage, "line 10 says 9 records, but there are 8");

    let swapped = text.replacen("\"gateway\":\"g1\"", "\"gateway\":\"g2\"", 1);
    assert!(read(swapped.as_bytes()).1.unwrap().starts_with("line 1 has a wrong checksum"));
    assert!(read(format!("{text}{{}}\n").as_bytes()).1.unwrap().ends_with("but the file goes on"));

    let bytes = file(Format::Cbor, &readings());
    let cut = read(&bytes[..bytes.len() / 2]).1.unwrap();
    assert!(cut.starts_with("the data item at byte ") && cut.ends_with("the file was cut"), "{cut}");
}

#[test]
fn what_another_gateway_may_have_too_is_said_and_comes_back() {
    let plain = reading(1, 2.25);
    let shared = Item { record: Record { kind: Kind::READING.shared(), ..plain.record.clone() }, ..plain.clone() };
    for format in [Format::Ndjson, Format::Cbor] {
        assert_eq!(read(&file(format, std::slice::from_ref(&shared))), (vec![shared.clone()], None));
    }
    let line = |item: &Item| String::from_utf8(json_line(item).unwrap()).unwrap();
    assert!(line(&shared).contains("\"kind\":\"reading\",\"shared\":true,"), "{}", line(&shared));
    assert!(!line(&plain).contains("shared"), "as in files of before: {}", line(&plain));
}

#[test]
fn a_kind_of_a_file_of_before_is_read_as_it_was_written() {
    // Before, a number above 63 stood there as it is.
    let strange = Record { kind: Kind(77), body: vec![1, 2] };
    let item = Item { record: strange, ..reading(1, 2.25) };
    let text = String::from_utf8(file(Format::Ndjson, std::slice::from_ref(&item))).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    let (line, _) = rest.split_once('\n').unwrap();
    let before = line.replace("\"kind\":\"13\",\"shared\":true", "\"kind\":\"77\"");
    assert_ne!(before, line);
    assert_eq!(read(format!("{header}\n{before}\n").as_bytes()).0, [item]);
}

#[test]
fn two_lines_that_changed_places_are_found() {
    let text = String::from_utf8(file(Format::Ndjson, &readings())).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(3, 4);
    assert!(
        read(format!("{}\n", lines.join("\n")).as_bytes())
            .1
            .unwrap()
            .ends_with("has number 3 of its stream, after number 4")
    );
}

#[test]
fn a_newer_format_names_the_program_that_reads_it() {
    let newer = Header { fieldgate_export: VERSION + 1, program: "9.9.9".into(), ..header() }.sealed();
    let mut bytes = Vec::new();
    Encoder::begin(Format::Ndjson, &mut bytes, &newer).unwrap().end(Vec::new(), Vec::new()).unwrap();
    assert!(read(&bytes).1.unwrap().contains("import with fieldgate 9.9.9 or later"));
}

#[test]
fn a_length_that_is_not_there_takes_no_memory() {
    let mut bytes = file(Format::Cbor, &[]);
    bytes.truncate(bytes.len() - 30);
    // A byte string of 2^62 bytes.
    bytes.extend([0x5b, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    assert!(read(&bytes).1.is_some());
}
