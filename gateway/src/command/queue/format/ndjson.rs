//! Lines of JSON.

use super::super::words::{data, kind_name, kind_named};
use super::decode::Part;
use super::{Header, Item, Trailer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use queue::{Record, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::io;

#[derive(Serialize, Deserialize)]
struct Line {
    stream: StreamId,
    order: u64,
    seq: u64,
    kind: String,
    /// Another gateway may have it too. Files from before there were two gateways do not say it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shared: bool,
    written_ms: u64,
    sum: String,
    data: Option<Map<String, Json>>,
    body: String,
}

/// The line of a record, with its end.
pub fn item(item: &Item) -> io::Result<Vec<u8>> {
    line(&Line {
        stream: item.stream,
        order: item.order,
        seq: item.seq,
        kind: kind_name(item.record.kind),
        shared: item.record.kind.is_shared(),
        written_ms: item.written_ms,
        sum: format!("{:08x}", item.sum()),
        data: data(&item.record),
        body: BASE64.encode(&item.record.body),
    })
}

/// The line of a header or a trailer, with its end.
pub fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// What stands in a line; why it cannot be taken otherwise.
pub fn part(line: &[u8]) -> Result<Part, String> {
    let json: Json = serde_json::from_slice(line).map_err(|error| format!("is not JSON: {error}"))?;
    let words = |error: serde_json::Error| error.to_string();
    if json.get("fieldgate_export").is_some() {
        serde_json::from_value::<Header>(json).map(Part::Header).map_err(words)
    } else if json.get("end").is_some() {
        serde_json::from_value::<Trailer>(json).map(Part::Trailer).map_err(words)
    } else {
        serde_json::from_value(json).map_err(words).and_then(record).map(Part::Item)
    }
}

fn record(line: Line) -> Result<Item, String> {
    let kind = kind_named(&line.kind).ok_or_else(|| format!("\"{}\" is no kind of record", line.kind))?;
    let kind = if line.shared { kind.shared() } else { kind };
    let body = BASE64.decode(&line.body).map_err(|error| format!("its body is not base64: {error}"))?;
    let record = Record { kind, body };
    let differs = line.data.as_ref().and_then(|said| differing(said, &data(&record)?));
    if let Some(column) = differs {
        return Err(format!(
            "\"{column}\" does not say what the body says: this line was edited, and the body is what counts"
        ));
    }
    let item = Item { stream: line.stream, order: line.order, seq: line.seq, written_ms: line.written_ms, record };
    if line.sum == format!("{:08x}", item.sum()) { Ok(item) } else { Err("its checksum is wrong".to_owned()) }
}

/// The first column that says something else. One that this version does not have may say what it likes.
fn differing(said: &Map<String, Json>, is: &Map<String, Json>) -> Option<String> {
    is.iter()
        .find(|(column, value)| said.get(*column).is_some_and(|said| said != *value))
        .map(|(column, _)| column.clone())
}
