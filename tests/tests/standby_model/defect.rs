//! Rules left out on purpose, one at a time: a search that does not find them proves nothing.

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    /// Who takes over begins where the other one's last beat said, not where the database says.
    PositionFromTheBeat,
    /// What the database shows is read before the group's row is locked.
    ReadsBeforeTheLock,
    /// A claim that a failover lost is taken for one that stands.
    ClaimsOnlyOnce,
    /// A span goes on over times in which nothing was heard.
    SpansWithoutBreaks,
    /// What is left of an earlier run is delivered without the breaks of that run.
    ForgetsBreaksAtStart,
    /// A reading leaves the queue as soon as the source knows of it.
    LeavesWithoutTheReplica,
    /// The other one's row of a reading with an identity is taken for granted.
    LeavesOutWithoutLooking,
    /// Of two active ones the configuration alone says who goes first.
    RankWithoutTerm,
    /// A gateway that was frozen goes on as what it was.
    GoesOnAfterStandingStill,
    /// A gateway on standby does not wait for the active one.
    StandbyDoesNotWait,
    /// Two active ones both stay so.
    NobodyGivesWay,
    /// Of two that wait each lets the other one go first.
    NobodyGoesFirst,
    /// A silent gateway is waited for.
    WaitsForTheSilent,
    /// A turn that nobody takes is not taken back.
    TurnsAreLost,
    /// A span reaches no further than the last reading.
    SpansStandStill,
    /// A double without an identity has no mark.
    DoublesAreNotMarked,
}
