//! What a running gateway says of itself, over its own socket: asking costs no process.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use super::Gateway;

/// What runs answers sooner.
const PATIENCE: Duration = Duration::from_secs(5);

impl Gateway {
    /// The numbers that the running gateway has given, over all its streams; 0 while it does not answer.
    pub fn queued(&self) -> u64 {
        let streams = self.ask("Streams").unwrap_or_default();
        streams.as_array().into_iter().flatten().filter_map(|stream| stream["end"].as_u64()).sum()
    }

    /// The answer to a request without parameters, such as `Status` or `Streams`.
    ///
    /// # Errors
    /// When no gateway runs, or it does not answer.
    pub fn ask(&self, request: &str) -> io::Result<Value> {
        let mut socket = UnixStream::connect(self.state_folder().join("fieldgate.sock"))?;
        // One that is frozen takes the question and never answers.
        socket.set_read_timeout(Some(PATIENCE))?;
        writeln!(socket, "\"{request}\"")?;
        Ok(serde_json::from_reader(socket)?)
    }

    /// Rows it has committed in a source since it was started; 0 while it does not answer.
    pub fn delivered(&self) -> u64 {
        self.ask("Status").ok().and_then(|status| status["drain"]["delivered"].as_u64()).unwrap_or(0)
    }
}
