//! The views say what the tables say, and find it by the index.

use fieldgate_tests::scenario::Scene;

#[test]
fn the_views_show_the_newest_each_hour_and_what_is_missing() {
    let scene = Scene::prepare(0, |settings| settings);
    scene.gateway.apply_schema();
    let server = scene.cluster.source();
    server.execute(
        "USE field; INSERT INTO streams VALUES (1, 'lab', 'g1', 9, '2026-01-01', '2026-01-01'); \
         INSERT INTO channels VALUES (1, 'lab', 'shed', 't', 'C'), (2, 'lab', 'shed', 'door', NULL); \
         INSERT INTO readings (stream, seq, channel_id, sampled_at, time_quality, value, value_text) VALUES \
           (1, 1, 1, '2026-01-01 10:00:00', 2, 1, NULL), (1, 2, 1, '2026-01-01 10:59:59.999999', 2, 3, NULL), \
           (1, 3, 1, '2026-01-01 11:00:00', 2, 7, NULL), (1, 4, 2, '2026-01-01 11:00:00', 2, NULL, 'open'), \
           (2, 9, 2, '2026-01-01 11:00:00', 2, NULL, 'shut'); \
         INSERT INTO gaps VALUES (1, 5, 7, 'lab', 'shed', NULL, 'dropped', '2026-01-01 12:00:00', NULL, 3); \
         INSERT INTO dead_letters (stream, seq, origin, reason, server_words, bytes, length, state) VALUES \
           (1, 8, 'shed/t', 'refused', 'too long', '', 0, 'new'), (1, 9, 'shed/t', 'refused', 'no', '', 0, 'retried')",
    );
    let latest = server.query("SELECT node, channel, value, value_text FROM field.latest ORDER BY channel");
    assert_eq!(
        latest,
        [["shed", "door", "NULL", "shut"], ["shed", "t", "7", "NULL"]],
        "one row a channel, also with a tie"
    );
    let hourly = "SELECT channel, hour, count, min, avg, max FROM field.hourly WHERE channel = 't' ORDER BY hour";
    assert_eq!(
        server.query(hourly),
        [["t", "2026-01-01 10:00:00", "2", "1", "2", "3"], ["t", "2026-01-01 11:00:00", "1", "7", "7", "7"]]
    );
    let missing = server.query("SELECT node, count, reason FROM field.missing ORDER BY reason");
    assert_eq!(missing, [["NULL", "1", "dead letter of shed/t: too long"], ["shed", "3", "dropped"]]);
    server.execute(
        "USE field; INSERT INTO readings (stream, seq, channel_id, sampled_at, time_quality, value) \
         SELECT 3, seq, 1 + seq % 2, '2025-01-01' + INTERVAL seq SECOND, 2, seq FROM seq_1_to_20000; \
         ANALYZE TABLE readings",
    );
    let plan = server.query("EXPLAIN SELECT * FROM field.latest WHERE node = 'shed'");
    let of_readings = plan.iter().filter(|row| ["r", "m", "n"].contains(&row[2].as_str()));
    assert!(of_readings.clone().all(|row| row[5] == "by_channel_and_time"), "{plan:?}");
    assert_eq!(of_readings.count(), 3, "{plan:?}");
}
