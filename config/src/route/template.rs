//! What a column of a route gets from a reading.

use toml::de::DeValue;

use crate::problem::ValueError;
use crate::values::not_a;

const MAX_CHARS: usize = 1024;

/// What may stand in SQL as a name.
pub trait Quoted {
    /// The name in back-quotes.
    fn quoted(&self) -> String;
}

/// A property of a reading, by the name of its column in `readings`, `channels` or `streams`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The site.
    Site,
    /// The gateway.
    Gateway,
    /// The node.
    Node,
    /// The channel.
    Channel,
    /// The unit, or NULL.
    Unit,
    /// The number as a double, or NULL.
    Value,
    /// The whole number, or NULL.
    ValueInt,
    /// The text, or NULL.
    ValueText,
    /// The number before it was converted, or NULL.
    Raw,
    /// Why there is no value, or NULL.
    NoData,
    /// When the gateway saw it, UTC.
    SampledAt,
    /// How far that time can be believed.
    TimeQuality,
    /// When the node says it measured it, or NULL.
    NodeTime,
    /// The node's own number, or NULL.
    NodeSeq,
    /// The stream.
    Stream,
    /// The number in it.
    Seq,
}

impl Source {
    const ALL: &[(&str, Self)] = &[
        ("site", Self::Site),
        ("gateway", Self::Gateway),
        ("node", Self::Node),
        ("channel", Self::Channel),
        ("unit", Self::Unit),
        ("value", Self::Value),
        ("value_int", Self::ValueInt),
        ("value_text", Self::ValueText),
        ("raw", Self::Raw),
        ("no_data", Self::NoData),
        ("sampled_at", Self::SampledAt),
        ("time_quality", Self::TimeQuality),
        ("node_time", Self::NodeTime),
        ("node_seq", Self::NodeSeq),
        ("stream", Self::Stream),
        ("seq", Self::Seq),
    ];

    fn named(name: &str) -> Result<Self, ValueError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, source)| *source).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(|(name, _)| format!("{{{name}}}")).collect();
            ValueError::new(format!("has {{{name}}}, which no reading has"), format!("use {}", known.join(", ")))
        })
    }

    /// A name, which may stand within a text.
    fn is_name(self) -> bool {
        matches!(self, Self::Site | Self::Gateway | Self::Node | Self::Channel)
    }
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// A name of the reading's.
    Name(Source),
}

/// What a column gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// A property in its own type.
    Property(Source),
    /// Text with names in it.
    Text(Vec<Part>),
    /// The same whole number in each row.
    Number(i64),
}

impl Template {
    pub(super) fn read(value: &DeValue<'_>) -> Result<Self, ValueError> {
        match value {
            DeValue::String(text) => Self::parse(text),
            DeValue::Boolean(truth) => Ok(Self::Number(i64::from(*truth))),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Self::Number)
                .map_err(|_| ValueError::new(format!("is {number}"), "write a number of at most 64 bits")),
            other => Err(not_a("text or a whole number", other, "write a text such as \"{value}\"")),
        }
    }

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.chars().count() > MAX_CHARS {
            return Err(ValueError::new("is too long", format!("write at most {MAX_CHARS} characters")));
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find(['{', '}']) {
            let unclosed = || ValueError::new(format!("is {text:?}"), "close every { with a }, after one of the names");
            let (before, braced) = rest.split_at(open);
            let (name, after) =
                braced.strip_prefix('{').and_then(|braced| braced.split_once('}')).ok_or_else(unclosed)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(Source::named(name)?));
            rest = after;
        }
        if let ([Part::Name(only)], "") = (parts.as_slice(), rest) {
            return Ok(Self::Property(*only));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let is_value = |part: &Part| matches!(part, Part::Name(source) if !source.is_name());
        if parts.iter().any(is_value) {
            let remedy = "within a text use {site}, {gateway}, {node} and {channel} only; the others stand alone";
            return Err(ValueError::new(format!("is {text:?}"), remedy));
        }
        Ok(Self::Text(parts))
    }

    /// The property that it gives, where it is one.
    #[must_use]
    pub fn property(&self) -> Option<Source> {
        match self {
            Self::Property(source) => Some(*source),
            Self::Text(_) | Self::Number(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_keeps_its_type_and_names_may_stand_within_a_text() {
        assert_eq!(Template::parse("{value}"), Ok(Template::Property(Source::Value)));
        let text = |text: &str| Part::Text(text.to_owned());
        let named = Template::parse("at {site}/{node}.").unwrap();
        let parts = vec![text("at "), Part::Name(Source::Site), text("/"), Part::Name(Source::Node), text(".")];
        assert_eq!(named, Template::Text(parts));
        assert_eq!(Template::parse("shed"), Ok(Template::Text(vec![text("shed")])));
        assert_eq!(Template::parse(""), Ok(Template::Text(vec![])));
    }

    #[test]
    fn what_no_reading_has_is_refused() {
        for wrong in ["{temperature}", "{", "}", "{node", "node}", "{{node}}", "{value} %", "{}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn each_property_has_the_name_of_a_column() {
        assert!(Source::ALL.iter().all(|(name, source)| Source::named(name) == Ok(*source)));
    }
}
