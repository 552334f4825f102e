//! Why serving a server, or draining at all, ended.

use crate::database::DbError;
use queue::QueueError;
use std::io;
use thiserror::Error;

/// What ends the drain for good.
#[derive(Debug, Error)]
pub enum DrainError {
    /// The queue cannot be read.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The file beside it cannot be written.
    #[error(
        "cannot write what is remembered of the servers: {0}; look at the disk and the permissions of the state folder"
    )]
    Memory(#[from] io::Error),
}

/// Why serving a server ended.
pub enum Ended {
    /// The server, or the way to it, failed.
    Database(DbError),
    /// Nothing that trying again could mend.
    Final(DrainError),
    /// The choice changed, or we were told to stop.
    Moved,
    /// Another source was chosen while this one did not answer: what it did is unknown.
    GivenUp,
}

impl From<DbError> for Ended {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl<T: Into<DrainError>> From<T> for Ended {
    fn from(error: T) -> Self {
        Self::Final(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_error_and_a_final_one_are_told_apart() {
        let database: Ended = DbError::closed("db1").into();
        assert!(matches!(database, Ended::Database(_)));
        let last: Ended = io::Error::other("disk").into();
        assert!(matches!(last, Ended::Final(DrainError::Memory(_))));
    }
}
