//! Asks one server for what `check --connect` judges. What the account may not ask stays empty.

use super::facts::{Column, Login, Rights, ServerFacts, Table, Variable};
use crate::database::{Account, Cell, DbError, Deadlines, Family, Row, Session};
use config::{Config, ServerAddress};
use sensors::SampleClock;
use std::collections::{BTreeMap, BTreeSet};

/// One server, over a connection that is opened again after an answer that was an error.
pub struct Asker<'a> {
    server: &'a ServerAddress,
    account: &'a Account,
    deadlines: Deadlines,
    session: Option<Session>,
}

impl<'a> Asker<'a> {
    /// Asks this server as this account.
    pub fn new(server: &'a ServerAddress, account: &'a Account, deadlines: Deadlines) -> Self {
        Self { server, account, deadlines, session: None }
    }

    /// Everything that the rules look at.
    ///
    /// # Errors
    /// [`DbError`] when the server cannot be asked at all.
    pub async fn facts(&mut self, config: &Config, clock: &dyn SampleClock) -> Result<ServerFacts, DbError> {
        let mut facts = ServerFacts { name: self.server.to_string(), ..ServerFacts::default() };
        let who = self.rows("SELECT VERSION(), CURRENT_USER()").await?;
        if let Some([version, account]) = who.first().map(Vec::as_slice) {
            facts.version = version.as_text().unwrap_or_default();
            facts.account = quoted_account(&account.as_text().unwrap_or_default());
            facts.is_mariadb = self.is_mariadb();
        }
        facts.clock_ahead_us = self.clock_ahead_us(clock).await?;
        facts.variables = self.variables(facts.is_mariadb).await?;
        facts.rights = self.rights(&facts.account, facts.is_mariadb, &config.mysql.database).await;
        facts.replicas_connected = self.replicas_connected(facts.is_mariadb).await;
        self.tables(&mut facts, config).await;
        Ok(facts)
    }

    /// Who the account is there, and what it may do.
    ///
    /// # Errors
    /// [`DbError`] when it cannot log in.
    pub async fn login(&mut self, database: &str) -> Result<Login, DbError> {
        let who = self.rows("SELECT CURRENT_USER()").await?;
        let account = who.first().and_then(|row| row.first()?.as_text()).unwrap_or_default();
        let account = quoted_account(&account);
        let is_mariadb = self.is_mariadb();
        Ok(Login { rights: self.rights(&account, is_mariadb, database).await, account })
    }

    fn is_mariadb(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.family() == Family::MariaDb)
    }

    /// Says goodbye.
    pub async fn close(self) {
        if let Some(session) = self.session {
            session.close().await;
        }
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        let open = match self.session.take() {
            Some(open) if open.is_open() => open,
            _ => Session::open(self.server, self.account, self.deadlines).await?,
        };
        self.session.insert(open).ask(sql).await
    }

    /// Rows whose cells are all text; none of what was refused.
    async fn texts<const N: usize>(&mut self, sql: &str) -> Vec<[String; N]> {
        let rows = self.rows(sql).await.unwrap_or_default();
        let text = |cell: &Cell| cell.as_text().unwrap_or_default();
        rows.iter().filter_map(|row| row.iter().map(text).collect::<Vec<_>>().try_into().ok()).collect()
    }

    /// In the middle of the question both clocks should say the same.
    async fn clock_ahead_us(&mut self, clock: &dyn SampleClock) -> Result<i64, DbError> {
        let before_us = clock.stamp().wall_us;
        let rows = self.rows("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)").await?;
        let after_us = clock.stamp().wall_us;
        let there_us = rows.first().and_then(|row| row.first()?.as_i64()).unwrap_or(before_us);
        let (early, late) = (there_us.saturating_sub(before_us), there_us.saturating_sub(after_us));
        // Between the two it is right, as far as can be told.
        Ok(if early >= 0 && late <= 0 { 0 } else { early.midpoint(late) })
    }

    async fn variables(&mut self, is_mariadb: bool) -> Result<BTreeMap<String, Variable>, DbError> {
        let values = self.rows("SHOW GLOBAL VARIABLES").await?;
        let origins: BTreeMap<String, String> = self
            .texts(if is_mariadb {
                "SELECT variable_name, global_value_origin FROM information_schema.system_variables"
            } else {
                "SELECT variable_name, variable_source FROM performance_schema.variables_info"
            })
            .await
            .into_iter()
            .map(|[name, origin]| (name.to_lowercase(), origin))
            .collect();
        let is_from_statement = |name: &str| Some(matches!(origins.get(name)?.as_str(), "SQL" | "DYNAMIC"));
        let named = values.iter().filter_map(|row| match row.as_slice() {
            [name, value] => Some((name.as_text()?.to_lowercase(), value.as_text().unwrap_or_default())),
            _ => None,
        });
        Ok(named
            .map(|(name, value)| {
                let is_from_statement = is_from_statement(&name);
                (name, Variable { value, is_from_statement })
            })
            .collect())
    }

    async fn rights(&mut self, account: &str, is_mariadb: bool, database: &str) -> Rights {
        let mut rights = Rights::default();
        for [grantee, right] in
            self.texts("SELECT grantee, privilege_type FROM information_schema.user_privileges").await
        {
            if grantee == account && right != "USAGE" {
                rights.global.insert(right);
            }
        }
        let sql = "SELECT grantee, table_schema, privilege_type FROM information_schema.schema_privileges";
        for [grantee, place, right] in self.texts(sql).await {
            if grantee == account && is_like(&place, database) {
                rights.database.insert(right);
            }
        }
        let sql = "SELECT grantee, table_schema, table_name, privilege_type FROM information_schema.table_privileges";
        for [grantee, place, table, right] in self.texts(sql).await {
            if grantee == account && place == database {
                rights.tables.entry(table).or_default().insert(right);
            }
        }
        let roles = if is_mariadb {
            "SELECT role_name, is_default FROM information_schema.applicable_roles"
        } else {
            "SELECT role_name, is_default FROM information_schema.enabled_roles"
        };
        rights.has_roles = !self.texts::<2>(roles).await.is_empty();
        rights
    }

    async fn replicas_connected(&mut self, is_mariadb: bool) -> Option<u64> {
        let sql = if is_mariadb {
            "SHOW GLOBAL STATUS LIKE 'Slaves_connected'"
        } else {
            "SELECT 'n', COUNT(*) FROM performance_schema.threads WHERE processlist_command LIKE 'Binlog Dump%'"
        };
        let rows = self.rows(sql).await.ok()?;
        rows.first()?.get(1)?.as_u64()
    }

    async fn tables(&mut self, facts: &mut ServerFacts, config: &Config) {
        let mut databases: BTreeSet<&str> =
            config.routes.iter().filter_map(|route| route.table.database.as_deref()).collect();
        databases.insert(&config.mysql.database);
        // Names of databases have no quotes in them.
        let list = databases.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let tables = format!(
            "SELECT table_schema, table_name, engine FROM information_schema.tables WHERE table_schema IN ({list}) AND table_type = 'BASE TABLE'"
        );
        for [database, table, engine] in self.texts(&tables).await {
            facts.tables.insert(format!("{database}.{table}"), Table { engine, ..Table::default() });
        }
        let columns = format!(
            "SELECT table_schema, table_name, column_name, data_type, is_nullable, COALESCE(column_default, ''), extra \
             FROM information_schema.columns WHERE table_schema IN ({list})"
        );
        for [database, table, name, data_type, nullable, default, extra] in self.texts(&columns).await {
            if let Some(table) = facts.tables.get_mut(&format!("{database}.{table}")) {
                table.columns.insert(name.to_lowercase(), column(data_type, &nullable, &default, &extra));
            }
        }
        if facts.tables.contains_key(&format!("{}.schema_version", config.mysql.database)) {
            let sql = format!("SELECT MAX(version) FROM `{}`.schema_version", config.mysql.database);
            let rows = self.rows(&sql).await.unwrap_or_default();
            facts.schema_version = rows.first().and_then(|row| row.first()?.as_u64());
        }
    }
}

fn column(data_type: String, nullable: &str, default: &str, extra: &str) -> Column {
    let (default, extra) = (default.to_lowercase(), extra.to_lowercase());
    Column {
        data_type: data_type.to_lowercase(),
        is_nullable: nullable == "YES",
        has_default: !default.is_empty() || extra.contains("auto_increment") || extra.contains("default_generated"),
        takes_server_time: default.starts_with("current_timestamp") || extra.contains("on update current_timestamp"),
        is_generated: extra.contains("generated") && !extra.contains("default_generated"),
    }
}

/// As the server writes it where it lists rights.
fn quoted_account(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("'{user}'@'{host}'")
}

/// Whether a database is meant by a name in which `_` and `%` stand for any letters, unless escaped.
fn is_like(pattern: &str, name: &str) -> bool {
    let Some(letter) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[letter.len_utf8()..];
    let tail =
        |name: &str| name.chars().next().map(|first| first.len_utf8()).and_then(|at| name.get(at..).map(str::to_owned));
    match letter {
        '%' => is_like(rest, name) || tail(name).is_some_and(|name| is_like(pattern, &name)),
        '_' => tail(name).is_some_and(|name| is_like(rest, &name)),
        '\\' => match (rest.chars().next(), name.chars().next()) {
            (Some(wanted), Some(found)) if wanted == found => {
                is_like(&rest[wanted.len_utf8()..], &name[found.len_utf8()..])
            }
            _ => false,
        },
        plain => name.strip_prefix(plain).is_some_and(|name| is_like(rest, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_means_databases_by_a_pattern() {
        for (pattern, name) in
            [("field", "field"), ("my\\_field", "my_field"), ("my_field", "my-field"), ("%", "x"), ("f%d", "field")]
        {
            assert!(is_like(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("field", "fields"), ("my\\_field", "my-field"), ("f%x", "field"), ("", "x")] {
            assert!(!is_like(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_column_that_fills_itself_is_known_in_both_families() {
        let found = |default: &str, extra: &str| column("TIMESTAMP".to_owned(), "NO", default, extra);
        assert!(found("current_timestamp()", "on update current_timestamp()").takes_server_time);
        assert!(found("CURRENT_TIMESTAMP", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP").takes_server_time);
        assert!(!found("CURRENT_TIMESTAMP", "DEFAULT_GENERATED").is_generated);
        assert!(found("", "STORED GENERATED").is_generated && found("", "auto_increment").has_default);
        assert!(!found("", "").has_default);
    }
}
