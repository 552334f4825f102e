//! The power of the active gateway is cut: its disk has what was flushed, and of the rest chance drops a half.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use fieldgate_tests::pair::Pair;
use fieldgate_tests::powercut::disk::Disk;
use fieldgate_tests::powercut::mount::Mount;
use fieldgate_tests::powercut::replay::Replay;
use fieldgate_tests::powercut::root::can_mount;
use fieldgate_tests::storage::seed::Chance;

use crate::town::{Town, with_a_line};

const CUTS: u64 = 3;
/// More than a gateway leaves free on its disk.
const DISK_MEBIBYTES: u64 = 1024;

#[test]
#[ignore = "soak: power cuts of the active gateway take root and a minute: make soak ONLY=standby"]
fn what_the_active_one_had_survives_its_power_cut_and_is_brought_once() {
    if !can_mount("power cuts of the active gateway") {
        return;
    }
    let chance = Chance::new();
    (0..CUTS).for_each(|case| cut(&mut chance.for_case(case)));
}

fn cut(chance: &mut Chance) {
    let disk = Disk::new(DISK_MEBIBYTES);
    let recording = disk.record();
    let mount = recording.mount();
    let mut pair = with_a_line(1).prepare();
    lay_state_on(&pair, &mount.folder());
    pair.start_gateway(0);
    pair.wait_role(0, "active");
    pair.start_gateway(1);
    pair.wait_role(1, "standby");
    let mut town = Town::of(pair);
    town.pair.wait_more_of(0, 0, 200);
    town.pair.cluster.servers[0].set_read_only(true);
    // Only on the disks.
    town.wait_published(50);
    let written = disk.log_bytes();
    town.pair.gateways[0].kill9();
    println!("active {:.2} s after the power cut", town.pair.wait_role(1, "active").as_secs_f64());
    drop((mount, recording));
    let mut replay = Replay::new(&disk).expect("the log can be read");
    let index = replay.entries().partition_point(|entry| entry.log_offset < written);
    let image = replay.cut_before(index, chance.numbers()).expect("the disk can be made again");
    let mount = Mount::new(image).expect("the disk mounts");
    town.pair.cluster.servers[0].set_read_only(false);
    town.pair.wait_more_of(0, 1, 100);
    lay_state_on(&town.pair, &mount.folder());
    town.pair.start_gateway(0);
    town.pair.wait_roles(["standby", "active"]);
    town.wait_published(50);
    town.finish(0);
    town.pair.gateways[0].kill9();
}

/// The first gateway's state lies on this disk from now on.
fn lay_state_on(pair: &Pair, disk: &Path) {
    let (link, folder) = (pair.gateways[0].state_folder(), disk.join("state"));
    fs::create_dir_all(&folder).expect("a folder on the disk");
    if link.is_symlink() {
        fs::remove_file(&link).expect("the link to the disk before");
    }
    symlink(folder, link).expect("a link to the disk");
}
