//! `fieldgate check`: everything that is wrong with a configuration, at once.

mod advice;
mod connect;
mod machine;
mod promotion;

use crate::command::refuse;
use crate::exit::Exit;
use crate::secret::{mqtt_password, mysql_password, promote_password, replication_password};
use crate::standby::link::{Configured, Link};
use config::{Config, Problem, Tls, WhileStandby};
use machine::Facts;
use std::path::Path;

/// The file has been read and checked; what is left is what it points to.
/// With `connect`, every server is asked too; `json` shows their answers as JSON, and nothing else.
pub fn check(file: &Path, config: &Config, connect: bool, json: bool) -> Exit {
    let facts = Facts::gather(config);
    let mut problems = secrets(config);
    problems.extend(unreadable_roots(config));
    problems.extend(advice::problems(config, &facts));
    if !problems.is_empty() {
        return refuse(file, &problems);
    }
    if connect && json {
        return connect::connect(file, config, json);
    }
    println!("{}: no problems", file.display());
    describe(config);
    for warning in advice::warnings(config, &facts) {
        println!("warning: {warning}");
    }
    if !connect {
        // Else they stand with what the servers say.
        for promotion::Advice { what, mend } in promotion::advice(config) {
            println!("warning: {what}; {mend}");
        }
    }
    if connect { connect::connect(file, config, json) } else { Exit::Ok }
}

/// What a gateway with this configuration does.
fn describe(config: &Config) {
    println!("gateway {} of site {}", config.gateway.id, config.gateway.site);
    let turn = |source: WhileStandby| match &config.standby {
        Some(_) => format!("; while the other gateway is active: {}", source.as_str()),
        None => String::new(),
    };
    if let Some(standby) = &config.standby {
        let links: Vec<String> = standby.links.iter().map(|link| Configured::from(link).name()).collect();
        println!(
            "one of two gateways, of priority {}; hears the other one over {}; takes over when that is silent for {:?}",
            standby.priority,
            links.join(", "),
            standby.silence
        );
    }
    for mqtt in &config.mqtt {
        let topics: Vec<String> = mqtt.topics.iter().map(ToString::to_string).collect();
        let turn = turn(mqtt.while_standby);
        println!("reads {} from {} as {}{turn}", topics.join(", "), mqtt.broker, mqtt.client_id);
    }
    for serial in &config.serial {
        let turn = turn(serial.while_standby);
        println!("reads node {} from {} at {} baud{turn}", serial.node, serial.port.display(), serial.baud);
    }
    for i2c in &config.i2c {
        let node = |node: &config::I2cNode| format!("{} at 0x{:02x}", node.name, node.address);
        let nodes: Vec<String> = i2c.nodes.iter().map(node).collect();
        println!("asks {} on {}{}", nodes.join(", "), i2c.bus.display(), turn(i2c.while_standby));
    }
    let servers: Vec<String> = config.mysql.servers.iter().map(ToString::to_string).collect();
    println!("writes to database {} on whichever of {} takes writes", config.mysql.database, servers.join(", "));
    for config::Route { name, table, .. } in &config.routes {
        println!("writes what takes the route {name} to the table {table} as well");
    }
}

/// A file of roots that cannot be read lets nobody connect.
fn unreadable_roots(config: &Config) -> Option<Problem> {
    let Tls::Verify { ca_file } = &config.mysql.tls else { return None };
    let error = std::fs::File::open(ca_file).err()?;
    let what = format!("is {}, which cannot be read: {error}", ca_file.display());
    let remedy = "name the file with your own root, or install the package ca-certificates for the system's";
    Some(config.problem("mysql.ca_file", &what, remedy))
}

/// Every configured password file, with the key that names it.
fn password_files(config: &Config) -> Vec<(String, &Path)> {
    let brokers = config.mqtt.iter().enumerate();
    let brokers = brokers.filter_map(|(index, mqtt)| Some((index, mqtt.password_file.as_deref()?)));
    let mysql = config.mysql.password_file.as_deref().map(|file| ("mysql.password_file", file));
    let promote = config.mysql.promote.as_ref();
    let promotion = promote.and_then(|promote| promote.password_file.as_deref());
    let promotion = promotion.map(|file| ("mysql.promote.password_file", file));
    let replication = promote.and_then(|promote| promote.replication.as_ref()?.password_file.as_deref());
    let replication = replication.map(|file| ("mysql.promote.replication_password_file", file));
    let servers = [mysql, promotion, replication].into_iter().flatten();
    servers
        .map(|(key, file)| (key.to_owned(), file))
        .chain(brokers.map(|(index, file)| (format!("mqtt[{index}].password_file"), file)))
        .collect()
}

/// Every password file that cannot be read.
pub fn secrets(config: &Config) -> Vec<Problem> {
    let brokers = (0..config.mqtt.len()).filter_map(|index| mqtt_password(config, index).err());
    let servers = [mysql_password(config), promote_password(config), replication_password(config)];
    servers.into_iter().filter_map(Result::err).chain(brokers).collect()
}
