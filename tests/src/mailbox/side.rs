//! One gateway's side: what its process has to be told.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::compiler;

const SHIM: &str = include_str!("shim.c");

/// One of the two gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl Side {
    pub(super) const BOTH: [Side; 2] = [Side::A, Side::B];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self == Side::B)
    }
}

/// One side's bus as a process finds it.
#[derive(Debug)]
pub struct I2cSide {
    device: PathBuf,
    socket: PathBuf,
    shim: PathBuf,
}

impl I2cSide {
    pub(super) fn new(folder: &Path, side: Side, shim: &Path) -> Self {
        let name = format!("{side:?}").to_lowercase();
        let device = folder.join(format!("i2c-{name}"));
        // Only a process with the environment finds a bus there; but everybody finds a file.
        File::create(&device).expect("the file that stands for the device");
        Self { device, socket: folder.join(format!("bus-{name}")), shim: shim.to_owned() }
    }

    /// The path to write as `bus` into the configuration.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Variables for the process that is to find the bus.
    pub fn environment(&self) -> [(String, String); 3] {
        [("LD_PRELOAD", &self.shim), ("FIELDGATE_I2C_DEVICE", &self.device), ("FIELDGATE_I2C_BUS", &self.socket)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Makes the library that is loaded before the processes.
pub(super) fn build_shim(folder: &Path) -> PathBuf {
    compiler::library(folder, "i2c_shim", SHIM)
}
