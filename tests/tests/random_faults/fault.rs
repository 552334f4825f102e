//! The faults, and which of them may come next. Pure.

use rand::Rng;
use rand::rngs::StdRng;

/// How a server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It takes writes.
    Source,
    /// It follows the source.
    Follows,
    /// It was the source, and has been killed.
    Down,
    /// It was a replica, and has been killed.
    Away,
    /// It follows nobody or a dead source, and is closed for writes.
    LeftAlone,
    /// It was the source, has come back and takes writes.
    Zombie,
}

/// One thing that breaks, or comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The source is killed and comes back.
    SourceRestarts,
    /// The source is frozen for a moment.
    SourceFreezes,
    /// The source is closed for writes for a moment.
    SourceReadOnly,
    /// The gateway's connections to the source are cut.
    ConnectionsCut,
    /// The gateway is killed and starts again.
    GatewayKilled,
    /// The gateway and the source are killed, and both come back.
    BothKilled,
    /// A replica stops applying, the source is killed, and that replica is promoted without what it had received.
    LaggingPromoted(usize),
    /// The source is closed, a replica gets everything and is promoted.
    Swapped(usize),
    /// A replica is killed.
    ReplicaKilled(usize),
    /// A source that was killed and replaced comes back and takes writes.
    ComesBackWritable(usize),
    /// A server is built anew from the source.
    Rejoins(usize),
}

impl Fault {
    /// All that can happen to servers that stand so.
    fn possible(stand: &[Stands]) -> Vec<Self> {
        let mut faults = vec![
            Self::SourceRestarts,
            Self::SourceFreezes,
            Self::SourceReadOnly,
            Self::ConnectionsCut,
            Self::GatewayKilled,
            Self::BothKilled,
        ];
        for (index, stands) in stand.iter().enumerate() {
            match stands {
                Stands::Source => {}
                // Twice, since these are what this is about.
                Stands::Follows => faults.extend([
                    Self::LaggingPromoted(index),
                    Self::LaggingPromoted(index),
                    Self::Swapped(index),
                    Self::ReplicaKilled(index),
                ]),
                Stands::Down => {
                    faults.extend([
                        Self::ComesBackWritable(index),
                        Self::ComesBackWritable(index),
                        Self::Rejoins(index),
                    ]);
                }
                Stands::Away | Stands::LeftAlone | Stands::Zombie => {
                    faults.extend([Self::Rejoins(index), Self::Rejoins(index)])
                }
            }
        }
        faults
    }

    /// One of them.
    pub fn draw(stand: &[Stands], numbers: &mut StdRng) -> Self {
        let possible = Self::possible(stand);
        possible[numbers.random_range(0..possible.len())]
    }
}
