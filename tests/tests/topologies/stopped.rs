//! A replica whose replication somebody stopped, and that takes writes.

use crate::rig::{Rig, stop_when_applied};

#[test]
fn it_is_held_against_its_source_and_taken_when_that_is_away() {
    let mut rig = Rig::start(1);
    let (source, replica) = (rig.address(0), rig.address(1));
    rig.wait_more(1, 50);
    stop_when_applied(rig.server(1));
    rig.server(1).set_read_only(false);
    rig.wait_said("several servers take writes: ");
    rig.wait_said(&format!("has stopped following {source})"));
    let held = [rig.readings(0), rig.readings(1)];
    rig.wait_published(25);
    assert_eq!([rig.readings(0), rig.readings(1)], held);

    // This is also how a replica is promoted by hand, and nothing tells the two apart.
    rig.server(0).kill9();
    rig.wait_said(&format!(
        "{replica} takes writes: it is writable, has stopped following {source} with nothing left to apply and is new in \
         this place"
    ));
    rig.wait_more(1, 100);
    rig.server(0).restart(fieldgate_tests::mariadb::WRITABLE);
    rig.wait_said(&format!("{source} was the source before a later failover"));
    rig.wait_more(1, 50);
    rig.finish(1);
}
