//! Which records share a frame: a pure function from units to frames.

use crate::frame::{HEADER_BYTES, MAX_FRAME_BYTES, MAX_FRAME_RECORDS, Part};
use crate::{Record, Unit};

/// The most bytes that CBOR adds to one record: its array, its kind, the length of its body.
const RECORD_OVERHEAD: usize = 6;
/// The bytes of the array around up to 64 records.
const ARRAY_OVERHEAD: usize = 2;
const BODY_BYTES: usize = MAX_FRAME_BYTES - HEADER_BYTES - ARRAY_OVERHEAD;

/// The records of one frame.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) part: Part,
    pub(crate) records: Vec<&'a Record>,
    bytes: usize,
}

impl<'a> Piece<'a> {
    fn new(part: Part) -> Piece<'a> {
        Piece { part, records: Vec::new(), bytes: 0 }
    }

    fn has_room(&self, records: &[Record]) -> bool {
        self.records.len() + records.len() <= MAX_FRAME_RECORDS && self.bytes + cost(records) <= BODY_BYTES
    }

    fn add(&mut self, records: &'a [Record]) {
        self.records.extend(records);
        self.bytes += cost(records);
    }

    pub(crate) fn numbered(&self) -> u64 {
        let numbered = self.records.iter().filter(|record| record.kind.is_numbered()).count();
        u64::try_from(numbered).unwrap_or(u64::MAX)
    }
}

/// Puts units into frames: whole units share frames, a unit too large for one has frames of its own.
pub(crate) fn pack(units: &[Unit]) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for unit in units {
        if !Piece::new(Part::Whole).has_room(unit.records()) {
            pieces.extend(spanning(unit.records()));
            continue;
        }
        match pieces.last_mut() {
            Some(piece) if piece.part == Part::Whole && piece.has_room(unit.records()) => piece.add(unit.records()),
            _ => pieces.push(whole(unit.records())),
        }
    }
    pieces
}

fn whole(records: &[Record]) -> Piece<'_> {
    let mut piece = Piece::new(Part::Whole);
    piece.add(records);
    piece
}

/// The frames of one unit that needs several.
fn spanning(records: &[Record]) -> Vec<Piece<'_>> {
    let mut pieces = vec![Piece::new(Part::First)];
    for group in numbered_groups(records) {
        match pieces.last_mut() {
            Some(piece) if piece.has_room(group) => piece.add(group),
            _ => {
                let mut piece = Piece::new(Part::Middle);
                piece.add(group);
                pieces.push(piece);
            }
        }
    }
    if let Some(last) = pieces.last_mut() {
        last.part = Part::Last;
    }
    pieces
}

/// Cuts before each numbered record but the first, so that a record without a number never stands in a frame that has
/// none: such a frame would have the key of the next one. `Unit::new` made sure that each group fits a frame.
fn numbered_groups(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let mut seen_numbered = false;
    let mut starts = vec![0];
    for (index, record) in records.iter().enumerate() {
        if record.kind.is_numbered() && std::mem::replace(&mut seen_numbered, true) {
            starts.push(index);
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([records.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &records[start..end])
}

fn cost(records: &[Record]) -> usize {
    records.iter().map(|record| record.body.len() + RECORD_OVERHEAD).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Header;
    use crate::{Kind, MAX_NOTES, MAX_NOTES_BYTES, MAX_RECORD_BYTES, StreamId};
    use proptest::prelude::*;

    fn unit(kinds_and_bytes: &[(Kind, usize)]) -> Unit {
        Unit::new(kinds_and_bytes.iter().map(|&(kind, bytes)| Record { kind, body: vec![1; bytes] }).collect()).unwrap()
    }

    fn encoded(piece: &Piece<'_>) -> Vec<u8> {
        let header = Header {
            part: piece.part,
            records: u16::try_from(piece.records.len()).unwrap(),
            numbered: u16::try_from(piece.numbered()).unwrap(),
            order: 1,
            stream: StreamId::from_u64(1).unwrap(),
            first: 1,
            written_ms: 0,
            group: 1,
        };
        header.encode(&piece.records).unwrap()
    }

    fn parts(units: &[Unit]) -> Vec<(Part, usize)> {
        pack(units).iter().map(|piece| (piece.part, piece.records.len())).collect()
    }

    #[test]
    fn small_units_share_frames() {
        let units = vec![unit(&[(Kind::READING, 50)]); 130];
        assert_eq!(parts(&units), [(Part::Whole, 64), (Part::Whole, 64), (Part::Whole, 2)]);
    }

    #[test]
    fn a_unit_that_does_not_fit_the_rest_starts_a_new_frame() {
        let units = [unit(&[(Kind::READING, 4000)]), unit(&[(Kind::READING, 4000)]), unit(&[(Kind::READING, 10)])];
        assert_eq!(parts(&units), [(Part::Whole, 1), (Part::Whole, 2)]);
    }

    #[test]
    fn a_unit_that_spans_frames_has_them_for_itself() {
        let large = unit(&[(Kind::READING, 3000); 6]);
        let units = [unit(&[(Kind::READING, 1)]), large, unit(&[(Kind::READING, 1)])];
        let expected = [(Part::Whole, 1), (Part::First, 2), (Part::Middle, 2), (Part::Last, 2), (Part::Whole, 1)];
        assert_eq!(parts(&units), expected);
    }

    #[test]
    fn the_largest_record_and_all_notes_fit_one_frame() {
        let note = (Kind(0xff), MAX_NOTES_BYTES / MAX_NOTES);
        let mut records = vec![(Kind(0x7f), MAX_RECORD_BYTES)];
        records.extend([note; MAX_NOTES]);
        assert_eq!(parts(&[unit(&records)]), [(Part::Whole, 1 + MAX_NOTES)]);
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        let numbered = proptest::collection::vec((0_u8..0x80, 0..MAX_RECORD_BYTES), 1..80);
        let notes = proptest::collection::vec((0x80_u8..=0xff, 0..MAX_NOTES_BYTES / MAX_NOTES), 0..=MAX_NOTES);
        (numbered, notes).prop_flat_map(|(numbered, notes)| {
            Just([numbered, notes].concat())
                .prop_shuffle()
                .prop_map(|all| unit(&all.into_iter().map(|(kind, bytes)| (Kind(kind), bytes / 8)).collect::<Vec<_>>()))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_is_lost_and_every_frame_fits(units in proptest::collection::vec(any_unit(), 1..6)) {
            let pieces = pack(&units);
            let packed: Vec<&Record> = pieces.iter().flat_map(|piece| piece.records.iter().copied()).collect();
            let given: Vec<&Record> = units.iter().flat_map(Unit::records).collect();
            prop_assert_eq!(packed, given);
            let mut in_unit = false;
            for piece in &pieces {
                prop_assert!(piece.numbered() > 0);
                prop_assert!(piece.records.len() <= MAX_FRAME_RECORDS);
                prop_assert!(encoded(piece).len() <= MAX_FRAME_BYTES);
                prop_assert_eq!(in_unit, matches!(piece.part, Part::Middle | Part::Last));
                in_unit = piece.part.is_unfinished();
            }
            prop_assert!(!in_unit);
        }
    }
}
