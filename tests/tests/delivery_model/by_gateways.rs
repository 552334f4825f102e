//! Servers that gateways promote by themselves: what holds then, and every rule of theirs left out once.

use super::defect::Defect;
use super::gtids::Gtids;
use super::search::{Bounds, Step};
use super::{BY_PEOPLE, all_holds, breaks, failovers_only};
use config::KeepUntil;

/// Servers that fail and come back, and gateways that are killed or lose their way to one, while nobody but gateways acts.
fn promotions_only(step: &Step) -> bool {
    use Step::*;
    failovers_only(step) && !matches!(step, Disconnect)
}

/// The same while the gateway is well and sees every server.
fn only_servers_fail(step: &Step) -> bool {
    promotions_only(step) && !matches!(step, Step::IsCutOff(..) | Step::IsKilled(_))
}

/// The same while no gateway is killed.
fn none_is_killed(step: &Step) -> bool {
    promotions_only(step) && !matches!(step, Step::IsKilled(_))
}

/// The same without anything to deliver. The two are alike then, so only the second is cut off.
fn only_servers(step: &Step) -> bool {
    promotions_only(step) && !matches!(step, Step::Connect | Step::IsCutOff(0, _))
}

/// The same while servers that fail stay away, so that nobody who has lost the way to one sees a majority.
fn none_comes_back(step: &Step) -> bool {
    only_servers(step) && !matches!(step, Step::ComesBack(_) | Step::StartsClosed(_))
}

const BY_GATEWAYS: Bounds = Bounds { steps: promotions_only, promoters: 1, gtids: Gtids::MariaDb, ..BY_PEOPLE };
const BY_TWO: Bounds = Bounds { readings: 0, failures: 2, steps: only_servers, promoters: 2, ..BY_GATEWAYS };

#[test]
fn a_gateway_promotes_and_one_thing_fails() {
    all_holds(&BY_GATEWAYS);
    all_holds(&Bounds { gtids: Gtids::MySql, ..BY_GATEWAYS });
}

#[test]
fn a_gateway_promotes_and_two_things_fail() {
    all_holds(&Bounds { failures: 2, steps: none_is_killed, ..BY_GATEWAYS });
}

#[test]
fn two_gateways_promote() {
    all_holds(&BY_TWO);
}

#[test]
fn the_best_replica_is_promoted_where_one_is_enough_to_leave_the_queue() {
    all_holds(&Bounds { readings: 2, keep_until: KeepUntil::Count(1), steps: only_servers_fail, ..BY_GATEWAYS });
}

fn promotion_breaks(failures: u8, defect: Defect) {
    breaks(&Bounds { failures, defect: Some(defect), ..BY_GATEWAYS });
}

#[test]
fn a_promotion_in_the_same_term_is_found() {
    promotion_breaks(1, Defect::PromotesInTheSameTerm);
}

#[test]
fn a_promotion_without_applying_is_found() {
    promotion_breaks(1, Defect::PromotesWithoutApplying);
}

#[test]
fn a_promotion_while_replicas_receive_is_found() {
    promotion_breaks(1, Defect::PromotesWhileReplicasReceive);
}

#[test]
fn two_gateways_without_a_majority_are_found() {
    breaks(&Bounds { defect: Some(Defect::PromotesWithoutMajority), steps: none_comes_back, ..BY_TWO });
}

#[test]
fn two_gateways_without_a_lock_are_found() {
    breaks(&Bounds { failures: 1, defect: Some(Defect::PromotesWithoutLock), ..BY_TWO });
}

/// Without that rule it takes two failures until something breaks.
#[test]
fn a_term_that_only_the_opened_server_has_does_no_harm_after_one_failure() {
    let defect = Some(Defect::OpensBeforeTheTermIsSpread);
    all_holds(&Bounds { defect, ..BY_GATEWAYS });
    all_holds(&Bounds { failures: 1, defect, ..BY_TWO });
}

#[test]
fn a_term_that_only_the_opened_server_has_is_found() {
    breaks(&Bounds { defect: Some(Defect::OpensBeforeTheTermIsSpread), ..BY_TWO });
}

#[test]
fn a_term_that_only_the_opened_server_has_is_found_with_one_gateway() {
    breaks(&Bounds { readings: 0, failures: 2, defect: Some(Defect::OpensBeforeTheTermIsSpread), ..BY_GATEWAYS });
}

#[test]
fn another_than_the_best_where_one_replica_is_enough_is_found() {
    let keep_until = KeepUntil::Count(1);
    let defect = Some(Defect::PromotesWhoReceivedLess);
    breaks(&Bounds { readings: 2, keep_until, defect, steps: only_servers_fail, ..BY_GATEWAYS });
}

/// Its term protects from it: the drain never writes there, and what others write there they write to a server left behind.
#[test]
fn an_old_source_left_open_breaks_nothing_here() {
    all_holds(&Bounds { defect: Some(Defect::LeavesTheOldSourceOpen), ..BY_GATEWAYS });
}
