//! What happens to bytes: the damage of a card, and what somebody who wants to do harm would try.

use rand::Rng;
use rand::rngs::StdRng;

const MOST_CHANGES: u32 = 6;
/// Twice the longest input, so that doubling does not make rounds slow.
const MOST_BYTES: usize = 64 * 1024;
/// Lengths and counts at which something may overflow, or be believed.
const NUMBERS: [u64; 9] = [0, 1, 63, 65, 0x7fff, 0xffff, 0xffff_ffff, 1 << 62, u64::MAX];

/// One of the inputs after some changes, with pieces of the others.
pub fn mutated(inputs: &[Vec<u8>], numbers: &mut StdRng) -> Vec<u8> {
    let mut bytes = any(inputs, numbers).to_vec();
    for _ in 0..numbers.random_range(1..=MOST_CHANGES) {
        change(&mut bytes, inputs, numbers);
    }
    bytes.truncate(MOST_BYTES);
    bytes
}

fn any<'a>(inputs: &'a [Vec<u8>], numbers: &mut StdRng) -> &'a [u8] {
    &inputs[numbers.random_range(0..inputs.len())]
}

fn change(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], numbers: &mut StdRng) {
    let (from, to) = span(bytes.len(), numbers);
    match numbers.random_range(0..9) {
        0 | 1 => flip_bit(bytes, numbers),
        2 => set(bytes, from, &numbers.random::<[u8; 1]>()),
        3 => set(bytes, from, &number(numbers)),
        4 => set_digits(bytes, from, numbers),
        5 => bytes.truncate(from),
        6 => bytes[from..to].fill(0),
        7 => {
            let copy = bytes[from..to].to_vec();
            let at = numbers.random_range(0..=bytes.len());
            bytes.splice(at..at, copy);
        }
        _ => {
            let other = any(inputs, numbers);
            let (other_from, other_to) = span(other.len(), numbers);
            bytes.splice(from..to, other[other_from..other_to].iter().copied());
        }
    }
}

/// A part, mostly a short one.
fn span(length: usize, numbers: &mut StdRng) -> (usize, usize) {
    let from = numbers.random_range(0..=length);
    let most = if numbers.random_bool(0.7) { (length - from).min(16) } else { length - from };
    (from, from + numbers.random_range(0..=most))
}

fn flip_bit(bytes: &mut [u8], numbers: &mut StdRng) {
    if !bytes.is_empty() {
        bytes[numbers.random_range(0..bytes.len())] ^= 1 << numbers.random_range(0..8);
    }
}

/// As long as there is room.
fn set(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..].iter_mut().zip(new).for_each(|(byte, new)| *byte = *new);
}

/// The last bytes of a number, big-endian: as wide as one of the fields of a frame.
fn number(numbers: &mut StdRng) -> Vec<u8> {
    let width = [1, 2, 4, 8][numbers.random_range(0..4)];
    NUMBERS[numbers.random_range(0..NUMBERS.len())].to_be_bytes()[8 - width..].to_vec()
}

/// Another number in the place of the next digits, as in JSON.
fn set_digits(bytes: &mut Vec<u8>, from: usize, numbers: &mut StdRng) {
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|step| from + step) else { return };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let new = NUMBERS[numbers.random_range(0..NUMBERS.len())].to_string();
    bytes.splice(start..start + length, new.into_bytes());
}
