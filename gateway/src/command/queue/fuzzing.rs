//! What the fuzz target for exported files calls.

use super::format::{Decoder, Encoder, Format, Header, Item};
use queue::MAX_RECORD_BYTES;

/// Reads an exported file, as an import would. Says whether it had a record to import. Records come in order, are bounded, and what was
/// read comes back from either format.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn export(bytes: &[u8]) -> bool {
    let Some((header, items, _)) = read(bytes) else { return false };
    items.iter().for_each(check);
    for format in [Format::Ndjson, Format::Cbor] {
        assert_eq!(read(&written(format, &header, &items)), Some((header.clone(), items.clone(), true)), "{format:?}");
    }
    !items.is_empty()
}

/// The header, the records before the end or the first damage, and whether it was the end.
fn read(bytes: &[u8]) -> Option<(Header, Vec<Item>, bool)> {
    let (mut decoder, header) = Decoder::open(bytes).ok()?;
    let mut items = Vec::new();
    loop {
        match decoder.next() {
            Ok(Some(item)) => items.push(item),
            end => return Some((header, items, end.is_ok())),
        }
    }
}

fn check(item: &Item) {
    assert!(item.seq > 0 && item.record.kind.is_numbered(), "{item:?}");
    assert!(item.record.body.len() <= MAX_RECORD_BYTES, "{} bytes", item.record.body.len());
}

fn written(format: Format, header: &Header, items: &[Item]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoded = Encoder::begin(format, &mut bytes, header).and_then(|mut encoder| {
        items.iter().try_for_each(|item| encoder.item(item))?;
        encoder.end(Vec::new(), Vec::new())
    });
    assert_eq!(encoded.ok(), u64::try_from(items.len()).ok());
    bytes
}
