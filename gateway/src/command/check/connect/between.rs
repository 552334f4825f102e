//! What is wrong between the servers. Pure.

use super::facts::{Finding, ServerFacts};
use crate::topology::View;
use std::collections::BTreeMap;

/// A server with what the choice of the source knows of it.
pub type Asked<'a> = (&'a View, &'a ServerFacts);

/// Everything that does not fit together. `all` has also the servers that do not answer.
pub fn findings(all: &[View], servers: &[Asked<'_>], source: Option<usize>) -> Vec<Finding> {
    let mut found = same_ids(servers);
    found.extend(families(servers));
    found.extend(packets(servers, source));
    found.extend(strangers(all, servers));
    found.extend(uncounted(servers, source));
    found
}

/// One number for two servers breaks replication; two names for one server make the queue wait for the same server twice.
fn same_ids(servers: &[Asked<'_>]) -> Vec<Finding> {
    let mut first: BTreeMap<u64, &Asked<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for server in servers {
        let Some(facts) = server.0.facts() else { continue };
        let name = server.1.name.as_str();
        if facts.server_id == 0 && servers.len() > 1 {
            let free = free_id(servers);
            let what = "server_id is 0, so it can neither follow a server nor be followed";
            found.push(Finding::problem(name, what, id_mend(free)));
            continue;
        }
        let Some(earlier) = first.insert(facts.server_id, server) else { continue };
        let other = &earlier.1.name;
        // Two servers on one machine may share all but their folders.
        let same_folder = earlier.1.variable("datadir") == server.1.variable("datadir");
        if same_folder && earlier.0.facts().is_some_and(|earlier| earlier.identity == facts.identity) {
            let what = format!("is the same server as {other} ({})", facts.identity);
            found.push(Finding::problem(name, what, "remove one of the two from mysql.servers"));
        } else {
            let what = format!("has the server_id {} of {other}: replication between them breaks", facts.server_id);
            found.push(Finding::problem(name, what, id_mend(free_id(servers))));
        }
    }
    found
}

fn free_id(servers: &[Asked<'_>]) -> u64 {
    let used = servers.iter().filter_map(|(view, _)| Some(view.facts()?.server_id));
    used.max().unwrap_or(0).saturating_add(1)
}

fn id_mend(free: u64) -> String {
    format!("SET GLOBAL server_id = {free}; and the same in its configuration")
}

fn families(servers: &[Asked<'_>]) -> Option<Finding> {
    let (_, first) = servers.first()?;
    let (_, other) = servers.iter().find(|(_, facts)| facts.is_mariadb != first.is_mariadb)?;
    let what =
        format!("is {}, and {} is {}: they do not replicate with each other", other.version, first.name, first.version);
    Some(Finding::problem(&other.name, what, "use MariaDB on all of them, or MySQL on all"))
}

fn packets(servers: &[Asked<'_>], source: Option<usize>) -> Vec<Finding> {
    let bytes = |facts: &ServerFacts| facts.number("max_allowed_packet");
    let Some((_, source)) = source.and_then(|index| servers.get(index)) else { return Vec::new() };
    let Some(wanted) = bytes(source) else { return Vec::new() };
    let smaller = servers.iter().filter(|(_, facts)| bytes(facts).is_some_and(|found| found < wanted));
    smaller
        .map(|(_, facts)| {
            let what = format!(
                "max_allowed_packet is {}, less than the {wanted} of {}: after a failover it may refuse what was accepted there",
                facts.variable("max_allowed_packet"),
                source.name
            );
            let mend = format!("SET GLOBAL max_allowed_packet = {wanted}; and the same in its configuration");
            Finding::warning(&facts.name, what, mend)
        })
        .collect()
}

/// Servers that are followed and not configured: by name, and where the names differ by server_id.
fn strangers(all: &[View], servers: &[Asked<'_>]) -> Vec<Finding> {
    let is_known = |upstream: &str, id: u64| {
        let by_id = |view: &View| id != 0 && view.facts().is_some_and(|facts| facts.server_id == id);
        all.iter().any(|view| view.name == upstream || by_id(view))
    };
    let mut found = Vec::new();
    for (view, server) in servers {
        let upstreams = view.facts().into_iter().flat_map(|facts| &facts.replication);
        for replication in upstreams.filter(|one| !is_known(&one.upstream, one.upstream_id)) {
            let what = format!("follows {}, which is not in mysql.servers", replication.upstream);
            let mend = format!(
                "add \"{}\" to mysql.servers, under the address at which this machine reaches it",
                replication.upstream
            );
            found.push(Finding::warning(&server.name, what, mend));
        }
    }
    found
}

/// More replicas are connected to the source than are configured: one of them may be promoted without our looking at it.
fn uncounted(servers: &[Asked<'_>], source: Option<usize>) -> Option<Finding> {
    let (view, facts) = servers.get(source?)?;
    let (id, connected) = (view.facts()?.server_id, facts.replicas_connected?);
    let follows = |view: &View| {
        view.facts().is_some_and(|facts| facts.replication.iter().any(|one| one.upstream_id == id && one.receiving))
    };
    let configured = u64::try_from(servers.iter().filter(|(view, _)| follows(view)).count()).unwrap_or(u64::MAX);
    let what = format!(
        "{connected} replicas are connected to it, and {configured} of the configured servers follow it: readings may leave the queue before the others have them"
    );
    let mend = "add every replica that may be promoted to mysql.servers";
    (connected > configured).then(|| Finding::warning(&facts.name, what, mend))
}
