use super::super::machine::{Device, User};
use super::*;
use crate::disk::Disk;
use std::path::PathBuf;

const FILE: &str = r#"[gateway]
id = "g1"
state_dir = "/state"
[mysql]
servers = ["db1"]
database = "field"
user = "fieldgate"
password_file = "/etc/secret"
[[serial]]
port = "/dev/serial0"
node = "tank"
[[i2c]]
bus = "/dev/i2c-1"
nodes = [{ name = "shed", part = "bme280", address = 0x76 }]
[led]
line = 17
"#;

fn config() -> Config {
    Config::from_text(FILE, Path::new("f.toml"), "g1").unwrap()
}

fn device(real: &str, usable: bool) -> Device {
    Device { real: PathBuf::from(real), usable }
}

/// A Raspberry Pi on which everything is right.
fn pi() -> Facts {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<String>>();
    let devices = [
        (PathBuf::from("/dev/serial0"), device("/dev/ttyAMA0", true)),
        (PathBuf::from("/dev/i2c-1"), device("/dev/i2c-1", true)),
        (PathBuf::from("/dev/gpiochip0"), device("/dev/gpiochip0", true)),
    ];
    Facts {
        model: "Raspberry Pi 4 Model B Rev 1.5\0".to_owned(),
        command_line: "coherent_pool=1M console=tty1 root=PARTUUID=1-02\n".to_owned(),
        serial0: Some(PathBuf::from("/dev/ttyAMA0")),
        user: User { id: 1000, name: "pi".to_owned(), groups: names(&["pi", "i2c", "dialout", "gpio"]) },
        groups: names(&["root", "pi", "i2c", "dialout", "gpio"]),
        devices: devices.into(),
        modes: [(PathBuf::from("/etc/secret"), 0o100_600)].into(),
        state_owner: Some(Owner { id: 1000, name: "pi".to_owned() }),
        disk: Some(Disk { total: 32 << 30, free: 20 << 30 }),
        queue_bytes: 0,
    }
}

fn warned(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = pi();
    change(&mut facts);
    warnings(&config(), &facts)
}

fn refused(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = pi();
    change(&mut facts);
    problems(&config(), &facts).iter().map(ToString::to_string).collect()
}

#[test]
fn a_machine_on_which_everything_is_right_is_left_alone() {
    assert_eq!((warned(|_| {}), refused(|_| {})), (vec![], vec![]));
}

#[test]
fn a_bus_that_is_not_there_is_named_with_the_command_of_the_machine() {
    let gone = |facts: &mut Facts| drop(facts.devices.remove(Path::new("/dev/i2c-1")));
    let on_pi = warned(gone);
    assert_eq!(on_pi.len(), 1);
    assert!(on_pi[0].starts_with("/dev/i2c-1 is not there") && on_pi[0].ends_with("`raspi-config nonint do_i2c 0`"));
    let elsewhere = warned(|facts| {
        gone(facts);
        facts.model.clear();
    });
    assert!(elsewhere[0].ends_with("run `modprobe i2c-dev`"), "{elsewhere:?}");
}

#[test]
fn what_the_links_to_the_other_gateway_need_is_looked_at_too() {
    let standby = "[standby]\npriority = 1\nlinks = [{ kind = \"serial\", port = \"/dev/ttyS0\" }, \
                   { kind = \"i2c-mailbox\", bus = \"/dev/i2c-3\" }, { kind = \"i2c-mailbox\", bus = \"/dev/i2c-1\" }]\n";
    let with_key = |line: &str| format!("{line}\nwhile_standby = \"deliver\"");
    let file = FILE.replace("node = \"tank\"", &with_key("node = \"tank\""));
    let file = file.replace("bus = \"/dev/i2c-1\"", &with_key("bus = \"/dev/i2c-1\""));
    let config = Config::from_text(&(file + standby), Path::new("f.toml"), "g1").unwrap();
    let mut facts = pi();
    facts.command_line = "console=ttyS0".to_owned();
    facts.devices.insert(PathBuf::from("/dev/ttyS0"), device("/dev/ttyS0", true));
    let found = warnings(&config, &facts);
    assert_eq!(found.len(), 2, "each device once: {found:?}");
    assert!(
        found[0].starts_with("/dev/i2c-3 is not there") && found[1].starts_with("/dev/ttyS0 is the kernel's console")
    );
    facts.devices.clear();
    assert_eq!(warnings(&config, &facts).iter().filter(|warning| warning.contains("/dev/i2c-1 is")).count(), 1);
}

/// The warnings of one of two gateways, on a Raspberry Pi on which everything is right.
fn of_two(links: &str, turn: &str) -> Vec<String> {
    let with_key = |line: &str| format!("{line}\nwhile_standby = \"{turn}\"");
    let file = FILE.replace("node = \"tank\"", &with_key("node = \"tank\""));
    let file = file.replace("bus = \"/dev/i2c-1\"", &with_key("bus = \"/dev/i2c-1\""));
    let standby = format!("[standby]\npriority = 1\nlinks = [{links}]\n");
    let config = Config::from_text(&(file + &standby), Path::new("f.toml"), "g1").unwrap();
    let mut facts = pi();
    for port in ["/dev/ttyAMA0", "/dev/ttyS0"] {
        facts.devices.insert(PathBuf::from(port), device(port, true));
    }
    warnings(&config, &facts)
}

#[test]
fn links_that_fail_when_it_matters_are_named() {
    let (serial, udp) = ("{ kind = \"serial\", port = \"/dev/ttyS0\" }", "{ kind = \"udp\", peer = \"g2\" }");
    let alone = of_two(serial, "deliver");
    assert!(alone.len() == 1 && alone[0].contains("when it is cut both gateways become active"), "{alone:?}");
    assert_eq!(of_two(&format!("{serial}, {udp}"), "deliver"), Vec::<String>::new());
    let unplugged = of_two(&format!("{}, {udp}", serial.replace("ttyS0", "ttyUSB1")), "deliver");
    assert!(unplugged.len() == 1 && unplugged[0].starts_with("/dev/ttyUSB1 is not there"), "{unplugged:?}");
    assert!(unplugged[0].contains("`raspi-config nonint do_serial_hw 0`"), "{unplugged:?}");
    let mailbox = "{ kind = \"i2c-mailbox\", bus = \"/dev/i2c-1\" }";
    assert_eq!(of_two(mailbox, "deliver"), Vec::<String>::new());
    let shared = of_two(mailbox, "off");
    assert!(shared.len() == 1 && shared[0].starts_with("standby.links[0].bus: both gateways would"), "{shared:?}");
    let twice = of_two(&format!("{{ kind = \"serial\", port = \"/dev/ttyAMA0\" }}, {udp}"), "deliver");
    assert!(twice.len() == 1 && twice[0].starts_with("/dev/serial0 and /dev/ttyAMA0 are one port"), "{twice:?}");
}

#[test]
fn a_console_on_the_port_is_found_by_each_of_its_names() {
    for console in ["ttyAMA0,115200", "serial0,115200", "serial0", "ttyAMA0"] {
        let found = warned(|facts| facts.command_line = format!("console=tty1 console={console} quiet"));
        assert_eq!(found.len(), 1, "{console}: {found:?}");
        assert!(found[0].contains("/dev/serial0 is the kernel's console") && found[0].contains("do_serial_cons 1"));
    }
    for other in ["ttyS0,115200", "ttyAMA01", "tty1"] {
        assert_eq!(warned(|facts| facts.command_line = format!("console={other}")), Vec::<String>::new(), "{other}");
    }
    let elsewhere = warned(|facts| {
        facts.command_line = "console=ttyAMA0".to_owned();
        facts.model.clear();
    });
    assert!(elsewhere[0].contains("remove console=ttyAMA0 from the kernel's command line"), "{elsewhere:?}");
}

#[test]
fn a_group_is_asked_for_only_where_it_would_help() {
    let locked = |facts: &mut Facts| {
        facts.devices.values_mut().for_each(|device| device.usable = false);
        facts.user.groups.clear();
    };
    let found = warned(locked);
    assert_eq!(found.len(), 3);
    for (warning, group) in found.iter().zip(["i2c", "dialout", "gpio"]) {
        assert!(warning.contains(&format!("`usermod -aG {group} pi`")), "{warning}");
    }
    let quiet: [&dyn Fn(&mut Facts); 4] = [
        &|facts| facts.user.id = 0,
        &|facts| facts.groups.clear(),
        &|facts| facts.devices.values_mut().for_each(|device| device.usable = true),
        &|facts| facts.user.groups = facts.groups.clone(),
    ];
    for change in quiet {
        let found = warned(|facts| {
            locked(facts);
            change(facts);
        });
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn a_password_that_everybody_can_read_and_a_foreign_state_folder_are_problems_with_their_line() {
    let with_mode = |mode: u32| refused(|facts| facts.modes.values_mut().for_each(|found| *found = mode));
    let open = with_mode(0o100_644);
    assert_eq!(open.len(), 1);
    assert!(open[0].contains("mysql.password_file") && open[0].contains("(mode 644)"), "{open:?}");
    assert!(open[0].contains("`chmod 600 /etc/secret`"), "{open:?}");
    assert_eq!(with_mode(0o100_640), Vec::<String>::new());

    let foreign = |facts: &mut Facts| facts.state_owner = Some(Owner { id: 0, name: "root".to_owned() });
    let found = refused(foreign);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("belongs to the user root") && found[0].contains("`chown -R pi /state`"), "{found:?}");
    let administrator = refused(|facts| {
        foreign(facts);
        facts.user.id = 0;
    });
    assert_eq!(administrator, Vec::<String>::new());
}

fn with_queue(settings: &str, facts: &Facts) -> (Vec<String>, Vec<String>) {
    let text = format!("{FILE}[queue]\n{settings}\n");
    let config = Config::from_text(&text, Path::new("f.toml"), "g1").unwrap();
    (problems(&config, facts).iter().map(ToString::to_string).collect(), warnings(&config, facts))
}

#[test]
fn a_disk_that_cannot_hold_the_queue_with_its_files_and_the_reserve_is_a_problem() {
    let on = |total: u64| Facts { disk: Some(Disk { total, free: total }), ..pi() };
    let fits = (vec![], vec![]);
    assert_eq!(with_queue("max = \"10 GiB\"\nreserve = \"1 GiB\"", &on(24 << 30)), fits);
    let (refused, warned) = with_queue("max = \"10 GiB\"\nreserve = \"1 GiB\"", &on(23 << 30));
    assert_eq!((refused.len(), warned), (1, vec![]));
    let expected = "queue.max: 10.0 GiB of readings take up to 23.0 GiB in files, and 1.0 GiB stay free \
                    (queue.reserve), but the disk has 23.0 GiB in all; lower it to 9.5 GiB or less";
    assert!(refused[0].contains(expected), "{refused:?}");
    let (refused, _) = with_queue("reserve = \"16 GiB\"", &on(24 << 30));
    assert!(refused[0].contains("queue.reserve: ") && refused[0].contains("; lower it, or use"), "{refused:?}");
    assert_eq!(with_queue("", &on(1 << 20)), fits, "the defaults fit every disk");
}

#[test]
fn a_disk_that_others_have_filled_is_a_warning_and_what_the_queue_has_itself_counts_as_free() {
    let with = |free: u64, queue_bytes| Facts { disk: Some(Disk { total: 32 << 30, free }), queue_bytes, ..pi() };
    let (refused, warned) = with_queue("max = \"1 GiB\"", &with(2 << 30, 0));
    assert_eq!((refused, warned.len()), (vec![], 1));
    assert!(
        warned[0].starts_with("queue.max: 1.0 GiB of readings take up to 2.2 GiB in files, and 256.0 MiB"),
        "{warned:?}"
    );
    assert!(warned[0].contains("only 2.0 GiB are free for it"), "{warned:?}");
    assert_eq!(with_queue("max = \"1 GiB\"", &with(2 << 30, 1 << 30)), (vec![], vec![]));
    assert_eq!(with_queue("max = \"1 GiB\"", &Facts { disk: None, ..pi() }), (vec![], vec![]));
}
