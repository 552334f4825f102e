//! A broker that is not there, or does not let us in.

use std::fs;
use std::io::Read;
use std::net::TcpListener;

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::scenario::{DEADLINE, Scene};

#[test]
fn a_missing_broker_is_said_once_and_is_heard_when_it_comes() {
    let mut scene = Scene::prepare(0, |settings| settings.topics(&["plants/{node}/{channel}"]));
    scene.gateway.apply_schema();
    scene.broker.stop();
    // Takes the connections and ends each, so that the tries can be counted.
    let listener = TcpListener::bind(scene.broker.address()).unwrap();
    scene.gateway.start();
    for _ in 0..4 {
        let (mut connection, _) = listener.accept().unwrap();
        // The greeting is read, so that this is an orderly end and not a reset.
        assert!(connection.read(&mut [0; 1024]).unwrap() > 0);
    }
    let said = "no connection to the broker";
    assert_eq!(scene.gateway.log().matches(said).count(), 1, "{}", scene.gateway.log());
    drop(listener);
    scene.broker.restart();
    scene.wait_heard();
    scene.publish("plants/a/t", "1");
    scene.wait_rows(0, 1);
}

#[test]
fn a_broker_that_wants_a_password_is_heard_with_the_right_one_and_named_with_a_wrong_one() {
    let cluster = Cluster::start(0);
    let broker = Broker::start_with_password(Limits::Large, "gate", "right one");
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("mqtt-password");
    let mqtt = format!(
        "[[mqtt]]\nbroker = \"mqtt://{}\"\ntopics = [\"plants/{{node}}/{{channel}}\"]\nuser = \"gate\"\npassword_file = {:?}",
        broker.address(),
        password
    );
    let gateway = Gateway::named("g1").servers(cluster.addresses()).toml(&mqtt).build();
    let mut scene = Scene { gateway, broker, cluster };
    scene.gateway.apply_schema();
    fs::write(&password, "wrong one\n").unwrap();
    scene.gateway.start();
    scene.gateway.wait_log("no connection to the broker", DEADLINE);
    scene.gateway.wait_log("check user and password_file", DEADLINE);
    fs::write(&password, "right one\n").unwrap();
    scene.gateway.restart(DEADLINE);
    scene.wait_heard();
    scene.mosquitto_pub(&["-u", "gate", "-P", "right one", "-t", "plants/a/t", "-s"], b"1");
    scene.wait_rows(0, 1);
}
