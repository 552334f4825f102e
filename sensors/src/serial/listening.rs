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
use crate::turn::{LOOK_EVERY, Turn, WAITING};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How many bytes are taken from the port at once.
const CHUNK_BYTES: usize = 4096;

/// Why listening came to an end.
enum End {
    /// The port is gone.
    Gone(String),
    /// It is the other gateway's turn.
    TurnOver,
}

/// The state of listening to one port.
pub struct Listening {
    settings: config::Serial,
    clock: Arc<dyn SampleClock>,
    turn: Turn,
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
        let SerialSource { index, settings, clock, turn } = source;
        let seed = u64::try_from(index).unwrap_or(0);
        Self {
            delivery: Delivery::new(outlet, settings.node.clone()),
            settings,
            clock,
            turn,
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
            self.wait_for_turn().await;
            match port::open(&self.settings) {
                Ok(port) => {
                    self.opened();
                    match self.listen(port).await {
                        End::Gone(why) => self.gone(&why),
                        End::TurnOver => continue,
                    }
                }
                Err(trouble) => self.not_open(trouble),
            }
            tokio::select! {
                () = self.backoff.wait() => {}
                () = turn_over(&self.turn, self.clock.as_ref()) => {}
            }
            self.delivery.tick(self.clock.stamp());
        }
    }

    fn is_our_turn(&self) -> bool {
        self.turn.is_ours(self.clock.stamp().boottime_us)
    }

    /// While it is the other gateway's turn the port stays closed, and nothing is missing here.
    async fn wait_for_turn(&mut self) {
        if self.is_our_turn() {
            return;
        }
        self.no_longer_deaf();
        self.delivery.meter().lost(WAITING, self.clock.stamp().wall_us);
        while !self.is_our_turn() {
            self.delivery.tick(self.clock.stamp());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.backoff.reset();
    }

    /// Tells what is owed; on stop.
    pub fn end(&mut self) {
        self.no_longer_deaf();
        self.delivery.end();
    }

    fn opened(&mut self) {
        info!(port = %self.settings.port.display(), node = %self.settings.node, "listening to the serial port");
        self.delivery.meter().connected(self.clock.stamp().wall_us);
        (self.trouble, self.last_arrival_us, self.garbled) = (None, None, false);
        self.no_longer_deaf();
        self.delivery.tick(self.clock.stamp());
    }

    fn gone(&mut self, why: &str) {
        warn!(node = %self.settings.node, "the serial port {} is gone ({why}); waiting for it", self.settings.port.display());
        self.delivery.meter().lost(why, self.clock.stamp().wall_us);
        self.trouble = Some(OpenError::NotThere);
        let since = self.last_arrival_us.unwrap_or_else(|| self.clock.stamp().wall_us);
        self.deaf = Some((Missing::PortGone, since));
    }

    fn not_open(&mut self, trouble: OpenError) {
        self.deaf.get_or_insert((Missing::PortNotOpen, self.clock.stamp().wall_us));
        self.delivery.meter().lost(&trouble.to_string(), self.clock.stamp().wall_us);
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

    /// Takes lines until the port is gone or the turn is over; half a line is dropped then.
    async fn listen(&mut self, mut port: Port) -> End {
        let most_bytes = self.settings.max_frame_bytes;
        let mut framer = if shows_its_beginning(&self.settings.format) {
            LineFramer::new(most_bytes)
        } else {
            LineFramer::within_a_line(most_bytes)
        };
        let mut chunk = [0; CHUNK_BYTES];
        let (turn, clock) = (self.turn.clone(), Arc::clone(&self.clock));
        let mut turn_over = std::pin::pin!(turn_over(&turn, clock.as_ref()));
        loop {
            tokio::select! {
                biased;
                () = &mut turn_over => return End::TurnOver,
                read = port.read(&mut chunk) => match read {
                    // Frozen, this process may come to what was said long after its turn.
                    Ok(_) if !self.is_our_turn() => return End::TurnOver,
                    Ok(bytes) => self.heard(&mut framer, chunk.get(..bytes).unwrap_or_default()),
                    Err(why) => return End::Gone(why),
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

/// Returns when it is the other gateway's turn, if that can ever be.
async fn turn_over(turn: &Turn, clock: &dyn SampleClock) {
    if !turn.may_end() {
        std::future::pending::<()>().await;
    }
    while turn.is_ours(clock.stamp().boottime_us) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests;
