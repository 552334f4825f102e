//! One server.

use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::client::{self, Layout, Row};
use super::launch::{command_of, copy, spawn, template_of};
use super::{DEADLINE, Family, PORT};
use crate::address::Address;
use crate::galera::Member;
use crate::process::{Process, wait_for};

/// A server with a folder and an address of its own. Dropping it kills it and removes the folder.
#[derive(Debug)]
pub struct Server {
    // Before the folder: it must have ended when the folder goes.
    process: Process,
    folder: TempDir,
    address: Address,
    id: u32,
    family: Family,
    member: Option<Member>,
}

impl Server {
    /// Starts a server with this `server_id` (distinct within a cluster) and more `mariadbd` arguments, which override
    /// the rig's, and waits until it answers.
    pub fn start_with(id: u32, arguments: &[&str]) -> Self {
        Self::start_of(Family::MariaDb, id, arguments)
    }

    /// The same of either family.
    pub fn start_of(family: Family, id: u32, arguments: &[&str]) -> Self {
        let mut server = Self::spawn(family, id, arguments);
        server.wait_until_ready();
        server
    }

    /// Starts a server without waiting.
    pub(super) fn spawn(family: Family, id: u32, arguments: &[&str]) -> Self {
        Self::spawn_at(Address::claim(), family, None, id, arguments)
    }

    /// Starts a member of a Galera cluster; returns when it has the cluster's data and is in step.
    pub(crate) fn start_member(id: u32, address: Address, member: Member, arguments: &[&str]) -> Self {
        let mut server = Self::spawn_at(address, Family::MariaDb, Some(member), id, arguments);
        server.wait_until_ready();
        server
    }

    fn spawn_at(address: Address, family: Family, member: Option<Member>, id: u32, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for a server");
        copy(&template_of(family), &folder.path().join("data"));
        if let Some(member) = &member {
            member.settle(folder.path());
        }
        let command = command(family, member.as_ref(), id, &address, folder.path());
        let process = spawn(family.server_name(), command, id, &address, folder.path(), arguments);
        Self { process, folder, address, id, family, member }
    }

    /// Returns when the server answers; panics with the end of its log when it has ended.
    pub(super) fn wait_until_ready(&mut self) {
        wait_for(&format!("{} {} to answer", self.family.server_name(), self.id), DEADLINE, || {
            self.process.assert_running();
            // Asking earlier would only cost a client.
            self.socket().exists() && self.try_query("SELECT 1").is_ok() && (self.member.is_none() || self.is_in_step())
        });
    }

    /// Where it listens, as `127.x.y.z:3306`.
    pub fn address(&self) -> SocketAddrV4 {
        self.address.port(PORT)
    }

    /// Its `server_id`.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The process id of the server.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The rows of an answer, or the server's complaint. As root, over the socket; 60 s at most.
    pub fn try_query(&self, sql: &str) -> Result<Vec<Row>, String> {
        client::run(self.family, &self.socket(), Layout::Rows, sql).map(|answer| client::rows(&answer))
    }

    /// The rows of an answer; panics with the server's complaint.
    pub fn query(&self, sql: &str) -> Vec<Row> {
        self.try_query(sql).unwrap_or_else(|complaint| self.refused(sql, &complaint))
    }

    /// Runs statements whose answer does not matter; panics with the server's complaint.
    pub fn execute(&self, sql: &str) {
        self.query(sql);
    }

    /// A column of `SHOW SLAVE STATUS` or `SHOW REPLICA STATUS`; `None` when no replication is configured.
    pub fn replication_status(&self, column: &str) -> Option<String> {
        let sql = format!("SHOW {} STATUS", self.family.replica());
        let answer = client::run(self.family, &self.socket(), Layout::Columns, &sql)
            .unwrap_or_else(|complaint| self.refused(&sql, &complaint));
        client::column(&answer, column)
    }

    /// SIGKILL, as the kernel short of memory or a power cut would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// SIGSTOP: connections stay open and silent.
    pub fn freeze(&mut self) {
        self.process.freeze();
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.process.thaw();
    }

    /// SIGTERM, an orderly end. Panics when it takes more than a minute.
    pub fn stop(&mut self) {
        assert!(self.process.stop(DEADLINE).is_some(), "{} {} did not stop", self.family.server_name(), self.id);
    }

    /// Starts a killed or stopped server again on its data and address, and first stops one that runs. The arguments
    /// of the earlier start are forgotten: without `super::WRITABLE` it comes back read-only.
    pub fn restart(&mut self, arguments: &[&str]) {
        if self.process.is_running() {
            self.stop();
        }
        // A killed one leaves it behind.
        let _ = fs::remove_file(self.socket());
        let folder = self.folder.path();
        let command = command(self.family, self.member.as_ref(), self.id, &self.address, folder);
        self.process = spawn(self.family.server_name(), command, self.id, &self.address, folder, arguments);
        self.wait_until_ready();
    }

    /// Whose server it is.
    pub fn family(&self) -> Family {
        self.family
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// The folder of its data and binary logs.
    pub(super) fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn refused(&self, sql: &str, complaint: &str) -> ! {
        panic!("{} {} at {}: {complaint}\nin: {sql}", self.family.server_name(), self.id, self.address())
    }
}

fn command(family: Family, member: Option<&Member>, id: u32, address: &Address, folder: &Path) -> Command {
    member.map_or_else(|| command_of(family), |member| member.command(id, address.ip(), folder))
}
