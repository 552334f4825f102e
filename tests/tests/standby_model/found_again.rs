//! Every rule left out once: the random sequences must find it, and by the sentence that it is there for.

use super::defect::Defect::{self, *};
use super::random::try_all;
use super::sentence;
use fieldgate_tests::storage::seed::Chance;

/// The same sequences without the defect find nothing.
fn is_found(defect: Defect, sentence: &str) {
    let failure = try_all(3000, &Chance::from_seed(1), Some(defect), Some(sentence)).err();
    let failure = failure.unwrap_or_else(|| panic!("no sequence sees {defect:?}: {sentence}"));
    println!("{defect:?}: {failure}");
}

#[test]
fn a_position_from_the_beat_is_found() {
    is_found(PositionFromTheBeat, sentence::NOT_MISSING);
}

#[test]
fn a_fence_that_reads_before_the_lock_is_found() {
    is_found(ReadsBeforeTheLock, sentence::HOLDER_WRITES);
    is_found(ReadsBeforeTheLock, sentence::ONCE);
}

#[test]
fn a_claim_lost_by_a_failover_is_found() {
    is_found(ClaimsOnlyOnce, sentence::HOLDER_WRITES);
}

#[test]
fn spans_without_breaks_are_found() {
    is_found(SpansWithoutBreaks, sentence::NOT_MISSING);
    is_found(SpansWithoutBreaks, sentence::ONCE);
}

#[test]
fn breaks_that_a_start_forgets_are_found() {
    is_found(ForgetsBreaksAtStart, sentence::NOT_MISSING);
}

#[test]
fn forgetting_without_the_replica_is_found() {
    is_found(LeavesWithoutTheReplica, sentence::NOT_MISSING);
}

#[test]
fn leaving_out_without_a_look_is_found() {
    is_found(LeavesOutWithoutLooking, sentence::NOT_MISSING);
}

#[test]
fn doubles_without_a_mark_are_found() {
    is_found(DoublesAreNotMarked, sentence::MARKED);
}

#[test]
fn a_standby_that_does_not_wait_is_found() {
    is_found(StandbyDoesNotWait, sentence::HOLDER_PASSED);
}

#[test]
fn spans_that_stand_still_are_found() {
    is_found(SpansStandStill, sentence::ENDS);
}

#[test]
fn a_rank_without_the_term_is_found() {
    is_found(RankWithoutTerm, sentence::NEWER_TERM);
}

#[test]
fn two_of_which_nobody_gives_way_are_found() {
    is_found(NobodyGivesWay, sentence::TWO_ACTIVE);
}

#[test]
fn one_that_goes_on_after_it_stood_still_is_found() {
    is_found(GoesOnAfterStandingStill, sentence::STOOD_STILL);
}

#[test]
fn one_that_waits_for_the_silent_is_found() {
    is_found(WaitsForTheSilent, sentence::TAKES_OVER);
}

#[test]
fn a_turn_that_nobody_has_is_found() {
    is_found(TurnsAreLost, sentence::TAKES_OVER);
    is_found(NobodyGoesFirst, sentence::ONE_ACTIVE);
}
