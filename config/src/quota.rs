//! `[quota]`: how much one node may bring.

use std::num::NonZeroU32;

use toml::de::DeValue;

use crate::problem::ValueError;
use crate::section::Section;
use crate::values::count;

/// More than a gateway takes in, so that no node meets it unless somebody asks for it.
const MOST_PER_SECOND: u32 = 100_000;

/// How much of one node is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Readings a second of each node, 1 to 100000; after silence, ten seconds' worth at once. Default: 100000.
    pub readings_per_second: NonZeroU32,
}

pub(crate) fn read(section: &mut Section<'_, '_>) -> Quota {
    let most = NonZeroU32::new(MOST_PER_SECOND).unwrap_or(NonZeroU32::MAX);
    Quota { readings_per_second: section.or("readings_per_second", most, per_second) }
}

fn per_second(value: &DeValue<'_>) -> Result<NonZeroU32, ValueError> {
    let remedy = "write a whole number between 1 and 100000";
    let most = usize::try_from(MOST_PER_SECOND).unwrap_or(usize::MAX);
    let found = count(value, 1..=most, remedy)?;
    let found = u32::try_from(found).ok().and_then(NonZeroU32::new);
    found.ok_or_else(|| ValueError::new("is out of bounds", remedy))
}
