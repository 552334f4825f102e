//! What goes into the queue: records, and the units that stay together.

/// What a record is. Values below 0x80 take a sequence number, the others do not, so that a kind which this
/// version does not know has a defined numbering too. Of a kind with a number, 0x40 says that another gateway may have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// One reading of one channel.
    pub const READING: Kind = Kind(1);
    /// A span that is missing, with its reason.
    pub const GAP: Kind = Kind(2);
    /// A payload that could not become readings.
    pub const DEAD_LETTER: Kind = Kind(3);
    /// What the clock was at this place of the stream.
    pub const CLOCK_ANCHOR: Kind = Kind(0x80);
    /// Which MQTT message the unit came from.
    pub const MQTT_RECEIPT: Kind = Kind(0x81);

    const SHARED: u8 = 0x40;

    /// Whether records of this kind take a sequence number.
    #[must_use]
    pub fn is_numbered(self) -> bool {
        self.0 < 0x80
    }

    /// The same kind, of what another gateway may have too. A kind without a number stays as it is.
    #[must_use]
    pub fn shared(self) -> Kind {
        if self.is_numbered() { Kind(self.0 | Self::SHARED) } else { self }
    }

    /// Whether another gateway may have it too.
    #[must_use]
    pub fn is_shared(self) -> bool {
        self.is_numbered() && self.0 & Self::SHARED != 0
    }

    /// The same kind, whoever else may have it. A kind without a number stays as it is.
    #[must_use]
    pub fn plain(self) -> Kind {
        if self.is_numbered() { Kind(self.0 & !Self::SHARED) } else { self }
    }
}

/// One record: its kind and bytes that the queue does not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Its bytes: at most [`MAX_RECORD_BYTES`] for a numbered kind, and at most [`MAX_NOTES_BYTES`] together for
    /// those of a unit that take no number.
    pub body: Vec<u8>,
}

/// The longest body of a numbered record: 6 KiB. Such a record and all the notes of its unit fit one frame.
pub const MAX_RECORD_BYTES: usize = 6 * 1024;

/// The most bytes that the records without a number may have in one unit, together.
pub const MAX_NOTES_BYTES: usize = 512;

/// The most records without a number in one unit.
pub const MAX_NOTES: usize = 8;

/// Why records are not a unit that the queue can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// There is no record that takes a number, so the unit would have no place in the stream.
    #[error("a unit needs at least one record that takes a number: add a reading, a gap or a dead letter")]
    NothingNumbered,
    /// One numbered record is too long.
    #[error("record {index} has {bytes} bytes, the queue takes {MAX_RECORD_BYTES}: make it a dead letter")]
    TooLarge {
        /// Its place in the unit, from 0.
        index: usize,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The records without a number are too many or too long.
    #[error("{count} records without a number ({bytes} bytes), a unit takes {MAX_NOTES} ({MAX_NOTES_BYTES} bytes)")]
    TooManyNotes {
        /// How many they are.
        count: usize,
        /// Their bytes together.
        bytes: usize,
    },
}

/// The records of one message: all of them are in the queue, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    records: Vec<Record>,
    numbered: usize,
    bytes: usize,
}

impl Unit {
    /// A unit of these records, in this order.
    ///
    /// # Errors
    /// [`RecordError`] when none of them takes a number, or when a frame could not hold them.
    pub fn new(records: Vec<Record>) -> Result<Unit, RecordError> {
        check_notes(&records)?;
        check_numbered(&records)?;
        let numbered = records.iter().filter(|record| record.kind.is_numbered()).count();
        let bytes = records.iter().map(|record| record.body.len()).sum();
        Ok(Unit { records, numbered, bytes })
    }

    /// The records, in their order.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many of them take a sequence number; at least 1.
    #[must_use]
    pub fn numbered(&self) -> usize {
        self.numbered
    }

    /// The bytes of all bodies together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn check_notes(records: &[Record]) -> Result<(), RecordError> {
    let notes = || records.iter().filter(|record| !record.kind.is_numbered());
    let (count, bytes) = (notes().count(), notes().map(|note| note.body.len()).sum());
    if count > MAX_NOTES || bytes > MAX_NOTES_BYTES {
        return Err(RecordError::TooManyNotes { count, bytes });
    }
    Ok(())
}

fn check_numbered(records: &[Record]) -> Result<(), RecordError> {
    let mut numbered = records.iter().enumerate().filter(|(_, record)| record.kind.is_numbered()).peekable();
    if numbered.peek().is_none() {
        return Err(RecordError::NothingNumbered);
    }
    match numbered.find(|(_, record)| record.body.len() > MAX_RECORD_BYTES) {
        Some((index, record)) => Err(RecordError::TooLarge { index, bytes: record.body.len() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Kind, bytes: usize) -> Record {
        Record { kind, body: vec![7; bytes] }
    }

    #[test]
    fn counts_numbers_and_bytes() {
        let unit = Unit::new(vec![record(Kind::READING, 3), record(Kind::MQTT_RECEIPT, 4)]).unwrap();
        assert_eq!((unit.numbered(), unit.bytes(), unit.records().len()), (1, 7, 2));
    }

    #[test]
    fn unknown_kinds_have_a_numbering() {
        assert!(Kind(0x7f).is_numbered());
        assert!(!Kind(0xff).is_numbered());
    }

    #[test]
    fn a_numbered_kind_is_itself_whoever_else_has_it_and_a_note_is_never_shared() {
        for kind in [Kind::READING, Kind::GAP, Kind::DEAD_LETTER, Kind(13)] {
            assert!(!kind.is_shared() && kind.shared().is_shared() && kind.shared().is_numbered());
            assert_eq!((kind.shared().plain(), kind.shared().shared(), kind.plain()), (kind, kind.shared(), kind));
        }
        for kind in [Kind::CLOCK_ANCHOR, Kind::MQTT_RECEIPT, Kind(0xff)] {
            assert_eq!((kind.shared(), kind.plain(), kind.is_shared()), (kind, kind, false));
        }
    }

    #[test]
    fn refuses_what_no_frame_can_hold() {
        assert_eq!(Unit::new(vec![]), Err(RecordError::NothingNumbered));
        assert_eq!(Unit::new(vec![record(Kind::CLOCK_ANCHOR, 1)]), Err(RecordError::NothingNumbered));
        let large = vec![record(Kind::READING, MAX_RECORD_BYTES), record(Kind::GAP, MAX_RECORD_BYTES + 1)];
        assert_eq!(Unit::new(large), Err(RecordError::TooLarge { index: 1, bytes: MAX_RECORD_BYTES + 1 }));
        let notes = |count, bytes| {
            let mut records = vec![record(Kind::READING, 1)];
            records.extend((0..count).map(|_| record(Kind::MQTT_RECEIPT, bytes)));
            Unit::new(records)
        };
        assert!(notes(MAX_NOTES, MAX_NOTES_BYTES / MAX_NOTES).is_ok());
        assert_eq!(notes(1, 513), Err(RecordError::TooManyNotes { count: 1, bytes: 513 }));
        assert_eq!(notes(9, 0), Err(RecordError::TooManyNotes { count: 9, bytes: 0 }));
    }
}
