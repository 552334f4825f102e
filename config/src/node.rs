//! Names as proofs: a value of one of these types is a name that every part of the program may store, compare and show.
//!
//! White space at either end is refused because database collations pad or fold it: two names that differ here would be
//! one name there.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text cannot be a name. The words say what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// The text has no characters, or too many.
    #[error("a {kind} has 1 to {most} characters, this text has {found}; choose another")]
    Length {
        /// What the name is for, in the words people read.
        kind: &'static str,
        /// Most characters this kind of name may have.
        most: usize,
        /// Characters the text has.
        found: usize,
    },
    /// The text has a line break, a tabulator or another control character.
    #[error("a {kind} has no control characters; remove them")]
    Control {
        /// What the name is for, in the words people read.
        kind: &'static str,
    },
    /// The text begins or ends with white space.
    #[error("a {kind} has no white space at its ends; remove it")]
    Space {
        /// What the name is for, in the words people read.
        kind: &'static str,
    },
}

fn check(kind: &'static str, most: usize, text: &str) -> Result<(), NameError> {
    let found = text.chars().count();
    if !(1..=most).contains(&found) {
        return Err(NameError::Length { kind, most, found });
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::Control { kind });
    }
    if text.trim() != text {
        return Err(NameError::Space { kind });
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $kind:literal, $most:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Most characters this name may have.
            pub const MAX_CHARS: usize = $most;

            /// Checks a text and keeps a copy of it.
            ///
            /// # Errors
            /// When it is empty or too long, has control characters, or white space at an end.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check($kind, $most, text).map(|()| Self(text.to_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check($kind, $most, &text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// A sensor node. 1 to 64 characters.
    NodeId: "node name", 64;
    /// One quantity that a node measures. 1 to 128 characters.
    Channel: "channel name", 128;
    /// The unit of a value, as the node or the configuration gives it. 1 to 32 characters.
    Unit: "unit", 32;
    /// One machine that runs fieldgate. 1 to 64 characters.
    GatewayId: "gateway id", 64;
    /// One place with one or two gateways; rows and views are keyed by it. 1 to 64 characters.
    Site: "site name", 64;
}

/// A gateway alone is a site of the same name; both kinds keep the same rules.
impl From<&GatewayId> for Site {
    fn from(id: &GatewayId) -> Self {
        Self(id.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_length_in_characters_not_bytes() {
        assert_eq!(NodeId::new(&"ä".repeat(64)).unwrap().as_str(), "ä".repeat(64));
        let error = NodeId::new(&"n".repeat(65)).unwrap_err();
        assert_eq!(error.to_string(), "a node name has 1 to 64 characters, this text has 65; choose another");
        assert!(NodeId::new("").is_err());
        assert!(Channel::new(&"c".repeat(128)).is_ok() && Channel::new(&"c".repeat(129)).is_err());
        assert!(Unit::new(&"u".repeat(32)).is_ok() && Unit::new(&"u".repeat(33)).is_err());
        assert!(GatewayId::new(&"g".repeat(64)).is_ok() && GatewayId::new(&"g".repeat(65)).is_err());
        assert!(Site::new(&"s".repeat(64)).is_ok() && Site::new(&"s".repeat(65)).is_err());
    }

    #[test]
    fn control_characters_and_outer_space_are_refused() {
        assert_eq!(Unit::new("m\u{7}s"), Err(NameError::Control { kind: "unit" }));
        assert_eq!(Site::new("barn "), Err(NameError::Space { kind: "site name" }));
        assert_eq!(Site::new("\u{a0}barn"), Err(NameError::Space { kind: "site name" }));
        assert_eq!(Site::new("north barn").unwrap().to_string(), "north barn");
    }

    #[test]
    fn deserialising_checks_too() {
        let node: NodeId = serde_json::from_str("\"silo\"").unwrap();
        assert_eq!(serde_json::to_string(&node).unwrap(), "\"silo\"");
        assert!(serde_json::from_str::<NodeId>("\" silo\"").is_err());
    }
}
