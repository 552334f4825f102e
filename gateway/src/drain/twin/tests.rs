//! What two looks tell.

use super::*;

fn look(places: &[(u64, u64, i64)]) -> Look {
    places
        .iter()
        .map(|(stream, last_seq, updated_us)| (*stream, Place { last_seq: *last_seq, updated_us: *updated_us }))
        .collect()
}

const OURS: u64 = 1;

fn moved_between(before: &[(u64, u64, i64)], now: &[(u64, u64, i64)]) -> Vec<(u64, Moved)> {
    moved(&look(before), &look(now), |stream| stream == OURS)
}

#[test]
fn only_a_stream_of_somebody_else_that_moves_is_seen() {
    let dead = (2, 70, 500);
    assert_eq!(moved_between(&[(OURS, 5, 10), dead], &[(OURS, 9, 20), dead]), []);
    assert_eq!(moved_between(&[(3, 5, 10), dead], &[(3, 5, 20), dead]), [(3, Moved::Alive)]);
    assert_eq!(moved_between(&[(3, 5, 10), dead], &[(3, 6, 20), dead]), [(3, Moved::Written)]);
    assert_eq!(moved_between(&[dead], &[dead, (3, 0, 20)]), [(3, Moved::Written)]);
}

#[test]
fn a_server_that_is_behind_the_one_before_shows_no_other_machine() {
    assert_eq!(moved_between(&[(3, 9, 90)], &[(3, 5, 50)]), []);
    assert_eq!(moved_between(&[(3, 9, 90)], &[(3, 5, 95)]), [], "its cursor went back: a restored database");
    assert_eq!(moved_between(&[(3, 9, 90)], &[]), []);
}

#[test]
fn a_queue_without_the_newest_earlier_stream_is_another_one() {
    let elsewhere = |look: &Look| newest_elsewhere(look, 9, |stream| stream == OURS || stream == 9);
    assert_eq!(elsewhere(&look(&[(9, 0, 99)])), None, "the very first start");
    assert_eq!(elsewhere(&look(&[(OURS, 5, 50), (2, 5, 40), (9, 0, 99)])), None, "an older queue was lost long ago");
    assert_eq!(elsewhere(&look(&[(OURS, 5, 50), (2, 5, 60), (9, 0, 99)])), Some((2, 60)));
    assert_eq!(elsewhere(&look(&[(2, 5, 60), (9, 0, 99)])), Some((2, 60)));
    assert_eq!(elsewhere(&look(&[(OURS, 5, 50), (2, 0, 60), (9, 0, 99)])), None, "the run before heard nothing");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_once_until_nothing_has_moved_for_minutes() {
    let mut twin = Twin::default();
    let is_ours = |stream| stream == OURS;
    assert_eq!(twin.compare(0, look(&[(3, 5, 10)]), is_ours), None);
    assert_eq!(twin.compare(1, look(&[(3, 5, 15)]), is_ours), Some(vec![]), "another server may have more");
    assert_eq!(twin.compare(1, look(&[(3, 5, 20)]), is_ours), Some(vec![(3, Moved::Alive)]));
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(twin.note(None, start), None);
    assert_eq!(twin.note(Some(3), start), Some(News::Begins(3)));
    assert_eq!(twin.note(Some(3), after(100)), None);
    assert_eq!(twin.note(None, after(399)), None);
    assert_eq!(twin.note(None, after(400)), Some(News::IsOver));
    assert_eq!(twin.note(Some(4), after(500)), Some(News::Begins(4)));
}
