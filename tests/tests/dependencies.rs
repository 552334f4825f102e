//! The dependency policy of deny.toml, held where cargo-deny is not installed: licences, bans and sources of everything
//! in Cargo.lock. Advisories need their database and are left to cargo-deny.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

/// How cargo writes the source of a package from crates.io.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Policy {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

/// What one package may have besides.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn policy() -> Policy {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml at the top");
    toml::from_str(&text).expect("deny.toml, as cargo-deny reads it")
}

fn metadata() -> Metadata {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {complaint}");
    serde_json::from_slice(&output.stdout).expect("cargo's own format")
}

/// Every breach of the policy, as a sentence each.
fn breaches(policy: &Policy, metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in &metadata.packages {
        let ours = metadata.workspace_members.contains(&package.id);
        let problems = [
            license_problem(&policy.licenses, package),
            ban_problem(&policy.bans.deny, package),
            source_problem(package, ours),
        ];
        let sentence = |problem| format!("{} {}: {problem}", package.name, package.version);
        found.extend(problems.into_iter().flatten().map(sentence));
    }
    found
}

fn license_problem(policy: &Licenses, package: &Package) -> Option<String> {
    let Some(text) = &package.license else {
        return Some("names no licence".to_owned());
    };
    let expression = match Expression::parse_mode(text, ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("licence `{text}` is not SPDX: {}", error.reason)),
    };
    let excepted = policy.exceptions.iter().filter(|exception| exception.name == package.name);
    let names = policy.allow.iter().chain(excepted.flat_map(|exception| &exception.allow));
    let allowed: Vec<_> = names.map(|name| licensee(name)).collect();
    let is_allowed = expression.evaluate(|asked| allowed.iter().any(|have| have.satisfies(asked)));
    (!is_allowed).then(|| format!("licence `{text}` is not allowed by deny.toml [licenses]"))
}

fn licensee(name: &str) -> Licensee {
    Licensee::parse(name).unwrap_or_else(|e| panic!("deny.toml [licenses] allow, `{name}`: {e}"))
}

fn ban_problem(bans: &[Ban], package: &Package) -> Option<String> {
    let ban = bans.iter().find(|ban| ban.name == package.name)?;
    Some(format!("banned by deny.toml [bans]: {}", ban.reason))
}

fn source_problem(package: &Package, ours: bool) -> Option<String> {
    match package.source.as_deref() {
        Some(CRATES_IO) => None,
        None if ours => None,
        Some(source) => Some(format!("comes from {source}, not from crates.io")),
        None => Some("comes from a folder that is not in the workspace".to_owned()),
    }
}

#[test]
fn every_package_keeps_the_policy() {
    let metadata = metadata();
    let count = metadata.packages.len();
    assert!(count > 50, "cargo metadata named {count} packages: too few to be all");
    let found = breaches(&policy(), &metadata);
    assert!(found.is_empty(), "Cargo.lock:\n{}", found.join("\n"));
}

/// What the policy of deny.toml says to one package that is not ours.
fn said(change: impl FnOnce(&mut Package)) -> Vec<String> {
    let mut package = Package {
        id: "some".to_owned(),
        name: "some".to_owned(),
        version: "1.2.3".to_owned(),
        license: Some("MIT".to_owned()),
        source: Some(CRATES_IO.to_owned()),
    };
    change(&mut package);
    let metadata = Metadata { packages: vec![package], workspace_members: vec![] };
    breaches(&policy(), &metadata)
}

#[track_caller]
fn assert_said(found: &[String], words: &str) {
    assert!(matches!(found, [one] if one.contains(words)), "no `{words}` alone in {found:?}");
}

#[test]
fn a_banned_package_is_named_with_the_reason() {
    let found = said(|package| package.name = "openssl-sys".to_owned());
    assert_said(&found, "openssl-sys 1.2.3: banned by deny.toml [bans]");
    assert_said(&found, "rustls with ring");
}

#[test]
fn a_licence_must_be_satisfied_by_the_allowed_ones() {
    let with = |text: &str| said(|package| package.license = Some(text.to_owned()));
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT OR GPL-3.0-only) AND Unicode-3.0"] {
        assert!(with(good).is_empty(), "{good} was refused");
    }
    for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0 WITH LLVM-exception"] {
        assert_said(&with(bad), "is not allowed");
    }
    assert_said(&with("whatever"), "is not SPDX");
    assert_said(&said(|package| package.license = None), "names no licence");
}

#[test]
fn an_exception_is_for_its_package_alone() {
    let with = |name: &str| {
        said(|package| {
            package.name = name.to_owned();
            package.license = Some("MPL-2.0".to_owned());
        })
    };
    assert!(with("serialport").is_empty());
    assert_said(&with("some"), "is not allowed");
}

#[test]
fn only_crates_io_and_the_workspace_are_sources() {
    let from = |source: Option<&str>| said(|package| package.source = source.map(str::to_owned));
    assert!(from(Some(CRATES_IO)).is_empty());
    assert_said(&from(Some("git+https://example.org/some")), "not from crates.io");
    assert_said(&from(None), "not in the workspace");
}
