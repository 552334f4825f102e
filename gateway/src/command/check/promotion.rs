//! What a promotion lacks by the configuration alone. Pure.

use config::{Config, Failover, Promote, ServerAddress};
use std::net::IpAddr;

/// Something that will be missed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What is missing and what comes of it.
    pub what: String,
    /// What to do.
    pub mend: String,
}

/// Everything that a promotion will miss; nothing without `[mysql.promote]`.
pub fn advice(config: &Config) -> Vec<Advice> {
    let Some(promote) = &config.mysql.promote else { return Vec::new() };
    [majority(config), own_account(config, promote), replication(config, promote), loopback(config)]
        .into_iter()
        .flatten()
        .collect()
}

/// Of two servers, one is no majority: whether the other is gone or cannot be reached is all the same to it.
fn majority(config: &Config) -> Option<Advice> {
    if config.mysql.failover != Failover::Promote {
        return None;
    }
    let (servers, mend) = match config.mysql.servers.len() {
        1 => ("there is no server but the source", "add two replicas; one of them may be on this machine"),
        2 => (
            "with two servers, more than half of them cannot answer once the source is gone",
            "add a third server, which may be a second replica, also on this machine; until then `fieldgate db failover` \
             does it by hand",
        ),
        _ => return None,
    };
    let what = format!(
        "mysql.failover is \"promote\", but the gateway will never let another server take writes by itself: {servers}"
    );
    Some(Advice { what, mend: mend.to_owned() })
}

fn own_account(config: &Config, promote: &Promote) -> Option<Advice> {
    let user = &promote.user;
    let what = format!(
        "mysql.promote.user is mysql.user ({user}): what delivers readings could write to servers that are read-only, \
         which is what keeps two sources apart"
    );
    let mend = "name an account of its own; `fieldgate db schema` prints the SQL that makes it";
    (*user == config.mysql.user).then(|| Advice { what, mend: mend.to_owned() })
}

fn replication(config: &Config, promote: &Promote) -> Option<Advice> {
    let what = "[mysql.promote] has no replication_user: `fieldgate db switchover` and `fieldgate db rejoin` cannot let \
                a former source follow the new one";
    let mend = "add replication_user and replication_password_file; `fieldgate db schema` prints the SQL that makes it";
    let is_missing = promote.replication.is_none() && config.mysql.servers.len() > 1;
    is_missing.then(|| Advice { what: what.to_owned(), mend: mend.to_owned() })
}

/// An address that means another server at each of them. All servers on one machine understand each other.
fn loopback(config: &Config) -> Option<Advice> {
    let servers = &config.mysql.servers;
    let (local, others): (Vec<&ServerAddress>, Vec<&ServerAddress>) =
        servers.iter().partition(|server| is_loopback(&server.host));
    let (local, other) = (local.first()?, others.first()?);
    let what = format!(
        "mysql.servers has {local}: if that is the source, {other} would be told to follow it at this address, which is \
         an address of its own there"
    );
    let mend = "write the address at which the other servers reach it".to_owned();
    Some(Advice { what, mend })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What is said with these servers and these lines.
    fn said(servers: &str, failover: &str, promote: &str) -> Vec<String> {
        let text = format!(
            "[mysql]\nservers = [{servers}]\ndatabase = \"field\"\nuser = \"f\"\nfailover = \"{failover}\"\n{promote}\n\
             [[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n"
        );
        let config = Config::from_text(&text, Path::new("f"), "g").unwrap();
        advice(&config).into_iter().map(|Advice { what, mend }| format!("{what}; {mend}")).collect()
    }

    const WHOLE: &str = "[mysql.promote]\nuser = \"p\"\nreplication_user = \"r\"";
    const PLAIN: &str = "[mysql.promote]\nuser = \"p\"";

    #[test]
    fn nothing_is_said_where_all_is_there_or_nothing_is_promoted() {
        assert_eq!(said("\"a\", \"b\", \"c\"", "promote", WHOLE), Vec::<String>::new());
        assert_eq!(said("\"a\", \"localhost\"", "follow", ""), Vec::<String>::new());
        assert_eq!(said("\"a\", \"b\"", "follow", WHOLE), Vec::<String>::new(), "by hand two are enough");
        let here = "\"127.0.0.1\", \"127.0.0.2\", \"localhost\", \"[::1]:3307\"";
        assert_eq!(said(here, "promote", WHOLE), Vec::<String>::new(), "all on one machine");
        assert_eq!(said("\"a\"", "follow", PLAIN), Vec::<String>::new(), "nobody could follow");
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let cases = [
            ("\"a\"", "promote", WHOLE, "there is no server but the source; add two replicas"),
            ("\"a\", \"b\"", "promote", WHOLE, "cannot answer once the source is gone; add a third server"),
            ("\"a\", \"b\", \"c\"", "promote", PLAIN, "has no replication_user"),
            ("\"a\", \"b\"", "follow", PLAIN, "cannot let a former source follow the new one; add replication_user"),
            (
                "\"a\", \"b\", \"localhost\"",
                "promote",
                WHOLE,
                "has localhost:3306: if that is the source, a:3306 would",
            ),
            ("\"a\", \"b\", \"127.9.0.1:3307\"", "promote", WHOLE, "has 127.9.0.1:3307: "),
            ("\"a\", \"[::1]\"", "follow", WHOLE, "has [::1]:3306: "),
            ("\"a\", \"b\"", "follow", "[mysql.promote]\nuser = \"f\"\nreplication_user = \"r\"", "is mysql.user (f)"),
        ];
        for (servers, failover, promote, words) in cases {
            let found = said(servers, failover, promote);
            assert!(found.len() == 1 && found[0].contains(words), "{servers} {failover}: {found:#?}");
        }
    }
}
