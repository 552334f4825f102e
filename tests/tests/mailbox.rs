//! The program on the simulated buses of the mailbox rig: what it reads there reaches the database.

use std::time::Duration;

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mailbox::{I2cSide, Mailbox, Side, Target};
use fieldgate_tests::mariadb::{Cluster, Server};
use fieldgate_tests::process::wait_for;

const PATIENCE: Duration = Duration::from_secs(20);
const LIGHT: u16 = 0x23;

/// A chip that always measures the same: 0x2a2a, which is 10794.
struct Light;

impl Target for Light {
    fn write(&mut self, _bytes: &[u8]) {}

    fn read(&mut self, into: &mut [u8]) {
        into.fill(42);
    }
}

/// The mailbox is asked like any chip here: its first two registers hold 0x4601, which is 17921.
fn gateway(id: &str, side: &I2cSide, cluster: &Cluster) -> Gateway {
    let node = |name: &str, address: u16, register: u8| {
        let name = format!("{id}-{name}");
        let asked = r#"part = "register", every = "100 ms", channel = "number""#;
        format!("{{ name = \"{name}\", address = {address}, register = {register}, {asked} }}")
    };
    let nodes = [node("mailbox", 8, 0x20), node("light", LIGHT, 1)].join(", ");
    let bus = format!("[[i2c]]\nbus = \"{}\"\nnodes = [{nodes}]", side.device().display());
    Gateway::named(id).servers(cluster.addresses()).environment(side.environment()).toml(&bus).build()
}

/// Nodes with a value, each with its values, or those with a reason instead.
fn rows(server: &Server, what: &str, rows: &str) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT node, {what} FROM field.readings JOIN field.channels USING (channel_id) WHERE {rows} \
         ORDER BY node"
    );
    server.query(&sql).iter().map(|row| row.join(" ")).collect()
}

#[test]
fn two_gateways_read_one_sensor_and_a_mailbox_over_simulated_buses() {
    let (mailbox, cluster) = (Mailbox::start(), Cluster::start(0));
    mailbox.add(LIGHT, Box::new(Light));
    let mut gateways = [gateway("g1", mailbox.side_a(), &cluster), gateway("g2", mailbox.side_b(), &cluster)];
    gateways[0].apply_schema();
    gateways.iter_mut().for_each(Gateway::start);
    let server = &cluster.servers[0];
    let values = || rows(server, "CAST(COALESCE(value, value_int) AS INT)", "no_data IS NULL");
    wait_for("the values of both gateways", PATIENCE, || values().len() >= 4);
    assert_eq!(values(), ["g1-light 10794", "g1-mailbox 17921", "g2-light 10794", "g2-mailbox 17921"]);
    assert_eq!(rows(server, "no_data", "no_data IS NOT NULL"), [""; 0]);

    // 2 is a node that does not answer.
    mailbox.cut(Side::B);
    let reasons = || rows(server, "no_data", "no_data IS NOT NULL");
    wait_for("the reason in the database", PATIENCE, || !reasons().is_empty());
    assert_eq!(reasons(), ["g2-mailbox 2"]);
    let asked = mailbox.asked(LIGHT);
    assert!([Side::A, Side::B].iter().all(|side| asked.iter().any(|(who, _)| who == side)), "{asked:?}");
    // A gateway ends in time, also when a transfer does not.
    mailbox.hang(Side::A);
    for gateway in &mut gateways {
        assert_eq!(gateway.terminate(PATIENCE), 0, "{}", gateway.log());
    }
}
