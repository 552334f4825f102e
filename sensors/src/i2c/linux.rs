//! Linux's I2C devices, `/dev/i2c-N`. The only file that names the library.
//!
//! One I2C_RDWR a transfer, since it says how many of its messages were done. Some adapters report a read that nobody
//! acknowledged as a success of fewer messages, and the bytes of such a read are zeros.
//!
//! On the Raspberry Pi 1 to 3 the controller loses bits when a node stretches the clock in the middle of a byte. Nodes that
//! stretch (many microcontrollers) want a slower bus there: `dtparam=i2c_arm_baudrate=10000` in config.txt, or `i2c-gpio`.

use super::bus::{Bus, BusError, Operation};
use i2cdev::core::{I2CMessage, I2CTransfer};
use i2cdev::linux::{LinuxI2CBus, LinuxI2CMessage};
use std::io;
use std::path::{Path, PathBuf};

/// A bus of this machine.
pub struct LinuxBus {
    path: PathBuf,
    device: Option<LinuxI2CBus>,
}

impl LinuxBus {
    /// The bus of this device; it is opened later, and may come later.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), device: None }
    }

    fn device(&mut self) -> Result<&mut LinuxI2CBus, BusError> {
        let device = match self.device.take() {
            Some(device) => device,
            None => LinuxI2CBus::new(&self.path).map_err(|error| away(&self.path, &error.into()))?,
        };
        Ok(self.device.insert(device))
    }
}

impl Bus for LinuxBus {
    fn open(&mut self) -> Result<(), BusError> {
        self.device().map(|_| ())
    }

    fn transfer(&mut self, address: u16, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let path = self.path.clone();
        let device = self.device()?;
        let mut messages: Vec<LinuxI2CMessage<'_>> =
            operations.iter_mut().map(|operation| message(operation).with_address(address)).collect();
        let done = device.transfer(&mut messages).map_err(io::Error::from);
        let result = outcome(&path, done, messages.len());
        if matches!(result, Err(BusError::Away(_))) {
            self.device = None;
        }
        result
    }
}

fn message<'a>(operation: &'a mut Operation<'_>) -> LinuxI2CMessage<'a> {
    match operation {
        Operation::Write(bytes) => LinuxI2CMessage::write(bytes),
        Operation::Read(room) => LinuxI2CMessage::read(room),
    }
}

/// What the system's answer to a transfer of so many messages means; the codes are those of the kernel's page on I2C faults.
fn outcome(path: &Path, done: io::Result<u32>, of: usize) -> Result<(), BusError> {
    let error = match done {
        Ok(done) if usize::try_from(done) == Ok(of) => return Ok(()),
        Ok(done) => return Err(BusError::Incomplete { done, of }),
        Err(error) => error,
    };
    Err(match error.raw_os_error() {
        Some(libc::ENXIO | libc::EREMOTEIO) => BusError::NoAnswer,
        Some(libc::ETIMEDOUT) => BusError::Timeout,
        Some(libc::ENODEV | libc::ENOTTY) => away(path, &error),
        _ => BusError::Fault(error.to_string()),
    })
}

fn away(path: &Path, error: &io::Error) -> BusError {
    let remedy = match (error.kind(), error.raw_os_error()) {
        (_, Some(libc::ENOTTY)) => "name the device of an I2C bus",
        (io::ErrorKind::NotFound, _) | (_, Some(libc::ENODEV | libc::ENXIO)) => {
            "is I2C switched on? On a Raspberry Pi: sudo raspi-config nonint do_i2c 0"
        }
        (io::ErrorKind::PermissionDenied, _) => "add the user that runs fieldgate to the group i2c",
        _ => "look into the kernel's log",
    };
    BusError::Away(format!("{} cannot be used: {error}; {remedy}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(done: io::Result<u32>) -> Result<(), BusError> {
        outcome(Path::new("/dev/i2c-1"), done, 2)
    }

    #[test]
    fn a_transfer_counts_only_when_every_message_was_done() {
        assert_eq!(meaning(Ok(2)), Ok(()));
        for done in [0, 1, 3] {
            assert_eq!(meaning(Ok(done)), Err(BusError::Incomplete { done, of: 2 }));
        }
    }

    #[test]
    fn the_systems_codes_are_told_apart() {
        let code = |code| meaning(Err(io::Error::from_raw_os_error(code))).unwrap_err();
        assert_eq!((code(libc::ENXIO), code(libc::EREMOTEIO)), (BusError::NoAnswer, BusError::NoAnswer));
        assert_eq!(code(libc::ETIMEDOUT), BusError::Timeout);
        for fault in [libc::EIO, libc::EBUSY, libc::EAGAIN, libc::EOPNOTSUPP] {
            assert!(matches!(code(fault), BusError::Fault(_)), "{fault}");
        }
        assert!(matches!(code(libc::ENODEV), BusError::Away(_)));
    }

    #[test]
    fn a_device_that_cannot_be_opened_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let words = LinuxBus::new(&folder.path().join("i2c-1")).open().unwrap_err().to_string();
        assert!(words.contains("i2c-1 cannot be used: ") && words.ends_with("raspi-config nonint do_i2c 0"), "{words}");
        let denied = away(Path::new("/dev/i2c-1"), &io::Error::from_raw_os_error(libc::EACCES)).to_string();
        assert!(denied.ends_with("add the user that runs fieldgate to the group i2c"), "{denied}");
    }

    /// No bus is at hand here; a file of another kind shows that the system's refusal is heard.
    #[test]
    fn what_is_no_bus_fails_and_reads_nothing() {
        let mut bus = LinuxBus::new(Path::new("/dev/null"));
        bus.open().unwrap();
        let mut room = [7];
        let result = bus.transfer(0x76, &mut [Operation::Write(&[0xd0]), Operation::Read(&mut room)]);
        let words = result.unwrap_err().to_string();
        assert!(
            words.starts_with("/dev/null cannot be used") && words.ends_with("name the device of an I2C bus"),
            "{words}"
        );
        assert_eq!(room, [7]);
    }
}
