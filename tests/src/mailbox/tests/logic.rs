//! The register map, on the logic alone: time passes only when a test says so.

use super::*;
use Side::A;

/// A beat as the gateways send it: what it begins with, something, and the check of both.
fn beat(number: u8) -> Vec<u8> {
    let mut bytes = vec![0xf1, number];
    bytes.resize(30, number);
    let check = check(&bytes);
    bytes.extend(check.to_le_bytes());
    bytes
}

/// CRC-16/CCITT-FALSE.
fn check(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |check, byte| {
        (0..8).fold(check ^ u16::from(*byte) << 8, |check, _| check << 1 ^ if check & 0x8000 == 0 { 0 } else { 0x1021 })
    })
}

struct Rig {
    logic: Logic,
    _folder: TempDir,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { logic: Logic::start(folder.path()), _folder: folder }
    }

    fn status(&mut self) -> Vec<u8> {
        self.logic.write(A, &[0x20]);
        self.logic.read(A, 40)
    }

    /// Count, flags and message of the inbox after these bytes came from the UART.
    fn hears(&mut self, bytes: &[u8]) -> (u8, u8, Vec<u8>) {
        self.logic.uart_receives(A, bytes);
        let status = self.status();
        (status[3], status[7], status[8..8 + usize::from(status[2])].to_vec())
    }

    /// In how many of the next ticks the LED is on.
    fn led_over(&mut self, ticks: usize) -> usize {
        let is_on = |_: &usize| {
            self.logic.tick(A, 1);
            self.logic.led(A)
        };
        (0..ticks).filter(is_on).count()
    }

    /// What goes to the UART after a transfer that wrote these bytes.
    fn says(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.logic.write(A, bytes);
        self.logic.uart_sends(A)
    }
}

#[test]
fn the_check_is_the_one_that_is_named() {
    assert_eq!(check(b"123456789"), 0x29b1);
}

#[test]
fn an_empty_mailbox_says_what_it_is() {
    let mut rig = Rig::new();
    let expected = [&[0x46, 1, 0, 0, 0xff, 0xff, 1, 0b10][..], &[0; 32]].concat();
    assert_eq!(rig.logic.read(A, 40), expected, "from 0x20 on, also when no register was named");
    rig.logic.tick(A, 1000);
    assert_eq!(rig.status(), expected, "what is not there does not get older");
}

#[test]
fn what_is_written_to_the_outbox_goes_to_the_other_side() {
    let mut rig = Rig::new();
    let beat = beat(1);
    assert_eq!(rig.says(&[&[0], &beat[..]].concat()), beat);
    assert_eq!(rig.says(&[0, 7]), [7]);
    assert_eq!(rig.says(b"hello!"), b"hello!", "without a register, as in the book");
    assert_eq!(rig.says(&[0x48]), [0x48], "the first byte that is no register");
    assert_eq!(rig.logic.uart_sends(A), [0; 0], "once");
}

#[test]
fn what_is_no_message_goes_nowhere() {
    let mut rig = Rig::new();
    let too_long = [0; 34];
    for written in [&[][..], &[0], &[0x20], &[0x47], &[1, 7], &[0x20, 7], &[0x28, 7], &too_long, &[0x68; 33]] {
        assert_eq!(rig.says(written), [0; 0], "{written:02x?}");
    }
    rig.logic.write(A, &[0x68; 200]);
    assert_eq!(rig.logic.uart_sends(A), [0; 0]);
    assert_eq!(rig.status()[..2], [0x46, 1]);
}

#[test]
fn the_newest_message_is_sent_and_none_is_mixed_with_another() {
    let mut rig = Rig::new();
    rig.logic.write(A, &[&[0][..], &beat(1)].concat());
    rig.logic.write(A, &[&[0][..], &beat(2)].concat());
    assert_eq!(rig.logic.uart_sends(A), beat(2));
}

#[test]
fn registers_can_be_read_one_by_one_and_nothing_is_beyond_them() {
    let mut rig = Rig::new();
    rig.logic.uart_receives(A, b"hello!");
    let whole = rig.status();
    for (register, expected) in (0x20..).zip(whole) {
        rig.logic.write(A, &[register]);
        assert_eq!(rig.logic.read(A, 1), [expected], "{register:#x}");
        assert_eq!(rig.logic.read(A, 1), [expected], "{register:#x}, read again without naming it");
    }
    for (register, expected) in [(0x00, [0xff; 3]), (0x1f, [0xff, 0x46, 1]), (0x47, [0, 0xff, 0xff])] {
        rig.logic.write(A, &[register]);
        assert_eq!(rig.logic.read(A, 3), expected, "{register:#x}");
    }
    rig.logic.write(A, &[0x20]);
    assert!(rig.logic.read(A, 600)[40..].iter().all(|byte| *byte == 0xff));
}

#[test]
fn a_shorter_message_is_followed_by_zeros() {
    let mut rig = Rig::new();
    rig.hears(&beat(1));
    rig.hears(b"hello!");
    assert_eq!(rig.status()[8..], [&b"hello!"[..], &[0; 26]].concat());
}

#[test]
fn a_message_that_arrives_while_another_is_read_does_not_mix_with_it() {
    let mut rig = Rig::new();
    for split in 0..40 {
        rig.logic.uart_receives(A, &beat(1));
        let before = rig.status();
        rig.logic.begin_to_read(A);
        let mut read = rig.logic.go_on_reading(A, split);
        rig.logic.uart_receives(A, &beat(2));
        rig.logic.tick(A, 300);
        read.extend(rig.logic.go_on_reading(A, 40 - split));
        assert_eq!(read, before, "split at {split}");
        assert_eq!(rig.status()[8..], beat(2));
    }
}

#[test]
fn beats_and_greetings_are_found_among_other_bytes() {
    let mut rig = Rig::new();
    assert_eq!(rig.hears(&beat(1)), (1, 0, beat(1)));
    assert_eq!(rig.hears(b"hello!"), (2, 0, b"hello!".to_vec()));
    assert_eq!(rig.hears(b"\r\nhello!\n"), (3, 0, b"hello!".to_vec()), "ends of lines are no garbage after a greeting");
    assert_eq!(rig.hears(&[b"xhell", &beat(4)[..]].concat()), (4, 0, beat(4)));
    assert_eq!(rig.hears(&[b"hhello!", &[0xf1, 0xf1][..], &beat(5)].concat()), (6, 0, beat(5)));
    assert_eq!(rig.hears(b"\n"), (6, 1, beat(5)), "after a beat it is garbage");
}

#[test]
fn a_beat_cut_short_costs_itself_and_not_the_next_one() {
    let mut rig = Rig::new();
    for length in 1..32 {
        let whole = beat(u8::try_from(length).unwrap());
        assert_eq!(rig.hears(&whole[..length]).2, if length == 1 { vec![] } else { beat(0x60) });
        assert_eq!(rig.hears(&beat(0x60)).2, beat(0x60), "after {length} bytes of one");
    }
}

#[test]
fn garbage_raises_the_flag_and_is_never_a_message() {
    let mut rig = Rig::new();
    rig.hears(&beat(1));
    for bit in 0..32 * 8 {
        let mut wrong = beat(2);
        wrong[bit / 8] ^= 1 << (bit % 8);
        rig.logic.uart_receives(A, &wrong);
        rig.logic.tick(A, 6);
        let (count, flags, message) = rig.hears(&[]);
        assert_eq!((count.wrapping_sub(1), flags, message), (u8::try_from(bit).unwrap(), 1, beat(1)), "bit {bit}");
        assert_eq!(rig.hears(&beat(1)).1, 0, "a message takes the flag down");
    }
    for garbage in [&b"hello?"[..], b"HELLO!", &[0; 40], &[0xff; 100]] {
        rig.logic.uart_receives(A, garbage);
        assert_eq!(rig.hears(&[]), (1, 1, beat(1)), "{garbage:02x?}");
    }
}

#[test]
fn what_began_and_does_not_go_on_is_garbage_after_50_ms() {
    let mut rig = Rig::new();
    assert_eq!(rig.hears(&beat(1)[..20]).1, 0b10);
    rig.logic.tick(A, 5);
    assert_eq!(rig.hears(&[]).1, 0b10);
    rig.logic.tick(A, 1);
    assert_eq!(rig.hears(&[]).1, 0b11);
    assert_eq!(rig.hears(b"hello!"), (1, 0, b"hello!".to_vec()));
}

#[test]
fn what_comes_slowly_but_goes_on_is_a_message() {
    let mut rig = Rig::new();
    for byte in beat(1) {
        rig.logic.tick(A, 5);
        rig.logic.uart_receives(A, &[byte]);
    }
    assert_eq!(rig.hears(&[]), (1, 0, beat(1)));
}

#[test]
fn the_age_counts_from_the_last_message_and_stops_at_its_end() {
    let mut rig = Rig::new();
    rig.logic.uart_receives(A, b"hello!");
    for expected in [0_u16, 1, 255, 256, 300, 65_534] {
        let passed = usize::from(expected - age(&rig.status()));
        rig.logic.tick(A, passed);
        let status = rig.status();
        assert_eq!((age(&status), status[7]), (expected, 0));
    }
    for _ in 0..3 {
        rig.logic.tick(A, 1);
        let status = rig.status();
        assert_eq!((age(&status), status[7], status[2]), (u16::MAX, 0b10, 6), "the message stays");
    }
    rig.logic.uart_receives(A, b"hello!");
    assert_eq!(age(&rig.status()), 0);
}

#[test]
fn counts_wrap_and_start_numbers_leave_out_zero() {
    let mut rig = Rig::new();
    rig.logic.uart_receives(A, &b"hello!".repeat(256));
    let status = rig.status();
    assert_eq!((status[2], status[3], age(&status)), (6, 0, 0), "not empty");
    let starts: Vec<_> = (0..255).map(|_| (rig.status()[6], rig.logic.power_up(A)).0).collect();
    assert_eq!(starts, (1..=255).collect::<Vec<_>>());
    assert_eq!(rig.status()[6], 1);
}

#[test]
fn the_led_tells_who_talks() {
    let mut rig = Rig::new();
    assert_eq!(rig.led_over(300), 0, "nobody");
    rig.says(b"hello!");
    assert_eq!(rig.led_over(200), 100, "one side: on for half of two seconds");
    rig.says(b"hello!");
    rig.hears(b"hello!");
    assert_eq!(rig.led_over(100), 4, "both: on for 50 ms after a message");
    assert_eq!(rig.led_over(199), 0);
    assert_eq!(rig.led_over(300), 0, "nobody any more");
}
