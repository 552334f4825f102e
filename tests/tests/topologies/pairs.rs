//! Servers that follow each other.

use crate::rig::Rig;

#[test]
fn of_two_that_follow_each_other_the_open_one_is_written_to_also_when_they_swap_under_load() {
    let mut rig = Rig::start(1);
    follow(&rig, 0, 1);
    rig.wait_said("has all that its read-only partner has");
    for (from, to) in [(0, 1), (1, 0)] {
        rig.wait_more(from, 50);
        rig.server(from).set_read_only(true);
        let written = rig.server(from).gtid_position();
        rig.server(to).wait_for_gtid(&written);
        rig.server(to).set_read_only(false);
        rig.wait_more(to, 100);
    }
    rig.finish(0);
    rig.assert_replica_once(1, 0);
    let term = rig.server(0).query("SELECT term FROM field.server_term").concat().concat();
    assert_eq!(term, "3");
}

#[test]
fn both_open_servers_of_a_pair_are_refused() {
    let mut rig = Rig::start(1);
    follow(&rig, 0, 1);
    rig.server(1).set_read_only(false);
    let (first, second) = (rig.address(0), rig.address(1));
    rig.wait_said(&format!("{first} is writable but still follows {second}; {second} is writable but"));
    let held = [rig.readings(0), rig.readings(1)];
    rig.wait_published(25);
    assert_eq!([rig.readings(0), rig.readings(1)], held);
    rig.server(1).set_read_only(true);
    rig.wait_more(0, 50);
    rig.finish(0);
}

#[test]
fn a_ring_of_three_is_refused_by_its_name_until_it_has_a_beginning() {
    let mut rig = Rig::start(2);
    follow(&rig, 2, 1);
    follow(&rig, 0, 2);
    let [one, two, three] = [0, 1, 2].map(|index| rig.address(index));
    rig.wait_said(&format!(
        "no server takes writes: {one} takes writes in a ring of 3 servers, which has no beginning ({one} from {three} from \
         {two} from {one})"
    ));
    // What was written before this was seen may still be on its way.
    rig.wait_published(10);
    let held = rig.readings(0);
    rig.wait_published(25);
    assert_eq!(rig.readings(0), held);
    rig.server(0).execute("STOP SLAVE; RESET SLAVE ALL");
    rig.wait_more(0, 50);
    rig.finish(0);
    rig.assert_replica_once(2, 0);
}

fn follow(rig: &Rig, server: usize, upstream: usize) {
    let servers = &rig.scene.cluster.servers;
    servers[server].follow(&servers[upstream]);
}
