//! A source that does not take writes for a while, and one that has been started again: it has forgotten which passwords
//! it has seen, so the gateway must prove its own in full, over a connection without TLS.

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::scenario::Scene;

use crate::mysql;
use crate::site::Site;

#[test]
fn a_source_that_is_read_only_and_then_started_again_goes_on_where_its_cursor_says() {
    if !is_at_hand("a source of MySQL that is read-only and restarted") {
        return;
    }
    let mut site = Site::of(Scene::start_at(mysql(1), |settings| settings));
    site.wait_more(0, 100);
    site.server(0).set_read_only(true);
    site.wait_said("no server takes writes");
    let held = site.cursors(0);
    site.wait_published(50);
    assert_eq!(site.cursors(0), held);
    site.server(0).set_read_only(false);
    site.wait_more(0, 100);

    site.server(0).restart(WRITABLE);
    let plugin = "SELECT plugin FROM mysql.user WHERE user = 'fieldgate'";
    assert_eq!(site.server(0).query(plugin), [["caching_sha2_password"]]);
    site.wait_more(0, 200);
    site.server(0).kill9();
    site.wait_published(10);
    site.server(0).restart(WRITABLE);
    site.wait_more(0, 200);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
    assert_eq!((site.events(0, "failover"), site.events(0, "sent again")), (0, 0));
}
