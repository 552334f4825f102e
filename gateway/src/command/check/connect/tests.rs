//! Every rule with the answer that breaks it.

mod promotion;

use super::facts::{Column, Rights, Table, Variable};
use super::*;
use crate::drain::rows::READING_COLUMNS;
use crate::drain::write::{DEAD_LETTER_COLUMNS, GAP_COLUMNS};
use crate::topology::{Facts, Replication, choose};

/// With so many servers, more lines of `[mysql]`, and more sections.
fn config(servers: usize, mysql: &str, extra: &str) -> Config {
    let names: Vec<String> = (1..=servers).map(|number| format!("\"db{number}\"")).collect();
    let servers = names.join(", ");
    let text = format!(
        "[mysql]\nservers = [{servers}]\ndatabase = \"field\"\nuser = \"f\"\n{mysql}\
         [[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n{extra}"
    );
    Config::from_text(&text, Path::new("f"), "g").unwrap()
}

fn with_variables(facts: &mut ServerFacts, values: &[(&str, &str)]) {
    for (name, value) in values {
        let variable = Variable { value: (*value).to_owned(), is_from_statement: Some(false) };
        facts.variables.insert((*name).to_owned(), variable);
    }
}

/// A server with nothing to mend.
fn good(name: &str) -> ServerFacts {
    let tables = [
        "schema_version",
        "streams",
        "channels",
        "readings",
        "gaps",
        "dead_letters",
        "events",
        "server_term",
        "standby_groups",
        "standby_spans",
        "left_out",
        "standby_members",
        "reader_turn",
    ];
    let written = [READING_COLUMNS, GAP_COLUMNS, DEAD_LETTER_COLUMNS].concat();
    let columns = written.iter().map(|name| ((*name).to_owned(), Column::default())).collect();
    let table = Table { engine: "InnoDB".to_owned(), columns };
    let rights = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut facts = ServerFacts {
        name: name.to_owned(),
        is_mariadb: true,
        version: "10.11.6-MariaDB".to_owned(),
        account: "'f'@'%'".to_owned(),
        rights: Rights {
            global: rights(&["SLAVE MONITOR", "BINLOG MONITOR"]),
            database: rights(&["SELECT", "INSERT", "UPDATE"]),
            ..Rights::default()
        },
        replicas_connected: Some(1),
        tables: tables.iter().map(|name| (format!("field.{name}"), table.clone())).collect(),
        schema_version: Some(1),
        ..ServerFacts::default()
    };
    let values = [
        ("innodb_flush_log_at_trx_commit", "1"),
        ("sync_binlog", "1"),
        ("log_bin", "ON"),
        ("binlog_format", "ROW"),
        ("log_slave_updates", "ON"),
        ("relay_log_recovery", "ON"),
        ("read_only", "ON"),
        ("max_allowed_packet", "16777216"),
    ];
    with_variables(&mut facts, &values);
    facts
}

struct Site {
    views: Vec<View>,
    servers: Vec<ServerFacts>,
    mysql: &'static str,
    extra: &'static str,
}

/// A source and its replica with nothing to mend.
fn site() -> Site {
    let mut servers = vec![good("db1:3306"), good("db2:3306")];
    let opened = Variable { value: "OFF".to_owned(), is_from_statement: Some(true) };
    servers[0].variables.insert("read_only".to_owned(), opened);
    let follows = Replication {
        upstream: "db1:3306".to_owned(),
        upstream_id: 1,
        receiving: true,
        applying: true,
        ..Replication::default()
    };
    let state = |id: u64| Facts { identity: format!("server {id}"), server_id: id, ..Facts::default() };
    let mut views: Vec<View> = servers.iter().map(|facts| View::unasked(facts.name.clone())).collect();
    views[0].answered(state(1));
    views[1].answered(Facts { read_only: true, replication: vec![follows], ..state(2) });
    Site { views, servers, mysql: "", extra: "" }
}

impl Site {
    fn report(self) -> Report {
        let choice = choose(&self.views, 0);
        let config = config(self.servers.len(), self.mysql, self.extra);
        judge(&config, &self.views, &choice, self.servers.into_iter().map(Ok).collect())
    }

    fn change_state(&mut self, index: usize, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.views[index].facts().unwrap().clone();
        change(&mut facts);
        self.views[index].answered(facts);
    }
}

#[test]
fn a_good_site_has_nothing_to_mend() {
    let report = site().report();
    assert_eq!(report.findings, []);
    assert_eq!(exit(&report), Exit::Ok);
    assert_eq!(report.servers[1].text, "10.11.6-MariaDB, replica, as 'f'@'%'");
}

/// What the one finding says, and what mends it.
fn only(site: Site) -> (Weight, String, String, String) {
    let mut findings = site.report().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let Finding { weight, server, what, mend } = findings.remove(0);
    (weight, server, what, mend)
}

#[test]
fn each_setting_is_found_with_the_sql_that_mends_it() {
    let cases: [(usize, &str, &str, Weight, &str); 9] = [
        (0, "innodb_flush_log_at_trx_commit", "2", Weight::Problem, "SET GLOBAL innodb_flush_log_at_trx_commit = 1;"),
        (1, "sync_binlog", "0", Weight::Problem, "SET GLOBAL sync_binlog = 1;"),
        (1, "log_bin", "OFF", Weight::Warning, "put log_bin = binlog"),
        (0, "binlog_format", "MIXED", Weight::Warning, "SET GLOBAL binlog_format = 'ROW';"),
        (1, "log_slave_updates", "OFF", Weight::Warning, "put log_slave_updates = ON"),
        (1, "relay_log_recovery", "OFF", Weight::Problem, "put relay_log_recovery = ON"),
        (1, "max_allowed_packet", "1048576", Weight::Warning, "SET GLOBAL max_allowed_packet = 16777216;"),
        (0, "read_only", "OFF", Weight::Warning, "put read_only = ON"),
        (1, "log_replica_updates", "OFF", Weight::Warning, "put log_replica_updates = ON"),
    ];
    for (index, name, value, weight, mend) in cases {
        let mut site = site();
        with_variables(&mut site.servers[index], &[(name, value)]);
        let server = site.servers[index].name.clone();
        let found = only(site);
        assert_eq!((found.0, &found.1), (weight, &server), "{name}");
        assert!(found.3.starts_with(mend), "{name}: {}", found.3);
    }
}

#[test]
fn a_replica_that_is_read_only_by_a_statement_is_found() {
    let mut site = site();
    site.servers[1].variables.get_mut("read_only").unwrap().is_from_statement = Some(true);
    assert!(only(site).2.contains("perhaps not after its next start"));
}

#[test]
fn rights_that_are_missing_or_too_much_are_found() {
    let mut lacks = site();
    lacks.servers[0].rights.database.remove("INSERT");
    assert_eq!(only(lacks).3, "GRANT INSERT ON `field`.* TO 'f'@'%'");
    let mut blind = site();
    blind.servers[1].rights.global.clear();
    assert_eq!(only(blind).3, "SET sql_log_bin = 0; GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'f'@'%'");
    let mut unknown = site();
    for (view, facts) in unknown.views.iter_mut().zip(&mut unknown.servers) {
        view.failed("no right to ask".to_owned());
        facts.rights.global.remove("SLAVE MONITOR");
    }
    let found = unknown.report().findings;
    let mends: Vec<&str> =
        found.iter().map(|finding| finding.mend.as_str()).filter(|mend| mend.contains("GRANT")).collect();
    assert_eq!(mends, ["GRANT SLAVE MONITOR ON *.* TO 'f'@'%'"], "at the one that is open");
    let mut strong = site();
    strong.servers[0].rights.global.insert("READ ONLY ADMIN".to_owned());
    assert_eq!(only(strong).3, "REVOKE READ_ONLY ADMIN ON *.* FROM 'f'@'%'");
    let mut by_role = site();
    by_role.servers[0].rights.database.clear();
    by_role.servers[0].rights.has_roles = true;
    assert_eq!(by_role.report().findings, []);
}

#[test]
fn what_does_not_fit_between_servers_is_found() {
    let mut twins = site();
    twins.change_state(1, |facts| facts.server_id = 1);
    assert!(only(twins).3.starts_with("SET GLOBAL server_id = 2;"));
    let mut none = site();
    none.change_state(1, |facts| facts.server_id = 0);
    assert!(only(none).2.starts_with("server_id is 0"));
    let mut same = site();
    same.change_state(1, |facts| (facts.server_id, facts.identity) = (1, "server 1".to_owned()));
    assert!(only(same).2.starts_with("is the same server as db1:3306"));
    let mut stranger = site();
    stranger.change_state(1, |facts| {
        facts.replication[0].upstream_id = 9;
        facts.replication[0].upstream = "old:3306".to_owned();
    });
    // Nobody else follows db1 then, and one replica is connected to it.
    let found: Vec<String> = stranger.report().findings.into_iter().map(|finding| finding.what).collect();
    assert!(found[0].starts_with("follows old:3306, which is not in mysql.servers"), "{found:?}");
    assert!(found[1].starts_with("1 replicas are connected to it, and 0 of the configured"), "{found:?}");
    let mut late = site();
    late.servers[1].clock_ahead_us = -3_600_000_000;
    assert!(only(late).2.starts_with("its clock is 3600 s behind this machine's"));
    let mut old = site();
    old.servers[0].version = "10.3.39-MariaDB".to_owned();
    assert!(only(old).2.contains("needs 10.5.9 or newer"));
}

#[test]
fn a_configured_server_that_is_away_is_no_stranger() {
    let Site { mut views, servers, .. } = site();
    let [source, replica] = <[ServerFacts; 2]>::try_from(servers).unwrap();
    views[0].failed("no answer".to_owned());
    let report = judge(&config(2, "", ""), &views, &choose(&views, 0), vec![Err("no answer".to_owned()), Ok(replica)]);
    assert!(report.findings.iter().all(|finding| !finding.what.contains("mysql.servers")), "{:#?}", report.findings);
    assert!(!report.servers[0].answers && source.name == report.servers[0].server);
}

#[test]
fn without_tables_or_a_source_the_way_is_shown() {
    let mut bare = site();
    bare.servers[0].tables.clear();
    assert_eq!(only(bare).3, "fieldgate db schema --apply --admin-user NAME");
    let mut newer = site();
    newer.servers[0].schema_version = Some(9);
    assert!(only(newer).2.contains("of version 9"));
    let mut older = site();
    older.servers[0].tables.get_mut("field.dead_letters").unwrap().columns.remove("route");
    assert_eq!(only(older).2, "the table field.dead_letters lacks the columns route");
    let mut earlier = site();
    earlier.servers[0].tables.remove("field.reader_turn");
    assert!(only(earlier).2.starts_with("the database field lacks the table reader_turn"));
    let mut plain = site();
    plain.servers[0].tables.get_mut("field.gaps").unwrap().engine = "MyISAM".to_owned();
    assert_eq!(only(plain).3, "ALTER TABLE `field`.`gaps` ENGINE = InnoDB");
    let mut closed = site();
    closed.change_state(0, |facts| facts.read_only = true);
    let found = only(closed);
    assert!(found.2.starts_with("no server takes writes") && found.3.starts_with("SET GLOBAL read_only = OFF"));
}

const ROUTE: &str = "[[routes]]\ntable = \"d.plants\"\ncolumns = { plant = \"{node}\", moisture = \"{value}\" }\n";

/// The route's table with these columns: name, type, default, extra.
fn with_plants(engine: &str, columns: &[(&str, &str, Column)]) -> Site {
    let mut site = Site { extra: ROUTE, ..site() };
    let column = |(name, data_type, column): &(&str, &str, Column)| {
        ((*name).to_owned(), Column { data_type: (*data_type).to_owned(), ..column.clone() })
    };
    let table = Table { engine: engine.to_owned(), columns: columns.iter().map(column).collect() };
    site.servers[0].tables.insert("d.plants".to_owned(), table);
    site
}

#[test]
fn a_route_that_does_not_fit_its_table_is_found() {
    let nullable = || Column { is_nullable: true, ..Column::default() };
    let numbered = || Column { has_default: true, ..Column::default() };
    let timed = || Column { takes_server_time: true, has_default: true, ..Column::default() };
    let plant = || ("plant", "varchar", nullable());
    let moisture = || ("moisture", "float", nullable());
    assert_eq!(with_plants("InnoDB", &[("id", "int", numbered()), plant(), moisture()]).report().findings, []);
    let missing = Site { extra: ROUTE, ..site() };
    assert_eq!(only(missing).3, "create it, then GRANT INSERT ON `d`.`plants` TO 'f'@'%'");
    assert!(only(with_plants("MyISAM", &[plant(), moisture()])).3.starts_with("ALTER TABLE `d`.`plants`"));
    let misnamed = only(with_plants("InnoDB", &[plant(), ("wet", "float", nullable())]));
    assert_eq!(
        (misnamed.2.as_str(), misnamed.3.as_str()),
        ("routes[0].columns.moisture: d.plants has no such column", "use one of plant, wet")
    );
    let mistyped = only(with_plants("InnoDB", &[("plant", "int", nullable()), moisture()]));
    assert!(mistyped.2.contains("gives text to a column of the type int"), "{}", mistyped.2);
    let late = only(with_plants("InnoDB", &[plant(), moisture(), ("seen", "timestamp", timed())]));
    assert_eq!(late.3, "add seen = \"{sampled_at}\" to routes[0].columns");
    let needy = only(with_plants("InnoDB", &[plant(), moisture(), ("pot", "int", Column::default())]));
    assert!(needy.2.contains("needs a value and has no default"));
}
