//! Why a command on the queue could not do what was asked.

use crate::exit::Exit;
use crate::local::AccessError;
use queue::QueueError;
use std::io;

/// What went wrong, in words, and the exit code that says so.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    words: String,
}

impl Failure {
    /// With this exit code.
    pub fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self { exit, words: words.into() }
    }

    /// Something that concerns a file or a folder.
    pub fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |error| {
            let failure = Self::from(error);
            Self { words: format!("{path}: {}", failure.words), ..failure }
        }
    }

    /// Tells it. A reader who closed the pipe has seen enough.
    pub fn show(self) -> Exit {
        if self.exit != Exit::Ok && !self.words.is_empty() {
            eprintln!("{}", self.words);
        }
        self.exit
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::Ok } else { Exit::Storage };
        Self::new(exit, error.to_string())
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        Self::new(Exit::Storage, error.to_string())
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::new(Exit::Storage, error.to_string())
    }
}

impl From<Exit> for Failure {
    /// Has been told already.
    fn from(exit: Exit) -> Self {
        Self::new(exit, "")
    }
}
