//! Everything that runs, and how to wait for its end.

use super::Trouble;
use crate::drain::DrainError;
use crate::intake::IntakeError;
use crate::status::Board;
use crate::systemd::Manager;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Everything that runs.
pub struct Parts {
    pub(super) stop_sources: watch::Sender<bool>,
    pub(super) stop_drain: watch::Sender<bool>,
    pub(super) intake: oneshot::Receiver<Result<(), IntakeError>>,
    pub(super) sources: Vec<JoinHandle<()>>,
    pub(super) drain: JoinHandle<Result<(), DrainError>>,
    pub(super) helpers: Vec<JoinHandle<()>>,
    pub(super) board: Arc<Board>,
    pub(super) manager: Arc<Manager>,
}

/// Waits until any of the tasks has ended. Whoever waited must not wait for the tasks again.
async fn any_end(tasks: &mut [JoinHandle<()>]) {
    std::future::poll_fn(|context| {
        let ended = tasks.iter_mut().any(|task| Pin::new(task).poll(context).is_ready());
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Parts {
    /// Waits for a part to end that should not; says which and why.
    pub async fn first_end(&mut self) -> Trouble {
        tokio::select! {
            ended = &mut self.intake => match ended {
                Ok(Err(error)) => error.into(),
                Ok(Ok(())) | Err(_) => Trouble::Bug("the intake"),
            },
            ended = &mut self.drain => match ended {
                Ok(Err(error)) => error.into(),
                Ok(Ok(())) | Err(_) => Trouble::Bug("the drain"),
            },
            () = any_end(&mut self.sources) => Trouble::Bug("a source"),
            () = any_end(&mut self.helpers) => Trouble::Bug("a probe"),
        }
    }

    /// Tells the sources to take nothing new.
    pub fn stop_sources(&self) {
        self.stop_sources.send_replace(true);
    }

    /// Waits until everything that arrived is durable.
    pub async fn intake_end(&mut self) -> Result<(), Trouble> {
        match (&mut self.intake).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Trouble::Bug("the intake")),
        }
    }

    /// Waits until the last acknowledgements are out.
    pub async fn sources_end(&mut self) {
        for source in &mut self.sources {
            let _ = source.await;
        }
    }

    /// Tells the drain to finish its batch.
    pub fn stop_drain(&self) {
        self.stop_drain.send_replace(true);
    }

    /// Waits for the drain.
    pub async fn drain_end(&mut self) -> Result<(), Trouble> {
        match (&mut self.drain).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Trouble::Bug("the drain")),
        }
    }

    /// Readings in the queue that no source is known to have.
    pub fn still_queued(&self) -> Result<u64, Trouble> {
        Ok(self.board.waiting()?)
    }

    /// What ends the wait of those, in words.
    pub fn until_when(&self) -> &'static str {
        if self.board.standby.is_some() {
            "the database has them, from this gateway or from the other one"
        } else {
            "the database has them"
        }
    }

    /// Tells the service manager, if there is one.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Ends whatever still runs.
    pub fn abandon(self) {
        for task in self.helpers.iter().chain(&self.sources) {
            task.abort();
        }
        self.drain.abort();
    }
}
