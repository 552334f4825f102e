//! Settings, rights and servers that do not fit.

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::mysql;

use crate::site::{SERIAL, Site, check, findings};

const SOURCE: usize = 0;
const REPLICA: usize = 1;

/// Where, what is broken, how serious, and words of what is said.
type Broken = (usize, &'static str, &'static str, &'static str);

const BROKEN: &[Broken] = &[
    (SOURCE, "SET GLOBAL innodb_flush_log_at_trx_commit = 2", "problem", "a power cut takes commits back"),
    (REPLICA, "SET GLOBAL sync_binlog = 0", "problem", "sync_binlog is 0"),
    (SOURCE, "SET GLOBAL binlog_format = 'MIXED'", "warning", "binlog_format is MIXED"),
    (REPLICA, "SET GLOBAL max_allowed_packet = 1048576", "warning", "less than the"),
    (REPLICA, "SET GLOBAL server_id = 1", "problem", "replication between them breaks"),
    (SOURCE, "REVOKE INSERT ON `field`.* FROM 'fieldgate'@'%'", "problem", "lacks INSERT on `field`.*"),
    (SOURCE, "REVOKE SLAVE MONITOR ON *.* FROM 'fieldgate'@'%'", "problem", "lacks SLAVE MONITOR on *.*"),
    (SOURCE, "GRANT READ_ONLY ADMIN ON *.* TO 'fieldgate'@'%'", "problem", "may write although a server is read-only"),
    (SOURCE, "ALTER TABLE field.gaps ENGINE = Aria", "problem", "has no transactions"),
];

#[test]
fn what_is_broken_is_found_and_the_printed_sql_mends_it() {
    break_and_mend(&Site::start(|builder| builder), BROKEN);
}

const BROKEN_MYSQL: &[Broken] = &[
    (SOURCE, "SET GLOBAL innodb_flush_log_at_trx_commit = 2", "problem", "a power cut takes commits back"),
    (REPLICA, "SET GLOBAL sync_binlog = 0", "problem", "sync_binlog is 0"),
    (REPLICA, "SET GLOBAL max_allowed_packet = 1048576", "warning", "less than the"),
    (SOURCE, "REVOKE INSERT ON `field`.* FROM 'fieldgate'@'%'", "problem", "lacks INSERT on `field`.*"),
    (SOURCE, "REVOKE REPLICATION CLIENT ON *.* FROM 'fieldgate'@'%'", "problem", "lacks REPLICATION CLIENT on *.*"),
    (SOURCE, "GRANT CONNECTION_ADMIN ON *.* TO 'fieldgate'@'%'", "problem", "may write although a server is read-only"),
];

#[test]
fn what_is_broken_at_mysql_is_found_and_mended_too() {
    if mysql::is_at_hand("check --connect with MySQL") {
        break_and_mend(&Site::start_at(Cluster::start_of(Family::MySql, 1, &[]), |builder| builder), BROKEN_MYSQL);
    }
}

fn break_and_mend(site: &Site, broken: &[Broken]) {
    let (code, before) = site.check();
    assert_eq!(code, Some(0), "{before:#?}");
    // The rig opens its source by an argument of its start, which is just what is warned of.
    assert!(before.len() == 1 && before[0].what.starts_with("starts open for writes"), "{before:#?}");
    for (server, sql, weight, words) in broken {
        site.cluster.servers[*server].execute(sql);
        site.wait_replicas();
        let (code, found) = site.check();
        let found = found.iter().find(|finding| finding.what.contains(words));
        let found = found.unwrap_or_else(|| panic!("nothing is said of {sql}"));
        assert_eq!(&found.weight, weight, "{sql}");
        assert_eq!(code, Some(if *weight == "problem" { 78 } else { 0 }), "{sql}");
        let mend = if sql.contains("ADMIN") { &found.mend } else { found.sql() };
        let named = site.cluster.servers.iter().find(|server| server.address().to_string() == found.server);
        named.unwrap_or_else(|| panic!("{found:?}")).execute(mend);
        site.wait_replicas();
        assert_eq!(site.check(), (Some(0), before.clone()), "after {mend}");
    }
}

#[test]
fn servers_that_are_away_hidden_or_closed_are_found() {
    let mut site = Site::start(|builder| builder);
    let source = site.cluster.source().address().to_string();
    let alone = Gateway::named("g1").servers([&source]).toml(SERIAL).build();
    let (code, report) = check(&alone);
    let found = findings(&report);
    assert_eq!(code, Some(0));
    assert!(
        found.iter().any(|finding| finding.what.starts_with("1 replicas are connected to it, and 0")),
        "{found:#?}"
    );

    let replica = site.cluster.replicas()[0].address();
    let blind = Gateway::named("g1").servers([replica]).toml(SERIAL).build();
    let found = findings(&check(&blind).1);
    assert!(found.iter().any(|finding| finding.what.starts_with(&format!("follows {source}"))), "{found:#?}");

    site.cluster.source().set_read_only(true);
    let closed = site.only("problem");
    assert!(closed.what.starts_with("no server takes writes"), "{closed:?}");
    site.cluster.source().set_read_only(false);

    site.cluster.source().execute("DROP TABLE field.events");
    assert!(site.only("problem").what.contains("lacks the tables events"));
    site.gateway.apply_schema();
    site.wait_replicas();

    site.cluster.servers[1].stop();
    let (code, report) = check(&site.gateway);
    let answers = |index: usize| report["servers"][index]["answers"].as_bool();
    assert_eq!((code, answers(0), answers(1)), (Some(69), Some(true), Some(false)), "{report:#}");

    site.cluster.source().execute("ALTER USER fieldgate IDENTIFIED BY 'another'");
    let (code, report) = check(&site.gateway);
    let text = report["servers"][0]["text"].as_str().unwrap();
    assert!(text.contains("(error 1045)") && text.contains("check mysql.user and the password"), "{text}");
    assert_eq!(code, Some(69));
}
