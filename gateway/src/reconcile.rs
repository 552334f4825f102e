//! The auditor. It compares queue, source and replicas and believes none of the code that filled them:
//!
//! - **lost**: every number of a stream up to its cursor is a reading, a dead letter or named by a gap, in the source and in each
//!   replica up to its own cursor; every number beyond the source's cursor is in the queue. A member of the source's cluster
//!   is compared like a replica.
//! - **doubled**: two readings that say the same by what the node said: its own number, else its own time, with the
//!   same value on the same channel. Never by our key, which forbids doubles of itself.
//! - **changed**: what the queue still keeps is compared with the source's rows column by column; the source's rows with
//!   each replica's by checksums.

mod doubles;
mod hole;
mod numbers;
mod replay;
mod replicas;
mod rows;
mod stream;
mod streams;
mod values;

pub use replay::{ReplayWish, Replayed, replay};

use crate::database::{Account, DbError, Deadlines, Session};
use crate::local::QueueAccess;
use crate::memory::look_and_choose;
use crate::topology::{Facts, View};
use config::Config;
use serde::Serialize;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// A statement of the auditor may read a large table.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(600);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wrong {
    /// Numbers that are nowhere.
    Lost,
    /// The same reading more than once.
    Doubled,
    /// A reading that is not what it was.
    Changed,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind.
    pub wrong: Wrong,
    /// Where: a server, or `queue`.
    pub place: String,
    /// Which stream, as 16 hex digits.
    pub stream: String,
    /// The first number concerned.
    pub first_seq: u64,
    /// The last number concerned.
    pub last_seq: u64,
    /// How many readings.
    pub count: u64,
    /// In words.
    pub text: String,
}

/// One server's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerLine {
    /// The server.
    pub server: String,
    /// `source`, `replica`, `member` (of the source's cluster) or `not compared`.
    pub role: &'static str,
    /// Readings found there, or why it was not compared.
    pub text: String,
}

/// The whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The servers.
    pub servers: Vec<ServerLine>,
    /// Readings in the source.
    pub readings: u64,
    /// Rows of `gaps`: known to be missing, with a reason.
    pub gaps: u64,
    /// Rows of `dead_letters`.
    pub dead_letters: u64,
    /// Records in the queue that the source does not have yet.
    pub waiting: u64,
    /// Readings that the queue still keeps and that were compared with the source.
    pub compared: u64,
    /// Readings without a number or time of their node: a double among them cannot be told.
    pub without_identity: u64,
    /// How many are lost.
    pub lost: u64,
    /// How many are doubled.
    pub doubled: u64,
    /// How many are changed.
    pub changed: u64,
    /// Each thing that is wrong; at most 100 of a kind are listed.
    pub findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, finding: Finding) {
        let total = match finding.wrong {
            Wrong::Lost => &mut self.lost,
            Wrong::Doubled => &mut self.doubled,
            Wrong::Changed => &mut self.changed,
        };
        *total += finding.count;
        if self.findings.iter().filter(|other| other.wrong == finding.wrong).count() < 100 {
            self.findings.push(finding);
        }
    }

    /// Nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.changed == 0
    }
}

/// Why the question could not be answered.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// A server failed while it was asked.
    #[error(transparent)]
    Database(#[from] DbError),
    /// No server takes writes, so there is no source to compare with.
    #[error("{0}")]
    NoSource(String),
    /// The queue cannot be read.
    #[error("the queue cannot be read: {0}")]
    Queue(#[from] io::Error),
}

/// A server that answers, with a connection that sees one moment of it.
struct Open {
    name: String,
    session: Session,
}

/// Compares everything.
///
/// # Errors
/// [`ReconcileError`] when there is no source, or the source or the queue cannot be read to the end.
pub async fn reconcile(config: &Config, account: &Account, queue: &QueueAccess) -> Result<Report, ReconcileError> {
    let (views, choice) = look_and_choose(config, account).await;
    let source = choice.source.ok_or(ReconcileError::NoSource(choice.why))?;
    let mut report = audit(config, account, queue, &views, source).await?;
    if report.lost > 0 {
        // While a gateway runs, readings move from the queue to the database between two looks. What is really
        // lost is still lost at a second look.
        report = audit(config, account, queue, &views, source).await?;
    }
    Ok(report)
}

async fn audit(
    config: &Config,
    account: &Account,
    queue: &QueueAccess,
    views: &[View],
    source: usize,
) -> Result<Report, ReconcileError> {
    let mut report = Report::default();
    let queued = queue.streams()?;
    let mut source = open(config, account, source).await?;
    let streams = streams::all(&mut source.session, config.gateway.id.as_str(), queued).await?;
    let mut holes = Vec::new();
    for stream in &streams {
        holes.extend(streams::audit(&mut report, &mut source, queue, stream).await?);
    }
    doubles::find(&mut report, &mut source, config.gateway.site.as_str()).await?;
    report.servers.push(ServerLine {
        server: source.name.clone(),
        role: "source",
        text: format!("{} readings", report.readings),
    });
    let own = source.name.clone();
    let facts = views.iter().find(|view| view.name == own).and_then(View::facts);
    for (index, view) in views.iter().enumerate().filter(|(_, view)| view.name != own) {
        let compared = match role(view, facts) {
            Ok(role) => replica(config, account, index, &mut report, &mut source, &streams, &mut holes)
                .await
                .map(|readings| (role, format!("{readings} readings, compared up to its own cursors")))
                .map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        let (role, text) = compared.unwrap_or_else(|why| ("not compared", why));
        report.servers.push(ServerLine { server: view.name.clone(), role, text });
    }
    let filters = if holes.is_empty() { Vec::new() } else { rows::filters(&mut source.session).await? };
    holes.iter().for_each(|hole| report.add(hole.finding(&source, &filters)));
    source.session.close().await;
    Ok(report)
}

/// As what a server is compared with the source, or why it is not.
fn role(view: &View, source: Option<&Facts>) -> Result<&'static str, String> {
    let facts = view.facts().ok_or_else(|| view.trouble().to_owned())?;
    if source.is_some_and(|source| source.is_in_cluster_with(facts)) {
        return Ok("member");
    }
    if !facts.read_only {
        return Err("it takes writes, but it is not the source".to_owned());
    }
    Ok("replica")
}

async fn replica(
    config: &Config,
    account: &Account,
    index: usize,
    report: &mut Report,
    source: &mut Open,
    streams: &[stream::Stream],
    holes: &mut [hole::Hole],
) -> Result<u64, DbError> {
    let mut replica = open(config, account, index).await?;
    let readings = replicas::compare(report, source, &mut replica, streams, holes).await?;
    replica.session.close().await;
    Ok(readings)
}

async fn open(config: &Config, account: &Account, index: usize) -> Result<Open, DbError> {
    let Some(server) = config.mysql.servers.get(index) else { return Err(DbError::closed("mysql.servers")) };
    let deadlines = Deadlines { connect: config.mysql.connect_timeout, query: STATEMENT_DEADLINE };
    let mut session = Session::open(server, account, deadlines).await?;
    session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
    session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await?;
    Ok(Open { name: server.to_string(), session })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::ClusterMember;

    fn facts(read_only: bool, cluster: &str) -> Facts {
        let member = ClusterMember { uuid: cluster.to_owned(), synced: true, state: String::new() };
        Facts { read_only, cluster: (!cluster.is_empty()).then_some(member), ..Facts::default() }
    }

    #[test]
    fn members_of_the_cluster_of_the_source_are_compared_and_other_servers_that_take_writes_are_not() {
        let role_of = |facts: Facts, source: &Facts| {
            let mut view = View::unasked("db2:3306".to_owned());
            view.answered(facts);
            role(&view, Some(source))
        };
        let not_source = Err("it takes writes, but it is not the source".to_owned());
        assert_eq!(role_of(facts(false, "u"), &facts(false, "u")), Ok("member"));
        assert_eq!(role_of(facts(true, "u"), &facts(false, "u")), Ok("member"));
        assert_eq!(role_of(facts(false, "other"), &facts(false, "u")), not_source);
        assert_eq!(role_of(facts(true, ""), &facts(false, "u")), Ok("replica"));
        assert_eq!(role_of(facts(false, ""), &facts(false, "")), not_source);
        let mut away = View::unasked("db3:3306".to_owned());
        away.failed("no answer".to_owned());
        assert_eq!(role(&away, Some(&facts(false, "u"))), Err("no answer".to_owned()));
    }
}
