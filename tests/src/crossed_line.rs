//! Two serial ports with their lines crossed, as a null-modem cable does: what one end says the other hears. Each direction can
//! be cut.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// A look at whether the cable is still there.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// The cable. Dropping it takes both ports away.
#[derive(Debug)]
pub struct CrossedLine {
    ports: [PathBuf; 2],
    state: Arc<State>,
    wires: Vec<thread::JoinHandle<()>>,
    // Open for as long as the cable is there, so that a port that nobody uses is silent and not gone.
    _slaves: [OwnedFd; 2],
}

#[derive(Debug, Default)]
struct State {
    is_cut: [AtomicBool; 2],
    is_over: AtomicBool,
}

impl CrossedLine {
    /// A cable between two new ports.
    pub fn new() -> Self {
        let [(one, first, first_slave), (other, second, second_slave)] = [pty(), pty()];
        let state = Arc::new(State::default());
        let clone = |file: &File| file.try_clone().expect("another handle of a port");
        let wires =
            vec![wire(clone(&one), clone(&other), 0, Arc::clone(&state)), wire(other, one, 1, Arc::clone(&state))];
        Self { ports: [first, second], state, wires, _slaves: [first_slave, second_slave] }
    }

    /// The port at one end, 0 or 1.
    pub fn port(&self, end: usize) -> &Path {
        &self.ports[end]
    }

    /// From now on nobody hears what this end says.
    pub fn cut_from(&self, end: usize) {
        self.state.is_cut[end].store(true, Ordering::SeqCst);
    }

    /// Both directions.
    pub fn cut(&self) {
        self.cut_from(0);
        self.cut_from(1);
    }

    /// Both directions are whole again.
    pub fn mend(&self) {
        self.state.is_cut.iter().for_each(|cut| cut.store(false, Ordering::SeqCst));
    }
}

impl Default for CrossedLine {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for CrossedLine {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        for wire in self.wires.drain(..) {
            let _ = wire.join();
        }
    }
}

fn pty() -> (File, PathBuf, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("the other end of a pty");
    let path: PathBuf = ptsname(&master, Vec::new()).expect("its name").into_string().expect("a plain name").into();
    let slave = open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).expect("its other end");
    // Or it would say everything back.
    let mut settings = tcgetattr(&slave).expect("its settings");
    settings.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &settings).expect("a raw line");
    (File::from(master), path, slave)
}

fn wire(mut from: File, mut to: File, end: usize, state: Arc<State>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = [0; 1024];
        while !state.is_over.load(Ordering::SeqCst) {
            let mut ready = [PollFd::new(&from, PollFlags::IN)];
            if !matches!(poll(&mut ready, Some(&LOOK_EVERY)), Ok(1..)) {
                continue;
            }
            let Ok(read) = from.read(&mut bytes) else { continue };
            if !state.is_cut[end].load(Ordering::SeqCst) {
                let _ = to.write_all(&bytes[..read]);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::process::wait_for;

    #[test]
    fn what_one_end_says_the_other_hears_until_it_is_cut() {
        let line = CrossedLine::new();
        let port = |end| File::options().read(true).write(true).open(line.port(end)).unwrap();
        let (mut one, mut other) = (port(0), port(1));
        let mut heard = [0; 5];
        one.write_all(b"hello").unwrap();
        other.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        line.cut_from(0);
        one.write_all(b"lost!").unwrap();
        other.write_all(b"still").unwrap();
        one.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"still");
        // What was said while it was cut is gone, however long that took.
        wait_for("the cable to take the lost bytes", Duration::from_secs(5), || {
            rustix::io::ioctl_fionread(&other).is_ok_and(|waiting| waiting == 0)
        });
        thread::sleep(Duration::from_millis(50));
        line.mend();
        one.write_all(b"again").unwrap();
        other.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"again");
    }
}
