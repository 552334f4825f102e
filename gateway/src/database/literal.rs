//! Text in statements that take no parameters.

/// A string literal, as both families read it in the mode that our sessions set.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
