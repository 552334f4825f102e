//! Rules left out on purpose, one at a time: a search that does not find them proves nothing.

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A reading leaves the queue as soon as the source has it.
    LeavesWithoutReplicas,
    /// A server of another term counts for what may leave.
    CountsOtherTerms,
    /// Rows and cursor are two transactions.
    CursorOutsideOfTransaction,
    /// The cursor is set without comparing it.
    CursorSetBlindly,
    /// A reading is acknowledged when it is appended.
    AcknowledgesBeforeSync,
    /// What was found at opening counts as durable without a sync.
    NoSyncAtOpening,
    /// Channel ids are remembered from one connection to the next.
    ChannelIdsOutliveConnection,
    /// A server with a lower term than one seen before is written to.
    TermIgnored,
    /// A writable server is the source although it still applies what it received.
    ApplierIgnored,
    /// A stream is forgotten when its last reading leaves the queue.
    EndsForgotten,
    /// A server is opened in the term of the source before it.
    PromotesInTheSameTerm,
    /// A server is promoted without applying what it has received.
    PromotesWithoutApplying,
    /// A server is promoted although replicas hold its source for alive.
    PromotesWhileReplicasReceive,
    /// A server is promoted by a gateway that sees less than half of them.
    PromotesWithoutMajority,
    /// Two gateways do not wait for each other.
    PromotesWithoutLock,
    /// Not the server that has received most is promoted.
    PromotesWhoReceivedLess,
    /// A server is opened before more than half of all show its term.
    OpensBeforeTheTermIsSpread,
    /// An old source is not closed when it answers.
    LeavesTheOldSourceOpen,
}
