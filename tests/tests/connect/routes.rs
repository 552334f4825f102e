//! Routes that do not fit the user's table.

use crate::site::Site;

/// As in the book: it numbers its rows itself, and fills its time itself.
const PLANTS: &str = "CREATE DATABASE plant_moisture; CREATE TABLE plant_moisture.plants (\
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, plant CHAR(30) NOT NULL, moisture FLOAT NULL, \
    measured_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)) ENGINE = Aria";
const ROUTE: &str = "[[routes]]\ntable = \"plant_moisture.plants\"\n\
                     columns = { plant = \"{node}\", wet = \"{value}\", moisture = \"{sampled_at}\" }\n";

#[test]
fn a_bad_template_and_a_table_without_transactions_are_found_and_mended() {
    let site = Site::start(|builder| builder.toml(ROUTE));
    let source = site.cluster.source();
    let missing = site.only("problem");
    assert!(missing.what.starts_with("routes[0]: there is no table plant_moisture.plants"), "{missing:?}");
    source.execute(PLANTS);
    source.execute(missing.mend.split_once("then ").unwrap().1);

    let (code, found) = site.check();
    assert_eq!(code, Some(78));
    let has =
        |words: &str| found.iter().find(|finding| finding.what.contains(words)).unwrap_or_else(|| panic!("{found:#?}"));
    has("routes[0].columns.wet: plant_moisture.plants has no such column");
    has("routes[0].columns.moisture: gives a time to a column of the type float");
    let late = has("the column measured_at of plant_moisture.plants would take the time at which the row arrives");
    assert_eq!(late.mend, "add measured_at = \"{sampled_at}\" to routes[0].columns");
    source.execute(has("has no transactions").sql());

    let fixed = "columns = { plant = \"{node}\", moisture = \"{value}\", measured_at = \"{sampled_at}\" }";
    let file = site.gateway.config_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text.lines().map(|line| if line.starts_with("columns") { fixed } else { line });
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let (code, found) = site.check();
    assert_eq!((code, found.iter().filter(|finding| finding.weight == "problem").count()), (Some(0), 0), "{found:#?}");
}
