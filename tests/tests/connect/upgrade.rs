//! Tables that an earlier fieldgate made, before two gateways could share a site.

use fieldgate_tests::mariadb::{Cluster, Family, Server};
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::scenario::number;

use super::site::Site;

const EARLIER: [&str; 4] = [
    "ALTER TABLE field.readings DROP COLUMN maybe_twice",
    "INSERT INTO field.readings (stream, seq, channel_id, sampled_at, time_quality) VALUES (1, 1, 1, '2026-01-01', 2)",
    "DROP TABLE field.standby_groups, field.standby_spans",
    "DROP TABLE field.left_out, field.standby_members",
];

#[test]
fn db_schema_brings_earlier_tables_to_this_version_and_keeps_their_rows() {
    let mysql = is_at_hand("earlier tables on MySQL").then_some(Family::MySql);
    [Some(Family::MariaDb), mysql].into_iter().flatten().for_each(upgrade);
}

fn upgrade(family: Family) {
    let site = Site::start_at(Cluster::start_of(family, 1, &[]), |settings| settings);
    EARLIER.iter().for_each(|sql| site.cluster.source().execute(sql));
    assert!(site.only("problem").what.contains("standby_groups, standby_spans, left_out, standby_members"));
    let without_column = || {
        let found = site.only("problem");
        assert_eq!(found.what, "the table field.readings lacks the columns maybe_twice");
        assert!(found.mend.starts_with("fieldgate db schema --apply"), "{found:?}");
    };
    site.gateway.apply_schema();
    site.cluster.source().execute(EARLIER[0]);
    without_column();
    for _ in 0..2 {
        site.gateway.apply_schema();
    }
    site.wait_replicas();
    let (_, found) = site.check();
    assert!(found.iter().all(|finding| finding.weight != "problem"), "{found:#?}");
    site.cluster.servers.iter().for_each(has_row_and_column);
}

fn has_row_and_column(server: &Server) {
    let column = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'field' AND \
                  TABLE_NAME = 'readings' AND COLUMN_NAME = 'maybe_twice'";
    assert_eq!(number(server, column), 1);
    assert_eq!(number(server, "SELECT COUNT(*) FROM field.readings WHERE maybe_twice IS NULL"), 1);
}
