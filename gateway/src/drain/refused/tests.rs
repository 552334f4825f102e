use super::*;
use crate::drain::plan::plan;
use queue::{Kind, MissingSpan, Numbered, Record, Why};
use sensors::{ClockQuality, Reading, Stamp, Value};
use std::collections::BTreeSet;

fn stream() -> StreamId {
    StreamId::from_u64(7).unwrap()
}

fn error(class: Class) -> DbError {
    DbError { class, words: "no".to_owned(), code: Some(1), ..DbError::closed("a") }
}

fn reading() -> Reading {
    Reading {
        node: "shed".to_owned().try_into().unwrap(),
        channel: "t".to_owned().try_into().unwrap(),
        unit: None,
        value: Ok(Value::Int(1)),
        raw: None,
        stamp: Stamp { boot: 1, boottime_us: 5, wall_us: 7, quality: ClockQuality::Synced, error_us: None },
        node_seq: None,
        node_time_us: None,
    }
}

/// A batch of readings after a cursor.
fn batch(cursor: u64, last: u64) -> Batch {
    let why = |first, last| vec![MissingSpan { first, last, why: Why::Gone }];
    let body = reading().to_bytes().unwrap();
    let item = |seq| Numbered { seq, written_ms: 0, record: Record { kind: Kind::READING, body: body.clone() } };
    plan(stream(), cursor, (cursor + 1..=last).map(item).collect(), why)
}

/// A server that refuses some readings, and what it was asked.
#[derive(Default)]
struct Server {
    refuses: BTreeSet<u64>,
    refuses_letters: bool,
    class: Option<Class>,
    /// What each route refuses.
    routes: Vec<(&'static str, BTreeSet<u64>)>,
    /// Numbers that took a route, and numbers that one refused.
    routed: BTreeSet<(&'static str, u64)>,
    unrouted: BTreeSet<(String, u64)>,
    cursor: u64,
    readings: BTreeSet<u64>,
    letters: BTreeSet<u64>,
    gaps: BTreeSet<u64>,
    asked: u32,
}

impl Server {
    fn refusing(refuses: impl IntoIterator<Item = u64>) -> Self {
        Self { refuses: refuses.into_iter().collect(), ..Self::default() }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), DbError> {
        self.asked += 1;
        assert_eq!(batch.first, self.cursor + 1);
        let refused = batch.readings.iter().any(|(seq, _)| self.refuses.contains(seq))
            || (self.refuses_letters && !batch.dead_letters.is_empty());
        if refused {
            return Err(error(self.class.unwrap_or(Class::Data)));
        }
        let takes = |route: &str, seq: u64| !batch.unrouted.iter().any(|(other, name)| *other == seq && name == route);
        let routed = |route| batch.readings.iter().map(|(seq, _)| *seq).filter(move |seq| takes(route, *seq));
        for (route, refuses) in &self.routes {
            if routed(route).any(|seq| refuses.contains(&seq)) {
                return Err(error(Class::Data).of_route(route, "t"));
            }
        }
        for (route, _) in &self.routes {
            self.routed.extend(routed(route).map(|seq| (*route, seq)));
        }
        let letters = batch.dead_letters.iter().filter(|row| !row.route.is_empty());
        self.unrouted.extend(letters.map(|row| (row.route.clone(), row.seq)));
        self.cursor = batch.last;
        self.readings.extend(batch.readings.iter().map(|(seq, _)| *seq));
        self.letters.extend(batch.dead_letters.iter().filter(|row| row.route.is_empty()).map(|row| row.seq));
        self.gaps.extend(batch.gaps.iter().map(|row| row.seq));
        Ok(())
    }

    /// As the drain does it; the number of waits.
    fn drain(&mut self, last: u64, at_once: u64) -> u32 {
        let (mut refusals, mut waits) = (Refusals::default(), 0);
        while self.cursor < last {
            assert!(self.asked < 100_000 && waits < 1000, "no end: cursor {}", self.cursor);
            let batch = refusals
                .go_on(None, |_| Some(self.cursor))
                .unwrap_or_else(|| refusals.prepare(batch(self.cursor, last.min(self.cursor + at_once))));
            match self.write(&batch) {
                Ok(()) => drop(refusals.went_well(&batch)),
                Err(error) => waits += u32::from(refusals.refused(&batch, &error) == Next::Wait),
            }
        }
        waits
    }
}

#[test]
fn the_one_row_is_found_set_aside_and_the_others_go_on() {
    for bad in [1, 2, 500, 999, 1000, 1001, 1500] {
        let mut server = Server::refusing([bad]);
        assert_eq!(server.drain(1500, 1000), 0);
        assert_eq!(server.letters, BTreeSet::from([bad]));
        assert_eq!(server.readings.len(), 1499);
        assert!(server.asked <= 35, "{bad}: {} transactions", server.asked);
    }
}

#[test]
fn a_channel_of_which_every_reading_is_refused_costs_two_transactions_a_reading() {
    let mut server = Server::refusing(1..=2000);
    assert_eq!(server.drain(2000, 64), 0);
    assert_eq!((server.readings.len(), server.letters.len()), (0, 2000));
    assert!(server.asked < 4050, "{}", server.asked);
    let mut fourth = Server::refusing((1..=500).map(|number| number * 4));
    assert_eq!(fourth.drain(2000, 64), 0);
    assert_eq!((fourth.readings.len(), fourth.letters.len()), (1500, 500));
    assert!(fourth.asked < 3050, "{}: at most 6 a refused reading", fourth.asked);
}

#[test]
fn a_dead_letter_that_is_refused_becomes_a_gap() {
    let mut server = Server { refuses_letters: true, ..Server::refusing([3]) };
    assert_eq!(server.drain(10, 10), 0);
    assert_eq!((server.letters.len(), server.gaps), (0, BTreeSet::from([3])));
    assert_eq!(server.readings.len(), 9);
}

#[test]
fn what_is_refused_in_every_form_waits_and_begins_again_as_what_it_is() {
    let mut refusals = Refusals::default();
    for _ in 0..3 {
        let forms = [Next::Again, Next::Again, Next::Wait].map(|next| {
            let batch = refusals.prepare(batch(0, 1));
            assert_eq!(refusals.refused(&batch, &error(Class::Data)), next);
            (batch.readings.len(), batch.dead_letters.len(), batch.gaps.len())
        });
        assert_eq!(forms, [(1, 0, 0), (0, 1, 0), (0, 0, 1)]);
    }
}

#[test]
fn an_unknown_error_halves_only_when_it_comes_back_five_times() {
    let mut server = Server { class: Some(Class::Unknown), ..Server::refusing([700]) };
    assert_eq!(server.drain(1500, 1000), 4, "the fifth time it is about the rows");
    assert_eq!(server.letters, BTreeSet::from([700]));
    let mut refusals = Refusals::default();
    let whole = batch(0, 10);
    for class in [Class::Busy, Class::Full, Class::Setup, Class::NotSource, Class::Protocol] {
        assert!((0..20).all(|_| refusals.refused(&whole, &error(class)) == Next::Wait), "{class:?}");
    }
}

/// A server in a state that no table knows refuses everything: then no reading may become anything else.
#[test]
fn an_unknown_error_that_meets_the_dead_letter_too_is_not_about_the_row() {
    let mut refusals = Refusals::default();
    let mut forms = BTreeSet::new();
    for _ in 0..200 {
        let batch = refusals.prepare(batch(0, 8));
        refusals.refused(&batch, &error(Class::Unknown));
        forms.insert((batch.dead_letters.len(), batch.gaps.len()));
    }
    assert_eq!(forms, BTreeSet::from([(0, 0), (1, 0)]), "tried as a dead letter, never given up as a gap");
}

#[test]
fn what_is_too_large_is_sent_in_parts_and_never_set_aside() {
    for class in [Class::TooLarge, Class::Away] {
        let mut refusals = Refusals::default();
        let mut cursor = 0;
        for _ in 0..2000 {
            let batch = refusals.prepare(batch(cursor, 64));
            assert!(batch.dead_letters.is_empty());
            match batch.rows() > 10 {
                true => drop(refusals.refused(&batch, &error(class))),
                false => {
                    refusals.went_well(&batch);
                    cursor = batch.last;
                }
            }
            if cursor == 64 {
                break;
            }
        }
        assert_eq!(cursor, 64, "{class:?}");
        let one = batch(0, 1);
        assert_eq!(refusals.refused(&one, &error(Class::TooLarge)), Next::Wait);
    }
}

#[test]
fn another_server_is_given_the_reading_itself() {
    let mut refusals = Refusals::default();
    let one = batch(4, 5);
    assert_eq!(refusals.refused(&one, &error(Class::Data)), Next::Again);
    assert_eq!(refusals.prepare(batch(4, 9)).dead_letters.len(), 1);
    let restored = refusals.prepare(batch(2, 9));
    assert_eq!((restored.readings.len(), restored.dead_letters.len()), (1, 0));
}

/// Reading, route, or both.
fn each_number_has_its_rows(bad: &BTreeSet<u64>, one: &BTreeSet<u64>, two: &BTreeSet<u64>) {
    let mut server = Server::refusing(bad.iter().copied());
    server.routes = vec![("one", one.clone()), ("two", two.clone())];
    assert_eq!(server.drain(200, 64), 0);
    let all: BTreeSet<u64> = (1..=200).collect();
    assert_eq!(
        (&server.letters, &server.readings),
        (bad, &(&all - bad)),
        "what a route refuses is stored all the same"
    );
    for (route, refuses) in [("one", one), ("two", two)] {
        let stored = &server.readings;
        let expected = |seq: &&u64| !refuses.contains(seq);
        let routed: BTreeSet<u64> =
            server.routed.iter().filter(|(name, _)| *name == route).map(|(_, seq)| *seq).collect();
        assert_eq!(routed, stored.iter().filter(expected).copied().collect::<BTreeSet<u64>>());
        let refused: BTreeSet<u64> =
            server.unrouted.iter().filter(|(name, _)| name == route).map(|(_, seq)| *seq).collect();
        assert_eq!(refused, stored & refuses);
    }
}

#[test]
fn a_reading_that_both_routes_refuse_is_stored_without_them() {
    let set = |seqs: &[u64]| seqs.iter().copied().collect::<BTreeSet<u64>>();
    each_number_has_its_rows(&set(&[]), &set(&[5]), &set(&[5, 6]));
    each_number_has_its_rows(&set(&[5]), &set(&[5, 7]), &set(&[7]));
}

#[test]
fn another_stream_in_between_hides_no_error_that_comes_back_and_only_goes_first() {
    let mut refusals = Refusals::default();
    let live = Batch { stream: StreamId::from_u64(8).unwrap(), ..batch(0, 1) };
    for _ in 1..TRIES {
        assert_eq!(refusals.refused(&batch(0, 64), &error(Class::Away)), Next::Wait);
        assert!(!refusals.went_well(&live));
    }
    assert_eq!(refusals.refused(&batch(0, 64), &error(Class::Away)), Next::Again);
    assert_eq!(refusals.prepare(batch(0, 64)).rows(), 32);
    assert!(refusals.go_on(Some(live.stream), |_| Some(0)).is_none());
    assert_eq!(refusals.prepare(live.clone()).rows(), 1);
    refusals.went_well(&live);
    let part = refusals.go_on(None, |stream| (stream == batch(0, 1).stream).then_some(0)).unwrap();
    assert_eq!((part.first, part.rows()), (1, 32), "it was kept");
}

proptest::proptest! {
    #[test]
    fn each_number_has_its_rows_whatever_routes_refuse(
        bad in proptest::collection::btree_set(1_u64..200, 0..10),
        one in proptest::collection::btree_set(1_u64..200, 0..20),
        two in proptest::collection::btree_set(1_u64..200, 0..20),
    ) {
        each_number_has_its_rows(&bad, &one, &two);
    }

    #[test]
    fn every_number_becomes_one_row_whatever_is_refused(bad in proptest::collection::btree_set(1_u64..300, 0..40), letters in proptest::bool::ANY) {
        let mut server = Server { refuses_letters: letters, ..Server::refusing(bad.clone()) };
        server.drain(300, 50);
        let all: BTreeSet<u64> = (1..=300).collect();
        proptest::prop_assert_eq!(&server.readings, &all.difference(&bad).copied().collect());
        proptest::prop_assert_eq!(if letters { &server.gaps } else { &server.letters }, &bad);
    }
}
