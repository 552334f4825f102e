//! `[[routes]]`: rows of the user's own tables.

mod common;

use std::path::Path;

use common::{GOOD, problems};
use fieldgate_config::{Config, Property, Template};

fn with(lines: &str) -> String {
    format!("{GOOD}[[routes]]\n{lines}\n")
}

#[test]
fn a_route_takes_what_it_names_and_everything_by_default() {
    let text =
        with("table = \"d.plants\"\nnodes = [\"plant-*\", \"pot\"]\ncolumns = { moisture = \"{value}\", place = 7 }");
    let routes = Config::from_text(&text, Path::new("f.toml"), "").unwrap().routes;
    let route = &routes[0];
    assert_eq!((route.name.as_str(), route.table.to_string().as_str()), ("d.plants", "d.plants"));
    assert!(route.takes("plant-1", "any") && route.takes("pot", "any") && !route.takes("spot", "any"));
    let columns: Vec<(&str, &Template)> =
        route.columns.iter().map(|(name, template)| (name.as_str(), template)).collect();
    assert_eq!(columns, [("moisture", &Template::Property(Property::Value)), ("place", &Template::Number(7))]);
}

#[test]
fn every_problem_of_a_route_has_its_key_and_what_to_do() {
    let shown = |lines: &str| problems(&with(lines)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        shown("table = \"a b\"\nchannels = []\ncolumns = { x = \"{temperatur}\", y = 1.5, z = \"{value} %\" }"),
        [
            "12: routes[0].table: is \"a b\", not a table; write TABLE or DATABASE.TABLE with letters (a to z), digits, _, $ or -",
            "13: routes[0].channels: has 0 entries; give between 1 and 64",
            "14: routes[0].columns.x: has {temperatur}, which no reading has; use {site}, {gateway}, {node}, {channel}, {unit}, \
             {value}, {value_int}, {value_text}, {raw}, {no_data}, {sampled_at}, {time_quality}, {node_time}, {node_seq}, \
             {stream}, {seq}",
            "14: routes[0].columns.y: is of the type number with a point, not text or a whole number; write a text such as \
             \"{value}\"",
            "14: routes[0].columns.z: is \"{value} %\"; within a text use {site}, {gateway}, {node} and {channel} only; the \
             others stand alone",
        ]
    );
    assert!(shown("table = \"t\"")[0].contains("routes[0].columns: is missing; add columns = { plant = \"{node}\""));
    assert!(shown("table = \"t\"\ncolumns = {}")[0].ends_with("columns: has 0 entries; give between 1 and 64"));
    assert!(shown("table = \"t\"\ncolumns = 1")[0].contains("not table; write columns = {"));
}

#[test]
fn no_route_leads_into_a_table_of_fieldgates_own() {
    for table in ["readings", "field.readings", "latest"] {
        let found = problems(&with(&format!("table = \"{table}\"\ncolumns = {{ x = \"{{value}}\" }}")));
        assert_eq!((found.len(), found[0].path.as_str()), (1, "routes[0].table"), "{table}");
    }
    let other = with("table = \"mine.readings\"\ncolumns = { x = \"{value}\" }");
    assert_eq!(Config::from_text(&other, Path::new("f.toml"), "").unwrap().routes.len(), 1);
}

#[test]
fn two_routes_into_one_table_need_names() {
    let route = "table = \"t\"\ncolumns = { x = \"{value}\" }\n";
    let text = with(&format!("{route}[[routes]]\n{route}"));
    let found = problems(&text);
    assert_eq!((found.len(), found[0].path.as_str()), (1, "routes[1].name"));
    let named = with(&format!("{route}[[routes]]\nname = \"again\"\n{route}"));
    assert_eq!(Config::from_text(&named, Path::new("f.toml"), "").unwrap().routes.len(), 2);
}
