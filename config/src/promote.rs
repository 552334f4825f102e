//! `[mysql.promote]`: what fieldgate needs to let another server take writes.

use std::path::PathBuf;
use std::time::Duration;

use crate::mysql::{Failover, MAX_USER_CHARS};
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{absolute_path, duration, text};

const LEAST_GRACE: Duration = Duration::from_secs(1);
const MOST_GRACE: Duration = Duration::from_secs(3600);
const MOST_COOLDOWN: Duration = Duration::from_secs(365 * 24 * 3600);

/// The account and the times of a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promote {
    /// Name of the account that may stop replication and open servers for writes: 1 to 80 characters.
    pub user: String,
    /// Absolute path of the file with its password; this crate does not read it.
    pub password_file: Option<PathBuf>,
    /// For how long no server must have taken writes; 1 s to 1 h. Default: 30 s.
    pub grace: Duration,
    /// How long after one failover there is no other; 0 s to 365 days. Default: 1 h.
    pub cooldown: Duration,
    /// With which account a server that has followed nobody begins to follow the source. None: it does not.
    pub replication: Option<Replication>,
}

/// The account that replicas log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// Its name: 1 to 80 characters.
    pub user: String,
    /// Absolute path of the file with its password; this crate does not read it.
    pub password_file: Option<PathBuf>,
}

/// Reads the section, or none where the file has none. The outer one is none when it cannot be read.
pub(crate) fn read(mysql: &mut Section<'_, '_>, failover: Failover) -> Option<Option<Promote>> {
    let is_needed = failover == Failover::Promote;
    if is_needed {
        mysql.demand("promote", "add a section [mysql.promote] with user = \"fieldgate_promote\"");
    }
    match mysql.value("promote") {
        None => (!is_needed).then_some(None),
        Some(_) => mysql.section("promote", read_section).flatten().map(Some),
    }
}

fn read_section(section: &mut Section<'_, '_>) -> Option<Promote> {
    let user = section.required("user", "\"fieldgate_promote\"", text(MAX_USER_CHARS));
    Some(Promote {
        password_file: section.optional("password_file", absolute_path),
        grace: section.or("grace", Duration::from_secs(30), duration(LEAST_GRACE..=MOST_GRACE)),
        cooldown: section.or("cooldown", Duration::from_secs(3600), duration(Duration::ZERO..=MOST_COOLDOWN)),
        replication: replication(section),
        user: user?,
    })
}

fn replication(section: &mut Section<'_, '_>) -> Option<Replication> {
    let password_file = section.optional("replication_password_file", absolute_path);
    let user = section.optional("replication_user", text(MAX_USER_CHARS));
    if user.is_none() && password_file.is_some() {
        let remedy = "add replication_user, or remove replication_password_file";
        section.add("replication_password_file", ValueError::new("is given without replication_user", remedy));
    }
    Some(Replication { user: user?, password_file })
}
