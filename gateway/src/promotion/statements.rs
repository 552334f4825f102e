//! What MariaDB and MySQL are told, in the words of each. Pure.

use crate::database::{Family, quoted};
use config::ServerAddress;

/// The replication channel of a server, and how its family speaks of it.
#[derive(Debug, Clone)]
pub struct Channel<'a> {
    /// Whose words.
    pub family: Family,
    /// Its name; empty for the one without.
    pub name: &'a str,
}

/// Whom to follow, and as whom.
#[derive(Debug, Clone)]
pub struct Upstream<'a> {
    /// The server.
    pub server: &'a ServerAddress,
    /// Name and password of the account that replicas log in with; none to go on with those that the replica has.
    pub login: Option<(&'a str, &'a str)>,
    /// Whether the connection is to be encrypted; for one with a login of its own.
    pub tls: bool,
}

impl Channel<'_> {
    /// Takes no more from its source, and goes on applying.
    pub fn stop_receiving(&self) -> String {
        self.threads("STOP", " IO_THREAD")
    }

    /// Takes from its source again.
    pub fn start_receiving(&self) -> String {
        self.threads("START", " IO_THREAD")
    }

    /// Applies what it has received.
    pub fn start_applying(&self) -> String {
        self.threads("START", " SQL_THREAD")
    }

    /// Stops both.
    pub fn stop(&self) -> String {
        self.threads("STOP", "")
    }

    /// Starts both.
    pub fn start(&self) -> String {
        self.threads("START", "")
    }

    /// Forgets whom it followed, and what it has received and not applied.
    pub fn forget(&self) -> String {
        match self.family {
            Family::MariaDb => format!("RESET SLAVE{} ALL", self.named()),
            Family::MySql => format!("RESET REPLICA ALL{}", self.named()),
        }
    }

    /// Follows another server, by GTIDs.
    pub fn follow(&self, upstream: &Upstream<'_>) -> String {
        let Upstream { server, login, tls } = upstream;
        let word = match self.family {
            Family::MariaDb => "MASTER",
            Family::MySql => "SOURCE",
        };
        let mut parts =
            vec![format!("{word}_HOST = {}", quoted(&server.host)), format!("{word}_PORT = {}", server.port)];
        if let Some((user, password)) = login {
            parts.push(format!("{word}_USER = {}", quoted(user)));
            parts.push(format!("{word}_PASSWORD = {}", quoted(password)));
            parts.push(format!("{word}_SSL = {}", u8::from(*tls)));
            // By itself a minute would pass between two tries, and MySQL 9 would end them after ten.
            parts.push(format!("{word}_CONNECT_RETRY = {RETRY_SECONDS}"));
            if self.family == Family::MySql {
                parts.push("SOURCE_RETRY_COUNT = 0".to_owned());
            }
            if self.family == Family::MySql && !tls {
                // Else a password of caching_sha2_password cannot be sent.
                parts.push("GET_SOURCE_PUBLIC_KEY = 1".to_owned());
            }
        }
        let (channel, parts) = (self.named(), parts.join(", "));
        match self.family {
            Family::MariaDb => format!("CHANGE MASTER{channel} TO {parts}, MASTER_USE_GTID = slave_pos"),
            Family::MySql => format!("CHANGE REPLICATION SOURCE TO {parts}, SOURCE_AUTO_POSITION = 1{channel}"),
        }
    }

    fn threads(&self, verb: &str, threads: &str) -> String {
        match self.family {
            Family::MariaDb => format!("{verb} SLAVE{}{threads}", self.named()),
            Family::MySql => format!("{verb} REPLICA{threads}{}", self.named()),
        }
    }

    fn named(&self) -> String {
        match (self.name, self.family) {
            ("", _) => String::new(),
            (name, Family::MariaDb) => format!(" {}", quoted(name)),
            (name, Family::MySql) => format!(" FOR CHANNEL {}", quoted(name)),
        }
    }
}

/// How often a replica tries to reach a source that is away.
const RETRY_SECONDS: u32 = 5;

/// Opens a server for writes.
pub const OPEN: &str = "SET GLOBAL read_only = 0";

/// Closes a server for writes of everybody but accounts like our own that promote.
pub const CLOSE_FOR_OTHERS: &str = "SET GLOBAL read_only = 1";

/// Closes a server for writes, for administrators too where the family knows that.
pub fn close(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "SET GLOBAL read_only = 1",
        Family::MySql => "SET GLOBAL super_read_only = 1",
    }
}

/// Lets our own account write to a server that stays closed for all others; none where it may anyway.
pub fn write_while_closed(family: Family) -> Option<&'static str> {
    match family {
        Family::MariaDb => None,
        Family::MySql => Some("SET GLOBAL super_read_only = 0"),
    }
}

/// A server that has followed nobody goes on after its own last transaction; none where it knows by itself.
pub fn begin_at_own_position(family: Family) -> Option<&'static str> {
    match family {
        Family::MariaDb => Some("SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos"),
        Family::MySql => None,
    }
}

/// Answers 1 while a server is still behind these GTIDs after waiting at most so long.
pub fn wait_for(family: Family, gtids: &str, seconds: u64) -> String {
    match family {
        Family::MariaDb => format!("SELECT MASTER_GTID_WAIT({}, {seconds}) <> 0", quoted(gtids)),
        Family::MySql => format!("SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {seconds})", quoted(gtids)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_told_in_its_own_words() {
        let server = ServerAddress::parse("db2:3307").unwrap();
        let plain = |family| Channel { family, name: "" };
        let (mariadb, mysql) = (plain(Family::MariaDb), plain(Family::MySql));
        assert_eq!(mariadb.stop_receiving(), "STOP SLAVE IO_THREAD");
        assert_eq!(mysql.stop_receiving(), "STOP REPLICA IO_THREAD");
        assert_eq!((mariadb.forget(), mysql.forget()), ("RESET SLAVE ALL".to_owned(), "RESET REPLICA ALL".to_owned()));
        let kept = Upstream { server: &server, login: None, tls: true };
        assert_eq!(
            mariadb.follow(&kept),
            "CHANGE MASTER TO MASTER_HOST = 'db2', MASTER_PORT = 3307, MASTER_USE_GTID = slave_pos"
        );
        let new = Upstream { server: &server, login: Some(("r", r"a'b\c")), tls: false };
        assert_eq!(
            mysql.follow(&new),
            r"CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db2', SOURCE_PORT = 3307, SOURCE_USER = 'r', SOURCE_PASSWORD = 'a''b\\c', SOURCE_SSL = 0, SOURCE_CONNECT_RETRY = 5, SOURCE_RETRY_COUNT = 0, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_AUTO_POSITION = 1"
        );
    }

    #[test]
    fn a_channel_with_a_name_is_named() {
        let named = |family| Channel { family, name: "north" };
        assert_eq!(named(Family::MariaDb).stop_receiving(), "STOP SLAVE 'north' IO_THREAD");
        assert_eq!(named(Family::MariaDb).forget(), "RESET SLAVE 'north' ALL");
        assert_eq!(named(Family::MySql).start_applying(), "START REPLICA SQL_THREAD FOR CHANNEL 'north'");
        assert_eq!(named(Family::MySql).forget(), "RESET REPLICA ALL FOR CHANNEL 'north'");
    }
}
