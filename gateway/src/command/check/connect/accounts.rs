//! The accounts that `check --connect` logs in as.

use super::ask::Asker;
use super::facts::{Login, ServerFacts};
use crate::command::{account, deadlines};
use crate::database::{Account, DbError};
use crate::secret::{promote_password, replication_password};
use config::{Config, Problem, ServerAddress};
use sensors::SampleClock;

/// The gateway's own, and those that a promotion needs.
pub struct Accounts {
    /// For data and monitoring, without choosing a database.
    pub own: Account,
    promotion: Option<Account>,
    replication: Option<Account>,
}

impl Accounts {
    /// As configured.
    ///
    /// # Errors
    /// A [`Problem`] when a password cannot be read.
    pub fn of(config: &Config) -> Result<Self, Problem> {
        let promote = config.mysql.promote.as_ref();
        let own = Account { database: None, ..account(config)? };
        let (promoting, replicating) = (promote_password(config)?, replication_password(config)?);
        let promotion = promote.map(|promote| Account::named(config, &promote.user, promoting));
        let replication = promote.and_then(|promote| promote.replication.as_ref());
        let replication = replication.map(|replication| Account::named(config, &replication.user, replicating));
        Ok(Self { own, promotion, replication })
    }

    /// Everything that the rules look at, of one server.
    ///
    /// # Errors
    /// [`DbError`] when our own account cannot ask.
    pub async fn ask(
        &self,
        server: &ServerAddress,
        config: &Config,
        clock: &dyn SampleClock,
    ) -> Result<ServerFacts, DbError> {
        let mut asker = Asker::new(server, &self.own, deadlines(config));
        let answer = asker.facts(config, clock).await;
        asker.close().await;
        let mut facts = answer?;
        facts.promotion = login(server, self.promotion.as_ref(), config).await;
        facts.replication = login(server, self.replication.as_ref(), config).await;
        Ok(facts)
    }
}

async fn login(server: &ServerAddress, account: Option<&Account>, config: &Config) -> Option<Result<Login, String>> {
    let mut asker = Asker::new(server, account?, deadlines(config));
    let answer = asker.login(&config.mysql.database).await;
    asker.close().await;
    Some(answer.map_err(|error| said(error.words)))
}

/// MySQL lets strangers believe that an account is there, and asks for its password in a way that depends on the name.
fn said(words: String) -> String {
    if words.contains("Unknown authentication plugin") {
        format!("{words} (MySQL also says this of accounts that are not there)")
    } else {
        words
    }
}
