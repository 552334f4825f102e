//! A model of delivery, searched breadth first: queue, gateway, a source with two replicas, and people. The decisions
//! that the product has as pure functions (which server is the source, its term, what may leave, whether the source
//! forgot, whether and whom a gateway promotes, and what is left to do then) are the product's own; everything else is
//! written down here once more, in small. Either people promote, or one gateway or two, which know nothing of each other.
//!
//! What it leaves out: keeping readings after delivery, batches of several readings, a second gateway that delivers, servers
//! that forget commits, probes that are late, servers that lose their way to each other, grace and cooldown, and a replica
//! that goes on although it has what its source lacks. The book of receipts is taken for perfect.

mod by_gateways;
mod defect;
mod failures;
mod gateway_steps;
mod gtids;
mod invariants;
mod other_servers;
mod probes;
mod promotion;
mod search;
mod server;
mod world;
mod world_steps;

use config::KeepUntil;
use defect::Defect;
use gtids::Gtids;
use search::{Bounds, Found, Step, search};
use std::time::Instant;

fn look(bounds: &Bounds) -> Found {
    let begun = Instant::now();
    let found = search(bounds);
    let Bounds { readings, failures, defect, promoters, .. } = bounds;
    let without = defect.map_or("no defect".to_owned(), |defect| format!("defect {defect:?}"));
    let (states, depth) = (found.states, found.depth);
    println!(
        "{readings} readings, {failures} failures, {promoters} promote, {without}: {states} states, {depth} steps deep, {:.1?}",
        begun.elapsed()
    );
    if let Some((sentence, way)) = &found.violation {
        println!("does not hold: {sentence}\n  after {way:?}");
    }
    found
}

fn every_step(_: &Step) -> bool {
    true
}

/// Servers that fail, come back and are promoted, under a gateway that is well.
fn failovers_only(step: &Step) -> bool {
    use Step::*;
    !matches!(
        step,
        Kill | PowerCut | RestoreAll { .. } | WriteAnswerLost | WriteTimesOut | OpenWhileApplying(_) | Closed(_)
    )
}

const BY_PEOPLE: Bounds = Bounds {
    readings: 1,
    failures: 1,
    defect: None,
    steps: every_step,
    promoters: 0,
    gtids: Gtids::None,
    keep_until: KeepUntil::All,
};

fn holds(readings: u8, failures: u8, steps: fn(&Step) -> bool) {
    all_holds(&Bounds { readings, failures, steps, ..BY_PEOPLE });
}

fn all_holds(bounds: &Bounds) {
    let found = look(bounds);
    assert!(found.violation.is_none(), "{:?}", found.violation);
    assert!(found.states > 1000, "it looked at next to nothing");
}

#[test]
fn three_readings_in_every_order_of_steps() {
    holds(3, 0, every_step);
}

#[test]
fn two_readings_and_any_one_failure() {
    holds(2, 1, every_step);
}

#[test]
fn one_reading_and_any_two_failures() {
    holds(1, 2, every_step);
}

#[test]
fn two_readings_and_two_failovers() {
    holds(2, 2, failovers_only);
}

/// The same search without the defect finds nothing: see above.
fn is_found(readings: u8, failures: u8, defect: Defect) {
    let steps = if defect == Defect::CountsOtherTerms { failovers_only } else { every_step };
    breaks(&Bounds { readings, failures, defect: Some(defect), steps, ..BY_PEOPLE });
}

fn breaks(bounds: &Bounds) {
    assert!(look(bounds).violation.is_some(), "the search does not see {:?}", bounds.defect);
}

#[test]
fn leaving_without_a_look_at_the_replicas_is_found() {
    is_found(2, 1, Defect::LeavesWithoutReplicas);
}

#[test]
fn counting_servers_of_another_term_is_found() {
    is_found(2, 2, Defect::CountsOtherTerms);
}

#[test]
fn a_cursor_outside_of_the_transaction_is_found() {
    is_found(1, 1, Defect::CursorOutsideOfTransaction);
}

#[test]
fn a_cursor_that_is_not_compared_is_found() {
    is_found(1, 1, Defect::CursorSetBlindly);
}

#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    is_found(1, 1, Defect::AcknowledgesBeforeSync);
}

#[test]
fn no_sync_at_opening_is_found() {
    is_found(1, 2, Defect::NoSyncAtOpening);
}

#[test]
fn channel_ids_that_outlive_their_connection_are_found() {
    is_found(2, 1, Defect::ChannelIdsOutliveConnection);
}

#[test]
fn a_server_left_behind_and_accepted_is_found() {
    is_found(1, 2, Defect::TermIgnored);
}

#[test]
fn a_source_that_still_applies_is_found() {
    is_found(1, 1, Defect::ApplierIgnored);
}

#[test]
fn forgotten_ends_of_streams_are_found() {
    is_found(1, 2, Defect::EndsForgotten);
}
