//! Many rows in few statements, by what the family does best. Pure.
//!
//! MariaDB takes a batch of rows for one prepared row (bulk execute). MySQL does not: the library would send it row by row,
//! a round trip each. There the rows go as prepared statements with several rows of marks, of a few fixed sizes, so that
//! the connection keeps each of them prepared.

use super::{Cell, Family, Row};

/// Rows of one statement on MySQL, largest first: a full batch of 5000 takes ten round trips.
const SIZES: [usize; 4] = [500, 50, 7, 1];
/// Parameters of one prepared statement, a limit of the protocol.
const MOST_PARAMETERS: usize = 65_535;
/// Of a row, beside its values: an indicator, a type and a length for each is counted with them.
const ROW_OVERHEAD_BYTES: usize = 8;

/// Where the rows of a batch are cut: how many go with each statement, in order.
///
/// No statement is longer than `most_bytes`, except one of a single row.
pub fn cuts(family: Family, rows: &[Row], most_bytes: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let fitting = fitting(rest, most_bytes).max(1);
        let taken = match family {
            Family::MariaDb => fitting,
            Family::MySql => size_of_statement(fitting, rest.first().map_or(1, Vec::len)),
        };
        cuts.push(taken);
        rest = rest.get(taken..).unwrap_or_default();
    }
    cuts
}

fn fitting(rows: &[Row], most_bytes: usize) -> usize {
    let mut bytes: usize = 0;
    let fits = |row: &&Row| {
        bytes = bytes.saturating_add(row_bytes(row));
        bytes <= most_bytes
    };
    rows.iter().take_while(fits).count()
}

fn size_of_statement(rows: usize, columns: usize) -> usize {
    let fits = |size: &usize| *size <= rows && size.saturating_mul(columns) <= MOST_PARAMETERS;
    SIZES.into_iter().find(fits).unwrap_or(1)
}

/// What a row takes on its way at most.
fn row_bytes(row: &Row) -> usize {
    row.iter().map(Cell::wire_bytes).fold(ROW_OVERHEAD_BYTES, usize::saturating_add)
}

/// The bytes of the first row that is more than the server takes at once, even alone.
pub fn too_large(rows: &[Row], max_packet_bytes: usize) -> Option<usize> {
    rows.iter().map(row_bytes).find(|bytes| *bytes > max_packet_bytes)
}

/// The statement for so many rows, from the one for a single row.
pub fn statement_for(sql: &str, rows: usize) -> String {
    let marks = sql.rfind('(').map_or("", |at| &sql[at..]);
    let more = rows.saturating_sub(1);
    let mut text = String::with_capacity(sql.len() + more * (marks.len() + 2));
    text.push_str(sql);
    for _ in 0..more {
        text.push_str(", ");
        text.push_str(marks);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Row> {
        vec![vec![Cell::UInt(1); 14]; count]
    }

    #[test]
    fn mariadb_takes_all_at_once_and_mysql_a_few_fixed_sizes() {
        assert_eq!(cuts(Family::MariaDb, &rows(1000), usize::MAX), [1000]);
        assert_eq!(cuts(Family::MySql, &rows(1000), usize::MAX), [500, 500]);
        assert_eq!(cuts(Family::MySql, &rows(558), usize::MAX), [500, 50, 7, 1]);
        assert!(cuts(Family::MySql, &[], usize::MAX).is_empty());
    }

    #[test]
    fn no_statement_is_longer_than_told_and_no_row_is_lost() {
        let one = row_bytes(&rows(1)[0]);
        for family in [Family::MariaDb, Family::MySql] {
            for most_rows in [1, 3, 60, 400] {
                let cuts = cuts(family, &rows(777), most_rows * one);
                assert!(cuts.iter().all(|rows| (1..=most_rows).contains(rows)), "{cuts:?}");
                assert_eq!(cuts.iter().sum::<usize>(), 777);
            }
        }
        let long = vec![rows(1).remove(0), vec![Cell::Bytes(vec![0; 10_000])], rows(1).remove(0)];
        assert_eq!(cuts(Family::MariaDb, &long, 1000), [1, 1, 1], "a row that is too long goes alone");
    }

    #[test]
    fn a_statement_has_no_more_parameters_than_the_protocol_allows() {
        let wide = vec![vec![Cell::Null; 300]; 500];
        assert_eq!(cuts(Family::MySql, &wide, usize::MAX), [50; 10]);
    }

    #[test]
    fn a_statement_for_many_rows_repeats_the_marks() {
        assert_eq!(
            statement_for("INSERT INTO t (`a`, `b`) VALUES (?, ?)", 3),
            "INSERT INTO t (`a`, `b`) VALUES (?, ?), (?, ?), (?, ?)"
        );
        assert_eq!(statement_for("INSERT INTO t (a) VALUES (?)", 1), "INSERT INTO t (a) VALUES (?)");
    }
}
