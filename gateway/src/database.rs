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

pub use cell::{Cell, Kind};
pub use error::{Class, DbError};

use config::ServerAddress;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params, Value};
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// Who we are at a server.
#[derive(Clone)]
pub struct Account {
    /// The user name.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<String>,
    /// The database that holds our tables; none to connect without choosing one.
    pub database: Option<String>,
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

/// A connection to one server. After any error it is closed and every further call fails.
pub struct Session {
    conn: OutsideRuntime<Conn>,
    deadline: Duration,
    server: String,
}

impl Session {
    /// Connects and sets what every session of ours needs: UTC, strict mode, short lock waits.
    ///
    /// # Errors
    /// [`DbError`] with the server's own words, or that it did not answer in time.
    pub async fn open(server: &ServerAddress, account: &Account, deadlines: Deadlines) -> Result<Self, DbError> {
        let options = OptsBuilder::default()
            .ip_or_hostname(server.host.clone())
            .tcp_port(server.port)
            .prefer_socket(false)
            .tcp_nodelay(true)
            .user(Some(account.user.clone()))
            .pass(account.password.clone())
            .db_name(account.database.clone());
        let name = server.to_string();
        let mut connecting = OutsideRuntime(Some(Conn::new(options)));
        let future = connecting.0.as_mut().ok_or_else(|| DbError::closed(&name))?;
        let conn = match timeout(deadlines.connect, future).await {
            Ok(Ok(conn)) => conn,
            Ok(Err(error)) => return Err(DbError::from_client(&name, error)),
            Err(_) => return Err(DbError::too_late(&name, "connecting", deadlines.connect)),
        };
        let mut session = Self { conn: OutsideRuntime(Some(conn)), deadline: deadlines.query, server: name };
        session.run("SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', innodb_lock_wait_timeout = 3").await?;
        Ok(session)
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

    /// Inserts many rows with one statement and one round trip where the server allows it.
    ///
    /// # Errors
    /// [`DbError`] of class `Protocol` when a column mixes kinds of values, before anything is sent; else as the server says.
    pub async fn insert_many(&mut self, sql: &str, rows: Vec<Row>) -> Result<(), DbError> {
        if let Some((column, first, other)) = cell::mixed_column(&rows) {
            let what = format!("column {column} of a bulk insert holds {first:?} and {other:?}");
            return Err(DbError::protocol(&self.server, what));
        }
        if rows.is_empty() {
            return Ok(());
        }
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
