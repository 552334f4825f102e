//! The MySQL client, behind one small type. The only file that names it.
//!
//! Three guards that the library leaves to its caller:
//! - every call has a deadline, since a frozen server lets connect, query and close wait for ever;
//! - a connection that failed is dropped outside of the runtime, because the library would otherwise start a task that
//!   tries to tidy it up, and with a frozen server that task and its socket stay for good;
//! - in a bulk insert each column holds one kind of value or NULL, checked before it is sent: the library announces one
//!   type for a column and the server reads the others as garbage.

mod cell;
mod error;
mod family;
mod insert;
mod link;
mod literal;

pub use cell::{Cell, Kind};
pub use error::{Class, DbError};
pub use family::{Family, Version};
pub use literal::quoted;

use config::{Config, ServerAddress, Tls};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params, Value};
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// What every session of ours needs: utf8mb4 whatever the server's default is, UTC, strict mode, short lock waits.
const SETTINGS: &str = "SET NAMES utf8mb4, time_zone = '+00:00', \
    sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', innodb_lock_wait_timeout = 3";

/// Who we are at a server, and how we come there.
#[derive(Clone)]
pub struct Account {
    /// The user name.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<String>,
    /// The database that holds our tables; none to connect without choosing one.
    pub database: Option<String>,
    /// How the connection is protected.
    pub tls: Tls,
}

impl Account {
    /// Any account, over connections as configured, without choosing a database.
    pub fn named(config: &Config, user: &str, password: Option<String>) -> Self {
        Self { user: user.to_owned(), password, database: None, tls: config.mysql.tls.clone() }
    }

    /// The gateway's own account, with its database.
    pub fn configured(config: &Config, password: Option<String>) -> Self {
        Self { database: Some(config.mysql.database.clone()), ..Self::named(config, &config.mysql.user, password) }
    }
}

/// How long to wait for a server.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For a connection to be ready.
    pub connect: Duration,
    /// For each statement.
    pub query: Duration,
}

/// One row of an answer.
pub type Row = Vec<Cell>;

/// Something that is dropped by a thread of its own, outside of the runtime.
struct OutsideRuntime<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Drop for OutsideRuntime<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            // If no thread can be had, the closure and with it the connection is dropped here: late, but not lost.
            let _ = std::thread::Builder::new().spawn(move || drop(inner));
        }
    }
}

/// A connection to one server. After any error it is closed and every further call fails, unless the server has refused
/// the statement for a row ([`DbError::is_about_a_row`]): what that statement's transaction did can then be rolled back.
pub struct Session {
    conn: OutsideRuntime<Conn>,
    deadline: Duration,
    server: String,
    version: Version,
    max_packet_bytes: usize,
}

impl Session {
    /// Connects, sets what every session of ours needs, and asks which server it is.
    ///
    /// # Errors
    /// [`DbError`] with the server's own words, or that it did not answer in time, or that it is too old.
    pub async fn open(server: &ServerAddress, account: &Account, deadlines: Deadlines) -> Result<Self, DbError> {
        let options = OptsBuilder::default()
            .ip_or_hostname(server.host.clone())
            .tcp_port(server.port)
            .prefer_socket(false)
            .tcp_nodelay(true)
            .user(Some(account.user.clone()))
            .pass(account.password.clone())
            .db_name(account.database.clone());
        let options = link::options(options, &account.tls);
        let name = server.to_string();
        let mut connecting = OutsideRuntime(Some(Conn::new(options)));
        let future = connecting.0.as_mut().ok_or_else(|| DbError::closed(&name))?;
        let conn = match timeout(deadlines.connect, future).await {
            Ok(Ok(conn)) => conn,
            Ok(Err(error)) => return Err(link::explain(&name, &account.tls, error)),
            Err(_) => return Err(DbError::too_late(&name, "connecting", deadlines.connect)),
        };
        // Until it has been asked.
        let version = Version { family: Family::MySql, numbers: (0, 0, 0) };
        let mut session = Self {
            conn: OutsideRuntime(Some(conn)),
            deadline: deadlines.query,
            server: name,
            version,
            max_packet_bytes: 0,
        };
        session.run(SETTINGS).await?;
        session.learn().await?;
        Ok(session)
    }

    async fn learn(&mut self) -> Result<(), DbError> {
        let sql = "SELECT VERSION(), @@max_allowed_packet";
        let rows = self.ask(sql).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let [version, packet] = row else { return Err(DbError::unexpected(&self.server, sql)) };
        let version = version.as_text().and_then(|text| Version::parse(&text));
        self.version = version.ok_or_else(|| DbError::unexpected(&self.server, sql))?;
        self.max_packet_bytes = packet.as_u64().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        match self.version.too_old() {
            Some(words) => Err(DbError::setup(&self.server, words)),
            None => Ok(()),
        }
    }

    /// Whether it is a MariaDB or a MySQL server.
    pub fn family(&self) -> Family {
        self.version.family
    }

    /// Which version it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The longest statement that the server takes, with its parameters (`max_allowed_packet`); inserts stay below half of it.
    pub fn max_packet_bytes(&self) -> usize {
        self.max_packet_bytes
    }

    /// The server's name as configured.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Runs a statement that gives no rows.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is then unknown.
    pub async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        self.call(async move |conn| conn.query_drop(sql).await).await
    }

    /// Asks a question without parameters; values come as the server writes them in text.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        let rows = self.call(async move |conn| conn.query::<mysql_async::Row, _>(sql).await).await?;
        Ok(rows.into_iter().map(cells).collect())
    }

    /// Asks a question whose columns are known by name only, as the SHOW statements' are.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn ask_named(&mut self, sql: &str) -> Result<Vec<std::collections::HashMap<String, Cell>>, DbError> {
        let rows = self.call(async move |conn| conn.query::<mysql_async::Row, _>(sql).await).await?;
        Ok(rows.into_iter().map(named_cells).collect())
    }

    /// Asks a question with parameters; values come in their own types.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn ask_with(&mut self, sql: &str, parameters: Vec<Cell>) -> Result<Vec<Row>, DbError> {
        let parameters = positional(parameters);
        let rows = self.call(async move |conn| conn.exec::<mysql_async::Row, _, _>(sql, parameters).await).await?;
        Ok(rows.into_iter().map(cells).collect())
    }

    /// Changes rows; returns how many were changed.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is then unknown.
    pub async fn change(&mut self, sql: &str, parameters: Vec<Cell>) -> Result<u64, DbError> {
        let parameters = positional(parameters);
        self.call(async move |conn| {
            conn.exec_drop(sql, parameters).await?;
            Ok(conn.affected_rows())
        })
        .await
    }

    /// Begins a transaction with a statement that changes rows, in one round trip; returns how many were changed. The
    /// statement is text: for numbers only.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is then unknown.
    pub async fn begin_with(&mut self, change: &str) -> Result<u64, DbError> {
        let sql = format!("START TRANSACTION; {change}");
        self.call(async move |conn| {
            conn.query_drop(sql).await?;
            Ok(conn.affected_rows())
        })
        .await
    }

    /// Whether more may be asked: after an error the outcome is unknown, and the connection is given up.
    pub fn is_open(&self) -> bool {
        self.conn.0.is_some()
    }

    /// The id that the last INSERT gave.
    pub fn last_insert_id(&self) -> Option<u64> {
        self.conn.0.as_ref().and_then(Conn::last_insert_id)
    }

    /// Inserts many rows with few statements and round trips. `sql` inserts one row and ends with its marks:
    /// `INSERT INTO t (a, b) VALUES (?, ?)`. Several statements are one only within a transaction of the caller's.
    ///
    /// # Errors
    /// [`DbError`] of class `Protocol` when a column mixes kinds of values, before anything is sent; else as the server says.
    pub async fn insert_many(&mut self, sql: &str, rows: Vec<Row>) -> Result<(), DbError> {
        if let Some((column, first, other)) = cell::mixed_column(&rows) {
            let what = format!("column {column} of a bulk insert holds {first:?} and {other:?}");
            return Err(DbError::protocol(&self.server, what));
        }
        if let Some(bytes) = insert::too_large(&rows, self.max_packet_bytes) {
            return Err(DbError::too_large(&self.server, bytes, self.max_packet_bytes));
        }
        let cuts = insert::cuts(self.version.family, &rows, self.max_packet_bytes / 2);
        let mut rows = rows.into_iter();
        for count in cuts {
            let part: Vec<Row> = rows.by_ref().take(count).collect();
            self.insert_part(sql, part).await?;
        }
        Ok(())
    }

    async fn insert_part(&mut self, sql: &str, rows: Vec<Row>) -> Result<(), DbError> {
        match self.version.family {
            Family::MariaDb => self.insert_bulk(sql, rows).await,
            Family::MySql => {
                let sql = insert::statement_for(sql, rows.len());
                self.change(&sql, rows.into_iter().flatten().collect()).await.map(drop)
            }
        }
    }

    async fn insert_bulk(&mut self, sql: &str, rows: Vec<Row>) -> Result<(), DbError> {
        let rows: Vec<Params> = rows.into_iter().map(positional).collect();
        // Not `sql.with(rows).batch(conn)`, which takes a round trip for each row.
        self.call(async move |conn| conn.exec_batch(sql, rows).await).await
    }

    async fn call<T>(&mut self, work: impl AsyncFnOnce(&mut Conn) -> mysql_async::Result<T>) -> Result<T, DbError> {
        let conn = self.conn.0.as_mut().ok_or_else(|| DbError::closed(&self.server))?;
        let error = match within(self.deadline, work(conn)).await {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => DbError::from_client(&self.server, error),
            None => DbError::too_late(&self.server, "a statement", self.deadline),
        };
        if error.is_about_a_row() {
            return Err(error);
        }
        // Outcome unknown: nothing may be asked of this connection again.
        drop(OutsideRuntime(self.conn.0.take()));
        Err(error)
    }

    /// Says goodbye, so that the server does not log an aborted connection.
    pub async fn close(mut self) {
        if let Some(conn) = self.conn.0.take() {
            let _ = within(Duration::from_millis(500), conn.disconnect()).await;
        }
    }
}

async fn within<T>(deadline: Duration, work: impl Future<Output = T>) -> Option<T> {
    timeout(deadline, work).await.ok()
}

fn positional(cells: Vec<Cell>) -> Params {
    if cells.is_empty() { Params::Empty } else { Params::Positional(cells.into_iter().map(Value::from).collect()) }
}

fn cells(row: mysql_async::Row) -> Row {
    row.unwrap_raw().into_iter().map(|value| Cell::from(value.unwrap_or(Value::NULL))).collect()
}

fn named_cells(row: mysql_async::Row) -> std::collections::HashMap<String, Cell> {
    let names: Vec<String> = row.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    names.into_iter().zip(cells(row)).collect()
}
