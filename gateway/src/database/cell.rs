//! One value on its way to or from a server.

use mysql_async::Value;

/// A value in one of the forms our tables use.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    UInt(u64),
    /// A double.
    Double(f64),
    /// Text or bytes.
    Bytes(Vec<u8>),
    /// A DATETIME(6) in UTC, as microseconds since 1970.
    TimeUs(i64),
}

/// The kind of a cell that is not NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A signed whole number.
    Int,
    /// An unsigned whole number.
    UInt,
    /// A double.
    Double,
    /// Text or bytes.
    Bytes,
    /// A point in time.
    Time,
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bytes(text.into().into_bytes())
    }

    /// `Null` for none.
    pub fn optional<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, cell)
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Null => None,
            Self::Int(_) => Some(Kind::Int),
            Self::UInt(_) => Some(Kind::UInt),
            Self::Double(_) => Some(Kind::Double),
            Self::Bytes(_) => Some(Kind::Bytes),
            Self::TimeUs(_) => Some(Kind::Time),
        }
    }

    /// What it takes on its way to a server at most, with its type and its length.
    pub fn wire_bytes(&self) -> usize {
        const TYPE_AND_INDICATOR: usize = 3;
        match self {
            Self::Null => TYPE_AND_INDICATOR,
            Self::Int(_) | Self::UInt(_) | Self::Double(_) => TYPE_AND_INDICATOR + 8,
            Self::TimeUs(_) => TYPE_AND_INDICATOR + 12,
            Self::Bytes(bytes) => bytes.len().saturating_add(TYPE_AND_INDICATOR + 9),
        }
    }

    /// Bytes of the value as it is sent to a server.
    pub fn sent_bytes(&self) -> u64 {
        match self {
            Self::Null => 0,
            Self::Int(_) | Self::UInt(_) | Self::Double(_) => 8,
            // Length, year, month, day, hour, minute, second, microseconds.
            Self::TimeUs(_) => 12,
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_add(1),
        }
    }

    /// The number, also from its text form.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::UInt(number) => Some(*number),
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::Bytes(_) => self.as_text()?.parse().ok(),
            _ => None,
        }
    }

    /// The number, also from its text form.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::UInt(number) => i64::try_from(*number).ok(),
            Self::Bytes(_) => self.as_text()?.parse().ok(),
            _ => None,
        }
    }

    /// The time, microseconds since 1970.
    pub fn as_time_us(&self) -> Option<i64> {
        if let Self::TimeUs(us) = self { Some(*us) } else { None }
    }

    /// The text; numbers as they are written.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Int(number) => Some(number.to_string()),
            Self::UInt(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// A column that mixes kinds, and the two kinds.
pub fn mixed_column(rows: &[Vec<Cell>]) -> Option<(usize, Kind, Kind)> {
    let mut kinds: Vec<Option<Kind>> = vec![None; rows.first().map_or(0, Vec::len)];
    rows.iter().find_map(|row| {
        kinds.iter_mut().zip(row).enumerate().find_map(|(column, (first, cell))| {
            let other = cell.kind()?;
            let first = *first.get_or_insert(other);
            (first != other).then_some((column, first, other))
        })
    })
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::NULL,
            Cell::Int(number) => Self::Int(number),
            Cell::UInt(number) => Self::UInt(number),
            Cell::Double(number) => Self::Double(number),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::TimeUs(us) => date(us),
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::NULL => Self::Null,
            Value::Int(number) => Self::Int(number),
            Value::UInt(number) => Self::UInt(number),
            Value::Float(number) => Self::Double(f64::from(number)),
            Value::Double(number) => Self::Double(number),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Date(year, month, day, hour, minute, second, us) => {
                time_us(year, month, day, hour, minute, second, us).map_or(Self::Null, Self::TimeUs)
            }
            // None of our columns is a TIME.
            Value::Time(..) => Self::Null,
        }
    }
}

/// DATETIME holds the years 1000 to 9999; a clock beyond that is cut to its bounds.
fn date(us: i64) -> Value {
    const EARLIEST_US: i64 = -30_610_224_000_000_000;
    const LATEST_US: i64 = 253_402_207_200_000_000;
    let us = us.clamp(EARLIEST_US, LATEST_US);
    let Ok(timestamp) = jiff::Timestamp::from_microsecond(us) else { return Value::NULL };
    let at = jiff::tz::Offset::UTC.to_datetime(timestamp);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    Value::Date(
        u16::try_from(at.year()).unwrap_or(0),
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
        u32::try_from(us.rem_euclid(1_000_000)).unwrap_or(0),
    )
}

fn time_us(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8, us: u32) -> Option<i64> {
    let small = |number: u8| i8::try_from(number).ok();
    let at = jiff::civil::DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    );
    let seconds = jiff::tz::Offset::UTC.to_timestamp(at.ok()?).ok()?.as_second();
    seconds.checked_mul(1_000_000)?.checked_add(i64::from(us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_to_the_microsecond_also_before_1970() {
        for us in [0, 1, -1, 1_772_366_400_123_456, -86_400_000_001, 253_402_207_199_999_999] {
            assert_eq!(Cell::from(Value::from(Cell::TimeUs(us))), Cell::TimeUs(us));
        }
        assert_eq!(Value::from(Cell::TimeUs(0)), Value::Date(1970, 1, 1, 0, 0, 0, 0));
    }

    #[test]
    fn a_column_of_two_kinds_is_found_wherever_it_stands() {
        let row = |a, b| vec![a, b];
        let mixed =
            [row(Cell::Null, Cell::Null), row(Cell::Int(1), Cell::Double(1.5)), row(Cell::Int(2), Cell::Int(7))];
        assert_eq!(mixed_column(&mixed), Some((1, Kind::Double, Kind::Int)));
        let plain = [row(Cell::Null, Cell::Double(1.0)), row(Cell::Int(1), Cell::Null)];
        assert_eq!(mixed_column(&plain), None);
        assert_eq!(mixed_column(&[]), None);
    }
}
