//! A gateway with readings that wait, and what the commands say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::scenario::{DEADLINE, Scene};

/// Readings of a scene.
pub const READINGS: u64 = 50;

/// A gateway `g1` that has stopped, with readings that no server has; the servers take writes again.
pub fn stopped_with_readings() -> Scene {
    let mut scene = Scene::start_with(1, |settings| settings);
    hold_readings(&mut scene);
    assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    scene.cluster.source().set_read_only(false);
    scene
}

/// Lets the gateway collect while no server takes writes.
pub fn hold_readings(scene: &mut Scene) {
    scene.cluster.source().set_read_only(true);
    scene.gateway.wait_log("no server takes writes", DEADLINE);
    scene.publish_lines("plants/shed", (0..READINGS).map(|seq| format!("{{\"seq\": {seq}, \"t\": {seq}.5}}")));
    scene.wait_queued(READINGS);
}

/// Another gateway of the site, which hears nothing itself; not started.
pub fn other_gateway(scene: &Scene) -> Gateway {
    let settings = Gateway::named("g2").servers(scene.cluster.addresses()).broker(scene.broker.address());
    settings.topics(&["elsewhere/{node}"]).set("mysql", "probe_period", "200 ms").build()
}

/// What a command prints, when it ends with this exit code.
pub fn said(gateway: &Gateway, code: i32, arguments: &[&str]) -> String {
    let output = gateway.command(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{error}");
    format!("{out}{error}")
}

/// A path as an argument.
pub fn argument(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

/// Every file of a folder with what it holds.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.is_file() {
            found.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    found
}
