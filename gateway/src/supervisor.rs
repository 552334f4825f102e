//! Builds the parts, starts them, and stops them in order with deadlines.
//!
//! Stopping: the sources take nothing new; the channel to the intake closes, which empties it, makes the rest durable and
//! ends; the last acknowledgements go out; the drain finishes its batch; the store is closed. Done is a channel that
//! closed, not a flag. The deadlines sum up to [`STOP_WITHIN`].

mod absence;
mod notices;
mod pair;
mod parts;
mod sources;
mod start;
mod waiting;

use crate::drain::DrainError;
use crate::exit::Exit;
use crate::intake::IntakeError;
use crate::secret;
use config::{Config, Problem};
use parts::Parts;
use queue::QueueError;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tracing::{info, warn};

/// For the intake to make durable what has arrived.
const INTAKE_DEADLINE: Duration = Duration::from_secs(10);
/// For the last acknowledgements to go out.
const SOURCES_DEADLINE: Duration = Duration::from_secs(3);
/// For the drain to finish its batch.
const DRAIN_DEADLINE: Duration = Duration::from_secs(7);
/// All of them; the service manager must wait longer.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Why the gateway cannot run, or not any longer.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The configuration points to something that is not there.
    #[error("{0}")]
    Configuration(Problem),
    /// The state folder cannot be used.
    #[error(
        "the state folder {folder} cannot be used: {source}; create it and give it to the user that runs fieldgate"
    )]
    StateFolder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The intake ended.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The drain ended.
    #[error(transparent)]
    Drain(#[from] DrainError),
    /// The operating system refused something basic.
    #[error("cannot {doing}: {source}")]
    System {
        /// What.
        doing: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A part ended that never should.
    #[error("{0} ended by itself; this is a bug")]
    Bug(&'static str),
}

impl Trouble {
    /// The exit code that tells the service manager what kind it is.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(_) => Exit::Configuration,
            Self::StateFolder { .. } | Self::Queue(_) | Self::Intake(IntakeError::Queue(_)) | Self::Drain(_) => {
                Exit::Storage
            }
            Self::Intake(IntakeError::Runtime(_)) | Self::System { .. } | Self::Bug(_) => Exit::Bug,
        }
    }
}

/// Runs the gateway until SIGTERM or SIGINT. `file` is where the configuration came from; with `simulate`, the nodes
/// of I2C buses are simulated.
///
/// # Errors
/// [`Trouble`] when it cannot start, or the queue cannot be used any longer.
pub fn run(file: &Path, config: &Config, simulate: bool) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Trouble::System { doing: "start the runtime", source })?;
    let result = runtime.block_on(live(file, config, simulate));
    // A name look-up or a read of the queue may still hold a thread; nothing depends on it.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn live(file: &Path, config: &Config, simulate: bool) -> Result<(), Trouble> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let passwords = passwords(config).map_err(Trouble::Configuration)?;
    let mut parts = start::start(file, config, passwords, simulate)?;
    let ended = tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
        trouble = parts.first_end() => Err(trouble),
    };
    match ended {
        Ok(name) => {
            info!("{name}: stopping");
            stop(parts, &config.gateway.state_dir).await
        }
        Err(trouble) => {
            // What is not durable was not acknowledged; the next start goes on from there.
            parts.abandon();
            Err(trouble)
        }
    }
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Trouble> {
    signal(kind).map_err(|source| Trouble::System { doing: "listen for signals", source })
}

/// Every password the parts need.
pub struct Passwords {
    /// Of the database account.
    pub mysql: Option<String>,
    /// Of the account that promotes.
    pub promote: Option<String>,
    /// Of each broker.
    pub mqtt: Vec<Option<String>>,
}

fn passwords(config: &Config) -> Result<Passwords, Problem> {
    let mqtt = (0..config.mqtt.len()).map(|index| secret::mqtt_password(config, index)).collect::<Result<_, _>>()?;
    Ok(Passwords { mysql: secret::mysql_password(config)?, promote: secret::promote_password(config)?, mqtt })
}

async fn stop(mut parts: Parts, state: &Path) -> Result<(), Trouble> {
    parts.manager().stopping();
    parts.stop_sources();
    let intake = timeout(INTAKE_DEADLINE, parts.intake_end()).await;
    match intake {
        Ok(result) => result?,
        Err(_) => warn!(
            "the disk did not take the last readings within {INTAKE_DEADLINE:?}; they were not acknowledged and will be sent again"
        ),
    }
    if timeout(SOURCES_DEADLINE, parts.sources_end()).await.is_err() {
        warn!("the last acknowledgements could not be sent; the messages will come again and be recognised");
    }
    parts.stop_drain();
    match timeout(DRAIN_DEADLINE, parts.drain_end()).await {
        Ok(result) => result?,
        Err(_) => warn!("the database did not answer within {DRAIN_DEADLINE:?}; the cursor will say what it took"),
    }
    let queued = parts.still_queued()?;
    parts.abandon();
    if let Err(error) = waiting::leave(state, queued) {
        warn!("cannot leave the number of readings that wait in {}: {error}", state.display());
    }
    info!("stopped; {queued} readings stay in the queue until the database has them");
    Ok(())
}
