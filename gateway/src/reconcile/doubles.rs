//! Readings that say the same twice, by what the node said.

use super::rows::number;
use super::{Finding, Open, Report, Wrong};
use crate::database::{Cell, DbError};
use queue::StreamId;

/// Looks for doubles in the source, over all gateways of a site: two of them may have heard the same node.
pub async fn find(report: &mut Report, source: &mut Open, site: &str) -> Result<(), DbError> {
    let sql = "SELECT c.node, c.channel, r.node_seq, COUNT(*), \
                      GROUP_CONCAT(r.stream, ':', r.seq ORDER BY r.stream, r.seq SEPARATOR ' ') \
               FROM readings r JOIN channels c USING (channel_id) \
               WHERE c.site = ? AND (r.node_seq IS NOT NULL OR r.node_time IS NOT NULL) \
               GROUP BY r.channel_id, c.node, c.channel, r.node_seq, r.node_time, r.value, r.value_int, r.value_text, r.no_data \
               HAVING COUNT(*) > 1";
    for row in source.session.ask_with(sql, vec![Cell::text(site)]).await? {
        if let Some(finding) = finding(source, &row) {
            report.add(finding);
        }
    }
    let sql = "SELECT COUNT(*) FROM readings r JOIN channels c USING (channel_id) \
               WHERE c.site = ? AND r.node_seq IS NULL AND r.node_time IS NULL";
    report.without_identity = number(&mut source.session, sql, vec![Cell::text(site)]).await?;
    Ok(())
}

fn finding(source: &Open, row: &[Cell]) -> Option<Finding> {
    let [node, channel, node_seq, times, places] = row else { return None };
    let places: Vec<(StreamId, u64)> = places.as_text()?.split(' ').filter_map(place).collect();
    let (stream, last_seq) = places.last().copied()?;
    let listed: Vec<String> = places.iter().map(|(stream, seq)| format!("{stream}:{seq}")).collect();
    let number = node_seq.as_i64().map_or_else(|| "at one time of its own".to_owned(), |seq| format!("number {seq}"));
    let text = format!("{} {} {number} stands at {}", node.as_text()?, channel.as_text()?, listed.join(" and "));
    let count = times.as_u64()?.saturating_sub(1);
    let place = source.name.clone();
    Some(Finding {
        wrong: Wrong::Doubled,
        place,
        stream: stream.to_string(),
        first_seq: last_seq,
        last_seq,
        count,
        text,
    })
}

fn place(text: &str) -> Option<(StreamId, u64)> {
    let (stream, seq) = text.split_once(':')?;
    Some((StreamId::from_u64(stream.parse().ok()?)?, seq.parse().ok()?))
}
