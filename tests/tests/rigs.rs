//! The database rigs do what they say.

use std::process::Command;
use std::time::Duration;

use fieldgate_tests::mariadb::{Cluster, RelayLog, Server, WRITABLE};
use fieldgate_tests::process::wait_for;

const DEADLINE: Duration = Duration::from_secs(60);

fn numbers(server: &Server) -> String {
    server.query("SELECT n FROM lab.numbers ORDER BY n").concat().join(" ")
}

fn start_with_table(replicas: usize) -> Cluster {
    let cluster = Cluster::start(replicas);
    println!("source and {replicas} replicas in {:?}", cluster.started_in);
    cluster.source().execute("CREATE DATABASE lab; CREATE TABLE lab.numbers (n INT PRIMARY KEY)");
    cluster
}

#[test]
fn a_write_reaches_every_replica() {
    let cluster = start_with_table(2);
    cluster.source().execute("INSERT INTO lab.numbers VALUES (1), (2)");
    for replica in cluster.replicas() {
        replica.wait_for_gtid(&cluster.source().gtid_position());
        assert_eq!(numbers(replica), "1 2");
        assert_eq!(replica.query("SELECT @@read_only").concat(), ["1"]);
    }
    assert_eq!(cluster.source().query("SELECT @@read_only").concat(), ["0"]);
}

#[test]
fn a_lagging_replica_is_promoted_and_the_other_follows() {
    let mut cluster = start_with_table(2);
    let [source, ahead, lagging] = cluster.servers.as_mut_slice() else { panic!("three servers") };
    lagging.wait_for_gtid(&source.gtid_position());
    lagging.stop_sql_thread();
    ahead.stop_replication();
    source.execute("INSERT INTO lab.numbers VALUES (1)");
    // Received is not applied.
    wait_for("the lagging replica to receive", DEADLINE, || {
        lagging.replication_status("Gtid_IO_Pos").as_deref() == Some(source.gtid_position().as_str())
    });
    source.kill9();
    lagging.promote(RelayLog::Discard);
    lagging.execute("INSERT INTO lab.numbers VALUES (2)");
    ahead.follow(lagging);
    ahead.wait_for_gtid(&lagging.gtid_position());
    assert_eq!(numbers(lagging), "2");
    assert_eq!(numbers(ahead), "2");
}

#[test]
fn a_careful_promotion_applies_what_was_received() {
    let mut cluster = start_with_table(1);
    let [source, replica] = cluster.servers.as_mut_slice() else { panic!("two servers") };
    replica.wait_for_gtid(&source.gtid_position());
    replica.stop_sql_thread();
    source.execute("INSERT INTO lab.numbers VALUES (1)");
    wait_for("the replica to receive", DEADLINE, || {
        replica.replication_status("Gtid_IO_Pos").as_deref() == Some(source.gtid_position().as_str())
    });
    source.kill9();
    replica.promote(RelayLog::Apply);
    assert_eq!(numbers(replica), "1");
    assert_eq!(replica.query("SELECT @@read_only").concat(), ["0"]);
    assert_eq!(replica.replication_status("Master_Host"), None);

    source.restart(&[]);
    assert_eq!(source.query("SELECT @@read_only").concat(), ["1"]);
    source.follow(replica);
    replica.execute("INSERT INTO lab.numbers VALUES (2)");
    source.wait_for_gtid(&replica.gtid_position());
    assert_eq!(numbers(source), "1 2");
}

#[test]
fn a_server_stops_freezes_and_comes_back() {
    let mut server = Server::start_with(1, WRITABLE);
    server.execute("CREATE DATABASE lab; CREATE TABLE lab.numbers (n INT); INSERT INTO lab.numbers VALUES (7)");
    server.freeze();
    let silent = Command::new("mariadb")
        .args(["--no-defaults", "--user=admin", "--password=admin", "--connect-timeout=1", "-e", "SELECT 1"])
        .args(["--host", &server.address().ip().to_string(), "--protocol=tcp"])
        .output()
        .unwrap();
    assert!(!silent.status.success(), "a frozen server answers nobody");
    server.thaw();
    server.stop();
    server.restart(&[]);
    assert_eq!(server.query("SELECT @@read_only").concat(), ["1"]);
    server.set_read_only(false);
    server.kill9();
    server.restart(WRITABLE);
    assert_eq!(server.query("SELECT n, @@read_only FROM lab.numbers"), [["7", "0"]]);
}

#[test]
fn accounts_come_in_over_the_network_and_no_gtid_is_used_up() {
    let server = Server::start_with(1, WRITABLE);
    assert_eq!(server.gtid_position(), "");
    assert_eq!(server.query("SHOW DATABASES LIKE 'field%'"), Vec::<Vec<String>>::new());
    let as_admin = Command::new("mariadb")
        .args(["--no-defaults", "--user=admin", "--password=admin", "--protocol=tcp", "--host"])
        .arg(server.address().ip().to_string())
        .args(["-e", "CREATE DATABASE x; CREATE USER u@'127.%'; GRANT SELECT ON x.* TO u@'127.%'"])
        .output()
        .unwrap();
    assert!(as_admin.status.success(), "{}", String::from_utf8_lossy(&as_admin.stderr));
}
