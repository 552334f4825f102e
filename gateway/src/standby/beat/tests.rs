//! The form byte by byte, and that no change of it passes for a beat.

use super::*;
use proptest::prelude::*;

const ME: Identity = Identity { site: 0x5173, gateway: 0x0001, start: 77 };

fn beat() -> Beat {
    Beat {
        who: Identity { gateway: 0x0002, start: 0x0403_0201, ..ME },
        role: Role::Active,
        priority: 2,
        wants_turn: false,
        unwell: true,
        term: 9,
        counter: 0x0102,
        durable_through_ms: 1_790_000_000_123,
        drained_through_ms: 5,
    }
}

#[test]
fn the_checksum_is_the_one_that_the_firmware_has() {
    assert_eq!(crc(b"123456789"), 0x29b1);
}

#[test]
fn every_field_lies_in_its_place() {
    let frame = beat().encode();
    assert_eq!(frame[..2], [0xf1, 0b1000_1010]);
    assert_eq!(frame[2..10], [0x73, 0x51, 0x02, 0x00, 0x01, 0x02, 0x03, 0x04]);
    assert_eq!(frame[10..18], [9, 0, 0, 0, 0x02, 0x01, 0, 0]);
    assert_eq!(frame[18..24], 1_790_000_000_123_u64.to_le_bytes()[..6]);
    assert_eq!(frame[24..30], [5, 0, 0, 0, 0, 0]);
}

#[test]
fn names_become_the_low_bits_of_their_hash() {
    let who = Identity::new("barn", "barn-1", 3);
    assert_eq!(u64::from(who.site), xxh3_64(b"barn") & 0xffff);
    assert_eq!((u64::from(who.gateway), who.start), (xxh3_64(b"barn-1") & 0xffff, 3));
}

#[test]
fn who_speaks_is_told_apart() {
    let from = |who| hear(&Beat { who, ..beat() }.encode(), ME);
    assert_eq!(from(beat().who), Heard::Beat(beat()));
    assert_eq!(from(ME), Heard::Echo);
    assert_eq!(from(Identity { start: 78, ..ME }), Heard::SameId);
    assert_eq!(from(Identity { site: 1, ..ME }), Heard::OtherSite);
    let mut later = beat().encode();
    later[0] = 0xf3;
    let sum = crc(&later[..CRC_AT]);
    put(&mut later, CRC_AT, &sum.to_le_bytes());
    assert_eq!(hear(&later, ME), Heard::OtherVersion(3));
    let mut no_role = beat().encode();
    no_role[1] |= 0b101;
    let sum = crc(&no_role[..CRC_AT]);
    put(&mut no_role, CRC_AT, &sum.to_le_bytes());
    assert_eq!(hear(&no_role, ME), Heard::Garbage);
}

#[test]
fn the_sketches_are_understood() {
    for text in [&b"hello!"[..], b"hello!\r\n", b"hello!\n", b"hello!\0\0\0"] {
        assert_eq!(hear(text, ME), Heard::Hello, "{text:?}");
    }
    for text in [&b"hello"[..], b"hello!!", b"Hello!", b" hello!", b""] {
        assert_eq!(hear(text, ME), Heard::Garbage, "{text:?}");
    }
}

#[test]
fn no_single_changed_bit_is_a_beat() {
    let frame = beat().encode();
    for bit in 0..FRAME_BYTES * 8 {
        let mut changed = frame;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(hear(&changed, ME), Heard::Garbage, "bit {bit}");
    }
}

#[test]
fn bytes_of_another_length_are_no_beat() {
    let frame = beat().encode();
    assert_eq!(hear(&frame[..31], ME), Heard::Garbage);
    assert_eq!(hear(&[&frame[..], &[0]].concat(), ME), Heard::Garbage);
}

#[test]
fn the_clocks_are_compared_while_the_other_disk_moves() {
    let beat = Beat { unwell: false, durable_through_ms: 10_000, ..beat() };
    assert_eq!((beat.clock_offset_ms(4_000), beat.clock_offset_ms(12_500)), (Some(6_000), Some(-2_500)));
    assert_eq!(Beat { unwell: true, ..beat }.clock_offset_ms(0), None);
    assert_eq!(Beat { durable_through_ms: 0, ..beat }.clock_offset_ms(0), None);
}

prop_compose! {
    fn any_beat()(
        names in any::<(u16, u32, u32, u32)>(),
        role in 0..ROLES.len(),
        priority in 1..=8_u8,
        flags in any::<(bool, bool)>(),
        times in (0..1_u64 << 48, 0..1_u64 << 48),
    ) -> Beat {
        let ((gateway, start, term, counter), (wants_turn, unwell)) = (names, flags);
        let (durable_through_ms, drained_through_ms) = times;
        let who = Identity { gateway, start, ..ME };
        Beat { who, role: ROLES[role], priority, wants_turn, unwell, term, counter, durable_through_ms, drained_through_ms }
    }
}

proptest! {
    #[test]
    fn what_is_said_is_what_is_heard(beat in any_beat()) {
        prop_assume!(beat.who.gateway != ME.gateway);
        prop_assert_eq!(hear(&beat.encode(), ME), Heard::Beat(beat));
    }

    #[test]
    fn any_bytes_are_something(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
        let _ = hear(&bytes, ME);
    }

    #[test]
    fn what_a_field_cannot_hold_becomes_the_nearest(number in any::<u64>(), priority in any::<u8>()) {
        let said = Beat { durable_through_ms: number, priority, ..beat() };
        let Heard::Beat(heard) = hear(&said.encode(), ME) else { panic!("a beat") };
        prop_assert_eq!(heard.durable_through_ms, number.min((1 << 48) - 1));
        prop_assert_eq!(heard.priority, priority.clamp(1, 8));
    }
}
