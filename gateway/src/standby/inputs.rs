//! What others tell the loop that decides the role, and what they ask of it.

use tokio::sync::oneshot;

/// What the database says of the two gateways, as the drain saw it last. By default nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupView {
    /// The gateway that has the newest term; none while nobody has claimed one.
    pub holder: Option<String>,
    /// The newest term; 0 while there is none.
    pub term: u64,
    /// When the holder's position was last seen to move, microseconds of CLOCK_BOOTTIME of this machine.
    pub moved_boottime_us: Option<u64>,
    /// Whether the database answers.
    pub answers: bool,
}

/// How far this gateway's readings have come; told to the other one in every beat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Everything stamped before is on the disk: ms since 1970 by this machine's clock. It moves with the clock also while
    /// nothing comes, since the other gateway compares the clocks by it; 0 while it is not known.
    pub durable_through_ms: u64,
    /// Everything stamped before is in the database, likewise.
    pub drained_through_ms: u64,
    /// The queue takes nothing: the disk is full or stands still.
    pub unwell: bool,
}

/// What became of it, in a sentence for who asked.
pub type Answer = Result<String, String>;

/// What people ask of the gateway.
#[derive(Debug)]
pub enum Ask {
    /// `fieldgate takeover` at the gateway that is to become active.
    TakeOver {
        /// Without asking the other one.
        force: bool,
        /// What became of it.
        answer: oneshot::Sender<Answer>,
    },
    /// `fieldgate takeover --give` at the active one.
    HandOver {
        /// What became of it.
        answer: oneshot::Sender<Answer>,
    },
}
