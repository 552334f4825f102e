//! The time in which no gateway ran is missing from every node on a wire: nobody kept what it said. Pure.

use config::{Config, NodeId, WhileStandby};
use sensors::Gap;

const REASON: &str = "the gateway was not running";

/// A gap for each serial and I2C node, from the last that was made durable until now, with whether the other gateway of the site
/// may have heard it meanwhile; none at the very first start, and none for a node that only one gateway at a time may ask: whose
/// turn it was is not known here. Where the clock has stepped back meanwhile, the span has no times.
pub fn gaps(config: &Config, last_durable_us: Option<i64>, now_us: i64) -> Vec<(Gap, bool)> {
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
    let serial = config.serial.iter().map(|serial| (&serial.node, serial.while_standby));
    let polled = config.i2c.iter().flat_map(|bus| bus.nodes.iter().map(|node| (&node.name, bus.while_standby)));
    let heard = serial.chain(polled).filter(|(_, while_standby)| *while_standby != WhileStandby::Off);
    heard.map(|(node, while_standby)| (gap(node), while_standby.is_shared())).collect()
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

    fn named(gaps: &[(Gap, bool)]) -> Vec<(&str, bool)> {
        gaps.iter().filter_map(|(gap, shared)| Some((gap.node.as_ref()?.as_str(), *shared))).collect()
    }

    #[test]
    fn every_node_on_a_wire_gets_one_and_nodes_of_brokers_none() {
        let gaps = gaps(&config(), Some(5), 9);
        assert_eq!(named(&gaps), [("silo", false), ("shed", false)]);
        assert!(gaps.iter().all(|(gap, _)| (gap.from_us, gap.to_us) == (Some(5), Some(9))));
    }

    #[test]
    fn of_two_gateways_the_other_may_have_it_or_may_have_had_the_turn() {
        let with = |serial, i2c| {
            let mut config = config();
            (config.serial[0].while_standby, config.i2c[0].while_standby) = (serial, i2c);
            gaps(&config, Some(5), 9)
        };
        assert_eq!(named(&with(WhileStandby::Hold, WhileStandby::Deliver)), [("silo", true), ("shed", false)]);
        assert_eq!(named(&with(WhileStandby::Off, WhileStandby::Hold)), [("shed", true)]);
        assert_eq!(named(&with(WhileStandby::Deliver, WhileStandby::Off)), [("silo", false)]);
    }

    #[test]
    fn the_first_start_misses_nothing_and_a_clock_that_went_back_gives_no_times() {
        assert_eq!(gaps(&config(), None, 9), []);
        assert!(gaps(&config(), Some(9), 5).iter().all(|(gap, _)| (gap.from_us, gap.to_us) == (None, None)));
    }
}
