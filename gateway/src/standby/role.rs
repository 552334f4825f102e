//! What a gateway of two is, and what makes it something else: one table. Pure.
//!
//! Each row's reason is the line of the log and what `fieldgate status` shows; the diagram in docs/standby.md is
//! printed from the table.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// What a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It listens for the other one and does not know yet.
    Starting,
    /// The other one is active.
    Standby,
    /// It asks the buses that only one may ask, and does not wait with what it heard.
    Active,
    /// None of its links works, so it does not know whether the other one lives.
    Isolated,
    /// It gives its turn to the other one.
    Leaving,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Starting, Self::Standby, Self::Active, Self::Isolated, Self::Leaving];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Standby => "standby",
            Self::Active => "active",
            Self::Isolated => "isolated",
            Self::Leaving => "leaving",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What may change the role. Who of two goes first says [`Rank`](super::rank::Rank).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A new beat: the other one is active, and goes before this one.
    OtherActiveFirst,
    /// A new beat: the other one is active, and this one goes before it.
    OtherActiveSecond,
    /// A new beat: the other one is not active, and goes before this one.
    OtherWaitsFirst,
    /// A new beat: the other one is not active, and this one goes before it.
    OtherWaitsSecond,
    /// A new beat: the other one gives up its turn.
    OtherLeaves,
    /// No new beat for `silence`, although a link works.
    Silent,
    /// No link of this gateway works.
    Cut,
    /// The database names the other one, in a newer term.
    Deposed,
    /// No link works, and the database has not heard of the other one for long.
    UnheardOf,
    /// This process itself stood still for so long that the other one may have taken over.
    StoodStill,
    /// `fieldgate takeover` here, or `preempt`: ask the other one for its turn.
    Wanted,
    /// `fieldgate takeover --force` here: do not wait for an answer.
    Forced,
    /// The other one asks for the turn, or `fieldgate takeover --give` at the active gateway.
    HandOver,
    /// This gateway has reached no database for long, and the other one does.
    NoDatabase,
    /// The turn was given up, and for `silence` nobody took it.
    NotTaken,
    /// The service manager stops this gateway.
    Stop,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::OtherActiveFirst,
        Self::OtherActiveSecond,
        Self::OtherWaitsFirst,
        Self::OtherWaitsSecond,
        Self::OtherLeaves,
        Self::Silent,
        Self::Cut,
        Self::Deposed,
        Self::UnheardOf,
        Self::StoodStill,
        Self::Wanted,
        Self::Forced,
        Self::HandOver,
        Self::NoDatabase,
        Self::NotTaken,
        Self::Stop,
    ];

    /// What it says in the diagram.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherActiveFirst => "other active, goes first",
            Self::OtherActiveSecond => "other active, goes second",
            Self::OtherWaitsFirst => "other waits, goes first",
            Self::OtherWaitsSecond => "other waits, goes second",
            Self::OtherLeaves => "other leaves",
            Self::Silent => "silence",
            Self::Cut => "all links broken",
            Self::Deposed => "newer term in the database",
            Self::UnheardOf => "unheard of in the database",
            Self::StoodStill => "stood still",
            Self::Wanted => "takeover wanted",
            Self::Forced => "takeover forced",
            Self::HandOver => "asked to hand over",
            Self::NoDatabase => "only the other one reaches the database",
            Self::NotTaken => "nobody took over",
            Self::Stop => "stop",
        }
    }
}

/// What else is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Begin a new term and claim it in the database, and ask the buses that only one may ask.
    Claim,
    /// Stop asking those buses, at once.
    Rest,
    /// Ask the other one for its turn, in the beats.
    Ask,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Before.
    pub from: Role,
    /// What happened.
    pub event: Event,
    /// After.
    pub to: Role,
    /// What else.
    pub action: Action,
    /// Why, as the end of a sentence that begins with the role.
    pub reason: &'static str,
}

const fn row(from: Role, event: Event, to: Role, action: Action, reason: &'static str) -> Row {
    Row { from, event, to, action, reason }
}

/// Every change of role. What is not in it changes nothing; the test below lists those pairs one by one.
pub const TABLE: &[Row] = {
    use Action::{Ask, Claim, Nothing, Rest};
    use Event::*;
    use Role::{Active, Isolated, Leaving, Standby, Starting};
    &[
        row(Starting, OtherActiveFirst, Standby, Nothing, "the other gateway is active"),
        row(Starting, OtherActiveSecond, Standby, Nothing, "the other gateway is active, and keeps its turn"),
        row(Starting, OtherWaitsFirst, Standby, Nothing, "neither gateway is active, and the other one goes first"),
        row(Starting, OtherWaitsSecond, Active, Claim, "neither gateway is active, and this one goes first"),
        row(Starting, OtherLeaves, Active, Claim, "the other gateway gives up its turn"),
        row(Starting, Silent, Active, Claim, "the other gateway is silent"),
        row(Starting, Cut, Isolated, Nothing, "no link works, so whether the other gateway lives is not known"),
        row(Starting, Forced, Active, Claim, "somebody wants it so"),
        row(Starting, Stop, Leaving, Nothing, "it is being stopped"),
        row(Standby, OtherWaitsSecond, Active, Claim, "neither gateway is active, and this one goes first"),
        row(Standby, OtherLeaves, Active, Claim, "the other gateway gives up its turn"),
        row(Standby, Silent, Active, Claim, "the other gateway is silent"),
        row(Standby, Cut, Isolated, Nothing, "no link works, so whether the other gateway lives is not known"),
        row(Standby, StoodStill, Starting, Nothing, "this process stood still, and what it knows is old"),
        row(Standby, Wanted, Standby, Ask, "somebody wants it to take over; the other gateway is asked"),
        row(Standby, Forced, Active, Claim, "somebody wants it so"),
        row(Standby, Stop, Leaving, Nothing, "it is being stopped"),
        row(Active, OtherActiveFirst, Standby, Rest, "the other gateway is active too, and goes first"),
        row(Active, Deposed, Standby, Rest, "the database names the other gateway, in a newer term"),
        row(Active, StoodStill, Starting, Rest, "this process stood still, and the other gateway may have taken over"),
        row(Active, HandOver, Leaving, Rest, "the turn is given to the other gateway"),
        row(Active, NoDatabase, Leaving, Rest, "this gateway reaches no database, and the other one does"),
        row(Active, Stop, Leaving, Rest, "it is being stopped"),
        row(Isolated, OtherActiveFirst, Standby, Nothing, "a link works again, and the other gateway is active"),
        row(Isolated, OtherActiveSecond, Standby, Nothing, "a link works again, and the other gateway is active"),
        row(Isolated, OtherWaitsFirst, Standby, Nothing, "a link works again, and the other gateway goes first"),
        row(Isolated, OtherWaitsSecond, Active, Claim, "a link works again, nobody is active, and this one goes first"),
        row(Isolated, OtherLeaves, Active, Claim, "the other gateway gives up its turn"),
        row(Isolated, Silent, Active, Claim, "a link works again, and the other gateway is silent"),
        row(Isolated, UnheardOf, Active, Claim, "no link works, and the database has not heard of the other gateway"),
        row(Isolated, Forced, Active, Claim, "somebody wants it so"),
        row(Isolated, Stop, Leaving, Nothing, "it is being stopped"),
        row(Leaving, OtherActiveFirst, Standby, Nothing, "the other gateway has taken over"),
        row(Leaving, OtherActiveSecond, Standby, Nothing, "the other gateway has taken over"),
        row(Leaving, NotTaken, Active, Claim, "nobody took the turn that was given up"),
        row(Leaving, Forced, Active, Claim, "somebody wants it so"),
    ]
};

/// The row that applies; none when the event changes nothing.
pub fn step(role: Role, event: Event) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.from == role && row.event == event)
}

/// The table as a diagram in Mermaid's language, for docs/standby.md.
pub fn diagram() -> String {
    let mut text = "stateDiagram-v2\n    [*] --> starting\n".to_owned();
    for row in TABLE.iter().filter(|row| row.from != row.to) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "    {} --> {}: {}", row.from, row.to, row.event.as_str());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Pairs that change nothing, with the reason.
    fn stays(role: Role, event: Event) -> bool {
        use Event::*;
        match role {
            // It knows nothing of a turn yet, and listens anyway.
            Role::Starting => {
                matches!(event, Deposed | UnheardOf | StoodStill | Wanted | HandOver | NoDatabase | NotTaken)
            }
            // The other one has the turn: nothing to give up, and nothing new.
            Role::Standby => {
                matches!(
                    event,
                    OtherActiveFirst
                        | OtherActiveSecond
                        | OtherWaitsFirst
                        | Deposed
                        | UnheardOf
                        | HandOver
                        | NoDatabase
                        | NotTaken
                )
            }
            // It has the turn, and keeps it while it does not know better: also when it hears nothing.
            Role::Active => {
                matches!(
                    event,
                    OtherActiveSecond
                        | OtherWaitsFirst
                        | OtherWaitsSecond
                        | OtherLeaves
                        | Silent
                        | Cut
                        | UnheardOf
                        | Wanted
                        | Forced
                        | NotTaken
                )
            }
            // It cannot ask anybody, and it has no turn.
            Role::Isolated => matches!(event, Cut | Deposed | StoodStill | Wanted | HandOver | NoDatabase | NotTaken),
            // Only that somebody takes the turn, or nobody does, ends it.
            Role::Leaving => {
                matches!(
                    event,
                    OtherWaitsFirst
                        | OtherWaitsSecond
                        | OtherLeaves
                        | Silent
                        | Cut
                        | Deposed
                        | UnheardOf
                        | StoodStill
                        | Wanted
                        | HandOver
                        | NoDatabase
                        | Stop
                )
            }
        }
    }

    #[test]
    fn every_pair_has_one_row_or_is_known_to_change_nothing() {
        for role in Role::ALL {
            for event in Event::ALL {
                let rows = TABLE.iter().filter(|row| row.from == role && row.event == event).count();
                assert_eq!(rows, usize::from(!stays(role, event)), "{role}, {}", event.as_str());
            }
        }
    }

    #[test]
    fn every_role_is_reached_and_left() {
        let mut reached = BTreeSet::from([Role::Starting]);
        for _ in Role::ALL {
            reached
                .extend(TABLE.iter().filter(|row| reached.contains(&row.from)).map(|row| row.to).collect::<Vec<_>>());
        }
        assert_eq!(reached.len(), Role::ALL.len());
        for role in Role::ALL {
            assert!(TABLE.iter().any(|row| row.from == role && row.to != role), "{role} is never left");
        }
    }

    #[test]
    fn who_becomes_active_claims_a_term_and_who_was_active_rests() {
        for row in TABLE {
            assert_eq!(row.to == Role::Active, row.action == Action::Claim, "{row:?}");
            assert_eq!(row.from == Role::Active, row.action == Action::Rest, "{row:?}");
        }
    }

    #[test]
    fn the_diagram_has_an_arrow_for_each_change() {
        let text = diagram();
        assert!(text.contains("    standby --> active: silence\n"), "{text}");
        assert_eq!(text.lines().count(), 2 + TABLE.iter().filter(|row| row.from != row.to).count());
    }
}
