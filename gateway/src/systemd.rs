//! The service manager's protocol (sd_notify(3)): ready, stopping, a line of numbers, and the watchdog.
//!
//! The watchdog is fed by turning loops only: when intake or drain has not turned for [`STALE`], it is not fed, and
//! the service manager restarts the program. A database, a broker or a bus that hangs stops no loop.

use crate::pulse::Pulse;
use crate::status::Board;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, warn};

/// A loop that has not turned for so long hangs. Longer than any statement and than a slow card's sync.
const STALE: Duration = Duration::from_secs(25);
/// How often the manager hears of us.
const PERIOD: Duration = Duration::from_secs(5);

/// The way to the service manager; silent when there is none.
#[derive(Debug, Default)]
pub struct Manager {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// As the environment says: NOTIFY_SOCKET and WATCHDOG_USEC.
    pub fn from_environment() -> Self {
        let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        let socket = connect(path.as_bytes()).inspect_err(|error| warn!("the service manager cannot be told: {error}"));
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|us| us.parse().ok()).map(Duration::from_micros);
        Self { socket: socket.ok(), watchdog }
    }

    /// Says something; a manager that does not listen is not our trouble.
    pub fn say(&self, words: &str) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(words.as_bytes());
        }
    }

    /// Everything runs.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// We stop because we were told to.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Tells the numbers and feeds the watchdog, for ever.
    pub async fn keep_told(self: Arc<Self>, board: Arc<Board>, pulses: Vec<(&'static str, Pulse)>) {
        let period = self.watchdog.map_or(PERIOD, |limit| PERIOD.min(limit / 3));
        let mut ticks = tokio::time::interval(period);
        let mut stuck = None;
        loop {
            ticks.tick().await;
            let hanging = pulses.iter().find(|(_, pulse)| pulse.age() > STALE).map(|(name, _)| *name);
            if hanging != stuck {
                if let Some(name) = hanging {
                    error!("the {name} has not turned for {STALE:?}; the watchdog is not fed any more");
                }
                stuck = hanging;
            }
            let fed = if hanging.is_none() && self.watchdog.is_some() { "\nWATCHDOG=1" } else { "" };
            self.say(&format!("STATUS={}{fed}", board.line()));
        }
    }
}

/// A path, or an abstract name that begins with `@`.
fn connect(path: &[u8]) -> io::Result<UnixDatagram> {
    let address = match path {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_is_told_over_a_path_and_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("fieldgate-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&abstract_name).unwrap();
        for (listener, address) in
            [(by_path, path.as_os_str().as_bytes().to_vec()), (by_name, format!("@{name}").into_bytes())]
        {
            let manager = Manager { socket: Some(connect(&address).unwrap()), watchdog: None };
            manager.ready();
            let mut heard = [0; 64];
            let length = listener.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1");
        }
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        Manager::default().ready();
    }
}
