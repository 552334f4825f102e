//! What only MySQL is asked, and how: the words that version 8.0.26 and all later ones know.

use super::{Named, error_of, has_filters, text_of};
use crate::database::{Cell, DbError, Session};
use crate::topology::{ClusterMember, Replication};

/// The server's own identity moves with its files, whatever host and address they are on.
pub const IDENTITY: &str = "SELECT @@global.server_id, CONCAT('server_uuid ', @@global.server_uuid), \
    @@global.innodb_flush_log_at_trx_commit, @@global.log_bin, @@global.sync_binlog";

/// With the sets of what it has executed.
pub const BINARY_LOG: &str =
    "SELECT @@global.log_bin, @@global.binlog_format, @@global.server_uuid, @@global.gtid_executed";
/// How read_only came to be what it is.
pub const READ_ONLY_ORIGIN: &str =
    "SELECT variable_source FROM performance_schema.variables_info WHERE variable_name = 'read_only'";
/// A group's own channels say nothing of whom a member follows.
const GROUP_CHANNELS: &str = "group_replication_";

/// Every replication channel, with the filters of each. Needs the right REPLICATION CLIENT.
pub async fn replication(session: &mut Session) -> Result<Vec<Replication>, DbError> {
    let rows = session.ask_named("SHOW REPLICA STATUS").await?;
    let mut channels = Vec::new();
    for row in rows.iter().filter(|row| !text_of(row, "Channel_Name").starts_with(GROUP_CHANNELS)) {
        channels.push(Replication { applied_all: has_applied_all(session, row).await?, ..channel(row) });
    }
    Ok(channels)
}

/// With automatic positions by the transactions themselves: several appliers write down positions now and then only. What
/// was received is taken first, so an answer of 1 is true of it also when more has arrived since.
async fn has_applied_all(session: &mut Session, row: &Named) -> Result<bool, DbError> {
    if text_of(row, "Auto_Position") != "1" {
        let same = |one, other| text_of(row, one) == text_of(row, other);
        return Ok(
            same("Read_Source_Log_Pos", "Exec_Source_Log_Pos") && same("Source_Log_File", "Relay_Source_Log_File")
        );
    }
    let received = text_of(row, "Retrieved_Gtid_Set");
    let sql = "SELECT GTID_SUBSET(?, @@global.gtid_executed)";
    let answer = session.ask_with(sql, vec![Cell::text(received)]).await?;
    Ok(answer.first().and_then(|row| row.first()?.as_u64()) == Some(1))
}

fn channel(row: &Named) -> Replication {
    let text = |name: &str| text_of(row, name);
    Replication {
        upstream: format!("{}:{}", text("Source_Host"), text("Source_Port")),
        upstream_id: text("Source_Server_Id").parse().unwrap_or(0),
        channel: text("Channel_Name"),
        receiving: text("Replica_IO_Running") != "No",
        connected: text("Replica_IO_Running") == "Yes",
        by_gtid: text("Auto_Position") == "1",
        applying: text("Replica_SQL_Running") != "No",
        applied_all: false,
        delay_s: text("SQL_Delay").parse().unwrap_or(0),
        filtered: has_filters(row),
        receive_error: error_of(row, "IO"),
        apply_error: error_of(row, "SQL"),
        received: text("Retrieved_Gtid_Set"),
    }
}

/// Whether it belongs to a replication group, and is in step with it. The question for members needs a right on their
/// table, so it is asked only where group replication runs; there, without the right, the error names it.
pub async fn cluster(session: &mut Session) -> Result<Option<ClusterMember>, DbError> {
    let sql = "SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'group_replication' \
               AND plugin_status = 'ACTIVE'";
    if session.ask(sql).await?.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT @@global.group_replication_group_name, member_state, member_role FROM performance_schema.replication_group_members \
               WHERE member_id = @@global.server_uuid";
    let rows = session.ask(sql).await?;
    let texts: Vec<String> = rows.first().into_iter().flatten().filter_map(Cell::as_text).collect();
    Ok(match texts.as_slice() {
        [group, state, role] => member(group, state, role),
        _ => None,
    })
}

/// A server that has left its group, or was never in one, is `OFFLINE` and one by itself.
fn member(group: &str, state: &str, role: &str) -> Option<ClusterMember> {
    let text = if role.is_empty() { format!("group: {state}") } else { format!("group: {state} {role}") };
    (state != "OFFLINE").then(|| ClusterMember { uuid: group.to_owned(), synced: state == "ONLINE", state: text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_online_member_is_synced() {
        let said = |state| member("g", state, "PRIMARY").map(|member| member.synced);
        assert_eq!(said("ONLINE"), Some(true));
        assert_eq!(said("RECOVERING"), Some(false));
        assert_eq!(said("UNREACHABLE"), Some(false));
        assert_eq!(said("ERROR"), Some(false));
        assert_eq!(said("OFFLINE"), None);
        assert_eq!(member("g", "ONLINE", "SECONDARY").unwrap().state, "group: ONLINE SECONDARY");
    }
}
