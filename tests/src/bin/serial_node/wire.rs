//! The node's end of a wire whose other end is a serial port.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A pseudo-terminal; the port is a link to its other side.
#[derive(Debug)]
pub struct Wire {
    master: File,
    port: PathBuf,
}

impl Wire {
    /// Puts a new port in place, also of one that is there.
    pub fn plug(port: &Path) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let unfinished = port.with_extension("new");
        symlink(OsStr::from_bytes(name.to_bytes()), &unfinished)?;
        fs::rename(&unfinished, port)?;
        Ok(Self { master: File::from(master), port: port.to_owned() })
    }

    /// Writes a line if somebody has the port open; else it goes nowhere, as on a real wire: false.
    ///
    /// A pseudo-terminal would keep it for the next one who opens the port, and keeps the marks of one who was killed (that
    /// the port is his alone). No wire does, so after each who had it open there is a new one.
    pub fn write(&mut self, line: &[u8]) -> io::Result<bool> {
        if self.is_closed()? {
            *self = Self::plug(&self.port)?;
        }
        let is_heard = self.was_opened()?;
        if is_heard {
            self.master.write_all(line)?;
        }
        Ok(is_heard)
    }

    /// Whoever opens a serial port first turns line editing off.
    fn was_opened(&self) -> io::Result<bool> {
        Ok(!tcgetattr(&self.master)?.local_modes.contains(LocalModes::ICANON))
    }

    /// Whether all who had the port open have closed it.
    fn is_closed(&self) -> io::Result<bool> {
        let mut ends = [PollFd::new(&self.master, PollFlags::empty())];
        poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        Ok(ends[0].revents().contains(PollFlags::HUP))
    }
}
