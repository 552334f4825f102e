//! What the links between two gateways cannot do as they are configured. Pure.

use crate::command::check::machine::{self, Facts};
use config::{Config, Link, Standby, WhileStandby};
use std::path::Path;

/// Each with what to do.
pub fn warnings(config: &Config, facts: &Facts) -> Vec<String> {
    let Some(standby) = &config.standby else { return Vec::new() };
    let mut found: Vec<String> = only_a_cable(standby).into_iter().chain(two_names(config, facts)).collect();
    let links = standby.links.iter().enumerate();
    found.extend(links.filter_map(|(index, link)| on_a_shared_bus(config, index, link)));
    found.extend(standby.links.iter().filter_map(|link| missing_port(link, facts)));
    found
}

/// A node's adapter may be plugged in later; the wire to the other gateway stays.
fn missing_port(link: &Link, facts: &Facts) -> Option<String> {
    let port = link.port().filter(|port| !facts.devices.contains_key(*port))?;
    let remedy = if facts.is_pi() {
        "run `raspi-config nonint do_serial_hw 0` and restart the machine, or plug the adapter in"
    } else {
        "plug the adapter in, or write the path of another"
    };
    Some(format!("{} is not there, so this link does not work; {remedy}", port.display()))
}

/// Nobody can tell a cut cable from a dead gateway.
fn only_a_cable(standby: &Standby) -> Option<String> {
    let [Link::Serial { .. }] = standby.links.as_slice() else { return None };
    Some("standby.links: there is one serial line only, and when it is cut both gateways become active; add a second link, such as { kind = \"udp\", peer = \"HOST\" }".to_owned())
}

/// A link is used all the time, and such a bus by one gateway at a time.
fn on_a_shared_bus(config: &Config, index: usize, link: &Link) -> Option<String> {
    let bus = link.bus()?;
    let shared = |i2c: &config::I2c| i2c.bus == bus && i2c.while_standby == WhileStandby::Off;
    let source = config.i2c.iter().position(shared)?;
    let bus = bus.display();
    Some(format!(
        "standby.links[{index}].bus: both gateways would use {bus} at once, which i2c[{source}] says that only one may ask (while_standby = \"off\"); give the link a bus of its own, or write \"deliver\" if {bus} is this gateway's alone"
    ))
}

/// A port has one reader, whatever it is called.
fn two_names(config: &Config, facts: &Facts) -> Option<String> {
    let real = |port: &Path| facts.devices.get(port).map(|device| device.real.clone());
    let ports: Vec<&Path> = machine::ports(config).into_iter().collect();
    let pair = |(index, one): (usize, &&Path)| {
        let other = ports.iter().skip(index + 1).find(|other| real(other).is_some() && real(other) == real(one))?;
        Some((one.display().to_string(), other.display()))
    };
    let (one, other) = ports.iter().enumerate().find_map(pair)?;
    Some(format!(
        "{one} and {other} are one port, and only one link or node can use it; write another for one of the two"
    ))
}
