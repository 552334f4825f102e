//! The firmware's logic, compiled for this machine: two mailboxes in a process of their own.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Side;
use crate::compiler;

const FILES: [(&str, &str); 3] = [
    ("mailbox.h", include_str!("../../../packaging/firmware/mailbox/mailbox.h")),
    ("mailbox.c", include_str!("../../../packaging/firmware/mailbox/mailbox.c")),
    ("logic.c", include_str!("logic.c")),
];

/// At most so many bytes or ticks in one command.
const MOST: usize = 255;

/// Two mailboxes, one for each side, with nothing between them and no time of their own: both come from who drives them.
/// Dropping it ends their process.
#[derive(Debug)]
pub struct Logic {
    process: Child,
    commands: ChildStdin,
    answers: ChildStdout,
}

impl Logic {
    /// Makes the program in a folder, and starts it; both mailboxes have had their first power-up.
    ///
    /// # Panics
    /// When it cannot be made or started; the other functions do when it has ended.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        Self::run(Command::new(compiler::program(folder, "mailbox_logic", &FILES, &[])))
    }

    /// Starts a program that obeys the commands of `logic.c`.
    pub(crate) fn run(mut program: Command) -> Self {
        let process = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.unwrap_or_else(|e| panic!("{program:?} cannot be started: {e}"));
        let commands = process.stdin.take().expect("it was asked for");
        let answers = process.stdout.take().expect("it was asked for");
        Self { process, commands, answers }
    }

    /// A transfer in which the gateway writes.
    ///
    /// # Panics
    /// When it is longer than 255 bytes.
    pub fn write(&mut self, side: Side, bytes: &[u8]) {
        self.obey(b'w', side, bytes.len(), bytes);
    }

    /// A transfer in which the gateway reads so many bytes.
    pub fn read(&mut self, side: Side, length: usize) -> Vec<u8> {
        self.begin_to_read(side);
        self.go_on_reading(side, length)
    }

    /// The mailbox is addressed for reading.
    pub fn begin_to_read(&mut self, side: Side) {
        self.obey(b'b', side, 0, &[]);
    }

    /// The next bytes of the transfer that has begun.
    pub fn go_on_reading(&mut self, side: Side, length: usize) -> Vec<u8> {
        chunks(length).flat_map(|now| self.obey(b'r', side, now, &[])).collect()
    }

    /// Bytes arrive at the mailbox's UART.
    pub fn uart_receives(&mut self, side: Side, bytes: &[u8]) {
        for now in bytes.chunks(MOST) {
            self.obey(b'u', side, now.len(), now);
        }
    }

    /// What the mailbox sends at its UART, all that there is.
    pub fn uart_sends(&mut self, side: Side) -> Vec<u8> {
        self.obey(b'o', side, MOST, &[])
    }

    /// So many times 10 ms pass for one mailbox.
    pub fn tick(&mut self, side: Side, ticks: usize) {
        for now in chunks(ticks) {
            self.obey(b't', side, now, &[]);
        }
    }

    /// Whether the mailbox's LED is on.
    pub fn led(&mut self, side: Side) -> bool {
        self.obey(b'l', side, 0, &[]) == [1]
    }

    /// The mailbox loses power and gets it again.
    pub fn power_up(&mut self, side: Side) {
        self.obey(b'p', side, 0, &[]);
    }

    /// One command and its answer.
    pub(crate) fn obey(&mut self, what: u8, side: Side, number: usize, bytes: &[u8]) -> Vec<u8> {
        let number = u8::try_from(number).expect("at most 255 bytes a transfer");
        let mut command = vec![what, u8::from(side == Side::B), number];
        command.extend_from_slice(bytes);
        self.commands.write_all(&command).expect("the mailbox's logic runs");
        let mut length = [0];
        self.answers.read_exact(&mut length).expect("the mailbox's logic answers");
        let mut answer = vec![0; usize::from(length[0])];
        self.answers.read_exact(&mut answer).expect("the mailbox's logic answers whole");
        answer
    }
}

impl Drop for Logic {
    fn drop(&mut self) {
        // An error here means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A number as parts that fit into a command each.
fn chunks(whole: usize) -> impl Iterator<Item = usize> {
    (0..whole.div_ceil(MOST)).map(move |at| MOST.min(whole - at * MOST))
}
