//! Another server becomes the source.

use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::scenario::Scene;

use crate::mysql;
use crate::site::Site;

#[test]
fn what_a_promoted_replica_lacks_is_sent_again_and_counted() {
    if !is_at_hand("a promoted replica of MySQL that lagged") {
        return;
    }
    let mut site = Site::of(Scene::start_at(mysql(1), |settings| settings));
    site.wait_more(1, 100);
    // What it had received would else be applied when it is promoted.
    site.server(1).stop_when_applied();
    site.lose_the_source_to_the_lagging_replica();
    let identity = site.server(1).query("SELECT CONCAT('server_uuid ', @@server_uuid)").concat().concat();
    assert_eq!(site.term(1), ("2".to_owned(), identity));
}

#[test]
fn a_frozen_source_that_thaws_after_a_promotion_is_left_alone() {
    if !is_at_hand("a source of MySQL that freezes and thaws") {
        return;
    }
    let mut site = Site::of(Scene::start_at(mysql(1), |settings| settings.commit("card")));
    site.wait_more(1, 200);
    site.server(0).freeze();
    let first_row = site.promote(1);
    println!("first row {:.2} s after the promoted server took writes", first_row.as_secs_f64());
    site.server(0).thaw();
    site.wait_said("was the source before a later failover");
    let old = site.cursors(0);
    site.wait_more(1, 200);
    site.finish(1);
    assert_eq!(site.cursors(0), old);
    assert_eq!(site.term(1).0, "2");
}
