//! The command line of a member, and whose its files are.

use std::env;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::installed_program;
use crate::mariadb::{copy, run_to_its_end, server_command};

/// Root's rsync would serve a new member as somebody who may not read the files, so nothing of a member runs as root.
const USER: &str = "nobody";

/// A member like those that sites run; the settings that only replication by a binary log needs are off.
const SETTINGS: &[&str] = &[
    "--read-only=0",
    "--skip-log-bin",
    "--skip-log-slave-updates",
    "--gtid-strict-mode=OFF",
    "--innodb-autoinc-lock-mode=2",
    "--wsrep-on=ON",
    "--wsrep-cluster-name=rig",
    "--wsrep-sst-method=rsync",
];

/// What a server needs to be a member.
#[derive(Debug)]
pub(crate) struct Member {
    /// The folder with the library, the scripts and rsync.
    pub(super) programs: PathBuf,
    /// The addresses of all members: one that starts looks for the others there.
    pub(super) known: Vec<String>,
}

/// What a member is called in the cluster.
pub(super) fn name(id: u32) -> String {
    format!("member{id}")
}

impl Member {
    /// Copies the programs into the server's folder and hands that to whom the server runs as: it need not be able to
    /// read any other folder of ours.
    pub(crate) fn settle(&self, folder: &Path) {
        copy(&self.programs, &folder.join("galera"));
        if is_root() {
            let mut command = Command::new(installed_program("chown", "coreutils"));
            command.args(["--recursive", &format!("{USER}:")]).arg(folder);
            run_to_its_end("chown", &command, &folder.join("log"));
        }
    }

    /// A server with the rigs' settings that is a member of the cluster; where its files lie is still to be said.
    pub(crate) fn command(&self, id: u32, ip: Ipv4Addr, folder: &Path) -> Command {
        let programs = folder.join("galera");
        let mut command = as_user(server_command());
        command.args(SETTINGS).arg(format!("--wsrep-node-name={}", name(id)));
        command.arg(format!("--wsrep-provider={}", programs.join("lib/libgalera_smm.so").display()));
        command.arg(format!("--wsrep-cluster-address=gcomm://{}", self.known.join(",")));
        command.arg(format!("--wsrep-node-address={ip}")).arg(format!("--wsrep-sst-receive-address={ip}:4444"));
        command.arg(format!(
            "--wsrep-provider-options=gmcast.listen_addr=tcp://{ip}:4567;ist.recv_addr={ip}:4568;gcache.size=16M"
        ));
        command.env("PATH", path_with(&programs.join("bin"))).env("LD_LIBRARY_PATH", programs.join("lib"));
        command
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Changing the user makes the kernel forget that it is to end the server with us, so it is told again.
fn as_user(server: Command) -> Command {
    if !is_root() {
        return server;
    }
    let mut command = Command::new(installed_program("setpriv", "util-linux"));
    command.args(["--reuid", USER, "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL", "--"]);
    command.arg(server.get_program()).args(server.get_args());
    command
}

/// The scripts need programs of the system too.
fn path_with(folder: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders.chain(["/usr/sbin".into(), "/sbin".into()])).expect("folders without a colon")
}
