//! Begins a stream while the gateway runs, when the drain asks for one.

use super::{Intake, IntakeError, WritingEnd};
use queue::{QueueError, StreamId};
use tokio::sync::oneshot;

/// What the drain asks for.
#[derive(Debug)]
pub struct BeginStream {
    /// Hears which stream is written from now on, once that is durable; or why it is still the one before.
    pub answer: oneshot::Sender<Result<StreamId, String>>,
}

impl<W: WritingEnd> Intake<W> {
    /// Begins a stream if that is asked for. Only a queue in doubt ends the intake: without a new stream, the old one goes
    /// on.
    pub(super) fn begin_stream(&mut self) -> Result<(), IntakeError> {
        let Ok(BeginStream { answer }) = self.begins.try_recv() else { return Ok(()) };
        let begun = self.writer.begin_stream();
        let said = begun.as_ref().map(|stream| *stream).map_err(ToString::to_string);
        // Who asked may have gone; it meets the new stream all the same.
        let _ = answer.send(said);
        match begun {
            Err(error @ QueueError::SyncFailed { .. }) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
