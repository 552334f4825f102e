//! What a machine still lacks for a configuration, pure: each with the command that mends it.

mod links;

use super::machine::{self, Facts, Owner};
use crate::disk::{Disk, file_bytes};
use crate::status::bytes;
use config::{Config, Problem};
use std::ffi::OsStr;
use std::path::Path;

/// What keeps the gateway from running safely, or from running at all.
pub fn problems(config: &Config, facts: &Facts) -> Vec<Problem> {
    let passwords =
        super::password_files(config).into_iter().filter_map(|(key, file)| open_to_all(config, facts, &key, file));
    passwords.chain(foreign_state(config, facts)).chain(small_disk(config, facts)).collect()
}

/// What keeps nodes or the other gateway from being heard, the LED from being lit or the queue from holding all it may; the gateway runs all the
/// same.
pub fn warnings(config: &Config, facts: &Facts) -> Vec<String> {
    let (buses, ports) = (machine::buses(config), machine::ports(config));
    let mut found: Vec<String> = buses.iter().filter_map(|bus| missing_bus(bus, facts)).collect();
    found.extend(ports.iter().filter_map(|port| console(port, facts)));
    found.extend(links::warnings(config, facts));
    found.extend(used_disk(config, facts));
    found.extend(missing_group("i2c", buses.into_iter(), facts));
    found.extend(missing_group("dialout", ports.into_iter(), facts));
    found.extend(missing_group("gpio", config.led.iter().map(|led| led.chip.as_path()), facts));
    found
}

fn open_to_all(config: &Config, facts: &Facts, key: &str, file: &Path) -> Option<Problem> {
    let mode = facts.modes.get(file).filter(|mode| **mode & 0o004 != 0)?;
    let what = format!("{} can be read by every user (mode {:o})", file.display(), mode & 0o777);
    Some(config.problem(key, &what, &format!("run `chmod 600 {}`", file.display())))
}

/// A folder of another user. The administrator may look at any, and is not asked.
fn foreign_state(config: &Config, facts: &Facts) -> Option<Problem> {
    let (folder, user) = (config.gateway.state_dir.display(), &facts.user);
    let Owner { name, .. } = facts.state_owner.as_ref().filter(|owner| user.id != 0 && owner.id != user.id)?;
    let what = format!("{folder} belongs to the user {name}, and {} cannot keep a queue there", user.name);
    let remedy = format!("run `chown -R {} {folder}`, or run fieldgate as {name}", user.name);
    Some(config.problem("gateway.state_dir", &what, &remedy))
}

/// A disk that can never hold what is configured.
fn small_disk(config: &Config, facts: &Facts) -> Option<Problem> {
    let disk = facts.disk?;
    let (max, reserve) = (disk.max_bytes(&config.queue), disk.reserve_bytes(&config.queue));
    if file_bytes(max).saturating_add(reserve) <= disk.total {
        return None;
    }
    let most = disk.total.saturating_sub(reserve) / 23 * 10;
    let what = format!("{}, but the disk has {} in all", wanted(config, disk), bytes(disk.total));
    let (key, remedy) = match config.queue.max_bytes {
        Some(_) => ("queue.max", format!("lower it to {} or less, or use a larger disk", bytes(most))),
        None => ("queue.reserve", "lower it, or use a larger disk".to_owned()),
    };
    Some(config.problem(key, &what, &remedy))
}

/// A disk that could hold it if it were not for the files of others.
fn used_disk(config: &Config, facts: &Facts) -> Option<String> {
    let disk = facts.disk.filter(|_| small_disk(config, facts).is_none())?;
    let needed = file_bytes(disk.max_bytes(&config.queue)).saturating_add(disk.reserve_bytes(&config.queue));
    let there = disk.free.saturating_add(facts.queue_bytes);
    (there < needed).then(|| {
        let (wanted, there) = (wanted(config, disk), bytes(there));
        format!("queue.max: {wanted}, but only {there} are free for it; the disk will be nearly full before the queue is: free some on the disk, or lower queue.max")
    })
}

fn wanted(config: &Config, disk: Disk) -> String {
    let max = disk.max_bytes(&config.queue);
    format!(
        "{} of readings take up to {} in files, and {} stay free (queue.reserve)",
        bytes(max),
        bytes(file_bytes(max)),
        bytes(disk.reserve_bytes(&config.queue))
    )
}

fn missing_bus(bus: &Path, facts: &Facts) -> Option<String> {
    if facts.devices.contains_key(bus) {
        return None;
    }
    let remedy = if facts.is_pi() { "raspi-config nonint do_i2c 0" } else { "modprobe i2c-dev" };
    Some(format!("{} is not there: I2C is switched off, or the bus has another number; run `{remedy}`", bus.display()))
}

/// The kernel writes its messages to the port, and a login waits there.
fn console(port: &Path, facts: &Facts) -> Option<String> {
    let real = facts.devices.get(port).map_or(port, |device| device.real.as_path());
    let console = consoles(&facts.command_line).find(|console| {
        let aliased = *console == "serial0" && facts.serial0.as_deref() == Some(real);
        aliased || [port, real].iter().any(|path| is_tty(path, console))
    })?;
    let remedy = if facts.is_pi() {
        "run `raspi-config nonint do_serial_cons 1` and restart the machine".to_owned()
    } else {
        format!("remove console={console} from the kernel's command line and restart the machine")
    };
    Some(format!("{} is the kernel's console too, which disturbs what comes over it; {remedy}", port.display()))
}

/// The names in `console=NAME` or `console=NAME,OPTIONS`.
fn consoles(command_line: &str) -> impl Iterator<Item = &str> {
    let values = command_line.split_whitespace().filter_map(|word| word.strip_prefix("console="));
    values.map(|value| value.split(',').next().unwrap_or(value))
}

fn is_tty(path: &Path, name: &str) -> bool {
    path.file_name() == Some(OsStr::new(name))
}

/// Asked only where it matters: whoever can use every device needs no group.
fn missing_group<'p>(group: &str, mut devices: impl Iterator<Item = &'p Path>, facts: &Facts) -> Option<String> {
    let user = &facts.user;
    let has = |groups: &[String]| groups.iter().any(|name| name == group);
    let needed = devices.any(|path| facts.devices.get(path).is_none_or(|device| !device.usable));
    if !needed || user.id == 0 || has(&user.groups) || !has(&facts.groups) {
        return None;
    }
    let name = &user.name;
    Some(format!("the user {name} is not in the group {group}; run `usermod -aG {group} {name}` and log in again"))
}

#[cfg(test)]
mod tests;
