//! How a server is, in a word. Pure.

use super::{Facts, Replication};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A server is asked about once a second, so less than this is no lag that it could be blamed for.
const LAGS: Duration = Duration::from_secs(2);

/// How a server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It takes writes, or it receives and applies and does not lag.
    Well,
    /// It receives and applies, and lags.
    CatchingUp,
    /// It waits on purpose before it applies.
    Delayed,
    /// The receiving thread tries to reach the server that it follows.
    Connecting,
    /// The receiving thread has been stopped.
    ReceivingStopped,
    /// The applying thread has been stopped.
    ApplyingStopped,
    /// Both threads have been stopped.
    Stopped,
    /// It refuses writes and has nobody to receive any from.
    FollowsNobody,
    /// It is a member of a cluster and not in step with it.
    NotInStep,
    /// A thread has stopped with an error.
    Error,
    /// It does not answer.
    #[default]
    Away,
}

impl Health {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::CatchingUp => "catching up",
            Self::Delayed => "delayed",
            Self::Connecting => "connecting",
            Self::ReceivingStopped => "receiving stopped",
            Self::ApplyingStopped => "applying stopped",
            Self::Stopped => "stopped",
            Self::FollowsNobody => "follows nobody",
            Self::NotInStep => "not in step",
            Self::Error => "error",
            Self::Away => "away",
        }
    }
}

/// How a server is that answers; of several channels the worst counts.
pub fn health(facts: &Facts, is_source: bool, lag: Option<Duration>) -> Health {
    if facts.cluster.as_ref().is_some_and(|member| !member.synced) {
        return Health::NotInStep;
    }
    // Whom the source has stopped following does not matter any more.
    let matters = |channel: &&Replication| !(is_source && channel.is_stopped_and_applied());
    let worst = facts.replication.iter().filter(matters).map(of_channel).max().unwrap_or(Health::Well);
    match worst {
        Health::Well if facts.read_only && facts.replication.is_empty() && facts.cluster.is_none() => {
            Health::FollowsNobody
        }
        Health::Well if lag.is_some_and(|lag| lag >= LAGS) => Health::CatchingUp,
        other => other,
    }
}

fn of_channel(channel: &Replication) -> Health {
    let failed = !channel.applying && channel.apply_error.is_some();
    match (channel.receiving, channel.applying) {
        _ if failed || (!channel.receiving && channel.receive_error.is_some()) => Health::Error,
        (false, false) => Health::Stopped,
        (true, false) => Health::ApplyingStopped,
        (false, true) => Health::ReceivingStopped,
        (true, true) if !channel.connected => Health::Connecting,
        (true, true) if channel.delay_s > 0 => Health::Delayed,
        (true, true) => Health::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{ClusterMember, ReplicationError};

    fn channel(receiving: bool, connected: bool, applying: bool) -> Replication {
        Replication { receiving, connected, applying, applied_all: true, ..Replication::default() }
    }

    fn of(channels: &[Replication]) -> Health {
        let facts = Facts { read_only: true, replication: channels.into(), ..Facts::default() };
        health(&facts, false, Some(Duration::ZERO))
    }

    #[test]
    fn each_state_of_the_threads_has_a_word() {
        let well = channel(true, true, true);
        let error = Some(ReplicationError { number: 1062, text: "duplicate".to_owned() });
        let refused = Replication { apply_error: error.clone(), ..channel(true, true, false) };
        let lost = Replication { receive_error: error.clone(), ..channel(false, false, true) };
        let tries = Replication { receive_error: error, ..channel(true, false, true) };
        let rows: [(&[Replication], Health); 10] = [
            (&[], Health::FollowsNobody),
            (std::slice::from_ref(&well), Health::Well),
            (&[channel(true, false, true)], Health::Connecting),
            (&[channel(false, false, true)], Health::ReceivingStopped),
            (&[channel(true, true, false)], Health::ApplyingStopped),
            (&[channel(false, false, false)], Health::Stopped),
            (&[Replication { delay_s: 60, ..well.clone() }], Health::Delayed),
            (&[refused], Health::Error),
            (&[lost, well.clone()], Health::Error),
            (&[well.clone(), tries], Health::Connecting),
        ];
        for (channels, expected) in rows {
            assert_eq!(of(channels), expected, "{channels:?}");
        }
    }

    #[test]
    fn who_lags_catches_up_and_the_source_has_nobody_to_follow() {
        let replica = Facts { read_only: true, replication: vec![channel(true, true, true)], ..Facts::default() };
        let at = |ms| health(&replica, false, ms);
        assert_eq!(at(Some(Duration::from_millis(1999))), Health::Well);
        assert_eq!(at(Some(Duration::from_secs(2))), Health::CatchingUp);
        assert_eq!(at(None), Health::Well);
        let promoted = Facts { read_only: false, replication: vec![channel(false, false, false)], ..replica.clone() };
        assert_eq!(health(&promoted, true, None), Health::Well);
        assert_eq!(health(&promoted, false, None), Health::Stopped);
        assert_eq!(health(&Facts::default(), false, None), Health::Well, "open for writes, and a stray at worst");
    }

    #[test]
    fn a_member_of_a_cluster_is_in_step_or_not() {
        let member = |synced| Facts {
            cluster: Some(ClusterMember { synced, ..ClusterMember::default() }),
            read_only: true,
            ..Facts::default()
        };
        assert_eq!(health(&member(true), false, None), Health::Well);
        assert_eq!(health(&member(false), true, None), Health::NotInStep);
    }
}
