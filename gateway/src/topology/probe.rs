//! Asks one server, each period, over a connection of its own, what the choice needs to know.

mod mariadb;
mod mysql;

use super::same::moved_words;
use super::{Closed, ClusterMember, Facts, Replication, ReplicationError, Term, View};
use crate::database::{Account, Cell, DbError, Deadlines, Family, Row, Session};
use crate::origin::Origins;
use crate::together::together;
use config::{Config, ServerAddress};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// One row of a SHOW statement.
type Named = HashMap<String, Cell>;

/// What a probe needs.
pub struct Probe {
    /// Its place in the configuration.
    pub index: usize,
    /// The server.
    pub server: ServerAddress,
    /// The account for data and monitoring.
    pub account: Account,
    /// The database that holds our tables.
    pub database: String,
    /// Whose cursors to read: ours, and those of streams that another gateway made.
    pub origins: watch::Receiver<Arc<Origins>>,
    /// Somebody has seen that things have changed: ask at once.
    pub look: Arc<Notify>,
    /// How often to ask.
    pub period: Duration,
    /// How long to wait for an answer; a frozen server must not delay a failover.
    pub deadline: Duration,
}

/// So many times as often a server is asked while none takes writes.
const HURRY: u32 = 4;

impl Probe {
    /// A probe of the server at this place of the configuration.
    pub fn of(
        config: &Config,
        account: &Account,
        index: usize,
        origins: watch::Receiver<Arc<Origins>>,
        look: Arc<Notify>,
    ) -> Option<Self> {
        Some(Self {
            index,
            server: config.mysql.servers.get(index)?.clone(),
            account: Account { database: None, ..account.clone() },
            database: config.mysql.database.clone(),
            origins,
            look,
            period: config.mysql.probe_period,
            deadline: config.mysql.connect_timeout,
        })
    }

    /// Asks until `views` has no listener any more.
    pub async fn run(self, views: watch::Sender<Vec<View>>) {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut session = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.look.notified() => ticks.reset(),
            }
            let answer = self.ask(&mut session).await;
            if views.receiver_count() == 0 {
                return;
            }
            views.send_if_modified(|views| self.store(views, answer));
            if !views.borrow().iter().any(View::is_open_for_writes) {
                // Nobody takes writes: look for who will be the next.
                ticks.reset_after(self.period / HURRY);
            }
        }
    }

    fn store(&self, views: &mut [View], answer: Result<Facts, DbError>) -> bool {
        let Some(view) = views.get_mut(self.index) else { return false };
        let before = view.clone();
        match answer {
            Ok(facts) => view.answered(facts),
            Err(error) => view.failed(error.explained()),
        }
        if view.moves() != before.moves() {
            warn!("{} is {}", view.name, moved_words(view).unwrap_or_default());
        }
        *view != before
    }

    /// Asks once, over a connection of its own, and also when any gateway has last written there.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn once(&self) -> Result<Facts, DbError> {
        let mut session = self.open().await?;
        let mut facts = self.facts(&mut session).await?;
        if facts.last_written_us.is_none() && session.is_open() {
            facts.last_written_us = self.last_written(&mut session).await?;
            session.close().await;
        }
        Ok(facts)
    }

    async fn view(self) -> View {
        let mut view = View::unasked(self.server.to_string());
        match self.once().await {
            Ok(facts) => view.answered(facts),
            Err(error) => view.failed(error.explained()),
        }
        view
    }

    async fn ask(&self, session: &mut Option<Session>) -> Result<Facts, DbError> {
        let mut open = match session.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let facts = self.facts(&mut open).await?;
        // An answer such as "no such database" is an answer, but its connection has been given up.
        *session = Some(open).filter(Session::is_open);
        Ok(facts)
    }

    async fn open(&self) -> Result<Session, DbError> {
        let deadlines = Deadlines { connect: self.deadline, query: self.deadline };
        Session::open(&self.server, &self.account, deadlines).await
    }

    /// Asks over a connection of the caller's.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn facts(&self, session: &mut Session) -> Result<Facts, DbError> {
        let read_only = read_only(session).await?;
        let (identity, server_id, crash_safe) = identity(session).await?;
        let replication = replication(session).await?;
        let mut facts = Facts { identity, server_id, read_only, replication, crash_safe, ..Facts::default() };
        facts.cluster = cluster(session).await?;
        take_binary_log(&mut facts, &binary_log(session).await?);
        match self.term_and_cursors(session).await {
            Ok(rows) => take_term_and_cursors(&mut facts, &rows),
            // No tables yet: a server all the same. The drain says what is missing when it comes to write.
            Err(error) if matches!(error.code, Some(1049 | 1146)) => {}
            Err(error) => return Err(error),
        }
        if facts.is_closed_source() {
            facts.last_written_us = self.last_written(session).await?;
            facts.closed = Some(closed(session).await?);
        }
        Ok(facts)
    }

    async fn last_written(&self, session: &mut Session) -> Result<Option<i64>, DbError> {
        let sql = format!("SELECT MAX(updated_at) FROM `{}`.streams", self.database);
        let rows = session.ask_with(&sql, Vec::new()).await?;
        Ok(rows.first().and_then(|row| row.first()?.as_time_us()))
    }

    /// One statement, so that the term and the cursors are of one moment.
    async fn term_and_cursors(&self, session: &mut Session) -> Result<Vec<Row>, DbError> {
        let (database, origins) = (&self.database, Arc::clone(&self.origins.borrow()));
        let marks = vec!["?"; origins.streams.len()].join(", ");
        let imported = if marks.is_empty() { marks } else { format!(" OR s.stream IN ({marks})") };
        let streams = origins.streams.keys().map(|stream| Cell::UInt(stream.as_u64()));
        let parameters = std::iter::once(Cell::text(&origins.gateway)).chain(streams).collect();
        let sql = format!(
            "SELECT t.term, t.server, t.adopted_at, s.stream, s.last_seq, s.updated_at FROM `{database}`.server_term t \
             LEFT JOIN `{database}`.streams s ON s.gateway = ?{imported} WHERE t.id = 1"
        );
        session.ask_with(&sql, parameters).await
    }
}

/// Asks every server once what it is, all at the same time.
pub async fn look(config: &Config, account: &Account) -> Vec<View> {
    let imported = Origins::look(&config.gateway.state_dir).unwrap_or_default().streams;
    let (gateway, site) = (config.gateway.id.to_string(), config.gateway.site.to_string());
    let origins = watch::Sender::new(Arc::new(Origins { gateway, site, streams: imported })).subscribe();
    let look = Arc::new(Notify::new());
    let probe = |index| Probe::of(config, account, index, origins.clone(), Arc::clone(&look));
    together((0..config.mysql.servers.len()).filter_map(probe).map(Probe::view)).await
}

/// Whether the server refuses writes. Asked alone: inside a larger SELECT the variable once answered wrongly.
///
/// # Errors
/// [`DbError`].
pub async fn read_only(session: &mut Session) -> Result<bool, DbError> {
    let rows = session.ask("SELECT @@global.read_only").await?;
    let answer = rows.first().and_then(|row| row.first()).and_then(Cell::as_text);
    match answer.as_deref() {
        Some("0" | "OFF") => Ok(false),
        Some(_) => Ok(true),
        None => Err(DbError::unexpected(session.server(), "SELECT @@global.read_only")),
    }
}

/// Identity, server_id and whether commits survive a power cut: with a binary log, InnoDB takes back at a start what
/// is not in it, so both must have been synced.
///
/// # Errors
/// [`DbError`].
pub async fn identity(session: &mut Session) -> Result<(String, u64, bool), DbError> {
    let sql = match session.family() {
        Family::MariaDb => mariadb::IDENTITY,
        Family::MySql => mysql::IDENTITY,
    };
    let rows = session.ask(sql).await?;
    let texts: Vec<String> = rows.first().into_iter().flatten().filter_map(Cell::as_text).collect();
    let [id, name, flush, log, sync] = texts.as_slice() else { return Err(DbError::unexpected(session.server(), sql)) };
    let number = id.parse().map_err(|_| DbError::unexpected(session.server(), sql))?;
    Ok((name.clone(), number, flush == "1" && (log == "0" || sync == "1")))
}

async fn replication(session: &mut Session) -> Result<Vec<Replication>, DbError> {
    match session.family() {
        Family::MariaDb => mariadb::replication(session).await,
        Family::MySql => mysql::replication(session).await,
    }
}

async fn cluster(session: &mut Session) -> Result<Option<ClusterMember>, DbError> {
    match session.family() {
        Family::MariaDb => mariadb::cluster(session).await,
        Family::MySql => mysql::cluster(session).await,
    }
}

/// Since when and how a source is closed. The last question of all, as an account without the right to ask how loses the
/// connection by it.
async fn closed(session: &mut Session) -> Result<Closed, DbError> {
    let up = session.ask("SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
    let up_s = up.first().and_then(|row| row.get(1)?.as_text()?.parse().ok()).unwrap_or(0);
    let origin = match session.family() {
        Family::MariaDb => session.ask(mariadb::READ_ONLY_ORIGIN).await,
        Family::MySql => session.ask(mysql::READ_ONLY_ORIGIN).await,
    };
    let origin = origin.ok().and_then(|rows| rows.first()?.first()?.as_text());
    Ok(Closed { up_s, by_statement: origin.map(|origin| matches!(origin.as_str(), "SQL" | "DYNAMIC")) })
}

/// How the server writes its binary log, and which transactions it has executed.
async fn binary_log(session: &mut Session) -> Result<Vec<Row>, DbError> {
    let sql = match session.family() {
        Family::MariaDb => mariadb::BINARY_LOG,
        Family::MySql => mysql::BINARY_LOG,
    };
    session.ask(sql).await
}

fn take_binary_log(facts: &mut Facts, rows: &[Row]) {
    let texts: Vec<String> = rows.first().into_iter().flatten().filter_map(Cell::as_text).collect();
    let Ok([log, format, origin, executed]) = <[String; 4]>::try_from(texts) else { return };
    facts.without_binary_log = log == "0";
    (facts.row_format, facts.gtid_origin, facts.executed) = (format, origin, executed);
}

fn take_term_and_cursors(facts: &mut Facts, rows: &[Row]) {
    for row in rows {
        let [number, server, since, stream, last_seq, written_at] = row.as_slice() else { continue };
        if let (Some(number), Some(server)) = (number.as_u64(), server.as_text()) {
            facts.term = Some(Term { number, server });
            facts.term_since_us = since.as_time_us();
        }
        if let (Some(stream), Some(last_seq)) = (stream.as_u64(), last_seq.as_u64()) {
            facts.cursors.insert(stream, last_seq);
            if let Some(at_us) = written_at.as_time_us() {
                facts.heartbeats.insert(stream, at_us);
            }
        }
    }
}

/// The text of a column; empty where the server has no such column.
fn text_of(row: &Named, name: &str) -> String {
    row.get(name).and_then(Cell::as_text).unwrap_or_default()
}

/// Whether a channel leaves out databases or tables. Both families call these columns the same.
fn has_filters(row: &Named) -> bool {
    let filters = [
        "Replicate_Do_DB",
        "Replicate_Ignore_DB",
        "Replicate_Do_Table",
        "Replicate_Ignore_Table",
        "Replicate_Wild_Do_Table",
        "Replicate_Wild_Ignore_Table",
        "Replicate_Rewrite_DB",
    ];
    filters.iter().any(|name| !text_of(row, name).is_empty())
}

/// The last error of a thread, `IO` or `SQL`. Both families call these columns the same.
fn error_of(row: &Named, thread: &str) -> Option<ReplicationError> {
    let text = text_of(row, &format!("Last_{thread}_Error"));
    let number = text_of(row, &format!("Last_{thread}_Errno")).parse().unwrap_or(0);
    (!text.is_empty()).then_some(ReplicationError { number, text })
}
