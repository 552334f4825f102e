//! docs/standby.md says what the program does: the diagram and the reasons of its table, and configurations that it takes.

use std::fmt::Write;
use std::fs;

use config::Config;
use gateway::standby::role::{TABLE, diagram};

use crate::files::top;

fn page() -> String {
    fs::read_to_string(top().join("docs/standby.md")).expect("docs/standby.md")
}

/// What stands in the fenced blocks of a language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("```{language}\n");
    page.split(&begin).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn reasons() -> String {
    let mut text = "| it was | what happened | it is | the reason, as `status` and the log say it |\n\
                    | --- | --- | --- | --- |\n"
        .to_owned();
    for row in TABLE.iter().filter(|row| row.from != row.to) {
        let (from, event, to, reason) = (row.from, row.event.as_str(), row.to, row.reason);
        writeln!(text, "| {from} | {event} | {to} | {reason} |").expect("a text takes more");
    }
    text
}

#[test]
fn the_page_has_the_diagram_and_every_reason_of_the_table() {
    let page = page();
    assert_eq!(blocks(&page, "mermaid"), [diagram()], "docs/standby.md is behind role.rs; print it anew");
    assert!(page.contains(&reasons()), "docs/standby.md is behind role.rs; it must have:\n{}", reasons());
}

#[test]
fn the_configurations_of_the_page_are_the_examples_and_make_a_pair() {
    let page = page();
    let files = ["standby-1.toml", "standby-2.toml"].map(|name| top().join("packaging/examples").join(name));
    let [one, two] = files.map(|file| {
        let text = fs::read_to_string(&file).expect("an example");
        assert!(blocks(&page, "toml").contains(&text.as_str()), "{} is not on the page as it is", file.display());
        Config::load(&file, "host").expect("an example that the program takes")
    });
    assert_eq!((&one.gateway.site, &one.mysql), (&two.gateway.site, &two.mysql));
    assert_ne!(one.gateway.id, two.gateway.id);
    let [first, second] = [one.standby, two.standby].map(|standby| standby.expect("[standby]"));
    assert_eq!((first.beat, first.silence), (second.beat, second.silence));
    assert!(first.priority < second.priority);
}
