//! Which readings a damage has not touched, found without a word of the queue: where the bodies of the readings lie in its
//! files, and how far from there the damage is.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fieldgate_tests::storage::content::{beginning, body, units_from};
use fieldgate_tests::storage::found::Found;
use fieldgate_tests::storage::ledger::Outcome;
use queue::StreamId;

/// A frame is no longer than this, so damage further away from a body is not in its frame.
const REACH: u64 = queue::MAX_FRAME_BYTES as u64;

/// Bytes of one file, which lies at this path below the queue's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    pub file: PathBuf,
    pub range: Range<u64>,
}

/// Where the readings of a closed queue lie. Some lie in several places, and of those some may be half overwritten, so a
/// reading has to stay only if none of them was touched.
pub struct Oracle {
    readings: HashMap<(StreamId, u64), Vec<Bytes>>,
    ends: Vec<(StreamId, u64)>,
}

impl Oracle {
    /// Looks for these streams, from 1 to their last number, in all files of the queue.
    pub fn new(queue: &Path, ends: &[(StreamId, u64)]) -> Oracle {
        let mut readings = HashMap::new();
        for file in files_below(queue) {
            let content = fs::read(&file).expect("a file of the queue");
            let name = file.strip_prefix(queue).expect("it lies below").to_owned();
            for (stream, last) in ends {
                find(&content, (*stream, *last), &mut |number, range| {
                    let place = Bytes { file: name.clone(), range };
                    readings.entry((*stream, number)).or_insert_with(Vec::new).push(place);
                });
            }
        }
        let oracle = Oracle { readings, ends: ends.to_vec() };
        let found = u64::try_from(oracle.readings.len());
        assert_eq!(found, Ok(oracle.acknowledged()), "every reading lies in the files in plain bytes");
        oracle
    }

    /// How many readings there were.
    pub fn acknowledged(&self) -> u64 {
        self.ends.iter().map(|(_, last)| last).sum()
    }

    /// What a damage has left of the readings, against what it has to leave: the units of which it touched nothing.
    pub fn compare(&self, touched: &[Bytes], found: &Found) -> Outcome {
        let mut outcome = Outcome::default();
        for (stream, last) in &self.ends {
            for unit in units_from(1).take_while(|unit| unit.end() <= last) {
                let has_to_stay = unit.clone().all(|number| self.is_untouched(*stream, number, touched));
                for number in unit {
                    let is_found = found.has(*stream, number);
                    outcome.acknowledged += 1;
                    outcome.saved += u64::from(is_found);
                    outcome.lost += u64::from(has_to_stay && !is_found);
                }
            }
        }
        outcome
    }

    fn is_untouched(&self, stream: StreamId, number: u64, touched: &[Bytes]) -> bool {
        !self.readings[&(stream, number)].iter().any(|place| touched.iter().any(|touched| place.is_near(touched)))
    }
}

impl Bytes {
    fn is_near(&self, touched: &Bytes) -> bool {
        let begins = self.range.start.saturating_sub(REACH);
        self.file == touched.file && touched.range.start < self.range.end + REACH && begins < touched.range.end
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the queue").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files.extend(files_below(&entry));
        } else {
            files.push(entry);
        }
    }
    files
}

/// Calls back with the number and the place of each body of a stream, up to its last number.
fn find(content: &[u8], (stream, last): (StreamId, u64), found: &mut dyn FnMut(u64, Range<u64>)) {
    let numbers: HashMap<Vec<u8>, u64> = (1..=last).map(|number| (beginning(stream, number), number)).collect();
    let length = beginning(stream, 1).len();
    for (at, window) in content.windows(length).enumerate() {
        let Some(&number) = numbers.get(window) else { continue };
        let body = body(stream, number);
        if content[at..].starts_with(&body) {
            let begins = u64::try_from(at).expect("a small file");
            found(number, begins..begins + u64::try_from(body.len()).expect("a small body"));
        }
    }
}

#[test]
fn bodies_are_found_and_damage_reaches_a_frame_far() {
    let stream = StreamId::from_u64(0xab).expect("not 0");
    let content = [vec![0; 10_000], body(stream, 12), vec![1; 50], body(stream, 13)].concat();
    let mut found = Vec::new();
    find(&content, (stream, 20), &mut |number, range| found.push((number, range.start)));
    let second = 10_050 + u64::try_from(body(stream, 12).len()).expect("a small body");
    assert_eq!(found, [(12, 10_000), (13, second)]);
    let bytes = |range| Bytes { file: "db".into(), range };
    assert!(bytes(10_000..10_100).is_near(&bytes(10_000 - REACH..10_001 - REACH)));
    assert!(!bytes(10_000..10_100).is_near(&bytes(0..10_000 - REACH)));
    assert!(!bytes(10_000..10_100).is_near(&Bytes { file: "other".into(), range: 10_000..10_001 }));
}
