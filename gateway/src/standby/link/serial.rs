//! A serial line from one gateway to the other, crossed; RS-232, RS-485 with four wires, or USB adapters between them.

use super::stream::Reassembly;
use super::{Link, LinkError, Reporter};
use crate::standby::beat::Frame;
use sensors::backoff::Backoff;
use sensors::serial::Port;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

/// How many bytes are taken from the port at once.
const CHUNK_BYTES: usize = 256;
/// A port that takes nothing for so long loses the beat; meanwhile the system keeps what comes.
const WRITE_WITHIN: Duration = Duration::from_millis(100);
/// So many bytes of no message are worth a word.
const MUCH_GARBAGE: u64 = 1024;

/// What a port gives sooner after it was opened was there before.
const OLD_WITHIN: Duration = Duration::from_millis(50);

/// One port.
pub struct SerialLink {
    /// Its path.
    pub port: PathBuf,
    /// Bits a second.
    pub baud: u32,
}

impl Link for SerialLink {
    fn name(&self) -> String {
        format!("serial {}", self.port.display())
    }

    async fn run(self, mut outgoing: watch::Receiver<Frame>, mut news: Reporter) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 1);
        while outgoing.has_changed().is_ok() {
            let why = match Port::open(&self.port, self.baud) {
                Ok(mut port) => {
                    leave_out_what_is_old(&mut port).await;
                    news.up();
                    let Some(why) = self.talk(port, &mut outgoing, &mut news).await else { return };
                    LinkError::PortGone(why)
                }
                Err(why) => LinkError::Port(why),
            };
            news.down(why);
            backoff.wait().await;
        }
    }
}

/// What was said before the port was opened may still lie in the system, and be long over.
async fn leave_out_what_is_old(port: &mut Port) {
    let mut old = [0; CHUNK_BYTES];
    // A port that is gone says so again.
    let _ = timeout(OLD_WITHIN, async { while port.read(&mut old).await.is_ok() {} }).await;
}

impl SerialLink {
    /// Talks until the port is gone, and says why it is; none when there is nothing to say any more.
    async fn talk(&self, mut port: Port, outgoing: &mut watch::Receiver<Frame>, news: &mut Reporter) -> Option<String> {
        let mut chunk = [0; CHUNK_BYTES];
        let mut heard = Hearing::default();
        // What was to be said while there was no port is old.
        outgoing.mark_unchanged();
        loop {
            tokio::select! {
                read = port.read(&mut chunk) => match read {
                    Ok(bytes) => heard.take(chunk.get(..bytes).unwrap_or_default(), &self.name(), news),
                    Err(why) => return Some(why),
                },
                changed = outgoing.changed() => {
                    changed.ok()?;
                    let frame = *outgoing.borrow_and_update();
                    if let Ok(Err(why)) = timeout(WRITE_WITHIN, port.write(&frame)).await {
                        return Some(why);
                    }
                    news.tick();
                }
            }
        }
    }
}

/// What one connection brings.
#[derive(Default)]
struct Hearing {
    stream: Reassembly,
    told: bool,
}

impl Hearing {
    fn take(&mut self, bytes: &[u8], link: &str, news: &mut Reporter) {
        for message in self.stream.push(bytes) {
            news.heard(&message, Duration::ZERO);
        }
        if self.stream.garbage() > MUCH_GARBAGE && !std::mem::replace(&mut self.told, true) {
            warn!(
                link,
                "more than {MUCH_GARBAGE} bytes on the line are no beats; is baud the same at both ends, and nothing else on the line?"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::polled::tests::{PATIENCE, Running};
    use super::*;
    use crate::standby::beat::{Beat, HELLO, Identity};
    use crate::standby::link::What;
    use crate::standby::role::Role;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use sensors::serial::OpenError;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::path::Path;

    fn beat(counter: u32) -> Frame {
        let who = Identity { site: 1, gateway: 2, start: 3 };
        let (role, priority, wants_turn, unwell) = (Role::Standby, 2, false, false);
        let (term, durable_through_ms, drained_through_ms) = (5, 0, 0);
        Beat { who, role, priority, wants_turn, unwell, term, counter, durable_through_ms, drained_through_ms }.encode()
    }

    /// Plugs a line in: its far end, and the port as a link of this name.
    fn plug(port: &Path) -> File {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        // Or what is said before the port is opened comes back as an echo.
        let mut settings = tcgetattr(&far).unwrap();
        settings.make_raw();
        tcsetattr(&far, OptionalActions::Now, &settings).unwrap();
        let path = ptsname(&far, Vec::new()).unwrap();
        std::os::unix::fs::symlink(path.to_str().unwrap(), port).unwrap();
        File::from(far)
    }

    async fn read_frame(far: &File) -> Frame {
        let mut far = far.try_clone().unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let mut frame = [0; 32];
            far.read_exact(&mut frame).map(|()| frame)
        });
        tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap().unwrap()
    }

    #[tokio::test]
    async fn beats_go_both_ways_among_noise() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("port");
        let mut far = plug(&port);
        // What was said before the port was opened may be long over.
        far.write_all(&beat(6)).unwrap();
        let mut running = Running::start(SerialLink { port, baud: 115_200 });
        assert_eq!(running.next().await, What::Up);
        running.outgoing.send_replace(beat(1));
        assert_eq!(read_frame(&far).await, beat(1));
        far.write_all(b"\xf1noise").unwrap();
        far.write_all(&beat(7)).unwrap();
        far.write_all(b"hello!\r\n").unwrap();
        far.write_all(&beat(8)[..9]).unwrap();
        assert_eq!(running.message().await.bytes, beat(7));
        assert_eq!(running.message().await.bytes, HELLO);
        far.write_all(&beat(8)[9..]).unwrap();
        assert_eq!(running.message().await.bytes, beat(8));
        running.outgoing.send_replace(beat(2));
        assert_eq!(read_frame(&far).await, beat(2));
    }

    #[tokio::test]
    async fn an_unplugged_port_is_down_and_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("port");
        let mut running = Running::start(SerialLink { port: port.clone(), baud: 115_200 });
        assert_eq!(running.next().await, What::Down(LinkError::Port(OpenError::NotThere)));
        let far = plug(&port);
        assert_eq!(running.next().await, What::Up);
        std::fs::remove_file(&port).unwrap();
        drop(far);
        assert!(matches!(running.next().await, What::Down(LinkError::PortGone(_))));
        let mut far = plug(&port);
        while running.next().await != What::Up {}
        far.write_all(&beat(3)).unwrap();
        assert_eq!(running.message().await.bytes, beat(3));
    }

    #[tokio::test]
    async fn a_line_that_nobody_empties_does_not_stop_the_hearing() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("port");
        let mut far = plug(&port);
        let mut running = Running::start(SerialLink { port, baud: 115_200 });
        assert_eq!(running.next().await, What::Up);
        for counter in 0..2000 {
            running.outgoing.send_replace(beat(counter));
            tokio::task::yield_now().await;
        }
        far.write_all(&beat(4)).unwrap();
        assert_eq!(running.message().await.bytes, beat(4));
    }
}
