//! Serial nodes at the other end of pseudo-terminals, and the source that listens to them.

use super::log;
use config::{LineFormat, NodeId, Parity, Serial, StopBits, WhileStandby};
use fieldgate_sensors::serial::SerialSource;
use fieldgate_sensors::{Arrival, Content, KernelClock, Meter, Outlet, Reading, Source, Turn};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{mpsc, watch};

const PATIENCE: Duration = Duration::from_secs(8);

/// A folder with a name for a port, as udev makes them: a link that comes and goes with its device.
pub struct Socket(tempfile::TempDir);

impl Socket {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn port(&self) -> PathBuf {
        self.0.path().join("usb-node-port0")
    }

    /// Plugs in a node.
    pub fn plug(&self) -> Plugged {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        symlink(&name, self.port()).unwrap();
        Plugged { master: File::from(master), port: self.port() }
    }
}

/// A node that is plugged in; dropped, it is unplugged.
pub struct Plugged {
    master: File,
    port: PathBuf,
}

impl Plugged {
    /// Waits until somebody has opened the port: then it does no line editing any more.
    pub async fn opened(&self) {
        let is_raw = || !tcgetattr(&self.master).unwrap().local_modes.contains(LocalModes::ICANON);
        tokio::time::timeout(PATIENCE, async {
            while !is_raw() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .unwrap();
    }

    /// Sends bytes to whoever listens.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.master.write_all(bytes.as_ref()).unwrap();
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.port);
    }
}

pub fn settings(port: &Path, format: LineFormat) -> Serial {
    let (node, parity, stop_bits) = (NodeId::new("silo").unwrap(), Parity::None, StopBits::One);
    let (port, while_standby) = (port.to_owned(), WhileStandby::Deliver);
    Serial { port, node, format, baud: 115_200, parity, stop_bits, max_frame_bytes: 64, while_standby }
}

/// Listens while `scenario` runs, then stops. Gives what was handed over and not looked at.
pub async fn listening(
    settings: Serial,
    messages: usize,
    scenario: impl AsyncFnOnce(&mut Receiver<Arrival>),
) -> Vec<Content> {
    listening_in_turn(settings, messages, Turn::always(), async |arrivals, _| scenario(arrivals).await).await
}

/// The same while `turn` is ours; the scenario is shown how the source is getting on, too.
pub async fn listening_in_turn(
    settings: Serial,
    messages: usize,
    turn: Turn,
    scenario: impl AsyncFnOnce(&mut Receiver<Arrival>, &Meter),
) -> Vec<Content> {
    log::begin();
    let clock = Arc::new(KernelClock::open().unwrap());
    let (outlet, mut arrivals) = Outlet::new(messages, 1_000_000);
    let meter = outlet.meter().clone();
    let (stop, stopped) = watch::channel(false);
    let (acknowledge, acknowledged) = mpsc::channel(1);
    let source = SerialSource { index: 0, settings, clock, turn };
    let scenario = async {
        // join! polls the source first, so it has tried the port once when the scenario begins.
        scenario(&mut arrivals, &meter).await;
        assert!(acknowledge.is_closed(), "a serial node is owed no acknowledgement");
        stop.send_replace(true);
    };
    let both = async { tokio::join!(source.run(outlet, acknowledged, stopped), scenario) };
    tokio::time::timeout(PATIENCE, both).await.expect("the source returns after stop");
    let mut rest = Vec::new();
    while let Some(arrival) = arrivals.recv().await {
        rest.push(arrival.content);
    }
    rest
}

/// The next thing that is handed over.
pub async fn next(arrivals: &mut Receiver<Arrival>) -> Content {
    tokio::time::timeout(PATIENCE, arrivals.recv()).await.expect("something arrives").unwrap().content
}

/// The next thing, which is the readings of one line.
pub async fn next_readings(arrivals: &mut Receiver<Arrival>) -> Vec<Reading> {
    match next(arrivals).await {
        Content::Readings(readings) => readings,
        other => panic!("no readings: {other:?}"),
    }
}
