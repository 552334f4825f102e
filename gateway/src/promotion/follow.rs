//! Lets a server follow the source, with the account that replicas log in with.

use super::statements::{self, Channel, Upstream};
use super::{Failure, Hands};
use crate::secret::replication_password;
use crate::topology::Replication;
use config::{Config, Problem, Tls};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked whether a server follows.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The account that replicas log in with.
#[derive(Clone)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whether replicas are to encrypt their connections.
    pub tls: bool,
}

impl Login {
    /// As configured; none where no such account or no password of it is given.
    ///
    /// # Errors
    /// When the file of its password cannot be read.
    pub fn of(config: &Config) -> Result<Option<Self>, Problem> {
        let account = config.mysql.promote.as_ref().and_then(|promote| promote.replication.clone());
        let password = replication_password(config)?;
        let tls = config.mysql.tls != Tls::Off;
        Ok(account.zip(password).map(|(account, password)| Self { user: account.user, password, tls }))
    }
}

/// Lets a server follow the source, and waits until it receives. One that has followed somebody before keeps its account.
pub async fn follow(
    hands: &mut Hands,
    index: usize,
    source: usize,
    login: Option<&Login>,
    patience: Duration,
) -> Result<(), Failure> {
    hands.ask(index).await?;
    let channel = hands.facts(index).and_then(|facts| facts.replication.first().cloned());
    let family = hands.session(index).await?.family();
    let server = hands.address(source)?.clone();
    let name = channel.as_ref().map(|channel: &Replication| channel.channel.clone()).unwrap_or_default();
    let words = Channel { family, name: &name };
    let login = login.filter(|_| channel.is_none());
    if login.is_none() && channel.is_none() {
        return Err(Failure::Shut("mysql.promote has no replication_user with a password".to_owned()));
    }
    let new = login.map(|login| (login.user.as_str(), login.password.as_str()));
    let upstream = Upstream { server: &server, login: new, tls: login.is_some_and(|login| login.tls) };
    let mut statements = vec![words.stop(), words.follow(&upstream), words.start()];
    if channel.is_none() {
        statements.remove(0);
        statements.splice(0..0, statements::begin_at_own_position(family).map(str::to_owned));
    }
    hands.run(index, &statements).await?;
    wait_connected(hands, index, patience).await
}

async fn wait_connected(hands: &mut Hands, index: usize, patience: Duration) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        hands.ask(index).await?;
        let channel = hands.facts(index).and_then(|facts| facts.replication.first().cloned()).unwrap_or_default();
        if channel.connected && channel.applying {
            return Ok(());
        }
        if began.elapsed() >= patience {
            let why = channel.error().unwrap_or_else(|| "it does not receive".to_owned());
            return Err(Failure::Shut(why));
        }
        sleep(ASK_EVERY).await;
    }
}
