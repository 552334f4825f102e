//! The servers as a table.

use super::text::duration;
use super::{ErrorState, ServerState, ServersReport};
use crate::topology::gtid::short;

const HEADER: [&str; 9] = ["server", "role", "state", "read-only", "term", "cursor", "behind", "lag", "GTID"];
/// These are numbers, and stand at the right.
const NUMBERS: std::ops::Range<usize> = 4..8;
const UNKNOWN: &str = "-";

/// The table, and why the source is the source or why there is none.
pub fn report(report: &ServersReport) -> String {
    let mut lines = Vec::new();
    if !report.from_gateway {
        lines.push("no gateway runs here; this is what the servers say now".to_owned());
    }
    lines.extend(servers(&report.servers));
    lines.extend(Some(&report.why).filter(|why| !why.is_empty()).cloned());
    lines.join("\n")
}

/// A line for each server, and below it what is too long for a column.
pub(super) fn servers(servers: &[ServerState]) -> Vec<String> {
    let rows: Vec<[String; 9]> = servers.iter().map(cells).collect();
    let header = HEADER.map(str::to_owned);
    let width = |column: usize| {
        let cells = [&header].into_iter().chain(&rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let mut lines = vec![line(&header, &widths)];
    for (server, row) in servers.iter().zip(&rows) {
        lines.push(line(row, &widths));
        lines.extend(below(server, servers).into_iter().map(|words| format!("    {words}")));
    }
    lines
}

fn line(cells: &[String; 9], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if NUMBERS.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn cells(server: &ServerState) -> [String; 9] {
    let number = |number: Option<u64>| number.map_or_else(|| UNKNOWN.to_owned(), |number| number.to_string());
    let text = |text: &str| if text.is_empty() { UNKNOWN } else { text }.to_owned();
    let read_only = server.read_only.map_or(UNKNOWN, |read_only| if read_only { "yes" } else { "no" });
    [
        server.name.clone(),
        // Its state says so.
        if server.role == "away" { UNKNOWN.to_owned() } else { server.role.clone() },
        server.state.as_str().to_owned(),
        read_only.to_owned(),
        number(server.term),
        number(server.cursor),
        number(server.behind),
        server.lag_ms.map_or_else(|| UNKNOWN.to_owned(), lag),
        text(&short(server.gtid.as_deref().unwrap_or_default())),
    ]
}

/// Whom it follows, if that is not the source; its errors; its note.
fn below(server: &ServerState, servers: &[ServerState]) -> Vec<String> {
    let source = servers.iter().find(|server| server.role == "source").map(|source| source.name.as_str());
    let is_plain = matches!(server.follows.as_slice(), [only] if Some(only.as_str()) == source);
    let follows = (!is_plain && !server.follows.is_empty()).then(|| format!("follows {}", server.follows.join(", ")));
    let words = follows.into_iter().chain(server.errors.iter().map(error)).chain(server.note.clone());
    // Some servers' words are of several lines.
    words.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn error(error: &ErrorState) -> String {
    let ErrorState { channel, thread, number, text } = error;
    let channel = if channel.is_empty() { String::new() } else { format!(" in the channel {channel}") };
    format!("error {number} while {thread}{channel}: {text}")
}

/// A server is asked about once a second, so less than two is hardly more than that.
fn lag(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0 s".to_owned(),
        1..2000 => "< 2 s".to_owned(),
        more => duration(more / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::health::Health;

    fn server(name: &str, role: &str, state: Health) -> ServerState {
        ServerState {
            name: name.to_owned(),
            role: role.to_owned(),
            state,
            read_only: Some(role != "source"),
            term: Some(2),
            cursor: Some(1_234_567),
            behind: Some(0),
            lag_ms: Some(0),
            gtid: Some("0-1-9,0-2-120345".to_owned()),
            ..ServerState::default()
        }
    }

    #[test]
    fn three_servers_fit_on_a_hundred_columns_and_what_is_long_stands_below() {
        let source = server("192.168.100.101:3306", "source", Health::Well);
        let mut replica = server("192.168.100.102:3306", "replica", Health::ApplyingStopped);
        (replica.follows, replica.lag_ms) = (vec![source.name.clone()], Some(120_000));
        let text = "Could not execute Write_rows\nevent".to_owned();
        replica.errors =
            vec![ErrorState { channel: "c".to_owned(), thread: "applying".to_owned(), number: 1062, text }];
        let away = ServerState {
            name: "192.168.100.103:3306".to_owned(),
            role: "away".to_owned(),
            note: Some("refused".to_owned()),
            ..ServerState::default()
        };
        let (from_gateway, why) = (false, "it takes writes".to_owned());
        let shown = report(&ServersReport { from_gateway, source: None, why, servers: vec![source, replica, away] });
        let expected = "\
no gateway runs here; this is what the servers say now
server                role     state             read-only  term   cursor  behind    lag  GTID
192.168.100.101:3306  source   well              no            2  1234567       0    0 s  0-2-120345
192.168.100.102:3306  replica  applying stopped  yes           2  1234567       0  2 min  0-2-120345
    error 1062 while applying in the channel c: Could not execute Write_rows event
192.168.100.103:3306  -        away              -             -        -       -      -  -
    refused
it takes writes";
        assert_eq!(shown, expected);
        assert!(shown.lines().skip(1).all(|line| line.len() <= 100));
    }

    #[test]
    fn whom_a_server_follows_is_said_when_it_is_not_the_source() {
        let source = server("a:3306", "source", Health::Well);
        let chain = ServerState { follows: vec!["b:3306".to_owned()], ..server("c:3306", "replica", Health::Well) };
        let shown = servers(&[source, chain]);
        assert_eq!(shown.last().map(String::as_str), Some("    follows b:3306"));
    }

    #[test]
    fn a_lag_below_the_time_between_two_questions_is_no_number() {
        assert_eq!([lag(0), lag(1), lag(1999), lag(2000)], ["0 s", "< 2 s", "< 2 s", "2 s"]);
    }
}
