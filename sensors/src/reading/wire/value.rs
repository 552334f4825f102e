//! Values as version 2 of a reading has them, each in the shortest form that gives exactly the same value back.
//!
//! | value | CBOR |
//! | --- | --- |
//! | number with a fraction | float of 16, 32 or 64 bits, or `[places, digits]`: 21.37 is `[2, 2137]` |
//! | whole number, truth value, text | as it is |
//! | none | `[reason]` |

use crate::reading::{NoData, Value};
use serde::de::{self, Error, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// 10 to the power of 1, 2, ... decimal places.
const POWERS: [f64; 6] = [1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WireValue(pub(super) Result<Value, NoData>);

impl Serialize for WireValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Err(reason) => [*reason as u8].serialize(serializer),
            Ok(Value::Float(float)) => match decimal(*float) {
                Some(places_and_digits) => places_and_digits.serialize(serializer),
                None => serializer.serialize_f64(*float),
            },
            Ok(Value::Int(int)) => serializer.serialize_i64(*int),
            Ok(Value::Bool(bool)) => serializer.serialize_bool(*bool),
            Ok(Value::Text(text)) => serializer.serialize_str(text),
        }
    }
}

/// Decimal places and digits, for a number that needs all 64 bits as a float and is exactly these digits.
#[allow(clippy::cast_possible_truncation, reason = "what does not come back exactly is not used")]
fn decimal(float: f64) -> Option<(u8, i32)> {
    if f64::from(float as f32) == float {
        return None;
    }
    (1..).zip(POWERS).find_map(|(places, power)| {
        let digits = (float * power).round() as i32;
        (f64::from(digits) / power == float).then_some((places, digits))
    })
}

fn from_decimal(places: u8, digits: i32) -> Option<f64> {
    POWERS.get(usize::from(places.checked_sub(1)?)).map(|power| f64::from(digits) / power)
}

pub(super) fn no_data(number: u8) -> Option<NoData> {
    use NoData::{Absent, BadFrame, BusFault, OutOfRange, Shed, Timeout};
    [Absent, Timeout, BusFault, BadFrame, OutOfRange, Shed].into_iter().find(|known| *known as u8 == number)
}

impl<'de> Deserialize<'de> for WireValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(WireValue)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Result<Value, NoData>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value, or the number of a reason for missing data")
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Self::Value, E> {
        Ok(Ok(Value::Float(float)))
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Self::Value, E> {
        Ok(Ok(Value::Int(int)))
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<Self::Value, E> {
        i64::try_from(int).map_err(E::custom).and_then(|int| self.visit_i64(int))
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Self::Value, E> {
        Ok(Ok(Value::Bool(bool)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Ok(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let number: u8 = items.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        match items.next_element()? {
            Some(digits) => {
                let float = from_decimal(number, digits);
                float.map(|float| Ok(Value::Float(float))).ok_or_else(|| A::Error::custom("too many decimal places"))
            }
            None => no_data(number).map(Err).ok_or_else(|| A::Error::custom("a reason for missing data is not known")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_with_a_few_places_is_stored_as_digits() {
        assert_eq!(decimal(21.37), Some((2, 2137)));
        assert_eq!(decimal(-0.1), Some((1, -1)));
        assert_eq!(decimal(52.520_008), Some((6, 52_520_008)));
    }

    #[test]
    fn what_is_no_shorter_or_not_exact_stays_a_float() {
        for float in [0.0, -0.0, 21.5, 1.0 / 3.0, 0.1 + 0.2, 1e300, 1e-300, f64::MAX, f64::MIN_POSITIVE, 4e9 + 0.1] {
            assert_eq!(decimal(float), None, "{float}");
        }
    }

    #[test]
    fn every_decimal_comes_back_with_the_same_bits() {
        for (places, power) in (1..).zip(POWERS) {
            for digits in (i32::MIN..=i32::MAX).step_by(10_007_003) {
                let float = f64::from(digits) / power;
                let back = decimal(float).map_or(Some(float), |(places, digits)| from_decimal(places, digits));
                assert_eq!(back.map(f64::to_bits), Some(float.to_bits()), "{digits} with {places} places");
            }
        }
    }

    #[test]
    fn places_that_nobody_writes_are_refused() {
        assert_eq!((from_decimal(0, 1), from_decimal(7, 1), from_decimal(255, 1)), (None, None, None));
        assert_eq!((no_data(0), no_data(6), no_data(7)), (None, Some(NoData::Shed), None));
    }
}
