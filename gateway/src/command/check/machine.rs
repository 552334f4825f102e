//! What the machine says of itself, as far as `check` asks.

use crate::disk::{Disk, used_by};
use config::{Config, Link};
use rustix::fs::{Access, access};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Plain values, so that what follows from them can be tested without the machine.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The board, where the firmware tells it.
    pub model: String,
    /// The kernel's command line.
    pub command_line: String,
    /// What `/dev/serial0` points to.
    pub serial0: Option<PathBuf>,
    /// The user that runs this program.
    pub user: User,
    /// All groups of the machine.
    pub groups: Vec<String>,
    /// The configured devices that are there.
    pub devices: BTreeMap<PathBuf, Device>,
    /// The permission bits of the password files that are there.
    pub modes: BTreeMap<PathBuf, u32>,
    /// Whose the state folder is, if it is there.
    pub state_owner: Option<Owner>,
    /// The disk that holds the queue, or will.
    pub disk: Option<Disk>,
    /// What its files take there now, bytes.
    pub queue_bytes: u64,
}

/// A user and its groups.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// The number; 0 is the administrator.
    pub id: u32,
    /// The name, or the number where it has none.
    pub name: String,
    /// The names of its groups.
    pub groups: Vec<String>,
}

/// Who owns something.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The number.
    pub id: u32,
    /// The name, or the number where it has none.
    pub name: String,
}

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its path without links.
    pub real: PathBuf,
    /// The user may read and write it.
    pub usable: bool,
}

impl Facts {
    /// Asks the machine. What cannot be read counts as empty: this only helps.
    pub fn gather(config: &Config) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (users, groups) = (text("/etc/passwd"), text("/etc/group"));
        let chips = config.led.iter().map(|led| led.chip.as_path());
        let devices = buses(config).into_iter().chain(ports(config)).chain(chips);
        let mode = |file: &Path| Some((file.to_owned(), fs::metadata(file).ok()?.mode()));
        let owner = fs::metadata(&config.gateway.state_dir).ok().map(|folder| folder.uid());
        let queue = config.gateway.state_dir.join("queue");
        Self {
            model: text("/proc/device-tree/model"),
            command_line: text("/proc/cmdline"),
            serial0: fs::canonicalize("/dev/serial0").ok(),
            user: user(&users, &groups),
            groups: names(&groups).map(|(_, name)| name.to_owned()).collect(),
            devices: devices.filter_map(|path| Some((path.to_owned(), device(path)?))).collect(),
            modes: super::password_files(config).into_iter().filter_map(|(_, file)| mode(file)).collect(),
            disk: queue.ancestors().find_map(|folder| Disk::look(folder).ok()),
            queue_bytes: used_by(&queue),
            state_owner: owner.map(|id| Owner { id, name: name_of(&users, id) }),
        }
    }

    /// True on a Raspberry Pi.
    pub fn is_pi(&self) -> bool {
        self.model.starts_with("Raspberry Pi")
    }
}

/// Every I2C bus that is needed, of nodes and of links to the other gateway.
pub fn buses(config: &Config) -> BTreeSet<&Path> {
    links(config).filter_map(Link::bus).chain(config.i2c.iter().map(|i2c| i2c.bus.as_path())).collect()
}

/// Every serial port that is needed, likewise.
pub fn ports(config: &Config) -> BTreeSet<&Path> {
    links(config).filter_map(Link::port).chain(config.serial.iter().map(|serial| serial.port.as_path())).collect()
}

fn links(config: &Config) -> impl Iterator<Item = &Link> {
    config.standby.iter().flat_map(|standby| &standby.links)
}

fn user(users: &str, groups: &str) -> User {
    let id = rustix::process::geteuid().as_raw();
    let mut ids: Vec<u32> =
        rustix::process::getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    ids.push(rustix::process::getegid().as_raw());
    User { id, name: name_of(users, id), groups: ids.iter().map(|id| name_of(groups, *id)).collect() }
}

fn device(path: &Path) -> Option<Device> {
    let real = fs::canonicalize(path).ok()?;
    let usable = access(&real, Access::READ_OK | Access::WRITE_OK).is_ok();
    Some(Device { real, usable })
}

/// Numbers and names in the form of `/etc/passwd` and `/etc/group`: the name first, the number third.
fn names(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((fields.nth(1)?.parse().ok()?, name))
    })
}

fn name_of(text: &str, wanted: u32) -> String {
    let found = names(text).find(|(id, _)| *id == wanted);
    found.map_or_else(|| wanted.to_string(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_found_by_number() {
        let text = "root:x:0:\nbroken\ni2c:x:994:pi,fieldgate\n";
        assert_eq!([name_of(text, 994), name_of(text, 7)], ["i2c", "7"]);
        assert_eq!(names(text).count(), 2);
    }

    #[test]
    fn this_machine_answers() {
        let text = "[gateway]\nid = \"g\"\nstate_dir = \"/\"\n[mysql]\nservers = [\"a\"]\ndatabase = \"f\"\nuser = \"f\"\n\
                    [[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n[[serial]]\nport = \"/dev/none\"\nnode = \"m\"\n";
        let facts = Facts::gather(&Config::from_text(text, Path::new("f"), "g").unwrap());
        assert_eq!(facts.state_owner.map(|owner| owner.id), Some(0));
        assert!(facts.disk.is_some_and(|disk| disk.total > 0));
        assert_eq!(facts.devices.len(), 1);
        assert!(facts.devices[Path::new("/dev/null")].usable);
        assert!(!facts.user.groups.is_empty());
    }
}
