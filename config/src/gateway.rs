//! `[gateway]`: who this machine is.

use std::path::PathBuf;

use crate::node::{GatewayId, Site};
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{absolute_path, parsed};

const STATE_DIR: &str = "/var/lib/fieldgate";

/// Who this gateway is, and where it keeps what it must not forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// This machine among all gateways that write into the database. Default: the host name.
    pub id: GatewayId,
    /// The place; rows and views are keyed by it. Default: as `id`.
    pub site: Site,
    /// Folder of the queue, an absolute path. Default: `/var/lib/fieldgate`.
    pub state_dir: PathBuf,
}

pub(crate) fn read(section: &mut Section<'_, '_>, host_name: &str) -> Option<Gateway> {
    let id = section.optional("id", parsed(GatewayId::new)).or_else(|| id_of_host(section, host_name));
    let site = section.optional("site", parsed(Site::new));
    let state_dir = section.or("state_dir", PathBuf::from(STATE_DIR), absolute_path);
    let id = id?;
    Some(Gateway { site: site.unwrap_or_else(|| Site::from(&id)), id, state_dir })
}

/// The default id. Only a host name that is needed has to be a good one.
fn id_of_host(section: &mut Section<'_, '_>, host_name: &str) -> Option<GatewayId> {
    if section.has("id") {
        return None;
    }
    let unusable = |error| {
        let what = format!("is not given, and the host name {host_name:?} {}", ValueError::from(error).what);
        ValueError::new(what, "add id = \"barn-1\" or another name")
    };
    GatewayId::new(host_name).map_err(|error| section.add("id", unusable(error))).ok()
}
