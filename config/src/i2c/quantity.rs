//! How bytes of an answer become a value.

use toml::de::DeValue;

use crate::node::{Channel, Unit};
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{choice, count, finite, parsed, truth};

/// A whole number in an answer, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// What is measured.
    pub channel: Channel,
    /// Its unit. Default: none.
    pub unit: Option<Unit>,
    /// How many bytes the number has: 1, 2 or 4. Default: 2.
    pub width: u8,
    /// Whether it is a two's complement number. Default: false.
    pub signed: bool,
    /// Which of its bytes comes first. Default: big.
    pub order: ByteOrder,
    /// The number is multiplied by this, which is finite and not 0. Default: 1.
    pub scale: f64,
    /// And this, which is finite, is added. Default: 0.
    pub offset: f64,
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The most significant one, as in most chips.
    Big,
    /// The least significant one, as in the memory of most microcontrollers.
    Little,
}

/// A quantity at its place in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// How many bytes of the answer stand before it; it ends within the answer.
    pub at: u8,
    /// What stands there.
    pub quantity: Quantity,
}

impl Quantity {
    /// Whether the value differs from the number in the answer.
    #[must_use]
    pub fn is_scaled(&self) -> bool {
        self.scale != 1.0 || self.offset != 0.0
    }
}

/// Reads the keys of a quantity; `example` is a channel as it stands in a file.
pub(crate) fn read(section: &mut Section<'_, '_>, example: &str) -> Option<Quantity> {
    let channel = section.required("channel", example, parsed(Channel::new));
    let unit = section.optional("unit", parsed(Unit::new));
    let width = section.or("width", 2, width);
    let signed = section.or("signed", false, truth);
    let order = section.or("order", ByteOrder::Big, choice(&[("big", ByteOrder::Big), ("little", ByteOrder::Little)]));
    let scale = section.or("scale", 1.0, not_zero);
    let offset = section.or("offset", 0.0, finite);
    Some(Quantity { channel: channel?, unit, width, signed, order, scale, offset })
}

/// Reads a field of an answer of so many bytes.
pub(crate) fn read_field(section: &mut Section<'_, '_>, bytes: Option<usize>) -> Option<Field> {
    let at =
        section.required("at", "0", |value| count(value, 0..=254, "write how many bytes stand before it, 0 to 254"));
    let quantity = read(section, "\"soil\"");
    let (at, quantity) = (at?, quantity?);
    let end = at + usize::from(quantity.width);
    if let Some(bytes) = bytes.filter(|bytes| end > *bytes) {
        let what = format!("puts the end of the field at {end} bytes, and the read has {bytes}");
        section.add("at", ValueError::new(what, "correct at or width, or read more bytes"));
    }
    Some(Field { at: u8::try_from(at).ok()?, quantity })
}

fn width(value: &DeValue<'_>) -> Result<u8, ValueError> {
    let remedy = "write 1, 2 or 4, in bytes";
    let width = count(value, 1..=4, remedy)?;
    let width = u8::try_from(width).ok().filter(|width| *width != 3);
    width.ok_or_else(|| ValueError::new("is 3", remedy))
}

fn not_zero(value: &DeValue<'_>) -> Result<f64, ValueError> {
    let number = finite(value)?;
    if number == 0.0 {
        return Err(ValueError::new("is 0, which would make every value the same", "write another number"));
    }
    Ok(number)
}
