//! Where in a JSON payload something stands.

use std::fmt;

use crate::problem::ValueError;

const MAX_BYTES: usize = 256;

/// A JSON pointer (RFC 6901) below the root, such as `/seq` or `/meta/time`. 2 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPointer(String);

impl JsonPointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// When it does not begin with `/`, is too short or too long, or has a `~` that is not `~0` or `~1`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let sized = (2..=MAX_BYTES).contains(&text.len());
        let escaped = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
        if sized && escaped && text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        let remedy = format!(
            "write 2 to {MAX_BYTES} bytes such as \"/seq\" or \"/meta/seq\", with ~0 for ~ and ~1 for / in a key"
        );
        Err(ValueError::new(format!("is {text:?}, not a JSON pointer"), remedy))
    }

    /// Points to a key of the outermost object; for keys without `~` and `/`.
    pub(crate) fn to_key(key: &'static str) -> Self {
        Self(format!("/{key}"))
    }

    /// The pointer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers() {
        for text in ["/seq", "/meta/time", "/a~1b/~0", "/a//b"] {
            assert_eq!(JsonPointer::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "/", "seq", "/a~", "/a~2"] {
            assert!(JsonPointer::parse(text).is_err(), "{text}");
        }
        assert!(JsonPointer::parse(&format!("/{}", "k".repeat(256))).is_err());
        assert_eq!(JsonPointer::parse("/seq").unwrap(), JsonPointer::to_key("seq"));
    }
}
