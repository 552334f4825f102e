//! From readings to rows of the user's own tables. Pure.

use super::plan::Batch;
use super::rows::value_cells;
use crate::database::{Cell, Row};
use config::{Property, Quoted, Route, Template, TextPart};
use sensors::Reading;
use std::collections::HashMap;

/// The routes of a connection.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    routes: Vec<Route>,
    /// Which gateway made each stream that another one made than we are.
    makers: HashMap<u64, String>,
    gateway: String,
}

impl Routes {
    /// These routes, for what this gateway made.
    pub fn new(routes: &[Route], gateway: &str) -> Self {
        Self { routes: routes.to_vec(), makers: HashMap::new(), gateway: gateway.to_owned() }
    }

    /// A stream was made by this gateway.
    pub fn note_maker(&mut self, stream: u64, gateway: &str) {
        if gateway != self.gateway {
            self.makers.insert(stream, gateway.to_owned());
        }
    }

    /// Each route with its statement and the rows of a batch, where there are any.
    pub fn rows<'r>(&'r self, site: &'r str, batch: &'r Batch) -> impl Iterator<Item = (&'r Route, String, Vec<Row>)> {
        let stream = batch.stream.as_u64();
        let names = Names { site, gateway: self.makers.get(&stream).unwrap_or(&self.gateway) };
        let row = move |route: &Route, (seq, reading): &(u64, Reading)| {
            let is_refused = batch.unrouted.iter().any(|(other, name)| other == seq && *name == route.name);
            if is_refused { None } else { route_row(route, names, stream, *seq, reading) }
        };
        let rows = move |route: &Route| batch.readings.iter().filter_map(|reading| row(route, reading)).collect();
        let each = self.routes.iter().map(move |route| (route, insert_sql(route), rows(route)));
        each.filter(|(_, _, rows): &(_, _, Vec<Row>)| !rows.is_empty())
    }

    /// The route of this name alone.
    pub fn only(&self, name: &str) -> Option<Self> {
        let route = self.routes.iter().find(|route| route.name == name)?;
        Some(Self { routes: vec![route.clone()], ..self.clone() })
    }
}

/// Who writes: the names that are the same for every reading.
#[derive(Debug, Clone, Copy)]
pub struct Names<'n> {
    /// The site.
    pub site: &'n str,
    /// The gateway that made the stream.
    pub gateway: &'n str,
}

/// The statement for one row of a route.
pub fn insert_sql(route: &Route) -> String {
    let names: Vec<String> = route.columns.iter().map(|(name, _)| name.quoted()).collect();
    let marks = vec!["?"; names.len()].join(", ");
    format!("INSERT INTO {} ({}) VALUES ({marks})", route.table.quoted(), names.join(", "))
}

/// The row that a reading gets in the route's table; none when the route does not take it. A reading without a value takes
/// a route only when one of its columns says why there is none.
pub fn route_row(route: &Route, names: Names<'_>, stream: u64, seq: u64, reading: &Reading) -> Option<Row> {
    let says_no_data = || route.columns.iter().any(|(_, template)| template.property() == Some(Property::NoData));
    let is_taken = route.takes(reading.node.as_str(), reading.channel.as_str());
    if !is_taken || (reading.value.is_err() && !says_no_data()) {
        return None;
    }
    let cell = |template: &Template| match template {
        Template::Property(property) => property_cell(*property, names, (stream, seq), reading),
        Template::Number(number) => Cell::Int(*number),
        Template::Text(parts) => {
            Cell::text(parts.iter().map(|part| text_part(part, names, reading)).collect::<String>())
        }
    };
    Some(route.columns.iter().map(|(_, template)| cell(template)).collect())
}

fn text_part<'a>(part: &'a TextPart, names: Names<'a>, reading: &'a Reading) -> &'a str {
    match part {
        TextPart::Text(text) => text,
        TextPart::Name(Property::Site) => names.site,
        TextPart::Name(Property::Gateway) => names.gateway,
        TextPart::Name(Property::Node) => reading.node.as_str(),
        TextPart::Name(Property::Channel) => reading.channel.as_str(),
        // The configuration lets no other property into a text.
        TextPart::Name(_) => "",
    }
}

fn property_cell(property: Property, names: Names<'_>, (stream, seq): (u64, u64), reading: &Reading) -> Cell {
    let (value, value_int, value_text, no_data) = value_cells(reading);
    match property {
        Property::Site => Cell::text(names.site),
        Property::Gateway => Cell::text(names.gateway),
        Property::Node => Cell::text(reading.node.as_str()),
        Property::Channel => Cell::text(reading.channel.as_str()),
        Property::Unit => Cell::optional(reading.unit.as_ref(), |unit| Cell::text(unit.as_str())),
        Property::Value => value,
        Property::ValueInt => value_int,
        Property::ValueText => value_text,
        Property::Raw => Cell::optional(reading.raw, Cell::Double),
        Property::NoData => no_data,
        Property::SampledAt => Cell::TimeUs(reading.stamp.wall_us),
        Property::TimeQuality => Cell::Int(i64::from(reading.stamp.quality as u8)),
        Property::NodeTime => Cell::optional(reading.node_time_us, Cell::TimeUs),
        Property::NodeSeq => Cell::optional(reading.node_seq, Cell::Int),
        Property::Stream => Cell::UInt(stream),
        Property::Seq => Cell::UInt(seq),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Config;
    use sensors::{ClockQuality, NoData, Stamp, Value};
    use std::path::Path;

    const FILE: &str = "[mysql]\nservers = [\"a\"]\ndatabase = \"f\"\nuser = \"f\"\n[[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n\
                        [[routes]]\ntable = \"d.t\"\nnodes = [\"pot-*\"]\n";

    fn route(columns: &str) -> Route {
        let text = format!("{FILE}columns = {{ {columns} }}\n");
        Config::from_text(&text, Path::new("f"), "g").unwrap().routes.remove(0)
    }

    fn reading(value: Result<Value, NoData>) -> Reading {
        let stamp = Stamp { boot: 0, boottime_us: 0, wall_us: 5, quality: ClockQuality::Synced, error_us: None };
        let name = "pot-1".to_owned();
        Reading {
            node: name.try_into().unwrap(),
            channel: "moisture".to_owned().try_into().unwrap(),
            unit: None,
            value,
            raw: None,
            stamp,
            node_seq: Some(9),
            node_time_us: None,
        }
    }

    const NAMES: Names<'_> = Names { site: "barn", gateway: "g1" };

    #[test]
    fn each_column_gets_what_its_template_says() {
        let route = route(
            "a = \"{site}/{node}\", b = \"{value}\", c = 7, d = \"{sampled_at}\", e = \"{node_time}\", f = \"{seq}\"",
        );
        assert_eq!(insert_sql(&route), "INSERT INTO `d`.`t` (`a`, `b`, `c`, `d`, `e`, `f`) VALUES (?, ?, ?, ?, ?, ?)");
        let row = route_row(&route, NAMES, 1, 2, &reading(Ok(Value::Int(3)))).unwrap();
        let expected =
            [Cell::text("barn/pot-1"), Cell::Double(3.0), Cell::Int(7), Cell::TimeUs(5), Cell::Null, Cell::UInt(2)];
        assert_eq!(row, expected);
    }

    #[test]
    fn a_reading_without_a_value_goes_only_where_its_reason_has_a_column() {
        let absent = reading(Err(NoData::Timeout));
        assert_eq!(route_row(&route("b = \"{value}\""), NAMES, 1, 2, &absent), None);
        let row = route_row(&route("b = \"{value}\", why = \"{no_data}\""), NAMES, 1, 2, &absent);
        assert_eq!(row, Some(vec![Cell::Null, Cell::Int(2)]));
    }

    #[test]
    fn another_node_does_not_take_the_route() {
        let mut other = reading(Ok(Value::Float(1.0)));
        other.node = "tank".to_owned().try_into().unwrap();
        assert_eq!(route_row(&route("b = \"{value}\""), NAMES, 1, 2, &other), None);
    }
}
