//! The time in which no gateway ran is missing from every node on a wire: nobody kept what it said. Pure.

use config::{Config, NodeId};
use sensors::Gap;

const REASON: &str = "the gateway was not running";

/// A gap for each serial and I2C node, from the last that was made durable until now; none at the very first start.
/// Where the clock has stepped back meanwhile, the span has no times.
pub fn gaps(config: &Config, last_durable_us: Option<i64>, now_us: i64) -> Vec<Gap> {
    let Some(last_us) = last_durable_us else { return Vec::new() };
    let (from_us, to_us) = if last_us < now_us { (Some(last_us), Some(now_us)) } else { (None, None) };
    let gap = |node: &NodeId| Gap {
        node: Some(node.clone()),
        channel: None,
        reason: REASON.to_owned(),
        from_us,
        to_us,
        count: None,
    };
    let serial = config.serial.iter().map(|serial| &serial.node);
    let polled = config.i2c.iter().flat_map(|bus| &bus.nodes).map(|node| &node.name);
    serial.chain(polled).map(gap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config() -> Config {
        let text = r#"
            [mysql]
            servers = ["db1"]
            database = "field"
            user = "fieldgate"
            [[serial]]
            port = "/dev/ttyUSB0"
            node = "silo"
            [[i2c]]
            bus = "/dev/i2c-1"
            nodes = [{ name = "shed", part = "bme280", address = 0x76 }]
            [[mqtt]]
            broker = "mqtt://localhost"
            topics = ["plants/{node}"]
        "#;
        Config::from_text(text, Path::new("fieldgate.toml"), "host").unwrap()
    }

    #[test]
    fn every_node_on_a_wire_gets_one_and_nodes_of_brokers_none() {
        let gaps = gaps(&config(), Some(5), 9);
        let named: Vec<&str> = gaps.iter().filter_map(|gap| gap.node.as_ref()).map(NodeId::as_str).collect();
        assert_eq!(named, ["silo", "shed"]);
        assert!(gaps.iter().all(|gap| (gap.from_us, gap.to_us) == (Some(5), Some(9))));
    }

    #[test]
    fn the_first_start_misses_nothing_and_a_clock_that_went_back_gives_no_times() {
        assert_eq!(gaps(&config(), None, 9), []);
        assert!(gaps(&config(), Some(9), 5).iter().all(|gap| (gap.from_us, gap.to_us) == (None, None)));
    }
}
