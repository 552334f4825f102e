//! The file as a whole: its sections, and the rules between them.

use std::collections::BTreeMap;

use crate::drain::{self, Drain};
use crate::gateway::{self, Gateway};
use crate::i2c::{self, I2c};
use crate::led::{self, Led};
use crate::mqtt::{self, Mqtt};
use crate::mysql::{self, Mysql};
use crate::node::NodeId;
use crate::notify::{self, Notify};
use crate::problem::ValueError;
use crate::queue::{self, Queue};
use crate::quota::{self, Quota};
use crate::route::{self, Route};
use crate::section::Section;
use crate::serial::{self, Serial};
use crate::standby::{self, Standby};

const MAX_BROKERS: usize = 32;
const MAX_SERIAL_PORTS: usize = 16;
const MAX_I2C_BUSES: usize = 8;
const MAX_ROUTES: usize = 32;
const OUR_TABLES: [&str; 16] = [
    "schema_version",
    "streams",
    "channels",
    "readings",
    "gaps",
    "dead_letters",
    "events",
    "server_term",
    "reader_turn",
    "standby_groups",
    "standby_spans",
    "standby_members",
    "left_out",
    "latest",
    "hourly",
    "missing",
];
const NOT_IN_THIS_VERSION: [&str; 1] = ["status"];

/// All sections of a file without problems.
pub(crate) struct Sections {
    pub gateway: Gateway,
    pub mysql: Mysql,
    pub queue: Queue,
    pub drain: Drain,
    pub quota: Quota,
    pub notify: Notify,
    pub led: Option<Led>,
    pub mqtt: Vec<Mqtt>,
    pub serial: Vec<Serial>,
    pub i2c: Vec<I2c>,
    pub standby: Option<Standby>,
    pub routes: Vec<Route>,
}

/// Reads and checks every section. None only when there are problems; there may be problems all the same.
pub(crate) fn read(root: &mut Section<'_, '_>, host_name: &str) -> Option<Sections> {
    let gateway = root.section("gateway", |section| gateway::read(section, host_name)).flatten();
    let mysql = root.demand("mysql", "add [mysql] with servers, database and user");
    let mysql = mysql.then(|| root.section("mysql", mysql::read)).flatten().flatten();
    let queue = root.section("queue", queue::read);
    let with_standby = root.has("standby");
    let drain = root.section("drain", |section| drain::read(section, with_standby));
    let quota = root.section("quota", quota::read);
    let notify = root.section("notify", notify::read);
    let led = led::read(root);
    let mqtt = brokers(root, gateway.as_ref(), with_standby);
    let serial = root.sections("serial", 0..=MAX_SERIAL_PORTS, |_, section| serial::read(section, with_standby));
    let i2c = root.sections("i2c", 0..=MAX_I2C_BUSES, |_, section| i2c::read(section, with_standby));
    let standby = standby::read(root);
    let routes = root.sections("routes", 0..=MAX_ROUTES, |_, section| route::read(section));
    one_name_a_route(root, &routes);
    none_into_our_tables(root, &routes, mysql.as_ref());
    root.demand_entry(
        &["mqtt", "serial", "i2c"],
        "add at least one source: [[mqtt]] with broker and topics, [[serial]] with port and node, or [[i2c]] with bus and nodes",
    );
    one_port_each(root, &serial);
    one_thread_each(root, &i2c);
    let wired = serial_names(&serial).into_iter().chain(i2c_names(&i2c)).collect();
    one_name_each(root, &mqtt, &wired);
    NOT_IN_THIS_VERSION.iter().for_each(|key| root.not_in_this_version(key));
    let (mqtt, serial, i2c, routes) = (all(mqtt), all(serial), all(i2c), all(routes));
    if let (Some(Some(standby)), Some(serial), Some(i2c)) = (&standby, &serial, &i2c) {
        standby::apart_from_nodes(root, standby, serial, i2c);
    }
    let (gateway, mqtt) = (gateway?, mqtt?);
    let notify = notify::place(root, notify?, &gateway, &mqtt);
    let (mysql, queue, drain, quota, led, routes) = (mysql?, queue?, drain?, quota?, led?, routes?);
    let (serial, i2c, standby) = (serial?, i2c?, standby?);
    Some(Sections { gateway, mysql, queue, drain, quota, notify, led, mqtt, serial, i2c, standby, routes })
}

fn all<T>(entries: Vec<Option<T>>) -> Option<Vec<T>> {
    entries.into_iter().collect()
}

fn brokers(root: &mut Section<'_, '_>, gateway: Option<&Gateway>, with_standby: bool) -> Vec<Option<Mqtt>> {
    let id = gateway.map(|gateway| &gateway.id);
    let read = |index, section: &mut Section<'_, '_>| mqtt::read(section, index, id, with_standby);
    let entries = root.sections("mqtt", 0..=MAX_BROKERS, read);
    one_session_each(root, &entries);
    entries
}

/// A broker ends the older of two connections with one client id, so two of ours would drive each other out for ever.
fn one_session_each(root: &mut Section<'_, '_>, entries: &[Option<Mqtt>]) {
    let mut first = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let earlier = *first.entry((entry.broker.to_string(), &entry.client_id)).or_insert(index);
        if earlier < index {
            let what = format!("is {:?}, as in mqtt[{earlier}], at the same broker", entry.client_id);
            root.add(
                &format!("mqtt[{index}].client_id"),
                ValueError::new(what, "write another, or join the two entries"),
            );
        }
    }
}

/// A port is opened for one reader alone.
fn one_port_each(root: &mut Section<'_, '_>, entries: &[Option<Serial>]) {
    let mut first = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let earlier = *first.entry(&entry.port).or_insert(index);
        if earlier < index {
            let error = ValueError::new(format!("is the port of serial[{earlier}] too"), "remove one of the two");
            root.add(&format!("serial[{index}].port"), error);
        }
    }
}

/// A bus is asked by one thread alone.
fn one_thread_each(root: &mut Section<'_, '_>, entries: &[Option<I2c>]) {
    let mut first = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let earlier = *first.entry(&entry.bus).or_insert(index);
        if earlier < index {
            let error = ValueError::new(format!("is the bus of i2c[{earlier}] too"), "join the two entries");
            root.add(&format!("i2c[{index}].bus"), error);
        }
    }
}

/// A refused row is found in `dead_letters` by the name of its route.
fn one_name_a_route(root: &mut Section<'_, '_>, entries: &[Option<Route>]) {
    let mut first = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let earlier = *first.entry(&entry.name).or_insert(index);
        if earlier < index {
            let what = format!("is {:?}, as of routes[{earlier}]", entry.name);
            let remedy = "give each route into the same table a name of its own";
            root.add(&format!("routes[{index}].name"), ValueError::new(what, remedy));
        }
    }
}

/// What a route wrote into these would pass for what the drain wrote.
fn none_into_our_tables(root: &mut Section<'_, '_>, entries: &[Option<Route>], mysql: Option<&Mysql>) {
    let ours = |route: &Route| {
        let is_here =
            route.table.database.as_ref().is_none_or(|name| mysql.is_some_and(|mysql| mysql.database == *name));
        is_here && OUR_TABLES.contains(&route.table.table.as_str())
    };
    for (index, route) in entries.iter().enumerate() {
        if let Some(route) = route.as_ref().filter(|route| ours(route)) {
            let what = format!("is {:?}, one of fieldgate's own", route.table.table);
            root.add(&format!("routes[{index}].table"), ValueError::new(what, "name a table of yours"));
        }
    }
}

/// The nodes that have a wire of their own, each with its key.
type Wired<'n> = Vec<(String, &'n NodeId)>;

fn serial_names(entries: &[Option<Serial>]) -> Wired<'_> {
    let named = entries.iter().enumerate();
    named.filter_map(|(index, entry)| Some((format!("serial[{index}].node"), &entry.as_ref()?.node))).collect()
}

fn i2c_names(entries: &[Option<I2c>]) -> Wired<'_> {
    let buses = entries.iter().enumerate().filter_map(|(bus, entry)| Some((bus, entry.as_ref()?)));
    let nodes = buses.flat_map(|(bus, entry)| entry.nodes.iter().enumerate().map(move |(at, node)| (bus, at, node)));
    nodes.map(|(bus, at, node)| (format!("i2c[{bus}].nodes[{at}].name"), &node.name)).collect()
}

/// Two nodes of one name would be one node in the database. Brokers may share one: it can be heard over two ways.
fn one_name_each(root: &mut Section<'_, '_>, brokers: &[Option<Mqtt>], wired: &Wired<'_>) {
    let fixed =
        |(index, entry): (usize, &Option<Mqtt>)| Some((entry.as_ref()?.node.clone()?, format!("mqtt[{index}].node")));
    let mut first: BTreeMap<NodeId, String> = brokers.iter().enumerate().rev().filter_map(fixed).collect();
    for (key, node) in wired {
        if let Some(earlier) = first.get(node) {
            let what = format!("is {:?}, the name of another node, as in {earlier}", node.as_str());
            root.add(key, ValueError::new(what, "write another"));
        } else {
            first.insert((*node).clone(), key.clone());
        }
    }
}
