//! Every gate that asks what the servers are like, open and shut, with its sentence.

use super::*;

pub(super) type Case = (Row, Gate, bool, &'static str);

pub(super) fn look(cases: Vec<Case>, change: impl Fn(&mut Situation<'_>)) {
    for (row, gate, open, why) in cases {
        let views = named(row.views);
        let mut situation = Situation { highest_term: row.highest_term, ..situation(&views) };
        change(&mut situation);
        let considered = consider(&situation);
        let answer = answer(&considered, gate);
        assert_eq!((answer.open, answer.why.as_str()), (open, why), "{}: {}", gate.as_str(), row.name);
    }
}

pub(super) fn away_and(others: impl IntoIterator<Item = Facts>) -> Vec<View> {
    std::iter::once(gone(open("a", 1))).chain(others.into_iter().map(up)).collect()
}

#[test]
fn nobody_takes_writes() {
    let gate = Gate::NobodyWrites;
    let writable = |id: &str, server_id| with(replica(id, server_id), |facts| facts.read_only = false);
    let source = || with(open("a", 1), |facts| facts.term = term(1, "a"));
    let cases = vec![
        (row("none", plain()), gate, true, "no server is open for writes"),
        (
            row("not asked yet", vec![View::unasked(String::new()), up(replica("b", 2))]),
            gate,
            false,
            "not every server has been asked yet",
        ),
        (
            row("a source", vec![up(source()), up(replica("b", 2))]),
            gate,
            false,
            "db1 takes writes: it is writable, follows no other server and holds term 1",
        ),
        (
            row("a replica left writable", away_and([writable("b", 2), replica("c", 3)])),
            gate,
            false,
            "db2 is open for writes and must not be: make it read-only",
        ),
        (
            row("two of them", away_and([writable("b", 2), writable("c", 3)])),
            gate,
            false,
            "db2 and db3 are open for writes: make all but one read-only",
        ),
        (
            Row {
                name: "a source left behind, still open",
                views: vec![up(source()), gone(open("b", 2))],
                highest_term: 2,
            },
            gate,
            false,
            "db1 is open for writes and must not be: make it read-only",
        ),
    ];
    look(cases, |_| ());
}

#[test]
fn replication_goes_by_gtids() {
    let by_position = on_channel(replica("c", 3), |channel| channel.by_gtid = false);
    let cases = vec![
        (row("by GTIDs", plain()), Gate::Gtid, true, "replication goes by GTIDs"),
        (
            row("by position", away_and([replica("b", 2), by_position])),
            Gate::Gtid,
            false,
            "replication by file and position, from which nobody can tell who has what, at db3: set \
             MASTER_USE_GTID = slave_pos, or SOURCE_AUTO_POSITION = 1",
        ),
    ];
    look(cases, |_| ());
}

#[test]
fn nobody_still_receives() {
    let gate = Gate::NobodyReceives;
    let connected = |id: &str, server_id, to| {
        on_channel(replica(id, server_id), |channel| {
            (channel.connected, channel.upstream_id, channel.upstream) = (true, to, format!("server {to}"));
        })
    };
    let nobody = "no replica receives from a server that does not answer here";
    let promoted = |term_of: &str| with(replica("c", 3), |facts| facts.term = term(1, term_of));
    let others = vec![gone(open("a", 1)), up(connected("b", 2, 3)), gone(promoted("a")), up(replica("d", 4))];
    let by_another_tool = "the way from here may be what is broken: db2 from server 3 still receives";
    let cases = vec![
        (row("nobody", plain()), gate, true, nobody),
        (
            row("two", away_and([connected("b", 2, 1), connected("c", 3, 1)])),
            gate,
            false,
            "the way from here may be what is broken: db2 from server 1, db3 from server 1 still receives",
        ),
        (row("from a server that somebody else has promoted", others), gate, false, by_another_tool),
        (
            row("from a server that nobody knows", vec![never(), up(connected("b", 2, 9)), up(replica("c", 3))]),
            gate,
            false,
            "the way from here may be what is broken: db2 from server 9 still receives",
        ),
        (row("from a replica that answers", away_and([connected("b", 2, 3), replica("c", 3)])), gate, true, nobody),
        (
            row("from the source, which is back and closed", vec![up(restarted("a", 1)), up(connected("b", 2, 1))]),
            gate,
            true,
            nobody,
        ),
        (
            row(
                "the last source is to be opened again, and another has been promoted meanwhile",
                vec![up(restarted("a", 1)), up(connected("b", 2, 3)), gone(promoted("a"))],
            ),
            gate,
            false,
            by_another_tool,
        ),
    ];
    look(cases, |_| ());
}

#[test]
fn a_majority_answers() {
    let (gate, few) =
        (Gate::Majority, "which is not more than half of them: those that are away may have promoted one");
    let few = |count: &str| -> &'static str { format!("{count} servers answer, {few}").leak() };
    let cases = vec![
        (row("two of three", plain()), gate, true, "2 of 3 servers answer"),
        (row("a source and one replica", away_and([replica("b", 2)])), gate, false, few("1 of 2")),
        (
            row("half of four", vec![gone(open("a", 1)), never(), up(replica("b", 2)), up(replica("c", 3))]),
            gate,
            false,
            few("2 of 4"),
        ),
        (
            row("two names of one server", vec![gone(open("a", 1)), up(replica("b", 2)), up(replica("b", 2))]),
            gate,
            false,
            few("1 of 2"),
        ),
        (row("one that has restarted", vec![up(restarted("a", 1))]), gate, true, "1 of 1 servers answer"),
    ];
    look(cases, |_| ());
}
