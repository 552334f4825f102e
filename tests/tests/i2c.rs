//! I2C nodes from the configuration to the database: simulated ones, and a bus that is not there.

use std::process::Command;
use std::time::Duration;

use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::process::{Process, wait_for};

const PATIENCE: Duration = Duration::from_secs(20);

const NODES: &str = r#"
[[i2c]]
bus = "/dev/i2c-no-such-bus"
nodes = [
    { name = "shed", part = "bme280", address = 0x76, every = "100 ms" },
    { name = "window", part = "register", address = 0x23, every = "100 ms", register = 1, channel = "light", scale = 0.5 },
    { name = "bed", part = "micro", address = 0x30, every = "100 ms", bytes = 32, format = "json" },
]
"#;

fn run(gateway: &Gateway, simulate: &[&str]) -> Process {
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    command.arg("run").args(simulate).arg("--config").arg(gateway.config_file());
    Process::spawn("fieldgate", &command, &gateway.state_folder().with_file_name("log"))
}

fn stop(mut process: Process) {
    let status = process.stop(PATIENCE).expect("it stops");
    assert!(status.success(), "{status}: {}", process.log_end());
}

#[test]
fn simulated_nodes_and_a_bus_that_is_not_there_reach_the_database() {
    let cluster = Cluster::start(0);
    let gateway = Gateway::named("g1").servers(cluster.addresses()).toml(NODES).build();
    gateway.apply_schema();
    let channels = |rows: &str| {
        let joined = "FROM field.readings JOIN field.channels USING (channel_id)";
        let sql = format!("SELECT DISTINCT node, channel, unit {joined} WHERE {rows} ORDER BY node, channel");
        cluster.servers[0].query(&sql).iter().map(|row| row.join(" ")).collect::<Vec<_>>()
    };

    let simulated = run(&gateway, &["--simulate"]);
    let expected = ["bed level ", "shed humidity %", "shed pressure Pa", "shed temperature °C", "window light "];
    wait_for("every channel in the database", PATIENCE, || channels("value IS NOT NULL").len() == expected.len());
    stop(simulated);
    let found = channels("value IS NOT NULL").join("\n").replace("NULL", "");
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    assert_eq!(cluster.servers[0].query("SELECT COUNT(*) FROM field.readings WHERE no_data IS NOT NULL")[0][0], "0");

    let real = run(&gateway, &[]);
    // 3 is a fault of the bus. The microcontroller has not named its channels in this run: a gap.
    wait_for("the reason in the database", PATIENCE, || channels("no_data = 3").len() == 4);
    let gaps = |rows: &str| {
        cluster.servers[0].query(&format!("SELECT node FROM field.gaps WHERE {rows} ORDER BY node")).concat()
    };
    let pause = "reason = 'the gateway was not running' AND from_time < to_time";
    wait_for("the gap", PATIENCE, || gaps(&format!("node = 'bed' AND NOT ({pause})")).len() > 1);
    assert_eq!(gaps(pause), ["bed", "shed", "window"], "once for the time between the two runs");
    stop(real);
    assert!(gateway.log().contains("raspi-config nonint do_i2c 0"), "{}", gateway.log());
    assert!(gateway.command(&["db", "reconcile"]).status.success());
}
