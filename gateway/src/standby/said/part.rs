//! The part of a bus's node, in words that are the same whenever its bytes become the same readings.

use config::{ByteOrder, Micro, MicroFormat, Part, Quantity};

pub fn words(part: &Part) -> String {
    match part {
        Part::Bme280 => "bme280".to_owned(),
        Part::Register { register, quantity } => format!("register 0x{register:02x} with {}", quantity_words(quantity)),
        Part::Micro(Micro { bytes, format: MicroFormat::Json }) => format!("micro of {bytes} bytes JSON"),
        Part::Micro(Micro { bytes, format: MicroFormat::Fields(fields) }) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} at {}", quantity_words(&field.quantity), field.at)).collect();
            format!("micro of {bytes} bytes with {}", fields.join(" and "))
        }
    }
}

fn quantity_words(quantity: &Quantity) -> String {
    let Quantity { channel, unit, width, signed, order, scale, offset } = quantity;
    let unit = unit.as_ref().map_or_else(String::new, |unit| format!(" in {}", unit.as_str()));
    let sign = if *signed { "signed" } else { "unsigned" };
    let order = if *order == ByteOrder::Big { "big" } else { "little" };
    format!("{channel}{unit}: {width} bytes {sign} {order}, scale {scale}, offset {offset}")
}
