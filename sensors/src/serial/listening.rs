//! The loop that listens: open the port, take its lines, and open it again when it was gone.

use super::SerialSource;
use super::delivery::{Delivery, Missing, Span};
use super::frames::{Frame, LineFramer};
use super::lines::{decode_line, shows_its_beginning};
use super::port::{self, OpenError, Port};
use crate::backoff::Backoff;
use crate::clock::{SampleClock, Stamp};
use crate::reading::DeadLetter;
use crate::source::{Content, Outlet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How many bytes are taken from the port at once.
const CHUNK_BYTES: usize = 4096;

/// The state of listening to one port.
pub struct Listening {
    settings: config::Serial,
    clock: Arc<dyn SampleClock>,
    delivery: Delivery,
    backoff: Backoff,
    /// The trouble already reported, so that a run of equal failures is one line.
    trouble: Option<OpenError>,
    /// Since when nothing can be heard, microseconds since 1970, and why.
    deaf: Option<(Missing, i64)>,
    /// When this connection last brought something.
    last_arrival_us: Option<i64>,
    /// Whether this connection has brought a line that could not be understood.
    garbled: bool,
}

impl Listening {
    /// Not open yet.
    pub fn new(source: SerialSource, outlet: Outlet) -> Self {
        let SerialSource { index, settings, clock } = source;
        let seed = u64::try_from(index).unwrap_or(0);
        Self {
            delivery: Delivery::new(outlet, settings.node.clone()),
            settings,
            clock,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(10), seed),
            trouble: None,
            deaf: None,
            last_arrival_us: None,
            garbled: false,
        }
    }

    /// Listens for ever. Nothing is lost when it is cancelled, since lines are handed over without a pause.
    pub async fn run(&mut self) -> Infallible {
        loop {
            match port::open(&self.settings) {
                Ok(port) => {
                    self.opened();
                    let why = self.listen(port).await;
                    self.gone(&why);
                }
                Err(trouble) => self.not_open(trouble),
            }
            self.backoff.wait().await;
            self.delivery.tick(self.clock.stamp());
        }
    }

    /// Tells what is owed; on stop.
    pub fn end(&mut self) {
        self.no_longer_deaf();
        self.delivery.end();
    }

    fn opened(&mut self) {
        info!(port = %self.settings.port.display(), node = %self.settings.node, "listening to the serial port");
        self.delivery.meter().connected();
        (self.trouble, self.last_arrival_us, self.garbled) = (None, None, false);
        self.no_longer_deaf();
        self.delivery.tick(self.clock.stamp());
    }

    fn gone(&mut self, why: &str) {
        warn!(node = %self.settings.node, "the serial port {} is gone ({why}); waiting for it", self.settings.port.display());
        self.delivery.meter().lost(why);
        self.trouble = Some(OpenError::NotThere);
        let since = self.last_arrival_us.unwrap_or_else(|| self.clock.stamp().wall_us);
        self.deaf = Some((Missing::PortGone, since));
    }

    fn not_open(&mut self, trouble: OpenError) {
        self.deaf.get_or_insert((Missing::PortNotOpen, self.clock.stamp().wall_us));
        self.delivery.meter().lost(&trouble.to_string());
        if self.is_news(&trouble) {
            warn!(node = %self.settings.node, "the serial port {} {trouble}", self.settings.port.display());
        }
    }

    /// Whether it differs from what was reported last; from now on it does not.
    fn is_news(&mut self, trouble: &OpenError) -> bool {
        self.trouble.replace(trouble.clone()).as_ref() != Some(trouble)
    }

    fn no_longer_deaf(&mut self) {
        if let Some((missing, from_us)) = self.deaf.take() {
            let to_us = self.clock.stamp().wall_us;
            self.delivery.owe(missing, Span { from_us, to_us, count: None });
        }
    }

    /// Takes lines until the port is gone; says why it is.
    async fn listen(&mut self, mut port: Port) -> String {
        let most_bytes = self.settings.max_frame_bytes;
        let mut framer = if shows_its_beginning(&self.settings.format) {
            LineFramer::new(most_bytes)
        } else {
            LineFramer::within_a_line(most_bytes)
        };
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            tokio::select! {
                read = port.read(&mut chunk) => match read {
                    Ok(bytes) => self.heard(&mut framer, chunk.get(..bytes).unwrap_or_default()),
                    Err(why) => return why,
                },
                () = tokio::time::sleep(Duration::from_secs(1)), if self.delivery.is_owing() => {
                    self.delivery.tick(self.clock.stamp());
                }
            }
        }
    }

    fn heard(&mut self, framer: &mut LineFramer, bytes: &[u8]) {
        let stamp = self.clock.stamp();
        self.last_arrival_us = Some(stamp.wall_us);
        self.backoff.reset();
        for frame in framer.push(bytes) {
            self.take(frame, stamp);
        }
    }

    fn take(&mut self, frame: Frame, stamp: Stamp) {
        match frame {
            Frame::Line(line) => match decode_line(&self.settings.node, &self.settings.format, &line, stamp) {
                Ok(readings) => self.delivery.hand_over(Content::Readings(readings), line.len(), stamp),
                Err(why) => self.refuse(why.to_string(), &line, line.len(), stamp),
            },
            Frame::TooLong { length, head } => {
                let most = self.settings.max_frame_bytes;
                let why = format!(
                    "the line has more than {most} bytes; raise max_frame, or compare baud and parity with the node's"
                );
                self.refuse(why, &head, length, stamp);
            }
        }
    }

    fn refuse(&mut self, why: String, head: &[u8], length: usize, stamp: Stamp) {
        let port = self.settings.port.display().to_string();
        if !self.garbled {
            warn!(node = %self.settings.node, "a line from the serial port {port} became a dead letter: {why}");
            self.garbled = true;
        }
        let mut letter = DeadLetter::new(&port, why, head, stamp);
        letter.length = u64::try_from(length).unwrap_or(u64::MAX);
        self.delivery.refuse(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::KernelClock;
    use config::{LineFormat, NodeId, Parity, Serial, StopBits};

    fn listening() -> Listening {
        let (format, parity, stop_bits) = (LineFormat::JsonLines, Parity::None, StopBits::One);
        let (port, node) = ("/dev/ttyUSB0".into(), NodeId::new("silo").unwrap());
        let settings = Serial { port, node, format, baud: 115_200, parity, stop_bits, max_frame_bytes: 4096 };
        let clock = Arc::new(KernelClock::open().unwrap());
        Listening::new(SerialSource { index: 0, settings, clock }, Outlet::new(10, 1000).0)
    }

    #[test]
    fn each_trouble_is_news_once_until_another_or_until_the_port_was_open() {
        let mut listening = listening();
        let mut news = |trouble: OpenError| listening.is_news(&trouble);
        assert!(news(OpenError::NotThere) && !news(OpenError::NotThere) && !news(OpenError::NotThere));
        assert!(news(OpenError::Forbidden) && !news(OpenError::Forbidden) && news(OpenError::NotThere));
        listening.opened();
        assert!(listening.is_news(&OpenError::NotThere));
        listening.opened();
        listening.gone("it was unplugged");
        assert!(!listening.is_news(&OpenError::NotThere), "that it is gone has been said");
    }

    #[test]
    fn a_gap_begins_at_the_first_failure_or_at_the_last_arrival() {
        let mut listening = listening();
        listening.not_open(OpenError::NotThere);
        let first = listening.deaf;
        listening.not_open(OpenError::InUse);
        assert!(first.is_some() && listening.deaf == first);
        listening.opened();
        assert_eq!(listening.deaf, None);
        listening.last_arrival_us = Some(17);
        listening.gone("it was unplugged");
        listening.not_open(OpenError::NotThere);
        assert_eq!(listening.deaf, Some((Missing::PortGone, 17)));
    }
}
