//! Past what cannot be read: a damaged page of the store hides some frames, and must not hide those behind it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::QueueError;
use crate::key::Key;
use crate::store::Store;

/// So many damaged places are told apart; more are no longer counted, which bounds the memory.
const COUNTED_PLACES: usize = 4096;

type Found = Result<Option<(Key, Vec<u8>)>, QueueError>;

/// A store that is read past its damaged pages, and remembers that there are some.
pub(crate) struct SkippingStore {
    store: Box<dyn Store>,
    damage: Mutex<BTreeSet<Key>>,
}

impl SkippingStore {
    pub(crate) fn new(store: Box<dyn Store>) -> SkippingStore {
        SkippingStore { store, damage: Mutex::new(BTreeSet::new()) }
    }

    /// Remembers a damaged place, once.
    pub(crate) fn note_damage(&self, place: Key) {
        let mut places = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() < COUNTED_PLACES {
            places.insert(place);
        }
    }

    /// How many damaged places were met.
    pub(crate) fn damaged_places(&self) -> u64 {
        let places = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        u64::try_from(places.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError> {
        self.store.insert(key, frame)
    }

    /// Takes a frame out. On a page that cannot be read it stays: that costs space, while an error here would keep all
    /// later frames from being trimmed.
    pub(crate) fn remove(&self, key: Key) -> Result<(), QueueError> {
        match self.store.remove(key) {
            Err(QueueError::Damaged { .. }) => {
                self.note_damage(key);
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// The first frame at or above a key on a page that can be read.
    pub(crate) fn next(&self, from: Key) -> Found {
        self.past_damage(from, Direction::Up, |at| self.store.next(at))
    }

    /// The last frame below a key on a page that can be read.
    pub(crate) fn previous(&self, below: Key) -> Found {
        self.past_damage(below, Direction::Down, |at| self.store.previous(at))
    }

    pub(crate) fn sync(&self) -> Result<(), QueueError> {
        self.store.sync()
    }

    fn past_damage(&self, start: Key, direction: Direction, look: impl Fn(Key) -> Found) -> Found {
        let outcome = look(start);
        if !is_damage(&outcome) {
            return outcome;
        }
        let found = first_readable(start, direction, look)?;
        self.note_damage(found.as_ref().map_or(direction.end(), |(key, _)| *key));
        Ok(found)
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn end(self) -> Key {
        match self {
            Direction::Up => Key::MAX,
            Direction::Down => Key::MIN,
        }
    }

    /// The key so many steps away, or the end.
    fn step(self, from: Key, steps: u128) -> Key {
        Key::from_number(match self {
            Direction::Up => from.to_number().saturating_add(steps),
            Direction::Down => from.to_number().saturating_sub(steps),
        })
    }
}

/// The nearest place past one damaged page: doubles the distance until something can be read, then halves back, so 256
/// looks are the most it takes, wherever the page ends. Readable pages between two damaged ones may be passed over.
fn first_readable(start: Key, direction: Direction, look: impl Fn(Key) -> Found) -> Found {
    let (mut damaged, mut readable) = (0_u128, 1_u128);
    let mut found = look(direction.step(start, readable));
    while is_damage(&found) {
        if direction.step(start, readable) == direction.end() {
            return Ok(None);
        }
        (damaged, readable) = (readable, readable.saturating_mul(2));
        found = look(direction.step(start, readable));
    }
    while readable - damaged > 1 {
        let middle = damaged + (readable - damaged) / 2;
        let nearer = look(direction.step(start, middle));
        if is_damage(&nearer) {
            damaged = middle;
        } else {
            (readable, found) = (middle, nearer);
        }
    }
    found
}

fn is_damage(outcome: &Found) -> bool {
    matches!(outcome, Err(QueueError::Damaged { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_store::{MemoryStore, key};

    /// Frames 10, 20 ... 200 of stream number 3, some of them on pages that cannot be read.
    fn store(unreadable: &[std::ops::RangeInclusive<u64>]) -> SkippingStore {
        let store = MemoryStore::default();
        for first in 1..=20 {
            store.insert(key(3, first * 10), &[]).unwrap();
        }
        for range in unreadable {
            store.make_unreadable(key(3, *range.start()), key(3, *range.end()));
        }
        SkippingStore::new(Box::new(store))
    }

    fn all_up(store: &SkippingStore) -> Vec<u64> {
        let mut found = Vec::new();
        let mut from = Key::MIN;
        while let Some((key, _)) = store.next(from).unwrap() {
            found.push(key.first / 10);
            from = key.after();
        }
        found
    }

    fn all_down(store: &SkippingStore) -> Vec<u64> {
        let mut found = Vec::new();
        let mut below = Key::MAX;
        while let Some((key, _)) = store.previous(below).unwrap() {
            found.push(key.first / 10);
            below = key;
        }
        found.reverse();
        found
    }

    #[test]
    fn everything_around_a_damaged_page_is_read_in_both_directions() {
        for (first, last) in [(1, 1), (1, 7), (8, 8), (8, 13), (15, 20), (20, 20)] {
            let store = store(&[first * 10..=last * 10]);
            let around: Vec<u64> = (1..first).chain(last + 1..=20).collect();
            assert_eq!((all_up(&store), all_down(&store)), (around.clone(), around), "{first} to {last}");
            assert!(store.damaged_places() > 0);
        }
    }

    #[test]
    fn nothing_readable_is_an_empty_store_and_ends() {
        let store = store(&[0..=u64::MAX]);
        assert_eq!((all_up(&store), all_down(&store)), (vec![], vec![]));
    }

    #[test]
    fn a_place_is_counted_once() {
        let store = store(&[50..=60]);
        all_up(&store);
        all_up(&store);
        assert_eq!(store.damaged_places(), 1);
    }

    #[test]
    fn removing_on_a_damaged_page_goes_on() {
        let store = store(&[50..=60]);
        store.remove(key(3, 50)).unwrap();
        store.remove(key(3, 70)).unwrap();
        assert_eq!(all_up(&store).len(), 17);
        assert_eq!(store.damaged_places(), 2);
    }
}
