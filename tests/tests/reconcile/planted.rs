//! What is planted is found and named: on which server, in which stream, at which number.

use fieldgate_tests::scenario::{Scene, first_stream};

use crate::fault::{Fault, alone, drained, shown, wait_replicated};

#[test]
fn a_doubled_reading_is_found_with_both_its_places() {
    let scene = drained();
    let (source, original) = (scene.cluster.source(), first_stream(scene.cluster.source()));
    let planted = u64::MAX.to_string();
    source.execute(&format!(
        "USE field; START TRANSACTION; \
         INSERT INTO streams SELECT {planted}, site, gateway, 1, started_at, updated_at FROM streams; \
         CREATE TEMPORARY TABLE one AS SELECT * FROM readings WHERE seq = 10; \
         UPDATE one SET stream = {planted}, seq = 1; INSERT INTO readings SELECT * FROM one; COMMIT"
    ));
    wait_replicated(&scene);
    let words = format!("{}:10 and {}:1", shown(&original), shown(&planted));
    let fault = Fault { stream: shown(&planted), seq: 1 };
    fault.assert_found(&scene, [0, 1, 0], &[("doubled", source, &words)]);
    source.execute(&format!(
        "DELETE FROM field.readings WHERE stream = {planted}; DELETE FROM field.streams WHERE stream = {planted}"
    ));
    wait_replicated(&scene);
    scene.assert_reconciled();
}

#[test]
fn a_node_that_sends_the_same_message_twice_is_found() {
    let scene = Scene::start_with(0, |settings| settings);
    scene.publish_lines("plants/echo", [r#"{"seq": 1, "t": 5}"#, r#"{"seq": 2, "t": 5}"#, r#"{"seq": 1, "t": 5}"#]);
    scene.wait_rows(0, 3);
    let stream = shown(&first_stream(scene.cluster.source()));
    let words = format!("echo t number 1 stands at {stream}:1 and {stream}:3");
    let fault = Fault { stream, seq: 3 };
    fault.assert_found(&scene, [0, 1, 0], &[("doubled", scene.cluster.source(), &words)]);
}

#[test]
fn a_missing_row_is_found_on_whichever_servers_lack_it() {
    let scene = drained();
    let [source, _, second] = &scene.cluster.servers[..] else { panic!("three servers") };
    let fault = Fault { stream: shown(&first_stream(source)), seq: 10 };
    let lost = "numbers below";
    let delete = "DELETE FROM readings WHERE seq = 10";
    let repair = "REPLACE INTO readings SELECT * FROM copy WHERE seq = 10";

    alone(source, delete);
    let has_it = format!("the replica {} has 1 of 1", second.address());
    fault.assert_found(&scene, [1, 0, 0], &[("lost", source, &has_it)]);
    alone(source, repair);
    scene.assert_reconciled();

    alone(second, delete);
    fault.assert_found(&scene, [1, 0, 0], &[("lost", second, lost)]);
    alone(second, repair);
    scene.assert_reconciled();

    source.execute(&format!("USE field; {delete}"));
    wait_replicated(&scene);
    fault.assert_found(&scene, [1, 0, 0], &[("lost", source, "`fieldgate db replay --holes` writes them")]);
    let replayed = scene.gateway.command(&["db", "replay", "--holes"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stderr));
    wait_replicated(&scene);
    scene.assert_reconciled();
}

#[test]
fn a_changed_value_is_found_on_whichever_servers_have_it() {
    let scene = drained();
    let [source, first, second] = &scene.cluster.servers[..] else { panic!("three servers") };
    let fault = Fault { stream: shown(&first_stream(source)), seq: 10 };
    let (queue, replica) = ("the queue keeps", "the source says");
    let change = "UPDATE readings SET value = COALESCE(value, 0) + 1 WHERE seq = 10";
    let repair = "REPLACE INTO readings SELECT * FROM copy WHERE seq = 10";

    source.execute(&format!("USE field; {change}"));
    wait_replicated(&scene);
    fault.assert_found(&scene, [0, 0, 1], &[("changed", source, queue)]);
    source.execute(&format!("USE field; {repair}"));
    wait_replicated(&scene);
    scene.assert_reconciled();

    alone(first, change);
    fault.assert_found(&scene, [0, 0, 1], &[("changed", first, replica)]);
    alone(first, repair);
    scene.assert_reconciled();

    alone(source, change);
    let findings = [("changed", source, queue), ("changed", first, replica), ("changed", second, replica)];
    fault.assert_found(&scene, [0, 0, 3], &findings);
    alone(source, repair);
    scene.assert_reconciled();
}

/// The smallest change of a double shows nowhere but in its last digits.
#[test]
fn a_change_in_the_last_bit_of_a_double_is_found_on_source_and_replica() {
    let scene = Scene::start_with(1, |settings| settings.topics(&["plants/{node}/{channel}"]));
    scene.publish("plants/shed/t", "0.1");
    scene.wait_rows(0, 1);
    scene.wait_drained();
    let (source, replica) = (scene.cluster.source(), &scene.cluster.replicas()[0]);
    let fault = Fault { stream: shown(&first_stream(source)), seq: 1 };
    let (change, repair) = ("UPDATE readings SET value = 0.10000000000000002e0", "UPDATE readings SET value = 0.1e0");
    alone(replica, change);
    fault.assert_found(&scene, [0, 0, 1], &[("changed", replica, "0.10000000000000002")]);
    alone(replica, repair);
    scene.assert_reconciled();
    source.execute(&format!("USE field; {change}"));
    wait_replicated(&scene);
    fault.assert_found(&scene, [0, 0, 1], &[("changed", source, "0.10000000000000002")]);
}
