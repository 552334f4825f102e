//! The serial port library, behind one type.

use config::{Parity, StopBits};
use std::path::Path;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort as _, SerialPortBuilder, SerialPortBuilderExt, SerialStream};

/// Why a port cannot be opened, as the end of a sentence that begins with its path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// No such file.
    #[error("is not there; waiting for it")]
    NotThere,
    /// Somebody else has it, exclusively.
    #[error("is in use by another process; waiting until that one closes it")]
    InUse,
    /// The file's permissions.
    #[error(
        "may not be opened: permission denied; add the user that runs fieldgate to the group dialout and restart it"
    )]
    Forbidden,
    /// A file or a device of another kind.
    #[error("is no serial port; write the path of one, such as /dev/serial0")]
    NoPort,
    /// The system's words.
    #[error("cannot be opened ({0}); trying again until it can")]
    Other(String),
}

/// An open port that nobody else can open; closed when dropped.
#[derive(Debug)]
pub struct Port(SerialStream);

/// Opens the port of a node as it is configured.
///
/// # Errors
/// [`OpenError`], of which each kind may pass by itself.
pub fn open(settings: &config::Serial) -> Result<Port, OpenError> {
    let port = at(&settings.port, settings.baud)
        .parity(match settings.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(match settings.stop_bits {
            StopBits::One => tokio_serial::StopBits::One,
            StopBits::Two => tokio_serial::StopBits::Two,
        });
    opened(port)
}

fn at(path: &Path, baud: u32) -> SerialPortBuilder {
    tokio_serial::new(path.to_string_lossy(), baud).exclusive(true)
}

fn opened(port: SerialPortBuilder) -> Result<Port, OpenError> {
    port.open_native_async().map(Port).map_err(|error| sorted(error.kind, error.description))
}

fn sorted(kind: ErrorKind, words: String) -> OpenError {
    match kind {
        // The library's word for EBUSY and for a lock that another process has.
        ErrorKind::NoDevice => OpenError::InUse,
        ErrorKind::Io(std::io::ErrorKind::NotFound) => OpenError::NotThere,
        // ENOTTY, in the words of both libraries of C.
        _ if words.contains("Not a typewriter") || words.contains("Inappropriate ioctl") => OpenError::NoPort,
        ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => OpenError::Forbidden,
        _ => OpenError::Other(words),
    }
}

impl Port {
    /// Opens the port of this path: eight bits, no check bit, one stop bit; `baud` in bits a second. What came before
    /// it was opened is not heard.
    ///
    /// # Errors
    /// [`OpenError`], of which each kind may pass by itself.
    pub fn open(path: &Path, baud: u32) -> Result<Self, OpenError> {
        let port = opened(at(path, baud))?;
        port.0.clear(ClearBuffer::Input).map_err(|error| sorted(error.kind, error.description))?;
        Ok(port)
    }

    /// Gives all of `bytes` to the system; waits while it has no room for them.
    ///
    /// # Errors
    /// When the port is gone, with the reason.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.write_all(bytes).await.map_err(|error| error.to_string())
    }

    /// Waits for bytes; at least one.
    ///
    /// # Errors
    /// When the port is gone, with the reason. An unplugged one reads as nothing, at once and for ever.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        match self.0.read(buffer).await {
            Ok(0) => Err("it was unplugged".to_owned()),
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{LineFormat, NodeId, Serial, WhileStandby};
    use std::path::PathBuf;

    fn settings(port: PathBuf) -> Serial {
        let node = NodeId::new("silo").unwrap();
        let (format, parity, stop_bits) = (LineFormat::JsonLines, Parity::None, StopBits::One);
        let while_standby = WhileStandby::Deliver;
        Serial { port, node, format, baud: 115_200, parity, stop_bits, max_frame_bytes: 4096, while_standby }
    }

    #[tokio::test]
    async fn what_is_not_there_or_no_port_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert_eq!(open(&settings(file.clone())).unwrap_err(), OpenError::NotThere);
        std::fs::write(&file, "").unwrap();
        let error = open(&settings(file)).unwrap_err();
        assert_eq!(error, OpenError::NoPort);
    }

    #[test]
    fn every_kind_of_refusal_says_what_to_do() {
        let words = |kind| sorted(kind, "the system's words".to_owned()).to_string();
        assert!(words(ErrorKind::NoDevice).contains("in use by another process"));
        assert!(words(ErrorKind::Io(std::io::ErrorKind::PermissionDenied)).contains("group dialout"));
        assert!(words(ErrorKind::Io(std::io::ErrorKind::NotFound)).contains("is not there"));
        assert!(words(ErrorKind::Unknown).contains("the system's words"));
    }
}
