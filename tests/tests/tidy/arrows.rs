//! Which of our crates may use which: the arrows of ARCHITECTURE.md, read from the manifests.

use std::process::Command;

use serde_json::Value;

use crate::files::{assert_none, top};

/// A folder, and the folders whose crates it may use.
const ARROWS: [(&str, &[&str]); 5] = [
    ("config", &[]),
    ("queue", &[]),
    ("sensors", &["config"]),
    ("gateway", &["config", "sensors", "queue"]),
    ("tests", &["config", "sensors", "queue", "gateway"]),
];

/// One crate of ours uses another one; both as folders.
struct Arrow {
    from: String,
    to: String,
}

fn breaches(arrows: &[Arrow]) -> Vec<String> {
    arrows
        .iter()
        .filter(|arrow| !is_allowed(arrow))
        .map(|Arrow { from, to }| format!("{from}/Cargo.toml: {from} must not use {to} (the arrows, ARCHITECTURE.md)"))
        .collect()
}

fn is_allowed(arrow: &Arrow) -> bool {
    ARROWS.iter().any(|(from, to)| *from == arrow.from && to.contains(&arrow.to.as_str()))
}

fn workspace() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--no-deps", "--format-version", "1"])
        .current_dir(top())
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {complaint}");
    serde_json::from_slice(&output.stdout).expect("cargo's own format")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The last part of a folder's path.
fn folder_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The folder of a package's manifest.
fn folder(package: &Value) -> String {
    let manifest = package["manifest_path"].as_str().expect("cargo names it");
    folder_name(manifest.trim_end_matches("/Cargo.toml"))
}

/// Dependencies of every kind that are folders, not packages of a registry.
fn arrows(package: &Value) -> impl Iterator<Item = Arrow> {
    let from = folder(package);
    list(package, "dependencies")
        .iter()
        .filter_map(|dependency| dependency["path"].as_str())
        .map(move |path| Arrow { from: from.clone(), to: folder_name(path) })
}

#[test]
fn the_manifests_keep_the_arrows() {
    let workspace = workspace();
    let packages = list(&workspace, "packages");
    let arrows: Vec<_> = packages.iter().flat_map(arrows).collect();
    assert!(
        arrows.iter().any(|arrow| arrow.from == "gateway" && arrow.to == "queue"),
        "the manifests were not read: gateway uses queue"
    );
    assert_none(&breaches(&arrows));
}

#[test]
fn every_crate_is_in_the_table() {
    let workspace = workspace();
    let mut folders: Vec<_> = list(&workspace, "packages").iter().map(folder).collect();
    let mut known: Vec<_> = ARROWS.iter().map(|(folder, _)| folder.to_string()).collect();
    folders.sort();
    known.sort();
    assert_eq!(folders, known, "tests/tests/tidy/arrows.rs must say what each crate may use");
}

#[test]
fn an_arrow_against_the_direction_is_named() {
    let arrow = |from: &str, to: &str| Arrow { from: from.to_owned(), to: to.to_owned() };
    assert!(breaches(&[arrow("sensors", "config")]).is_empty());
    let found = breaches(&[arrow("queue", "config"), arrow("sensors", "gateway")]);
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("queue/Cargo.toml") && found[0].contains("must not use config"));
}
