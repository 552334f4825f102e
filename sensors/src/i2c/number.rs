//! Bytes to a number and a reading. Pure.

use super::driver::Asked;
use crate::reading::{NoData, Reading, Value};
use config::{ByteOrder, Quantity};

/// The reading that these bytes give; there are as many as the quantity is wide.
pub fn reading(asked: &Asked<'_>, quantity: &Quantity, bytes: &[u8]) -> Reading {
    let (value, raw) = value(quantity, whole_number(quantity, bytes));
    asked.reading((quantity.channel.clone(), quantity.unit.clone()), value, raw)
}

/// At most four bytes, so it always fits.
fn whole_number(quantity: &Quantity, bytes: &[u8]) -> i64 {
    let join = |number: i64, byte: &u8| (number << 8) | i64::from(*byte);
    let number = match quantity.order {
        ByteOrder::Big => bytes.iter().fold(0, join),
        ByteOrder::Little => bytes.iter().rev().fold(0, join),
    };
    let values = 1_i64 << (8 * u32::from(quantity.width));
    if quantity.signed && number >= values / 2 { number - values } else { number }
}

/// A number that is not scaled stays the whole number that it is.
fn value(quantity: &Quantity, number: i64) -> (Result<Value, NoData>, Option<f64>) {
    if !quantity.is_scaled() {
        return (Ok(Value::Int(number)), None);
    }
    // Exact: 32 bits and a sign.
    let raw = number as f64;
    let scaled = raw * quantity.scale + quantity.offset;
    let value = if scaled.is_finite() { Ok(Value::Float(scaled)) } else { Err(NoData::OutOfRange) };
    (value, Some(raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Channel;

    fn quantity(width: u8, signed: bool, order: ByteOrder) -> Quantity {
        Quantity { channel: Channel::new("x").unwrap(), unit: None, width, signed, order, scale: 1.0, offset: 0.0 }
    }

    #[test]
    fn width_sign_and_order() {
        let number = |bytes: &[u8], signed, order| {
            whole_number(&quantity(u8::try_from(bytes.len()).unwrap(), signed, order), bytes)
        };
        use ByteOrder::{Big, Little};
        assert_eq!((number(&[0xff], false, Big), number(&[0xff], true, Big)), (255, -1));
        assert_eq!((number(&[0x12, 0x34], false, Big), number(&[0x12, 0x34], false, Little)), (0x1234, 0x3412));
        assert_eq!((number(&[0x80, 0], true, Big), number(&[0x80, 0], true, Little)), (-32_768, 128));
        assert_eq!((number(&[0x7f, 0xff], true, Big), number(&[0xfe, 0xff], true, Little)), (32_767, -2));
        assert_eq!((number(&[0xff; 4], false, Little), number(&[0xff; 4], true, Little)), (4_294_967_295, -1));
    }

    #[test]
    fn scaling_keeps_the_number_beside_the_value() {
        let plain = quantity(2, false, ByteOrder::Big);
        assert_eq!(value(&plain, 2500), (Ok(Value::Int(2500)), None));
        let scaled = Quantity { scale: 0.5, offset: -40.0, ..plain.clone() };
        assert_eq!(value(&scaled, 130), (Ok(Value::Float(25.0)), Some(130.0)));
        let endless = Quantity { scale: 1e308, ..plain };
        assert_eq!(value(&endless, 200), (Err(NoData::OutOfRange), Some(200.0)));
    }
}
