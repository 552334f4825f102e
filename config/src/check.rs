//! The file as a whole: its sections, and the rules between them.

use std::collections::BTreeMap;

use crate::gateway::{self, Gateway};
use crate::mqtt::{self, Mqtt};
use crate::mysql::{self, Mysql};
use crate::problem::ValueError;
use crate::queue::{self, Queue};
use crate::section::Section;

const MAX_BROKERS: usize = 32;
const NOT_IN_THIS_VERSION: [&str; 5] = ["serial", "i2c", "standby", "notify", "status"];

/// All sections of a file without problems.
pub(crate) struct Sections {
    pub gateway: Gateway,
    pub mysql: Mysql,
    pub queue: Queue,
    pub mqtt: Vec<Mqtt>,
}

/// Reads and checks every section. None only when there are problems; there may be problems all the same.
pub(crate) fn read(root: &mut Section<'_, '_>, host_name: &str) -> Option<Sections> {
    let gateway = root.section("gateway", |section| gateway::read(section, host_name)).flatten();
    let mysql = root.demand("mysql", "add [mysql] with servers, database and user");
    let mysql = mysql.then(|| root.section("mysql", mysql::read)).flatten().flatten();
    let queue = root.section("queue", queue::read);
    let mqtt = sources(root, gateway.as_ref());
    NOT_IN_THIS_VERSION.iter().for_each(|key| root.not_in_this_version(key));
    Some(Sections { gateway: gateway?, mysql: mysql?, queue: queue?, mqtt: mqtt? })
}

fn sources(root: &mut Section<'_, '_>, gateway: Option<&Gateway>) -> Option<Vec<Mqtt>> {
    let id = gateway.map(|gateway| &gateway.id);
    root.demand("mqtt", "add at least one source: [[mqtt]] with broker and topics");
    let entries = root.sections("mqtt", 1..=MAX_BROKERS, |index, section| mqtt::read(section, index, id));
    one_session_each(root, &entries);
    entries.into_iter().collect()
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
