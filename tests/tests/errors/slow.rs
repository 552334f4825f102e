//! A server that is too slow for a whole batch within the deadline of a statement.

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, count};
use std::time::Instant;

use crate::site::Site;

const MESSAGES: usize = 2000;
/// Makes a whole batch take twice the deadline.
const SLOW: &str = "CREATE TRIGGER field.slow BEFORE INSERT ON field.readings FOR EACH ROW DO SLEEP(0.001)";

#[test]
fn a_slow_server_gets_smaller_transactions_until_they_fit() {
    let site = Site::start();
    site.server().set_read_only(true);
    site.wait_status(&["no server takes writes"]);
    site.scene.publish_lines("plants/many", (1..=MESSAGES).map(|seq| format!("{{\"seq\": {seq}, \"t\": {seq}}}")));
    site.server().execute(SLOW);
    site.server().set_read_only(false);
    let began = Instant::now();
    let all = "readings r JOIN field.channels c USING (channel_id) WHERE c.node = 'many'";
    wait_for("half of them", 3 * DEADLINE, || count(site.server(), all) >= MESSAGES / 2);
    let half = began.elapsed();
    wait_for("all of them", DEADLINE, || count(site.server(), all) == MESSAGES);
    println!("half of {MESSAGES} after {:.1?}, all after {:.1?}", half, began.elapsed());
    site.server().execute("DROP TRIGGER field.slow");
    site.finish();
}
