use super::*;
use crate::payload::Value;

fn log(acknowledged: std::ops::RangeInclusive<u64>) -> NodeLog {
    NodeLog { node: "n1".to_owned(), channels: 4, acknowledged: acknowledged.collect(), ..NodeLog::default() }
}

fn columns(value: &Value) -> [String; 4] {
    let null = || "NULL".to_owned();
    match value {
        Value::Float(value) => [value.to_string(), null(), null(), null()],
        Value::Integer(value) => [value.to_string(), value.to_string(), null(), null()],
        Value::Bool(value) => {
            let digit = u8::from(*value).to_string();
            [digit.clone(), digit, null(), null()]
        }
        Value::Text(value) => [null(), null(), value.clone(), null()],
    }
}

fn rows(seqs: std::ops::RangeInclusive<u64>) -> Vec<StoredReading> {
    let row = |(seq, channel)| StoredReading {
        node: "n1".to_owned(),
        node_seq: seq,
        channel: channel_name(channel),
        columns: columns(&value("n1", seq, channel)),
    };
    seqs.flat_map(|seq| (0..4).map(move |channel| (seq, channel))).map(row).collect()
}

#[test]
fn all_there_is_clean() {
    let audit = Audit::compare(&[log(1..=50)], &rows(1..=50));
    audit.assert_clean();
    assert_eq!(audit.to_string(), "sent 200, rows 200, lost 0, doubled 0");
}

#[test]
fn a_missing_row_is_lost() {
    let mut rows = rows(1..=3);
    rows.remove(5);
    let audit = Audit::compare(&[log(1..=3)], &rows);
    assert_eq!(audit.lost, [id("n1", 2, "c1".to_owned())]);
    assert_eq!(audit.to_string(), "sent 12, rows 11, lost 1, doubled 0");
}

#[test]
fn a_message_that_nobody_heard_is_told_apart() {
    let mut log = log(1..=1);
    log.unheard.insert(1);
    let audit = Audit::compare(&[log], &[]);
    assert_eq!(audit.to_string(), "sent 4, rows 0, lost 4, doubled 0 (4 of the lost had no subscriber at the broker)");
}

#[test]
fn a_second_row_is_doubled_unless_the_node_sent_it_again() {
    let mut rows = rows(1..=2);
    rows.push(rows[0].clone());
    rows.push(rows[0].clone());
    let mut log = log(1..=2);
    let twice = id("n1", 1, "c0".to_owned());
    assert_eq!(Audit::compare(&[log.clone()], &rows).doubled, [twice.clone(), twice.clone()]);
    log.resent.insert(1, 1);
    assert_eq!(Audit::compare(&[log.clone()], &rows).doubled, [twice]);
    log.resent.insert(1, 2);
    Audit::compare(&[log], &rows).assert_clean();
}

#[test]
fn a_row_of_a_message_not_acknowledged_may_be_there_but_once() {
    let mut rows = rows(1..=2);
    let audit = Audit::compare(&[log(1..=1)], &rows);
    audit.assert_clean();
    assert_eq!((audit.sent, audit.rows), (4, 8));
    rows.push(rows[7].clone());
    assert_eq!(Audit::compare(&[log(1..=1)], &rows).doubled.len(), 1);
}

#[test]
fn another_value_or_channel_is_wrong() {
    for change in [
        |row: &mut StoredReading| row.columns[0] = "12.5".to_owned(),
        |row: &mut StoredReading| row.columns[3] = "1".to_owned(),
        |row: &mut StoredReading| row.channel = "c4".to_owned(),
    ] {
        let mut rows = rows(1..=1);
        change(&mut rows[0]);
        let audit = Audit::compare(&[log(1..=1)], &rows);
        assert_eq!(audit.wrong.len(), 1);
        assert!(!audit.is_clean());
    }
}

#[test]
fn rows_of_other_nodes_do_not_count() {
    let mut rows = rows(1..=1);
    rows.iter_mut().for_each(|row| row.node = "n2".to_owned());
    let audit = Audit::compare(&[log(1..=1)], &rows);
    assert_eq!((audit.rows, audit.lost.len()), (0, 4));
}

#[test]
#[should_panic(expected = "lost: [n1 1 c0, n1 1 c1, n1 1 c2, n1 1 c3, n1 2 c0, ...]")]
fn an_unclean_audit_names_the_first() {
    Audit::compare(&[log(1..=2)], &[]).assert_clean();
}
