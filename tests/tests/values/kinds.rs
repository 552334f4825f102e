//! All kinds of values in every order, extremes, and payloads that are one plain value.

use crate::orders;
use crate::stored::{assert_stored, scene};

#[test]
fn batches_that_begin_with_each_kind_and_hold_every_order_are_stored_as_sent() {
    orders::send_batches_that_begin_with_each_kind(&scene());
}

#[test]
fn many_messages_of_mixed_kinds_are_stored_as_sent_whatever_batches_they_come_in() {
    orders::send_many_mixed_messages(&scene());
}

#[test]
fn extremes_and_odd_texts_are_stored_to_the_last_bit() {
    orders::send_extremes(&scene());
}

#[test]
fn a_plain_payload_is_the_value_of_the_channel_in_the_topic() {
    let scene = scene();
    let payloads = ["21.5", "21", "-7", "+21.5", ".5", "021", " 8 ", "1e3", "true", "\"open\"", "null"];
    let means = ["21.5", "21", "-7", "21.5", "0.5", "21.0", "8", "1000.0", "true", "\"open\"", "null"];
    scene.publish_lines("plants/plain/level", payloads);
    scene.wait_rows(0, payloads.len());
    scene.wait_drained();
    let sent = means.map(|text| ("level".to_owned(), text.parse().unwrap()));
    assert_stored(&scene, "plain", &sent);
}
