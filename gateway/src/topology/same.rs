//! Configured names that lead to one server, and one name that leads to several. Pure.

use super::{Facts, View};

/// The configured name that stands for the server at `index` when several lead to it: the first that answers, else the
/// first; none when it is that name itself. Otherwise one server would count twice, and seem to be two that take writes.
pub fn same_as(views: &[View], index: usize) -> Option<usize> {
    let view = views.get(index)?;
    let names = views.iter().enumerate().filter(|(_, other)| is_same_server(view, other));
    let first = names.min_by_key(|(place, other)| (other.facts().is_none(), *place)).map(|(place, _)| place);
    first.filter(|first| *first != index)
}

/// Whether two configured names led to the same server when they last answered.
pub fn is_same_server(one: &View, other: &View) -> bool {
    identity(one).is_some_and(|identity_of_one| Some(identity_of_one) == identity(other))
}

fn identity(view: &View) -> Option<&str> {
    view.last_facts().map(|facts: &Facts| facts.identity.as_str()).filter(|identity| !identity.is_empty())
}

/// What is said of a name behind which servers change; none while there has been one only.
pub fn moved_words(view: &View) -> Option<String> {
    let before = view.before()?;
    let now = identity(view)?;
    Some(match view.moves() {
        0 => return None,
        1 | 2 => format!("an address that moved to {now}, from {before}"),
        many => format!(
            "an address that moved {many} times, last to {now} from {before}: if it is a proxy, the replicas behind it \
             cannot be asked and only `keep` protects; name the servers themselves in mysql.servers, too"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(identity: &str) -> View {
        let mut view = View::unasked("a name".to_owned());
        view.answered(Facts { identity: identity.to_owned(), ..Facts::default() });
        view
    }

    #[test]
    fn the_first_name_that_answers_stands_for_its_server() {
        let (mut away, never) = (view("a"), View::unasked("never".to_owned()));
        away.failed("no answer".to_owned());
        let views = [away, view("b"), view("a"), view("a"), never.clone(), never];
        let same: Vec<Option<usize>> = (0..views.len()).map(|index| same_as(&views, index)).collect();
        assert_eq!(same, [Some(2), None, None, Some(2), None, None]);
    }

    #[test]
    fn a_name_whose_server_changes_is_said_and_one_that_goes_on_changing_may_be_a_proxy() {
        let mut name = view("a");
        let answers = |name: &mut View, identity: &str| {
            name.answered(Facts { identity: identity.to_owned(), ..Facts::default() });
            moved_words(name)
        };
        assert_eq!(answers(&mut name, "a"), None);
        assert_eq!(answers(&mut name, "b").as_deref(), Some("an address that moved to b, from a"));
        name.failed("no answer".to_owned());
        assert_eq!(answers(&mut name, "b").as_deref(), Some("an address that moved to b, from a"));
        answers(&mut name, "a");
        let words = answers(&mut name, "b").unwrap();
        assert!(words.starts_with("an address that moved 3 times, last to b from a: if it is a proxy,"), "{words}");
    }
}
