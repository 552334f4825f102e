//! What a promotion needs.

use super::super::facts::Login;
use super::*;

const PROMOTE: &str = "failover = \"promote\"\n[mysql.promote]\nuser = \"p\"\nreplication_user = \"r\"\n";
/// By hand, also with two servers.
const FOLLOW: &str = "[mysql.promote]\nuser = \"p\"\nreplication_user = \"r\"\n";

fn words(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn promoter(is_mariadb: bool) -> Login {
    let mariadb = ["REPLICATION SLAVE ADMIN", "READ_ONLY ADMIN", "RELOAD", "SLAVE MONITOR", "CONNECTION ADMIN"];
    let mysql =
        ["REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN", "RELOAD", "REPLICATION CLIENT"];
    let tables = [("server_term", &["INSERT", "UPDATE"][..]), ("events", &["INSERT"])];
    let rights = Rights {
        global: words(if is_mariadb { &mariadb } else { &mysql }),
        database: words(&["SELECT"]),
        tables: tables.map(|(table, rights)| (table.to_owned(), words(rights))).into(),
        has_roles: false,
    };
    Login { account: "'p'@'%'".to_owned(), rights }
}

/// A source and two replicas that replicate by GTID, with the accounts.
fn promotable(is_mariadb: bool) -> Site {
    let mut site = Site { mysql: PROMOTE, ..site() };
    site.servers.push(good("db3:3306"));
    site.views.push(View::unasked("db3:3306".to_owned()));
    let third = Facts { identity: "server 3".to_owned(), server_id: 3, ..site.views[1].facts().unwrap().clone() };
    site.views[2].answered(third);
    for index in [1, 2] {
        site.change_state(index, |facts| facts.replication[0].by_gtid = true);
    }
    let replication = Rights { global: words(&["REPLICATION SLAVE"]), ..Rights::default() };
    let timeout = if is_mariadb { "slave_net_timeout" } else { "replica_net_timeout" };
    for facts in &mut site.servers {
        facts.replicas_connected = Some(2);
        facts.promotion = Some(Ok(promoter(is_mariadb)));
        facts.replication = Some(Ok(Login { account: "'r'@'%'".to_owned(), rights: replication.clone() }));
        with_variables(facts, &[(timeout, "4"), ("gtid_mode", "ON")]);
        if !is_mariadb {
            (facts.is_mariadb, facts.version) = (false, "9.7.4".to_owned());
            facts.rights.global = words(&["REPLICATION CLIENT"]);
        }
    }
    site
}

fn change_rights(facts: &mut ServerFacts, change: impl FnOnce(&mut Rights)) {
    change(&mut facts.promotion.as_mut().unwrap().as_mut().unwrap().rights);
}

#[test]
fn a_site_that_can_promote_has_nothing_to_mend() {
    for is_mariadb in [true, false] {
        assert_eq!(promotable(is_mariadb).report().findings, []);
    }
    assert_eq!(Site { mysql: "", ..promotable(true) }.report().findings, []);
}

#[test]
fn each_right_that_is_missing_is_found_at_the_source_with_the_sql_that_gives_it() {
    for is_mariadb in [true, false] {
        for right in promoter(is_mariadb).rights.global {
            let mut lacks = promotable(is_mariadb);
            for facts in &mut lacks.servers {
                change_rights(facts, |rights| assert!(rights.global.remove(&right)));
            }
            let (weight, server, _, mend) = only(lacks);
            assert_eq!((weight, server.as_str()), (Weight::Problem, "db1:3306"), "the replicas get it from there");
            assert_eq!(mend, format!("GRANT {right} ON *.* TO 'p'@'%'"));
        }
    }
    let mut blind = promotable(true);
    change_rights(&mut blind.servers[0], |rights| rights.database.clear());
    assert_eq!(only(blind).3, "GRANT SELECT ON `field`.* TO 'p'@'%'");
    for (table, mend) in [
        ("server_term", "GRANT INSERT, UPDATE ON `field`.server_term TO 'p'@'%'"),
        ("events", "GRANT INSERT ON `field`.events TO 'p'@'%'"),
    ] {
        let mut lacks = promotable(false);
        change_rights(&mut lacks.servers[0], |rights| drop(rights.tables.remove(table)));
        assert_eq!(only(lacks).3, mend);
    }
}

#[test]
fn what_only_a_replica_lacks_is_mended_past_its_binary_log() {
    let mut lacks = promotable(true);
    change_rights(&mut lacks.servers[2], |rights| assert!(rights.global.remove("RELOAD")));
    let (_, server, _, mend) = only(lacks);
    assert_eq!((server.as_str(), mend.as_str()), ("db3:3306", "SET sql_log_bin = 0; GRANT RELOAD ON *.* TO 'p'@'%'"));
}

#[test]
fn rights_that_are_wider_or_come_by_a_role_are_enough() {
    let mut wide = promotable(true);
    change_rights(&mut wide.servers[0], |rights| {
        rights.tables.clear();
        rights.database = words(&["SELECT", "INSERT", "UPDATE"]);
    });
    assert_eq!(wide.report().findings, []);
    let mut by_role = promotable(false);
    change_rights(&mut by_role.servers[0], |rights| {
        *rights = Rights { has_roles: true, ..Rights::default() };
    });
    assert_eq!(by_role.report().findings, []);
}

#[test]
fn accounts_that_cannot_log_in_are_found_once() {
    let mut promoter = promotable(true);
    promoter.servers.iter_mut().for_each(|facts| facts.promotion = Some(Err("denied".to_owned())));
    let (weight, server, what, _) = only(promoter);
    assert_eq!((weight, server.as_str()), (Weight::Problem, "db1:3306"));
    assert_eq!(what, "the account p that promotes cannot log in: denied");
    let mut replica = promotable(true);
    replica.servers[1].replication = Some(Err("denied".to_owned()));
    let (weight, _, what, _) = only(replica);
    assert_eq!(weight, Weight::Warning);
    assert_eq!(what, "the account r that replicas log in with cannot log in from here: denied");
    let mut weak = promotable(true);
    weak.servers[0].replication.as_mut().unwrap().as_mut().unwrap().rights.global.clear();
    assert_eq!(only(weak).3, "GRANT REPLICATION SLAVE ON *.* TO 'r'@'%'");
}

#[test]
fn the_data_account_has_none_of_the_rights_of_the_other() {
    for (is_mariadb, right, weight) in [
        (true, "READ_ONLY ADMIN", Weight::Problem),
        (true, "REPLICATION SLAVE ADMIN", Weight::Warning),
        (true, "CONNECTION ADMIN", Weight::Warning),
        (false, "CONNECTION_ADMIN", Weight::Problem),
        (false, "REPLICATION_SLAVE_ADMIN", Weight::Warning),
        (false, "SYSTEM_VARIABLES_ADMIN", Weight::Warning),
    ] {
        let mut strong = promotable(is_mariadb);
        strong.servers[0].rights.global.insert(right.to_owned());
        let found = only(strong);
        assert_eq!((found.0, found.3), (weight, format!("REVOKE {right} ON *.* FROM 'f'@'%'")));
    }
    let one = "[mysql.promote]\nuser = \"f\"\nreplication_user = \"r\"\n";
    let mut same = Site { mysql: one, ..promotable(true) };
    same.servers.iter_mut().for_each(|facts| facts.promotion = Some(Ok(Login::default())));
    assert!(only(same).2.starts_with("mysql.promote.user is mysql.user (f)"));
}

#[test]
fn replication_that_a_promotion_cannot_use_is_found_by_hand_too() {
    for mysql in [PROMOTE, FOLLOW] {
        let mut by_position = Site { mysql, ..promotable(true) };
        by_position.change_state(2, |facts| facts.replication[0].by_gtid = false);
        let (weight, server, what, mend) = only(by_position);
        assert_eq!((weight, server.as_str()), (Weight::Problem, "db3:3306"));
        assert!(what.starts_with("follows db1:3306 by file and position"), "{what}");
        assert_eq!(mend, "STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID = slave_pos; START SLAVE");
    }
    let mut channel = promotable(false);
    channel.change_state(1, |facts| {
        (facts.replication[0].by_gtid, facts.replication[0].channel) = (false, "north".to_owned());
    });
    let mend = "STOP REPLICA FOR CHANNEL 'north'; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1 FOR CHANNEL 'north'; \
                START REPLICA FOR CHANNEL 'north'";
    assert_eq!(only(channel).3, mend);
    let mut without = promotable(false);
    with_variables(&mut without.servers[0], &[("gtid_mode", "OFF_PERMISSIVE")]);
    assert!(only(without).2.starts_with("gtid_mode is OFF_PERMISSIVE"));
}

#[test]
fn a_replica_that_waits_long_for_a_frozen_source_is_found() {
    let replica = "; STOP SLAVE; CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 2; START SLAVE";
    for (index, change) in [(0, ""), (1, replica)] {
        let mut patient = promotable(true);
        with_variables(&mut patient.servers[index], &[("slave_net_timeout", "60")]);
        let (weight, _, what, mend) = only(patient);
        assert_eq!(weight, Weight::Warning);
        assert!(what.starts_with("slave_net_timeout is 60: "), "{what}");
        assert_eq!(mend, format!("SET GLOBAL slave_net_timeout = 4{change}; and the same in its configuration"));
    }
    let mut enough = promotable(false);
    with_variables(&mut enough.servers[1], &[("replica_net_timeout", "10")]);
    assert_eq!(enough.report().findings, []);
    let mut unasked = Site { mysql: "", ..promotable(true) };
    with_variables(&mut unasked.servers[0], &[("slave_net_timeout", "60")]);
    assert_eq!(unasked.report().findings, []);
}

#[test]
fn two_servers_are_no_majority() {
    let (weight, server, what, mend) = only(two_servers(PROMOTE));
    assert_eq!((weight, server.as_str()), (Weight::Warning, ""));
    assert!(what.contains("more than half of them cannot answer once the source is gone"), "{what}");
    assert!(mend.contains("until then `fieldgate db failover` does it by hand"), "{mend}");
    assert_eq!(two_servers(FOLLOW).report().findings, []);
}

fn two_servers(mysql: &'static str) -> Site {
    let mut two = Site { mysql, ..promotable(true) };
    two.servers.pop();
    two.views.pop();
    two.servers.iter_mut().for_each(|facts| facts.replicas_connected = Some(1));
    two
}
