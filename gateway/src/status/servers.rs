//! The servers as people see them, from what each said.

use crate::topology::health::{Health, health};
use crate::topology::lag::milliseconds;
use crate::topology::same::{is_same_server, moved_words, same_as};
use crate::topology::{Facts, Replication, ReplicationError, View};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What `status --servers` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServersReport {
    /// The running gateway says so; otherwise the servers were asked now.
    pub from_gateway: bool,
    /// The server that takes writes; none while nobody does.
    pub source: Option<String>,
    /// Why.
    pub why: String,
    /// Every configured server.
    pub servers: Vec<ServerState>,
}

/// One configured server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerState {
    /// As configured.
    pub name: String,
    /// `source`, `replica`, `member` (of the source's cluster), `writable` (takes writes and must not) or `away`.
    pub role: String,
    /// How it is.
    #[serde(default)]
    pub state: Health,
    /// Refuses writes.
    pub read_only: Option<bool>,
    /// The term that it shows.
    pub term: Option<u64>,
    /// The sum of its cursors of our streams.
    pub cursor: Option<u64>,
    /// How many readings it lacks of what the source has.
    pub behind: Option<u64>,
    /// How far it is behind, in milliseconds. From a running gateway: since when it lacks something that was written to the
    /// source, by the gateway's clock, and too high by at most the time since it was asked. Otherwise: what it shows against
    /// the newest that any server shows. 0 when it has everything, none when that is not known.
    #[serde(default)]
    pub lag_ms: Option<u64>,
    /// Every GTID that it has executed, as the server writes it.
    #[serde(default)]
    pub gtid: Option<String>,
    /// Where it receives from.
    pub follows: Vec<String>,
    /// The last errors of its replication.
    #[serde(default)]
    pub errors: Vec<ErrorState>,
    /// Why it does not count, and what is odd about its name; or why it cannot be asked.
    pub note: Option<String>,
}

/// The last error of a thread of replication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorState {
    /// The name of the channel; empty for the one that has none.
    pub channel: String,
    /// `receiving` or `applying`.
    pub thread: String,
    /// The server's error code.
    pub number: u32,
    /// Its words.
    pub text: String,
}

/// Every server, in the order of the configuration. `source` is the name of the one that takes writes; `lags` says of each
/// how far it is behind.
pub fn states(views: &[View], source: Option<&str>, lags: &[Option<Duration>]) -> Vec<ServerState> {
    let source = views.iter().find(|view| Some(view.name.as_str()) == source);
    let most = source.and_then(cursor);
    let server = |(index, view): (usize, &View)| {
        let mut state = ServerState { name: view.name.clone(), cursor: cursor(view), ..ServerState::default() };
        state.behind = most.zip(state.cursor).map(|(most, cursor)| most.saturating_sub(cursor));
        match view.facts() {
            Some(facts) => {
                answering(&mut state, facts, source, lags.get(index).copied().flatten());
                let notes = notes(views, index, facts, source);
                state.note = (!notes.is_empty()).then(|| notes.join("; "));
            }
            None => (state.role, state.note) = ("away".to_owned(), Some(view.trouble().to_owned())),
        }
        state
    };
    views.iter().enumerate().map(server).collect()
}

fn cursor(view: &View) -> Option<u64> {
    view.last_facts().map(|facts| facts.cursors.values().sum())
}

fn answering(state: &mut ServerState, facts: &Facts, source: Option<&View>, lag: Option<Duration>) {
    let role = match source {
        Some(source) if source.name == state.name => "source",
        Some(source) if source.facts().is_some_and(|source| source.is_in_cluster_with(facts)) => "member",
        _ if facts.read_only => "replica",
        _ => "writable",
    };
    state.role = role.to_owned();
    state.state = health(facts, role == "source", lag);
    state.lag_ms = lag.map(milliseconds);
    state.read_only = Some(facts.read_only);
    state.term = facts.term.as_ref().map(|term| term.number);
    state.gtid = Some(facts.executed.clone()).filter(|gtid| !gtid.is_empty());
    state.follows = facts.replication.iter().map(|replication| replication.upstream.clone()).collect();
    state.errors = facts.replication.iter().flat_map(errors).collect();
}

fn errors(channel: &Replication) -> impl Iterator<Item = ErrorState> {
    let error = |thread: &str, error: &Option<ReplicationError>| {
        let ReplicationError { number, text } = error.clone()?;
        Some(ErrorState { channel: channel.channel.clone(), thread: thread.to_owned(), number, text })
    };
    [error("receiving", &channel.receive_error), error("applying", &channel.apply_error)].into_iter().flatten()
}

/// Why it does not count, and what is odd about its name.
fn notes(views: &[View], index: usize, facts: &Facts, source: Option<&View>) -> Vec<String> {
    let Some(view) = views.get(index) else { return Vec::new() };
    let is_source = source.is_some_and(|source| is_same_server(source, view) || source.name == view.name);
    let same = same_as(views, index).and_then(|other| views.get(other));
    let mut notes: Vec<String> = same.map(|other| format!("the same server as {}", other.name)).into_iter().collect();
    let not_counted = facts.not_promotable(source.and_then(View::facts)).filter(|_| !is_source);
    notes.extend(not_counted.map(|why| format!("does not count: {why}")));
    notes.extend(facts.cluster.as_ref().map(|member| format!("member of a cluster ({})", member.state)));
    notes.extend(moved_words(view));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, facts: Option<Facts>) -> View {
        let mut view = View::unasked(name.to_owned());
        match facts {
            Some(facts) => view.answered(facts),
            None => view.failed("refused".to_owned()),
        }
        view
    }

    #[test]
    fn servers_are_shown_with_role_state_lag_error_and_note() {
        let with = |read_only, cursor: u64| Facts {
            read_only,
            cursors: [(1, cursor)].into(),
            executed: format!("0-1-{cursor}"),
            crash_safe: true,
            ..Facts::default()
        };
        let error = ReplicationError { number: 1062, text: "duplicate key".to_owned() };
        let broken = Replication {
            upstream: "a".to_owned(),
            receiving: true,
            apply_error: Some(error),
            ..Replication::default()
        };
        let delayed = Facts { crash_safe: false, replication: vec![broken], ..with(true, 60) };
        let views = [
            view("a", Some(with(false, 100))),
            view("b", Some(delayed)),
            view("c", Some(with(false, 100))),
            view("d", None),
        ];
        let lags = [Some(Duration::ZERO), Some(Duration::from_millis(2500)), Some(Duration::ZERO), None];
        let shown = states(&views, Some("a"), &lags);
        let roles: Vec<&str> = shown.iter().map(|server| server.role.as_str()).collect();
        assert_eq!(roles, ["source", "replica", "writable", "away"]);
        let healths: Vec<Health> = shown.iter().map(|server| server.state).collect();
        assert_eq!(healths, [Health::Well, Health::Error, Health::Well, Health::Away]);
        let lags: Vec<Option<u64>> = shown.iter().map(|server| server.lag_ms).collect();
        assert_eq!(lags, [Some(0), Some(2500), Some(0), None]);
        let replica = &shown[1];
        assert_eq!((replica.behind, replica.gtid.as_deref()), (Some(40), Some("0-1-60")));
        assert_eq!((replica.errors[0].number, replica.errors[0].text.as_str()), (1062, "duplicate key"));
        assert!(replica.note.as_deref().unwrap().starts_with("does not count: it may forget commits"));
        assert_eq!((shown[0].behind, shown[3].note.as_deref()), (Some(0), Some("refused")));
    }
}
