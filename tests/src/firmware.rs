//! The mailbox's firmware as it goes onto the board, on a simulated ATmega328P.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::compiler;
use crate::mailbox::{Logic, Side};

const SIMULATOR: (&str, &str) = ("simulator.c", include_str!("firmware/simulator.c"));

const LIBRARIES: [&str; 4] = ["-D_GNU_SOURCE", "-I/usr/include/simavr", "-lsimavr", "-lelf"];
/// A program and a header of each package that is needed, with its name.
const PACKAGES: [(&str, &str); 4] = [
    ("/usr/bin/avr-gcc", "gcc-avr"),
    ("/usr/lib/avr/include/avr/io.h", "avr-libc"),
    ("/usr/include/simavr/sim_avr.h", "libsimavr-dev"),
    ("/usr/include/libelf.h", "libelf-dev"),
];

/// A kind of board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its clock.
    pub hertz: u32,
    /// The speed of its UART.
    pub baud: u32,
}

impl Kind {
    /// Arduino Nano and Uno.
    pub const NANO: Kind = Kind { hertz: 16_000_000, baud: 115_200 };
    /// Boards for 3.3 V.
    pub const PRO_MINI: Kind = Kind { hertz: 8_000_000, baud: 38_400 };
}

/// A simulated board that runs the firmware. Time passes there only while something is done with it.
#[derive(Debug)]
pub struct Board {
    logic: Logic,
    elf: PathBuf,
    hertz: u32,
    _folder: TempDir,
}

/// The packages that are missing here; empty when boards can be made.
pub fn missing_packages() -> Vec<&'static str> {
    PACKAGES.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect()
}

impl Board {
    /// Builds the firmware with its own Makefile, and powers the board up.
    ///
    /// # Panics
    /// When one of `missing_packages` is needed, or the firmware cannot be built.
    #[must_use]
    pub fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the firmware");
        let elf = build(kind, folder.path());
        let simulator = compiler::program(folder.path(), "simulator", &[SIMULATOR], &LIBRARIES);
        let mut command = Command::new(simulator);
        command.arg(&elf).args([kind.hertz, kind.baud].map(|number| number.to_string()));
        Self { logic: Logic::run(command), elf, hertz: kind.hertz, _folder: folder }
    }

    /// What the two wires of the board see; the side does not matter.
    pub fn mailbox(&mut self) -> &mut Logic {
        &mut self.logic
    }

    /// START or STOP in the middle of a byte.
    pub fn i2c_bus_error(&mut self) {
        self.logic.obey(b'e', Side::A, 0, &[]);
    }

    /// The data line is held down for so many times 10 ms, at most 255: how often the board let go of it meanwhile.
    ///
    /// # Panics
    /// When it is longer.
    pub fn hold_data_line(&mut self, ticks: usize) -> u8 {
        self.logic.obey(b'd', Side::A, ticks, &[])[0]
    }

    /// For two seconds the program goes round in one place; then two more seconds pass.
    pub fn let_the_program_hang(&mut self) {
        self.logic.obey(b'h', Side::A, 0, &[]);
    }

    /// For how many microseconds the clock line of the I2C bus was held at most.
    pub fn longest_hold(&mut self) -> f64 {
        let cycles = self.logic.obey(b'c', Side::A, 0, &[]);
        f64::from(u16::from_le_bytes([cycles[0], cycles[1]])) * 1e6 / f64::from(self.hertz)
    }

    /// Bytes of flash and of memory that the firmware takes, without its stack.
    pub fn size(&self) -> (u32, u32) {
        let output = Command::new("avr-size").arg(&self.elf).output().expect("avr-size of binutils-avr");
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<u32> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [code, data, zeroed, ..] = figures[..] else { panic!("avr-size says {text}") };
        (code + data, data + zeroed)
    }
}

fn build(kind: Kind, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/firmware/mailbox");
    let mut make = Command::new("make");
    make.arg("-C").arg(source).arg(format!("BUILD={}", folder.display()));
    make.arg(format!("F_CPU={}", kind.hertz)).arg(format!("BAUD={}", kind.baud));
    // This test may itself have been started by a make, whose variables are not for this one.
    make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    let output = make.output().expect("make can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("mailbox.elf")
}
