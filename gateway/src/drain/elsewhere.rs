//! Whether another server is the source now than the one that we are connected to.

use crate::topology::{Choice, View, choose};
use tokio::sync::watch;

/// Waits until another server is chosen. A frozen source would otherwise be waited for until the deadline of its
/// statement, although the probes know earlier.
pub async fn another_source(
    mut views: watch::Receiver<Vec<View>>,
    highest_term: u64,
    current: usize,
    identity: String,
) {
    while views.changed().await.is_ok() {
        let views = views.borrow_and_update();
        let choice = choose(&views, highest_term);
        if choice.source.is_some() && leads_elsewhere(&views, &choice, current, &identity) {
            return;
        }
    }
    std::future::pending().await
}

/// Whether another name was chosen than the one that we are connected to, or another server answers at that name now.
pub fn leads_elsewhere(views: &[View], choice: &Choice, current: usize, identity: &str) -> bool {
    let now = views.get(current).and_then(View::facts).map(|facts| facts.identity.as_str());
    choice.source != Some(current) || now.is_some_and(|now| now != identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Facts;
    use std::time::Duration;

    #[test]
    fn a_name_that_leads_to_another_server_is_another_source() {
        let mut view = View::unasked("db".to_owned());
        let choice = Choice { source: Some(0), ..Choice::default() };
        view.answered(Facts { identity: "a".to_owned(), ..Facts::default() });
        assert!(!leads_elsewhere(&[view.clone()], &choice, 0, "a"));
        assert!(leads_elsewhere(&[view.clone()], &choice, 0, "b"));
        assert!(leads_elsewhere(&[view], &Choice::default(), 0, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_source_is_given_up_only_when_another_one_is_chosen() {
        let writable = |identity: &str| Facts { identity: identity.to_owned(), ..Facts::default() };
        let named = |name: &str| View::unasked(name.to_owned());
        let (sender, views) = watch::channel(vec![named("db1"), named("db2")]);
        sender.send_modify(|views| views[0].answered(writable("a")));
        let mut waiting = Box::pin(another_source(views, 1, 0, "a".to_owned()));
        let soon = Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "it is the source");
        sender.send_modify(|views| views[0].failed("no answer".to_owned()));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "nobody is");
        sender.send_modify(|views| views[1].answered(writable("b")));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_ok());
    }
}
