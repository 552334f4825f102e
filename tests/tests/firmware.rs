//! The mailbox's firmware, the program that goes onto the board, on a simulated one.
//!
//! The whole register map is held by the tests of the rig `mailbox`, on the same logic; here it is about what is around
//! that: interrupts, UART, timer, EEPROM and watchdog.

use fieldgate_tests::firmware::{Board, Kind, missing_packages};
use fieldgate_tests::mailbox::Side;

const BEAT: [u8; 32] = [
    0xf1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    0xfc, 0x36,
];

/// A board, or a sentence that says why there is none.
fn board(kind: Kind) -> Option<Board> {
    let missing = missing_packages();
    if missing.is_empty() {
        return Some(Board::start(kind));
    }
    eprintln!("skipped: the firmware needs {}; make firmware installs them", missing.join(" "));
    None
}

fn status(board: &mut Board) -> Vec<u8> {
    board.mailbox().write(Side::A, &[0x20]);
    board.mailbox().read(Side::A, 40)
}

fn age(status: &[u8]) -> u16 {
    u16::from_le_bytes([status[4], status[5]])
}

fn hears(board: &mut Board, bytes: &[u8]) -> Vec<u8> {
    board.mailbox().uart_receives(Side::A, bytes);
    status(board)
}

fn says(board: &mut Board, bytes: &[u8]) -> Vec<u8> {
    board.mailbox().write(Side::A, bytes);
    board.mailbox().uart_sends(Side::A)
}

fn messages_pass_both_ways(board: &mut Board) {
    assert_eq!(status(board), [&[0x46, 1, 0, 0, 0xff, 0xff, 1, 0b10][..], &[0; 32]].concat());
    assert_eq!(says(board, &[&[0], &BEAT[..]].concat()), BEAT);
    assert_eq!(says(board, b"hello!"), b"hello!");
    let heard = hears(board, &BEAT);
    assert_eq!((heard[2], heard[3], heard[7], &heard[8..]), (32, 1, 0, &BEAT[..]));
    let heard = hears(board, b"garbage");
    assert_eq!((heard[2], heard[3], heard[7], &heard[8..]), (32, 1, 1, &BEAT[..]));
    let heard = hears(board, b"hello!\r\n");
    assert_eq!((heard[2], heard[3], heard[7], &heard[8..14]), (6, 2, 0, &b"hello!"[..]));
    assert_eq!(heard[14..], [0; 26]);
}

fn the_age_is_time(board: &mut Board) {
    hears(board, &BEAT);
    board.mailbox().tick(Side::A, 500);
    let age = age(&status(board));
    // 5 s and the transfers around them; the timer is 0.16 % fast.
    assert!((500..=503).contains(&age), "{age}");
}

fn a_read_is_consistent(board: &mut Board) {
    let before = hears(board, &BEAT);
    board.mailbox().begin_to_read(Side::A);
    let mut read = board.mailbox().go_on_reading(Side::A, 20);
    board.mailbox().uart_receives(Side::A, b"hello!");
    read.extend(board.mailbox().go_on_reading(Side::A, 20));
    // The 40 bytes of the read before took 4 ms of the bus, so the age may be one more.
    assert_eq!((&read[..4], &read[6..]), (&before[..4], &before[6..]));
    assert_eq!(status(board)[8..14], *b"hello!");
}

fn a_wild_wire_does_not_stop_it(board: &mut Board) {
    let start_number = status(board)[6];
    for noise in [&[0xf1; 250][..], &[0; 250], b"hell", &BEAT[..31]] {
        hears(board, noise);
    }
    // Longer than the watchdog waits.
    for _ in 0..60 {
        board.mailbox().uart_receives(Side::A, &[0xf1; 250]);
    }
    board.i2c_bus_error();
    board.mailbox().write(Side::A, &[0xff; 200]);
    board.mailbox().tick(Side::A, 10);
    let heard = hears(board, &BEAT);
    assert_eq!((heard[6], heard[7], &heard[8..]), (start_number, 0, &BEAT[..]));
    assert_eq!(says(board, b"hello!"), b"hello!");
}

fn a_stuck_bus_is_let_go(board: &mut Board) {
    assert_eq!(board.hold_data_line(90), 0, "less than a second");
    board.mailbox().tick(Side::A, 2);
    assert_eq!(board.hold_data_line(250), 2, "once a second");
    assert_eq!(status(board)[..2], [0x46, 1]);
}

fn a_program_that_hangs_is_started_again(board: &mut Board) {
    let before = status(board)[6];
    board.let_the_program_hang();
    let after = status(board);
    assert_eq!((after[2], after[3], after[6]), (0, 0, before + 1), "empty, and it says so");
    board.mailbox().power_up(Side::A);
    assert_eq!(status(board)[6], before + 2);
    assert_eq!(hears(board, b"hello!")[2], 6);
}

/// On a bus with 100 kHz a byte takes 90 µs.
fn the_clock_line_is_held_for_a_short_time(board: &mut Board, at_most: f64) {
    let held = board.longest_hold();
    eprintln!("the clock line was held for {held:.0} µs at most; flash and memory: {:?} bytes", board.size());
    assert!(held <= at_most, "{held} µs");
}

#[test]
fn a_nano_does_what_the_register_map_says() {
    let Some(mut board) = board(Kind::NANO) else { return };
    messages_pass_both_ways(&mut board);
    the_age_is_time(&mut board);
    a_read_is_consistent(&mut board);
    a_wild_wire_does_not_stop_it(&mut board);
    a_stuck_bus_is_let_go(&mut board);
    a_program_that_hangs_is_started_again(&mut board);
    the_clock_line_is_held_for_a_short_time(&mut board, 30.0);
    let (flash, memory) = board.size();
    assert!(flash < 4096 && memory < 512, "{flash} and {memory} bytes: half of the memory is for the stack and change");
}

#[test]
fn a_slower_board_does_too() {
    let Some(mut board) = board(Kind::PRO_MINI) else { return };
    messages_pass_both_ways(&mut board);
    the_age_is_time(&mut board);
    a_wild_wire_does_not_stop_it(&mut board);
    the_clock_line_is_held_for_a_short_time(&mut board, 60.0);
}
