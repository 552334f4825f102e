//! The rig, by way of the product's own bus in a process of its own: this test, started once more with the environment
//! of one side, is that process.

use std::env;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use sensors::i2c::{Bus, BusError, LinuxBus, Operation};

use super::*;
use crate::process::{Process, wait_for};

mod logic;

const PATIENCE: Duration = Duration::from_secs(20);
const SENSOR: u16 = 0x76;

/// What every process on a bus is told to do.
const ROLE: &str = "FIELDGATE_TEST_ROLE";

fn read(bus: &mut LinuxBus, address: u16, register: u8, length: usize) -> Result<Vec<u8>, BusError> {
    let mut bytes = vec![0; length];
    bus.transfer(address, &mut [Operation::Write(&[register]), Operation::Read(&mut bytes)])?;
    Ok(bytes)
}

fn write(bus: &mut LinuxBus, message: &[u8]) -> Result<(), BusError> {
    bus.transfer(ADDRESS, &mut [Operation::Write(&[&[0], message].concat())])
}

/// A process with this side's environment that runs only the test of this name, and there only the part of this role.
fn process(side: &I2cSide, test: &str, role: &str, log: &Path) -> Process {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", &format!("mailbox::tests::{test}"), "--nocapture", "--test-threads", "1"]);
    command.env(ROLE, role).envs(side.environment());
    Process::spawn(role, &command, log)
}

fn succeeds(mut process: Process) {
    let status = process.wait(PATIENCE);
    assert!(status.success(), "{}", process.log_end());
}

/// The bus and the role, in such a process.
fn in_a_process() -> Option<(LinuxBus, String)> {
    let device = env::var_os("FIELDGATE_I2C_DEVICE")?;
    Some((LinuxBus::new(Path::new(&device)), env::var(ROLE).expect("a role")))
}

/// A sensor whose every register holds the number after its own.
#[derive(Default)]
struct Counter {
    register: u8,
}

impl Target for Counter {
    fn write(&mut self, bytes: &[u8]) {
        self.register = bytes[0];
    }

    fn read(&mut self, into: &mut [u8]) {
        into.fill_with(|| {
            self.register += 1;
            self.register
        });
    }
}

#[test]
fn two_processes_hear_each_other() {
    match in_a_process() {
        Some((mut bus, role)) if role == "writer" => write(&mut bus, b"hello!").unwrap(),
        Some((mut bus, _)) => {
            let status = read(&mut bus, ADDRESS, 0x20, 40).unwrap();
            assert_eq!((status[2], status[3], &status[8..14]), (6, 1, &b"hello!"[..]));
            assert_eq!(read(&mut bus, SENSOR, 4, 2).unwrap(), [5, 6]);
            assert_eq!(read(&mut bus, 0x11, 0, 1), Err(BusError::NoAnswer));
        }
        None => {
            let (mailbox, folder) = (Mailbox::start(), tempfile::tempdir().unwrap());
            mailbox.add(SENSOR, Box::new(Counter::default()));
            for (side, role) in [(mailbox.side_a(), "writer"), (mailbox.side_b(), "reader")] {
                succeeds(process(side, "two_processes_hear_each_other", role, &folder.path().join(role)));
            }
            let asked: Vec<_> = mailbox.asked(SENSOR).into_iter().map(|(side, _)| side).collect();
            assert_eq!(asked, [Side::B, Side::B], "one message that writes, one that reads");
        }
    }
}

#[test]
fn threads_of_one_process_do_not_mix_their_transfers() {
    if let Some((_, _)) = in_a_process() {
        let threads: Vec<_> = (0..4_u8).map(|number| thread::spawn(move || read_often(number * 40))).collect();
        return threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    let (mailbox, folder) = (Mailbox::start(), tempfile::tempdir().unwrap());
    mailbox.add(SENSOR, Box::new(Counter::default()));
    let test = "threads_of_one_process_do_not_mix_their_transfers";
    succeeds(process(mailbox.side_a(), test, "threads", &folder.path().join("log")));
    assert_eq!(mailbox.asked(SENSOR).len(), 4 * 100 * 2);
}

fn read_often(register: u8) {
    let (mut bus, _) = in_a_process().unwrap();
    for _ in 0..100 {
        let bytes = read(&mut bus, SENSOR, register, 30).unwrap();
        assert_eq!(bytes, (register + 1..=register + 30).collect::<Vec<_>>());
    }
}

#[test]
fn faults_are_seen_as_the_kernel_shows_them() {
    match in_a_process() {
        Some((bus, role)) => meet_a_fault(bus, &role),
        None => make_faults("faults_are_seen_as_the_kernel_shows_them"),
    }
}

fn meet_a_fault(mut bus: LinuxBus, role: &str) {
    match role {
        "cut" => {
            assert_eq!(read(&mut bus, ADDRESS, 0x20, 1), Err(BusError::NoAnswer));
            assert_eq!(read(&mut bus, SENSOR, 1, 1), Ok(vec![2]), "only the mailbox is cut off");
        }
        "corrupt" => {
            let reads: Vec<_> = (0..16).map(|_| read(&mut bus, ADDRESS, 0x20, 2).unwrap()).collect();
            let wrong: Vec<_> = reads.iter().map(|read| u16::from_be_bytes([read[0] ^ 0x46, read[1] ^ 1])).collect();
            assert!(wrong.iter().all(|wrong| wrong.count_ones() == 1), "{reads:?}");
            assert_eq!(wrong.iter().fold(0, |all, wrong| all | wrong), u16::MAX, "each bit once: {reads:?}");
        }
        "unplugged" => {
            while read(&mut bus, SENSOR, 1, 1).is_ok() {}
            assert!(matches!(bus.open(), Err(BusError::Away(_))));
        }
        _ => assert_eq!(read(&mut bus, ADDRESS, 0x20, 1).unwrap(), [0x46]),
    }
}

fn make_faults(test: &str) {
    let (mailbox, folder) = (Mailbox::start(), tempfile::tempdir().unwrap());
    mailbox.add(SENSOR, Box::new(Counter::default()));
    let start = |side, role| process(side, test, role, &folder.path().join(role));
    mailbox.cut(Side::A);
    succeeds(start(mailbox.side_a(), "cut"));
    mailbox.corrupt(Side::A);
    succeeds(start(mailbox.side_a(), "corrupt"));
    mailbox.hang(Side::A);
    let mut hangs = start(mailbox.side_a(), "hang");
    succeeds(start(mailbox.side_b(), "healthy"));
    hangs.assert_running();
    mailbox.restore(Side::A);
    succeeds(hangs);
    let before = mailbox.asked(SENSOR).len();
    let unplugged = start(mailbox.side_a(), "unplugged");
    wait_for("the process to use the bus", PATIENCE, || mailbox.asked(SENSOR).len() > before);
    drop(mailbox);
    succeeds(unplugged);
}

/// What a side reads, without a process.
fn status(mailbox: &Mailbox, side: Side) -> Vec<u8> {
    let message = |reads, bytes| bus::Message { address: ADDRESS, reads, bytes };
    let mut messages = [message(false, vec![0x20]), message(true, vec![0; 40])];
    mailbox.shared.transfer(side, &mut messages).expect("the mailbox answers");
    std::mem::take(&mut messages[1].bytes)
}

fn say(mailbox: &Mailbox, side: Side, text: &[u8]) {
    let mut message = [bus::Message { address: ADDRESS, reads: false, bytes: text.to_vec() }];
    mailbox.shared.transfer(side, &mut message).expect("the mailbox answers");
}

fn age(status: &[u8]) -> u16 {
    u16::from_le_bytes([status[4], status[5]])
}

#[test]
fn a_mailbox_answers_for_the_dead_with_an_age_that_grows_or_a_frozen_one() {
    let mailbox = Mailbox::start();
    say(&mailbox, Side::A, b"hello!");
    wait_for("the age to grow", PATIENCE, || age(&status(&mailbox, Side::B)) > 2);
    mailbox.freeze_contents();
    let frozen = status(&mailbox, Side::B);
    say(&mailbox, Side::A, b"hello!");
    let frozen_at = Instant::now();
    wait_for("time to pass", PATIENCE, || {
        assert_eq!(status(&mailbox, Side::B), frozen);
        frozen_at.elapsed() > Duration::from_millis(50)
    });
    mailbox.thaw_contents();
    wait_for("the age to grow again", PATIENCE, || age(&status(&mailbox, Side::B)) > age(&frozen));
    assert_eq!(status(&mailbox, Side::B)[3], 1, "what was written meanwhile is lost");
}

#[test]
fn two_halves_that_are_cut_apart_both_answer_and_hear_nothing() {
    let mailbox = Mailbox::start();
    mailbox.cut_between();
    say(&mailbox, Side::A, b"hello!");
    assert_eq!(status(&mailbox, Side::B)[2..4], [0, 0]);
    mailbox.join_between();
    say(&mailbox, Side::A, b"hello!");
    assert_eq!(status(&mailbox, Side::B)[2..4], [6, 1]);
    mailbox.bytes_from_the_wire(Side::B, b"noise");
    assert_eq!(status(&mailbox, Side::B)[7] & 1, 1);
}

#[test]
fn a_restart_empties_the_mailbox_and_shows_in_its_start_number() {
    let mailbox = Mailbox::start();
    say(&mailbox, Side::B, b"hello!");
    let before = status(&mailbox, Side::A);
    mailbox.restart();
    let after = status(&mailbox, Side::A);
    assert_eq!((before[2], before[3], before[6]), (6, 1, 1));
    assert_eq!((after[2], after[3], after[6], age(&after)), (0, 0, 2, u16::MAX));
}
