//! Connections to servers of both families: what a session learns and sets, TLS, and how long statements are.
//! What needs MySQL is left out without it, and says so.

mod authority;
mod packets;
mod sessions;
mod tls;

use std::future::Future;
use std::time::Duration;

use config::{ServerAddress, Tls};
use fieldgate_tests::mariadb::{ADMIN, Family, Server, WRITABLE};
use fieldgate_tests::mysql::is_at_hand;
use gateway::database::{Account, DbError, Deadlines, Session};

/// The families to be tried here; `test` is what is left out without MySQL.
fn families(test: &str) -> Vec<Family> {
    let mysql = is_at_hand(test).then_some(Family::MySql);
    [Some(Family::MariaDb), mysql].into_iter().flatten().collect()
}

/// A server that takes writes, with more arguments.
fn server(family: Family, arguments: &[&str]) -> Server {
    Server::start_of(family, 1, &[WRITABLE, arguments].concat())
}

/// A session as the gateway opens them, of the administrator.
async fn open(server: &Server, tls: Tls) -> Result<Session, DbError> {
    let address = ServerAddress::parse(&server.address().to_string()).expect("the address of a rig");
    let account = Account { user: ADMIN.to_owned(), password: Some(ADMIN.to_owned()), database: None, tls };
    let deadline = Duration::from_secs(20);
    Session::open(&address, &account, Deadlines { connect: deadline, query: deadline }).await
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// The value of a status variable or system variable of a session.
async fn shown(session: &mut Session, what: &str, name: &str) -> String {
    let rows = session.ask(&format!("SHOW SESSION {what} LIKE '{name}'")).await.expect("an answer");
    rows.first().and_then(|row| row.get(1)?.as_text()).unwrap_or_default()
}
