//! Which topics are heard, and what a topic says about its readings.

use std::fmt;

use crate::problem::ValueError;

/// Longest pattern, in bytes.
const MAX_BYTES: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(String),
    Node,
    Channel,
    Any,
    Rest,
}

/// A pattern such as `plants/{node}/{channel}` or `tele/+/SENSOR`.
///
/// Levels are separated by `/`. `{node}` and `{channel}` stand for a whole level and give their name; `+` is any one level,
/// `#` at the end any number of levels. At most 1024 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern {
    levels: Vec<Level>,
}

/// What a topic names. A level of a topic may be empty, so either text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicMatch<'t> {
    /// The level at `{node}`, if the pattern has it.
    pub node: Option<&'t str>,
    /// The level at `{channel}`, if the pattern has it.
    pub channel: Option<&'t str>,
}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is empty or too long, has a wildcard or a brace inside a level, `#` before the end, or a name twice.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        check_text(text)?;
        let levels = text.split('/').map(read_level).collect::<Result<Vec<_>, _>>()?;
        check_levels(&levels)?;
        Ok(Self { levels })
    }

    /// True when the topic itself names the node.
    #[must_use]
    pub fn names_node(&self) -> bool {
        self.levels.contains(&Level::Node)
    }

    /// What to subscribe to: the pattern with `+` for each name.
    #[must_use]
    pub fn filter(&self) -> String {
        let levels: Vec<&str> = self.levels.iter().map(Level::filter).collect();
        levels.join("/")
    }

    /// The names in `topic`, or None when the pattern does not cover it. As in MQTT itself, a pattern that begins with a
    /// wildcard or a name does not cover topics that begin with `$`.
    #[must_use]
    pub fn matches<'t>(&self, topic: &'t str) -> Option<TopicMatch<'t>> {
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return None;
        }
        let mut found = TopicMatch::default();
        let mut rest = topic.split('/');
        for level in &self.levels {
            if *level == Level::Rest {
                return Some(found);
            }
            let part = rest.next()?;
            match level {
                Level::Literal(literal) if literal != part => return None,
                Level::Node => found.node = Some(part),
                Level::Channel => found.channel = Some(part),
                Level::Literal(_) | Level::Any | Level::Rest => {}
            }
        }
        rest.next().is_none().then_some(found)
    }
}

impl Level {
    fn filter(&self) -> &str {
        match self {
            Self::Literal(text) => text,
            Self::Node | Self::Channel | Self::Any => "+",
            Self::Rest => "#",
        }
    }
}

/// The pattern as it is written.
impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, level) in self.levels.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "/" })?;
            f.write_str(match level {
                Level::Node => "{node}",
                Level::Channel => "{channel}",
                other => other.filter(),
            })?;
        }
        Ok(())
    }
}

fn check_text(text: &str) -> Result<(), ValueError> {
    if !(1..=MAX_BYTES).contains(&text.len()) {
        let what = format!("is a topic pattern of {} bytes", text.len());
        return Err(ValueError::new(what, format!("write one of 1 to {MAX_BYTES} bytes")));
    }
    if text.contains('\0') {
        return Err(ValueError::new("has a zero character", "remove it"));
    }
    if text.starts_with("$share/") {
        return Err(ValueError::not_in_this_version("remove $share/ and the group's name"));
    }
    Ok(())
}

fn read_level(text: &str) -> Result<Level, ValueError> {
    match text {
        "{node}" => Ok(Level::Node),
        "{channel}" => Ok(Level::Channel),
        "+" => Ok(Level::Any),
        "#" => Ok(Level::Rest),
        _ if text.contains(['+', '#', '{', '}']) => Err(ValueError::new(
            format!("has the level {text:?}"),
            "let {node}, {channel}, + or # stand alone between slashes",
        )),
        _ => Ok(Level::Literal(text.to_owned())),
    }
}

fn check_levels(levels: &[Level]) -> Result<(), ValueError> {
    let rest = levels.iter().position(|level| *level == Level::Rest);
    if rest.is_some_and(|index| index + 1 < levels.len()) {
        return Err(ValueError::new("has # before its end", "let # be the last level, or use + for one level"));
    }
    for (name, wanted) in [("{node}", Level::Node), ("{channel}", Level::Channel)] {
        if levels.iter().filter(|level| **level == wanted).count() > 1 {
            return Err(ValueError::new(format!("has {name} twice"), "use + for the other level"));
        }
    }
    Ok(())
}
