//! Judges single values: their type, their form and their bounds. Every message names what is allowed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use crate::human;
use crate::problem::ValueError;

type Judged<T> = Result<T, ValueError>;

/// The value is of another type than `wanted`.
pub(crate) fn not_a(wanted: &str, value: &DeValue<'_>, remedy: &str) -> ValueError {
    let found = match value.type_str() {
        "string" => "text",
        "array" => "list",
        "table" => "section",
        "integer" => "whole number",
        "float" => "number with a point",
        "boolean" => "true or false",
        other => other,
    };
    ValueError::new(format!("is of the type {found}, not {wanted}"), remedy)
}

/// Text of 1 to `most` characters without control characters.
pub(crate) fn text(most: usize) -> impl Fn(&DeValue<'_>) -> Judged<String> {
    move |value| {
        let text = as_text(value)?;
        let found = text.chars().count();
        if text.chars().any(char::is_control) {
            return Err(ValueError::new("has control characters", "remove them"));
        }
        if !(1..=most).contains(&found) {
            return Err(ValueError::new(format!("has {found} characters"), format!("write 1 to {most}")));
        }
        Ok(text.to_owned())
    }
}

/// Text that `parse` understands.
pub(crate) fn parsed<T, E: Into<ValueError>>(
    parse: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&DeValue<'_>) -> Judged<T> {
    move |value| parse(as_text(value)?).map_err(Into::into)
}

/// One of a few words, each with what it stands for.
pub(crate) fn choice<T: Copy>(choices: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Judged<T> {
    move |value| {
        let text = as_text(value)?;
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            ValueError::new(format!("is {text:?}"), format!("write {}", words.join(" or ")))
        })
    }
}

/// The path of a file or folder, from the root.
pub(crate) fn absolute_path(value: &DeValue<'_>) -> Judged<PathBuf> {
    let text = as_text(value)?;
    if text.chars().any(char::is_control) {
        return Err(ValueError::new("has control characters", "remove them"));
    }
    if !Path::new(text).is_absolute() {
        return Err(ValueError::new(format!("is {text:?}, not a path from the root"), "begin it with /"));
    }
    Ok(PathBuf::from(text))
}

/// A duration within bounds, both included.
pub(crate) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&DeValue<'_>) -> Judged<Duration> {
    move |value| {
        let remedy = between(human::show_duration(*bounds.start()), human::show_duration(*bounds.end()));
        let DeValue::String(text) = value else {
            return Err(not_a("duration in quotes", value, &remedy));
        };
        let found = human::duration(text);
        let found = found.ok_or_else(|| {
            ValueError::new(format!("is {text:?}, not a whole number with ms, s, min, h or days"), &*remedy)
        })?;
        bounds.contains(&found).then_some(found).ok_or_else(|| ValueError::new(format!("is {text:?}"), &*remedy))
    }
}

/// A size within bounds, both included, in bytes; a bare whole number is a number of bytes.
pub(crate) fn size_bytes(bounds: RangeInclusive<u64>) -> impl Fn(&DeValue<'_>) -> Judged<u64> {
    move |value| {
        let remedy = between(human::show_size(*bounds.start()), human::show_size(*bounds.end()));
        let (found, shown) = match value {
            DeValue::String(text) => (human::size_bytes(text), format!("{text:?}")),
            DeValue::Integer(number) => (whole_number(number.as_str(), number.radix()), number.to_string()),
            other => return Err(not_a("size", other, &remedy)),
        };
        let found = found.ok_or_else(|| {
            ValueError::new(format!("is {shown}, not a whole number with B, KiB, MiB, GiB or TiB"), &*remedy)
        })?;
        bounds.contains(&found).then_some(found).ok_or_else(|| ValueError::new(format!("is {shown}"), &*remedy))
    }
}

/// A whole number within bounds, both included. `remedy` names them.
pub(crate) fn count(value: &DeValue<'_>, bounds: RangeInclusive<usize>, remedy: &str) -> Judged<usize> {
    let DeValue::Integer(number) = value else {
        return Err(not_a("whole number", value, remedy));
    };
    let found = whole_number(number.as_str(), number.radix()).and_then(|found| usize::try_from(found).ok());
    found.filter(|found| bounds.contains(found)).ok_or_else(|| ValueError::new(format!("is {number}"), remedy))
}

/// True or false.
pub(crate) fn truth(value: &DeValue<'_>) -> Judged<bool> {
    value.as_bool().ok_or_else(|| not_a("true or false", value, "write true or false, without quotes"))
}

/// A number with or without a point, but not infinite.
pub(crate) fn finite(value: &DeValue<'_>) -> Judged<f64> {
    let remedy = "write a number such as 0.01";
    let number = match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        other => return Err(not_a("number", other, remedy)),
    };
    let finite = number.filter(|number: &f64| number.is_finite());
    finite.ok_or_else(|| ValueError::new("is not a finite number", remedy))
}

fn whole_number(digits: &str, radix: u32) -> Option<u64> {
    u64::from_str_radix(digits, radix).ok()
}

fn between(least: impl Display, most: impl Display) -> String {
    format!("write between \"{least}\" and \"{most}\"")
}

fn as_text<'v>(value: &'v DeValue<'_>) -> Judged<&'v str> {
    value.as_str().ok_or_else(|| not_a("text", value, "write it in quotes"))
}
