//! Every gate that asks whether the source is gone, and for how long, open and shut, with its sentence.

use super::gate_table::{away_and, look};
use super::*;

#[test]
fn the_source_is_gone() {
    let gate = Gate::SourceGone;
    let after = |first: View| vec![first, up(replica("b", 2)), up(replica("c", 3))];
    let nameless = || with(replica("b", 2), |facts| facts.term = None);
    let follows = with(replica("a", 1), |facts| facts.replication = vec![channel(2, "0-1-100")]);
    let cases = vec![
        (row("away", plain()), gate, true, "the source db1 cannot be asked (no answer)"),
        (
            row("not seen since the start", after(never())),
            gate,
            true,
            "the source of term 1 (a) is none of the servers that answer",
        ),
        (
            row("none of ours", vec![up(replica("b", 2)), up(replica("c", 3))]),
            gate,
            false,
            "the source of term 1 (a) is not in mysql.servers",
        ),
        (
            row("none yet", vec![never(), up(nameless()), up(nameless())]),
            gate,
            false,
            "no server says which one was the source: there was none yet",
        ),
        (
            row("restarted", after(up(restarted("a", 1)))),
            gate,
            true,
            "the source db1 has restarted and is closed by its own start",
        ),
        (
            row(
                "its clock and ours agree on nothing: written to in the future",
                after(up(closed("a", 1, 10, Some(ago(-5))))),
            ),
            gate,
            false,
            "the source db1 answers and refuses writes: somebody closed it while it ran",
        ),
        (
            row("closed while it ran", after(up(closed("a", 1, 900, Some(ago(60)))))),
            gate,
            false,
            "the source db1 answers and refuses writes: somebody closed it while it ran",
        ),
        (
            row("promoted and not opened", after(up(closed("a", 1, 900_000, Some(ago(100_001)))))),
            gate,
            true,
            "the promotion of db1 was begun and not finished",
        ),
        (row("open", after(up(open("a", 1)))), gate, false, "the source db1 answers and is open for writes"),
        (row("a replica", after(up(follows))), gate, false, "the source db1 answers and follows another server"),
        (
            row(
                "away by one name, closed by another",
                vec![gone(open("a", 1)), up(closed("a", 1, 900, Some(ago(60))))],
            ),
            gate,
            false,
            "the source db2 answers and refuses writes: somebody closed it while it ran",
        ),
        (
            row("a later one is away", vec![up(replica("a", 1)), gone(with(open("b", 2), |f| f.term = term(2, "b")))]),
            gate,
            true,
            "the source db2 cannot be asked (no answer)",
        ),
    ];
    look(cases, |_| ());
}

#[test]
fn grace_is_over() {
    let waited = |seconds: Option<f64>, open, why| {
        look(vec![(row("grace", plain()), Gate::Grace, open, why)], |situation| {
            situation.without_source = seconds.map(Duration::from_secs_f64);
        });
    };
    waited(None, false, "no server has taken writes for 0.0 s, and grace is 30.0 s");
    waited(Some(29.94), false, "no server has taken writes for 29.9 s, and grace is 30.0 s");
    waited(Some(30.0), true, "no server has taken writes for 30.0 s");
}

#[test]
fn cooldown_is_over() {
    let gate = Gate::Cooldown;
    let at = |number, since_us| {
        let of =
            |facts: Facts| with(facts, |facts| (facts.term, facts.term_since_us) = (term(number, "a"), Some(since_us)));
        away_and([replica("b", 2), of(replica("c", 3))])
    };
    let away = with(open("a", 1), |facts| (facts.term, facts.term_since_us) = (term(2, "a"), Some(ago(5))));
    let reopened = vec![up(with(restarted("a", 1), |facts| facts.term = term(2, "a"))), up(replica("b", 2))];
    let cases = vec![
        (row("the first source", plain()), gate, true, "there has been no failover yet"),
        (row("long ago", at(2, ago(3600))), gate, true, "the last failover was 3600 s ago"),
        (row("just now", at(2, ago(3599))), gate, false, "the last failover was 3599 s ago, and cooldown is 3600 s"),
        (
            row("a clock that went back", at(2, ago(-1))),
            gate,
            false,
            "the last failover lies in the future by this machine's clock: set the clock, or ask for it with \
             `fieldgate db failover`",
        ),
        (
            row("it did not get beyond its server", vec![gone(away), up(replica("b", 2)), up(replica("c", 3))]),
            gate,
            true,
            "there has been no failover yet",
        ),
        (row("opened again", reopened), gate, true, "does not matter: no other server becomes the source"),
    ];
    look(cases, |_| ());
    let none = vec![(row("no cooldown", at(2, ago(-1))), gate, true, "there is no cooldown")];
    look(none, |situation| situation.cooldown = Duration::ZERO);
}

#[test]
fn who_closed_a_source_is_told_from_how_it_was_closed_where_the_server_tells() {
    let said = |by_statement| {
        let facts = with(closed("a", 1, 900, Some(ago(60))), |facts| {
            facts.closed = facts.closed.map(|closed| Closed { by_statement, ..closed });
        });
        let views = named(vec![up(facts), up(replica("b", 2)), up(replica("c", 3))]);
        let considered = consider(&situation(&views));
        answer(&considered, Gate::SourceGone).why.clone()
    };
    assert_eq!(
        said(Some(false)),
        "the source db1 has restarted and is closed by its own start",
        "whatever the clock says"
    );
    assert_eq!(said(Some(true)), "the source db1 answers and refuses writes: somebody closed it while it ran");
    assert_eq!(said(None), said(Some(true)), "by the clock");
}

/// The term names the replica that was to be the source, and then the old one dies.
#[test]
fn the_source_of_a_switchover_that_was_not_finished_is_still_the_source() {
    let to_b = |facts: Facts| with(facts, |facts| facts.term = term(2, "b"));
    let old = to_b(with(open("a", 1), |facts| facts.read_only = true));
    let gone_for = |old: View| {
        let views = named(vec![old, up(to_b(replica("b", 2))), up(to_b(replica("c", 3)))]);
        let considered = consider(&Situation { highest_term: 2, ..situation(&views) });
        (answer(&considered, Gate::SourceGone).clone(), considered.candidate)
    };
    let (answered, candidate) = gone_for(gone(old.clone()));
    assert!(answered.open, "{}", answered.why);
    assert_eq!(candidate, Some((1, Way::Promote)));
    let (answered, _) = gone_for(up(old));
    assert_eq!(answered.why, "the source db1 answers and is closed for a switchover that was not finished");
}
