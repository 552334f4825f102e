//! What `fieldgate check` finds on the machine itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::gateway::Gateway;

const BUS: &str = r#"[[i2c]]
bus = "/dev/i2c-of-no-machine"
nodes = [{ name = "shed", part = "bme280", address = 0x76 }]
"#;

const SERIAL: &str = "[[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n";

/// Exit code, and what was printed and complained of.
fn check(gateway: &Gateway) -> (Option<i32>, String, String) {
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    let output = command.arg("check").arg(gateway.config_file()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_file_of_roots_that_is_not_there_is_a_problem_and_routes_are_shown() {
    let route = "[[routes]]\ntable = \"a.b\"\ncolumns = { x = \"{value}\" }\n";
    let builder = || Gateway::named("g1").servers(["127.0.0.1:1"]).toml(BUS).toml(route);
    let (code, said, _) = check(&builder().build());
    assert_eq!(code, Some(0));
    assert!(said.contains("writes what takes the route a.b to the table a.b as well"), "{said}");
    let gateway = builder().set("mysql", "tls", "verify").set("mysql", "ca_file", "/no/such/root.pem").build();
    let (code, _, complaint) = check(&gateway);
    assert_eq!(code, Some(78));
    assert!(complaint.contains("mysql.ca_file: is /no/such/root.pem, which cannot be read"), "{complaint}");
}

#[test]
fn a_missing_bus_is_a_warning_and_an_open_password_file_a_problem() {
    let gateway = Gateway::named("g1").servers(["127.0.0.1:1"]).toml(BUS).build();
    let (code, said, _) = check(&gateway);
    assert_eq!(code, Some(0), "{said}");
    let warning = said.lines().find(|line| line.starts_with("warning: /dev/i2c-of-no-machine is not there"));
    assert!(warning.is_some_and(|line| line.contains("; run `")), "{said}");

    let password = gateway.config_file().with_file_name("password");
    fs::set_permissions(&password, Permissions::from_mode(0o644)).unwrap();
    let (code, said, complaint) = check(&gateway);
    assert_eq!((code, said.as_str()), (Some(78), ""));
    let remedy = format!("can be read by every user (mode 644); run `chmod 600 {}`", password.display());
    assert!(complaint.contains("mysql.password_file: ") && complaint.contains(&remedy), "{complaint}");
}

#[test]
fn servers_that_are_too_few_for_a_promotion_are_a_warning_with_what_to_do() {
    let with = |servers: &[&str]| check(&Gateway::named("g1").servers(servers).toml(SERIAL).promote("1 s").build());
    let (code, said, _) = with(&["127.0.0.1:1", "127.0.0.2:1"]);
    assert_eq!(code, Some(0), "{said}");
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("; add a third server, which may be a second replica"),
        "{said}"
    );
    let (code, said, _) = with(&["127.0.0.1:1", "127.0.0.2:1", "127.0.0.3:1"]);
    assert!(code == Some(0) && !said.contains("warning: "), "{said}");
}
