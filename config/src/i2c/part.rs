//! What a node of a bus is: a part by its number, a register, or a microcontroller.

use std::collections::BTreeSet;

use super::quantity::{self, Field, Quantity};
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{choice, count};

const MAX_FIELDS: usize = 64;

/// The keys of one part or another, beside those that every node has.
const PART_KEYS: [&str; 11] =
    ["register", "channel", "unit", "width", "signed", "order", "scale", "offset", "bytes", "format", "fields"];

/// How a node is asked, and what its answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Bosch's sensor of temperature (°C), pressure (Pa) and humidity (%).
    Bme280,
    /// A chip with a register that holds a number.
    Register {
        /// The register's number, written before reading.
        register: u8,
        /// The number in it.
        quantity: Quantity,
    },
    /// A microcontroller that answers a plain read.
    Micro(Micro),
}

/// A microcontroller's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Micro {
    /// The length of the read in bytes, at least 1.
    pub bytes: u8,
    /// What the bytes mean.
    pub format: MicroFormat,
}

/// What the bytes of a microcontroller mean.
#[derive(Debug, Clone, PartialEq)]
pub enum MicroFormat {
    /// A JSON object, cut at the first line break, 0x00 or 0xff.
    Json,
    /// Numbers at fixed places, 1 to 64, no two of one channel.
    Fields(Vec<Field>),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bme280,
    Register,
    Micro,
}

const KINDS: [(&str, Kind); 3] = [("bme280", Kind::Bme280), ("register", Kind::Register), ("micro", Kind::Micro)];

/// Reads the keys that say what the node is.
pub(crate) fn read(section: &mut Section<'_, '_>) -> Option<Part> {
    let kind = section.required("part", "\"bme280\"", choice(&KINDS));
    let part = match kind {
        Some(Kind::Bme280) => Some(Part::Bme280),
        Some(Kind::Register) => register(section),
        Some(Kind::Micro) => micro(section),
        None => None,
    };
    refuse_keys_of_other_parts(section, kind);
    part
}

fn register(section: &mut Section<'_, '_>) -> Option<Part> {
    let register = section
        .required("register", "0x00", |value| count(value, 0..=255, "write the register's number, between 0 and 255"));
    let quantity = quantity::read(section, "\"lux\"");
    Some(Part::Register { register: u8::try_from(register?).ok()?, quantity: quantity? })
}

fn micro(section: &mut Section<'_, '_>) -> Option<Part> {
    let bytes =
        section.required("bytes", "32", |value| count(value, 1..=255, "write the length of the read, 1 to 255 bytes"));
    let is_fields = section.required("format", "\"json\"", choice(&[("json", false), ("fields", true)]));
    let format = match is_fields {
        Some(true) => fields(section, bytes).map(MicroFormat::Fields),
        Some(false) if section.has("fields") => {
            section.add("fields", ValueError::new("is not for the format \"json\"", "remove it"));
            None
        }
        Some(false) => Some(MicroFormat::Json),
        None => None,
    };
    section.ignore("fields");
    Some(Part::Micro(Micro { bytes: u8::try_from(bytes?).ok()?, format: format? }))
}

fn fields(section: &mut Section<'_, '_>, bytes: Option<usize>) -> Option<Vec<Field>> {
    let example = "[{ channel = \"soil\", at = 0 }]";
    section.demand("fields", &format!("add fields = {example}"));
    let remedy = format!("write fields = {example}");
    let fields = section.tables("fields", &remedy, 1..=MAX_FIELDS, |_, field| quantity::read_field(field, bytes));
    let mut channels = BTreeSet::new();
    for (index, field) in fields.iter().enumerate() {
        let Some(field) = field else { continue };
        if !channels.insert(&field.quantity.channel) {
            let what = format!("is {:?}, as in an earlier field", field.quantity.channel.as_str());
            section.add(&format!("fields[{index}].channel"), ValueError::new(what, "choose another name"));
        }
    }
    fields.into_iter().collect()
}

/// Without a part nobody knows which keys are right, so none is called wrong.
fn refuse_keys_of_other_parts(section: &mut Section<'_, '_>, kind: Option<Kind>) {
    for key in PART_KEYS {
        if !kind.is_some_and(|kind| has_key(kind, key)) {
            section.ignore(key);
            if let Some((name, _)) = KINDS.iter().find(|(_, other)| Some(*other) == kind).filter(|_| section.has(key)) {
                let what = format!("is not for a part {name:?}");
                section.add(key, ValueError::new(what, "remove it, or correct the part"));
            }
        }
    }
}

fn has_key(kind: Kind, key: &str) -> bool {
    let of_a_micro = ["bytes", "format", "fields"].contains(&key);
    match kind {
        Kind::Bme280 => false,
        Kind::Register => !of_a_micro,
        Kind::Micro => of_a_micro,
    }
}
