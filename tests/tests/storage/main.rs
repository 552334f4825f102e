//! The queue survives the card: processes killed, power cut, files damaged, the disk full. Each test prints its row of the
//! table; `make soak ONLY=power` prints the whole table, after many more rounds.

mod damage;
mod full;
mod kills;
mod oracle;
mod power;
mod soak;

use fieldgate_tests::storage::table::{Row, print};

/// Shows the row of a test, and fails if there is anything to complain of.
fn show(row: &Row) {
    print(std::slice::from_ref(row));
    row.assert_nothing_lost();
}
