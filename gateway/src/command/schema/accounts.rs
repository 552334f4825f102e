//! The accounts that `fieldgate db schema` makes.

use crate::database::{Family, quoted};
use crate::secret::{mysql_password, promote_password, replication_password};
use config::{Config, Problem};

/// An account to be made: the script for each family, with places for user, password and database.
pub struct Made<'a> {
    mariadb: &'static str,
    mysql: &'static str,
    /// Its name.
    pub user: &'a str,
    /// None where one is to be chosen.
    password: Option<String>,
}

/// Those of the data account, of the account that promotes and of the one that replicas log in with, as far as they are
/// configured.
pub type Passwords = [Option<String>; 3];

/// Every password.
///
/// # Errors
/// What is wrong with each that is not there: no account is made without one.
pub fn passwords(config: &Config) -> Result<Passwords, Vec<Problem>> {
    let promote = config.mysql.promote.as_ref();
    let replication = promote.and_then(|promote| promote.replication.as_ref());
    let mut problems = Vec::new();
    let mut take = |section: &str, key: &str, is_needed: bool, password: Result<Option<String>, Problem>| {
        match password {
            Ok(None) if is_needed => problems.push(no_password(config, section, key)),
            Ok(password) => return password,
            Err(problem) => problems.push(problem),
        }
        None
    };
    let found = [
        take("mysql", "password_file", true, mysql_password(config)),
        take("mysql.promote", "password_file", promote.is_some(), promote_password(config)),
        take("mysql.promote", "replication_password_file", replication.is_some(), replication_password(config)),
    ];
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// As root, outside of the service, its credential is not there to be seen.
fn no_password(config: &Config, section: &str, key: &str) -> Problem {
    let what = format!("has no {key}, and --apply makes no account without a password");
    let remedy = format!("name a {key}, or print the SQL without --apply and put the password in");
    config.problem(section, &what, &remedy)
}

/// The accounts that the configuration names, with their passwords.
pub fn accounts(config: &Config, [own, promotion, replication]: Passwords) -> Vec<Made<'_>> {
    let promote = config.mysql.promote.as_ref();
    let own = Made {
        mariadb: include_str!("../../../../packaging/schema/mariadb-account.sql"),
        mysql: include_str!("../../../../packaging/schema/mysql-account.sql"),
        user: &config.mysql.user,
        password: own,
    };
    let promotion = promote.map(|promote| Made {
        mariadb: include_str!("../../../../packaging/schema/mariadb-promotion.sql"),
        mysql: include_str!("../../../../packaging/schema/mysql-promotion.sql"),
        user: &promote.user,
        password: promotion,
    });
    let replication = promote.and_then(|promote| promote.replication.as_ref()).map(|account| Made {
        mariadb: include_str!("../../../../packaging/schema/mariadb-replication.sql"),
        mysql: include_str!("../../../../packaging/schema/mysql-replication.sql"),
        user: &account.user,
        password: replication,
    });
    [Some(own), promotion, replication].into_iter().flatten().collect()
}

impl Made<'_> {
    /// What makes it.
    pub fn sql(&self, config: &Config, family: Family) -> String {
        let script = match family {
            Family::MariaDb => self.mariadb,
            Family::MySql => self.mysql,
        };
        // In GRANT an underscore stands for any letter unless it is escaped, where it grants on a whole database.
        let database = format!("`{}`", config.mysql.database.replace('_', "\\_"));
        let password = quoted(self.password.as_deref().unwrap_or("choose a password"));
        script.replace("{database}", &database).replace("{user}", &quoted(self.user)).replace("{password}", &password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const PROMOTE: &str = "[mysql.promote]\nuser = \"p\"\nreplication_user = \"r\"\n";

    fn config(promote: &str) -> Config {
        let text = format!(
            "[mysql]\nservers = [\"db1\"]\ndatabase = \"my_field\"\nuser = \"f\"\n{promote}\
             [[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n"
        );
        Config::from_text(&text, Path::new("f"), "g").unwrap()
    }

    fn sql(promote: &str, family: Family) -> Vec<String> {
        let config = config(promote);
        let passwords = ["f {user}", "p {database}", "r'"].map(|password| Some(password.to_owned()));
        accounts(&config, passwords).iter().map(|account| account.sql(&config, family)).collect()
    }

    #[test]
    fn every_configured_account_is_made_and_no_other() {
        for family in [Family::MariaDb, Family::MySql] {
            assert_eq!(sql("", family).len(), 1);
            assert_eq!(sql("[mysql.promote]\nuser = \"p\"\n", family).len(), 2);
            let [own, promotion, replication] = <[String; 3]>::try_from(sql(PROMOTE, family)).unwrap();
            assert!(own.contains("GRANT SELECT, INSERT, UPDATE ON `my\\_field`.* TO 'f'@'%';"), "{own}");
            assert!(own.contains("BY 'f {user}';"), "a password is left as it is: {own}");
            assert!(promotion.contains("GRANT SELECT ON `my\\_field`.* TO 'p'@'%';"), "{promotion}");
            assert!(promotion.contains("BY 'p {database}';"), "{promotion}");
            assert!(replication.contains("BY 'r''';\nGRANT REPLICATION SLAVE ON *.* TO 'r'@'%';"), "{replication}");
        }
    }

    #[test]
    fn each_password_that_is_not_there_is_named() {
        let named = |promote: &str| -> Vec<String> {
            passwords(&config(promote)).unwrap_err().iter().map(ToString::to_string).collect()
        };
        assert_eq!(named("").len(), 1);
        let found = named(PROMOTE);
        assert_eq!(found.len(), 3, "{found:#?}");
        for (problem, words) in found.iter().zip([
            "mysql: has no password_file",
            "mysql.promote: has no password_file, and --apply makes no account without a password; name a password_file",
            "mysql.promote: has no replication_password_file",
        ]) {
            assert!(problem.contains(words), "{problem}");
        }
        let found = named(&PROMOTE.replace("user = \"p\"\n", "user = \"p\"\npassword_file = \"/no/such/file\"\n"));
        assert!(found[1].contains("/no/such/file cannot be read"), "{found:#?}");
    }
}
