//! Why another server does not become the source.

use crate::database::DbError;
use thiserror::Error;

/// Why it was given up; everything that had been stopped was started again, as far as that was possible.
#[derive(Debug, Error)]
pub enum Failure {
    /// A gate is shut.
    #[error("{0}")]
    Shut(String),
    /// Another gateway is at it.
    #[error("another gateway, or another command, holds the promotion lock at {0}")]
    Locked(String),
    /// The lock is not held by enough servers.
    #[error("the promotion lock is held at {held} of {all} servers, which is not more than half of them{why}")]
    TooFew {
        /// At so many.
        held: usize,
        /// Of so many.
        all: usize,
        /// What the others say; empty, or after a colon.
        why: String,
    },
    /// The candidate does not get on with what it has received.
    #[error("{server} does not apply what it has received: {why}")]
    NotApplied {
        /// The candidate.
        server: String,
        /// What it says, or that nothing moves.
        why: String,
    },
    /// A server takes writes again, so there is nothing to do.
    #[error("{0}")]
    SourceIsBack(String),
    /// A server does not do what it is told.
    #[error(transparent)]
    Database(#[from] DbError),
    /// What has to be remembered cannot be written.
    #[error("{0}")]
    Record(String),
}
