//! What a promotion needs: its accounts, and how the servers replicate.

use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::mysql;

use crate::site::{Finding, Site};

/// Who needs what, from an account that may only log in.
const PROMOTER: &str = "'fieldgate_promote'@'%'";
const REPLICA: &str = "'repl'@'%'";

#[test]
fn accounts_and_settings_of_a_promotion_are_found_and_mended() {
    let by_position = "STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID = no; START SLAVE";
    find_and_mend(Family::MariaDb, "slave_net_timeout", by_position);
}

#[test]
fn accounts_and_settings_of_a_promotion_at_mysql_are_found_and_mended_too() {
    if mysql::is_at_hand("what a promotion with MySQL needs") {
        let by_position = "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0; START REPLICA";
        find_and_mend(Family::MySql, "replica_net_timeout", by_position);
    }
}

/// The rigs have an account for replicas, too; without it the one that `db schema` made is used.
fn find_and_mend(family: Family, timeout: &str, by_position: &str) {
    let site = Site::start_at(Cluster::start_of(family, 2, &[]), |builder| builder.promote("1 s"));
    let source = site.cluster.source();
    source.execute("DROP USER repl@'127.%'");
    nothing_to_mend(&site);

    source.execute(&format!("REVOKE ALL PRIVILEGES, GRANT OPTION FROM {PROMOTER}"));
    source.execute(&format!("REVOKE REPLICATION SLAVE ON *.* FROM {REPLICA}"));
    let replica = &site.cluster.servers[2];
    replica.execute(&format!("SET GLOBAL {timeout} = 60"));
    let found = broken(&site, 6);
    let (problems, warnings): (Vec<&Finding>, Vec<&Finding>) =
        found.iter().partition(|finding| finding.weight == "problem");
    assert_eq!((problems.len(), warnings.len()), (5, 1), "{found:#?}");
    assert!(problems.iter().all(|finding| finding.server == source.address().to_string()), "{found:#?}");
    assert!(problems.iter().all(|finding| finding.what.contains(" lacks ")), "{found:#?}");
    assert!(warnings[0].what.starts_with(&format!("{timeout} is 60")), "{found:#?}");
    mend(&site, &found);

    replica.execute(by_position);
    let found = broken(&site, 1);
    assert!(found[0].what.contains("by file and position"), "{found:#?}");
    mend(&site, &found);

    source.execute(&format!("ALTER USER {PROMOTER} IDENTIFIED BY 'another'"));
    source.execute(&format!("DROP USER {REPLICA}"));
    let found = broken(&site, 2);
    assert!(found[0].what.contains("fieldgate_promote that promotes cannot log in: "), "{found:#?}");
    assert!(found[1].what.contains("repl that replicas log in with cannot log in from here: "), "{found:#?}");
}

/// All but that the rig opens its source by an argument of its start.
fn findings(site: &Site) -> Vec<Finding> {
    site.wait_replicas();
    let (_, mut found) = site.check();
    found.retain(|finding| !finding.what.starts_with("starts open for writes"));
    found
}

fn nothing_to_mend(site: &Site) {
    assert_eq!(findings(site), []);
}

fn broken(site: &Site, count: usize) -> Vec<Finding> {
    let found = findings(site);
    assert_eq!(found.len(), count, "{found:#?}");
    found
}

/// What is printed is run where it says.
fn mend(site: &Site, found: &[Finding]) {
    for finding in found {
        let named = |server: &&fieldgate_tests::mariadb::Server| server.address().to_string() == finding.server;
        site.cluster.servers.iter().find(named).unwrap().execute(finding.sql());
    }
    nothing_to_mend(site);
}
