//! Topic patterns: what may be written, and matching against a naive model of MQTT's own rule.

use fieldgate_config::TopicPattern;
use proptest::prelude::*;

fn pattern(text: &str) -> TopicPattern {
    TopicPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn names<'t>(text: &str, topic: &'t str) -> Option<(Option<&'t str>, Option<&'t str>)> {
    pattern(text).matches(topic).map(|found| (found.node, found.channel))
}

#[test]
fn names_come_from_their_levels() {
    assert_eq!(names("plants/{node}/{channel}", "plants/silo/heat"), Some((Some("silo"), Some("heat"))));
    assert_eq!(names("{channel}/of/{node}", "heat/of/silo"), Some((Some("silo"), Some("heat"))));
    assert_eq!(names("tele/+/SENSOR", "tele/x/SENSOR"), Some((None, None)));
    assert_eq!(names("{node}/#", "silo/a/b"), Some((Some("silo"), None)));
    assert_eq!(names("{node}/#", "silo"), Some((Some("silo"), None)), "# covers its parent too");
    assert_eq!(names("a/{node}", "a/"), Some((Some(""), None)));
    assert!(pattern("a/{node}").names_node() && !pattern("a/{channel}").names_node());
}

#[test]
fn other_topics_are_not_covered() {
    for topic in ["plants/silo", "plants/silo/heat/x", "Plants/silo/heat", "", "/plants/silo/heat"] {
        assert_eq!(names("plants/{node}/{channel}", topic), None, "{topic}");
    }
}

#[test]
fn wildcards_do_not_cover_topics_of_the_broker_itself() {
    for text in ["#", "+/uptime", "{node}/uptime"] {
        assert_eq!(names(text, "$SYS/uptime"), None, "{text}");
    }
    assert!(names("$SYS/{channel}", "$SYS/uptime").is_some());
    assert!(names("a/+", "a/$x").is_some());
}

#[test]
fn what_may_not_be_written() {
    let texts = [
        "",
        "a/{node}x",
        "{node}/{node}",
        "{channel}/{channel}",
        "#/a",
        "a#",
        "a+/b",
        "{site}/a",
        "a\0b",
        "$share/g/t",
        "{",
        "}",
    ];
    for text in texts {
        assert!(TopicPattern::parse(text).is_err(), "{text:?}");
    }
    assert!(TopicPattern::parse(&"a".repeat(1024)).is_ok() && TopicPattern::parse(&"a".repeat(1025)).is_err());
}

#[test]
fn the_filter_has_plus_for_names() {
    for (text, filter) in [("p/{node}/{channel}/#", "p/+/+/#"), ("/a//+", "/a//+"), ("#", "#")] {
        assert_eq!(pattern(text).filter(), filter);
        assert_eq!(pattern(text).to_string(), text);
    }
}

/// MQTT 5.0, 4.7, as recursion over levels.
fn covers(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        ([wanted, filter @ ..], [found, topic @ ..]) => (*wanted == "+" || wanted == found) && covers(filter, topic),
        _ => false,
    }
}

fn model(filter: &str, topic: &str) -> bool {
    let hidden = topic.starts_with('$') && filter.starts_with(['+', '#']);
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    !hidden && covers(&filter, &topic)
}

fn levels(choices: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(choices), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matching_agrees_with_the_model(
        pattern in levels(&["a", "b", "", "$s", "+", "+", "{node}", "{channel}", "#"]),
        topic in levels(&["a", "b", "", "$s"]),
    ) {
        let topic = topic.join("/");
        if let Ok(pattern) = TopicPattern::parse(&pattern.join("/")) {
            prop_assert_eq!(pattern.matches(&topic).is_some(), model(&pattern.filter(), &topic));
        }
    }

    #[test]
    fn a_written_name_is_read_back(node in "[^/+#$\0{}]{1,9}", channel in "[^/+#\0{}]{1,9}") {
        let topic = format!("farm/{node}/x/{channel}");
        let pattern = TopicPattern::parse("farm/{node}/+/{channel}").unwrap();
        let found = pattern.matches(&topic).unwrap();
        prop_assert_eq!((found.node, found.channel), (Some(node.as_str()), Some(channel.as_str())));
    }
}
