//! `[notify]`: who is told, and where.

mod common;

use std::path::{Path, PathBuf};

use common::{GOOD, problems};
use fieldgate_config::{Config, Notify, NotifyTopic};

fn with(lines: &str) -> String {
    format!("{GOOD}[[mqtt]]\nbroker = \"mqtt://second\"\ntopics = [\"{{node}}/#\"]\n[notify]\n{lines}\n")
}

fn notify(lines: &str) -> Notify {
    let config = Config::from_text(&with(lines), Path::new("f.toml"), "");
    config.unwrap_or_else(|error| panic!("{error}")).notify
}

fn problem(lines: &str) -> String {
    let found = problems(&with(lines));
    assert_eq!(found.len(), 1, "{lines}: {found:?}");
    format!("{}: {}: {}; {}", found[0].line, found[0].path, found[0].what, found[0].remedy)
}

#[test]
fn nobody_is_told_unless_asked_for_and_the_first_broker_is_the_default() {
    assert_eq!(notify(""), Notify::default());
    assert_eq!(notify("command = \"/bin/tell\"").command, Some(PathBuf::from("/bin/tell")));
    let topic = NotifyTopic { name: "fieldgate/barn-1/events".to_owned(), mqtt: 0 };
    assert_eq!(notify("topic = \"fieldgate/{site}/events\"").topic, Some(topic));
}

#[test]
fn what_cannot_be_told_to_is_a_problem() {
    assert!(problem("command = \"tell\"").contains("begin it with /"));
    assert!(problem("topic = \"a/+\"").contains("not a topic to publish to"));
    assert!(problem("topic = \"$SYS/a\"").contains("not a topic to publish to"));
    assert!(problem("topic = \"a/{node}\"").contains("no braces but {site}"));
    assert!(problem("topic = \"\"").contains("write 1 to 1024"));
    assert!(problem("broker = \"mqtt://localhost\"").contains("is given without topic"));
    let nowhere = problem("topic = \"a\"\nbroker = \"mqtt://third\"");
    assert!(nowhere.starts_with("16: notify.broker: ") && nowhere.contains("no [[mqtt]] section has"), "{nowhere}");
}

#[test]
fn a_topic_that_would_come_back_as_a_reading_is_a_problem() {
    let own = problem("topic = \"plants/{site}/events\"");
    assert!(
        own.starts_with("15: notify.topic: is \"plants/barn-1/events\", which the topics of mqtt[0] cover"),
        "{own}"
    );
    let second = problem("topic = \"x/y\"\nbroker = \"mqtt://second\"");
    assert!(second.contains("the topics of mqtt[1] cover"), "{second}");
}

#[test]
fn a_topic_needs_a_broker() {
    let text = GOOD.split("[[mqtt]]").next().unwrap();
    let serial = "[[serial]]\nport = \"/dev/ttyUSB0\"\nnode = \"mill\"\n";
    let found = problems(&format!("{text}{serial}[notify]\ntopic = \"a\"\n"));
    assert_eq!((found.len(), found[0].path.as_str(), found[0].what.as_str()), (1, "notify.topic", "needs a broker"));
}
