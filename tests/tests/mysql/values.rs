//! Everything arrives, once and as it was.

use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::scenario::{Scene, count};

use crate::stored::TOPICS;
use crate::{mysql, orders};

#[test]
fn every_kind_of_value_arrives_once_and_as_it_was_in_every_order() {
    if !is_at_hand("every kind of value on MySQL") {
        return;
    }
    let scene = Scene::start_at(mysql(1), |settings| settings.topics(&TOPICS));
    orders::send_batches_that_begin_with_each_kind(&scene);
    orders::send_many_mixed_messages(&scene);
    orders::send_extremes(&scene);
    scene.wait_drained();
    let report = scene.assert_reconciled();
    for server in &scene.cluster.servers {
        assert_eq!(report["readings"], count(server, "readings"), "{}", server.address());
    }
}
