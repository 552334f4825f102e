//! What the drain has found out of other machines, as people read it. Pure.

use super::DrainState;

/// A line each: another machine of this id first, then what does not fit between the two gateways of the site.
pub fn lines(drain: &DrainState) -> Vec<String> {
    let warnings = drain.same_id.iter().chain(&drain.standby_differences);
    warnings.map(|words| format!("          WARNING: {words}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_line_and_an_older_gateway_says_nothing_of_it() {
        let standby_differences = vec!["a".to_owned(), "b".to_owned()];
        let drain = DrainState { same_id: Some("two".to_owned()), standby_differences, ..DrainState::default() };
        let shown = lines(&drain);
        assert_eq!(
            shown.iter().map(|line| line.trim_start()).collect::<Vec<_>>(),
            ["WARNING: two", "WARNING: a", "WARNING: b"]
        );
        let mut older = serde_json::to_value(&drain).unwrap();
        ["standby_differences", "same_id"].iter().for_each(|key| drop(older.as_object_mut().unwrap().remove(*key)));
        assert_eq!(serde_json::from_value::<DrainState>(older).unwrap(), DrainState::default());
    }
}
