//! A CBOR sequence (RFC 8742).

use super::decode::Part;
use super::{Header, Item, Trailer};
use queue::{Kind, Record, StreamId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_cbor::{Deserializer, Value};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// The bytes of a record.
pub fn item(item: &Item) -> io::Result<Vec<u8>> {
    let numbers =
        [item.stream.as_u64(), item.order, item.seq, item.record.kind.0.into(), item.written_ms, item.sum().into()];
    let mut fields: Vec<Value> = numbers.into_iter().map(|number| Value::Integer(number.into())).collect();
    fields.push(Value::Bytes(item.record.body.clone()));
    bytes(&fields)
}

/// The bytes of a header or a trailer.
pub fn bytes(value: &impl Serialize) -> io::Result<Vec<u8>> {
    serde_cbor::to_vec(value).map_err(io::Error::other)
}

/// Reads the next part and not a byte more; none at the end.
pub fn part(reader: &mut impl Read) -> Result<Option<Part>, String> {
    let value = match Value::deserialize(&mut Deserializer::from_reader(reader)) {
        Ok(value) => value,
        Err(error) if error.is_eof() => return Ok(None),
        Err(error) => return Err(format!("is not CBOR: {error}")),
    };
    match value {
        Value::Map(map) if has(&map, "fieldgate_export") => parsed::<Header>(map).map(Part::Header),
        Value::Map(map) => parsed::<Trailer>(map).map(Part::Trailer),
        Value::Array(fields) => record(fields).map(Part::Item),
        _ => Err("is neither header, record nor trailer".to_owned()),
    }
    .map(Some)
}

fn has(map: &BTreeMap<Value, Value>, key: &str) -> bool {
    map.contains_key(&Value::Text(key.to_owned()))
}

fn parsed<T: DeserializeOwned>(map: BTreeMap<Value, Value>) -> Result<T, String> {
    serde_cbor::value::from_value(Value::Map(map)).map_err(|error| error.to_string())
}

fn record(fields: Vec<Value>) -> Result<Item, String> {
    let shape = || "is an array, but not one of a record".to_owned();
    let [stream, order, seq, kind, written_ms, sum, body] = <[Value; 7]>::try_from(fields).map_err(|_| shape())?;
    let number = |value: Value| match value {
        Value::Integer(number) => u64::try_from(number).map_err(|_| shape()),
        _ => Err(shape()),
    };
    let Value::Bytes(body) = body else { return Err(shape()) };
    let stream = StreamId::from_u64(number(stream)?).ok_or_else(shape)?;
    let kind = Kind(u8::try_from(number(kind)?).map_err(|_| shape())?);
    let (order, seq, written_ms) = (number(order)?, number(seq)?, number(written_ms)?);
    let item = Item { stream, order, seq, written_ms, record: Record { kind, body } };
    if number(sum)? == u64::from(item.sum()) { Ok(item) } else { Err("its checksum is wrong".to_owned()) }
}
