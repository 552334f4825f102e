//! What only MariaDB is asked, and how.

use super::{Named, error_of, has_filters, text_of};
use crate::database::{DbError, Session};
use crate::topology::gtid::reaches;
use crate::topology::{ClusterMember, Replication};

/// There is no identity of the server's own that a copy of its files would not share: `server_uid` is made from the
/// machine. The host name is the machine's, not the address, so it stays when an address moves.
pub const IDENTITY: &str = "SELECT @@global.server_id, \
    CONCAT('server_id ', @@global.server_id, ' on ', @@hostname, ':', @@port), \
    @@global.innodb_flush_log_at_trx_commit, @@global.log_bin, @@global.sync_binlog";

/// With the last number per domain and server of what it has executed. One that was made from a dump has nothing in its
/// binary log at first, and knows its position all the same.
pub const BINARY_LOG: &str = "SELECT @@global.log_bin, @@global.binlog_format, @@global.server_id, \
    COALESCE(NULLIF(@@global.gtid_binlog_state, ''), @@global.gtid_slave_pos)";

/// How read_only came to be what it is.
pub const READ_ONLY_ORIGIN: &str =
    "SELECT global_value_origin FROM information_schema.system_variables WHERE variable_name = 'READ_ONLY'";

/// Every replication channel. Needs the right SLAVE MONITOR.
pub async fn replication(session: &mut Session) -> Result<Vec<Replication>, DbError> {
    Ok(session.ask_named("SHOW ALL SLAVES STATUS").await?.iter().map(channel).collect())
}

fn channel(row: &Named) -> Replication {
    let text = |name: &str| text_of(row, name);
    Replication {
        upstream: format!("{}:{}", text("Master_Host"), text("Master_Port")),
        upstream_id: text("Master_Server_Id").parse().unwrap_or(0),
        channel: text("Connection_name"),
        receiving: text("Slave_IO_Running") != "No",
        connected: text("Slave_IO_Running") == "Yes",
        by_gtid: !matches!(text("Using_Gtid").as_str(), "" | "No"),
        applying: text("Slave_SQL_Running") != "No",
        applied_all: has_applied_all(row),
        delay_s: text("SQL_Delay").parse().unwrap_or(0),
        filtered: has_filters(row),
        receive_error: error_of(row, "IO"),
        apply_error: error_of(row, "SQL"),
        received: text("Gtid_IO_Pos"),
    }
}

/// By GTIDs, where it goes by them: what was received of a transaction when its source died counts among the positions of the
/// file, and never is applied.
fn has_applied_all(row: &Named) -> bool {
    let (received, applied) = (text_of(row, "Gtid_IO_Pos"), text_of(row, "Gtid_Slave_Pos"));
    if !matches!(text_of(row, "Using_Gtid").as_str(), "" | "No") && !received.is_empty() {
        return reaches(&applied, &received);
    }
    text_of(row, "Read_Master_Log_Pos") == text_of(row, "Exec_Master_Log_Pos")
        && text_of(row, "Master_Log_File") == text_of(row, "Relay_Master_Log_File")
}

/// Whether it belongs to a Galera cluster, and is in step with it. A build without Galera has no such variable.
pub async fn cluster(session: &mut Session) -> Result<Option<ClusterMember>, DbError> {
    let is_on = session.ask("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'").await?;
    if is_on.first().and_then(|row| row.get(1)?.as_text()).as_deref() != Some("ON") {
        return Ok(None);
    }
    let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN \
               ('wsrep_cluster_state_uuid', 'wsrep_cluster_status', 'wsrep_local_state_comment', 'wsrep_ready')";
    let rows = session.ask(sql).await?;
    let values = rows.iter().filter_map(|row| Some((row.first()?.as_text()?, row.get(1)?.as_text()?)));
    Ok(Some(member(values)))
}

/// From the status variables, by their names.
fn member(values: impl Iterator<Item = (String, String)>) -> ClusterMember {
    let (mut uuid, mut status, mut state, mut ready) = Default::default();
    for (name, value) in values {
        match name.as_str() {
            "wsrep_cluster_state_uuid" => uuid = value,
            "wsrep_cluster_status" => status = value,
            "wsrep_local_state_comment" => state = value,
            "wsrep_ready" => ready = value,
            _ => {}
        }
    }
    let synced = status == "Primary" && state == "Synced" && ready == "ON";
    ClusterMember { uuid, synced, state: format!("Galera: {state}, {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_was_received_in_part_is_not_waited_for() {
        let row = |using: &str, received: &str, applied: &str| {
            let columns = [
                ("Using_Gtid", using),
                ("Gtid_IO_Pos", received),
                ("Gtid_Slave_Pos", applied),
                ("Read_Master_Log_Pos", "900"),
                ("Exec_Master_Log_Pos", "700"),
            ];
            columns.map(|(name, value)| (name.to_owned(), crate::database::Cell::text(value))).into_iter().collect()
        };
        assert!(has_applied_all(&row("Slave_Pos", "0-1-100", "0-1-100")));
        assert!(has_applied_all(&row("Slave_Pos", "0-1-100", "0-2-101,5-1-3")), "it has gone on since");
        assert!(!has_applied_all(&row("Slave_Pos", "0-1-100", "0-1-99")));
        assert!(!has_applied_all(&row("Slave_Pos", "0-1-100,5-1-4", "0-1-100,5-1-3")), "of another domain");
        assert!(!has_applied_all(&row("Slave_Pos", "", "0-1-100")) && !has_applied_all(&row("No", "0-1-1", "0-1-1")));
    }

    #[test]
    fn only_a_ready_and_synced_node_of_the_primary_part_is_synced() {
        let said = |status: &str, state: &str, ready: &str| {
            let values = [
                ("wsrep_cluster_state_uuid", "u"),
                ("wsrep_cluster_status", status),
                ("wsrep_local_state_comment", state),
                ("wsrep_ready", ready),
            ];
            member(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter())
        };
        let good = ClusterMember { uuid: "u".to_owned(), synced: true, state: "Galera: Synced, Primary".to_owned() };
        assert_eq!(said("Primary", "Synced", "ON"), good);
        assert!(!said("non-Primary", "Synced", "ON").synced);
        assert!(!said("Primary", "Donor/Desynced", "ON").synced);
        assert!(!said("Primary", "Synced", "OFF").synced);
        assert!(!member(std::iter::empty()).synced);
    }
}
