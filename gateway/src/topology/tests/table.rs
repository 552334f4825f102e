//! Every topology in a row: what the servers say, which one is chosen, and what people read.

use super::*;

/// One topology. The servers are db1, db2 and so on; `None` does not answer.
struct Row {
    name: &'static str,
    servers: Vec<Option<Facts>>,
    highest_term: u64,
    source: Option<usize>,
    why: &'static str,
    strays: &'static [&'static str],
}

/// Writable, with a term.
fn writable(identity: &str, server_id: u64, number: u64, of: &str) -> Facts {
    Facts { term: term(number, of), ..facts(identity, server_id) }
}

/// Writable, with these channels, in term 1 of `a`.
fn following(identity: &str, server_id: u64, channels: Vec<Replication>) -> Option<Facts> {
    Some(Facts { replication: channels, ..writable(identity, server_id, 1, "a") })
}

fn closed(facts: Option<Facts>) -> Option<Facts> {
    facts.map(|facts| Facts { read_only: true, ..facts })
}

fn member(identity: &str, server_id: u64, (number, of): (u64, &str), state: &str) -> Option<Facts> {
    let cluster = ClusterMember { uuid: "u".to_owned(), synced: state == "Synced", state: state.to_owned() };
    Some(Facts { cluster: Some(cluster), ..writable(identity, server_id, number, of) })
}

fn runs(of: u64) -> Vec<Replication> {
    follows(of, true, true, true)
}

fn stopped(of: u64) -> Vec<Replication> {
    follows(of, false, false, true)
}

fn plain() -> Vec<Row> {
    let source = || Some(writable("a", 1, 1, "a"));
    let row = |name, servers, source, why| Row { name, servers, highest_term: 1, source, why, strays: &[] };
    vec![
        row(
            "a source with two replicas",
            vec![source(), Some(replica("b", 2, 1)), Some(replica("c", 3, 1))],
            Some(0),
            "db1 takes writes: it is writable, follows no other server and holds term 1",
        ),
        row(
            "the first contact",
            vec![Some(facts("a", 1)), None],
            Some(0),
            "db1 takes writes: it is writable, follows no other server and has no term yet",
        ),
        row(
            "the source is away",
            vec![None, Some(replica("b", 2, 1))],
            None,
            "no server takes writes: db1 cannot be asked (no answer); db2 is read-only",
        ),
        row(
            "a promoted replica",
            vec![None, Some(writable("b", 2, 1, "a"))],
            Some(1),
            "db2 takes writes: it is writable, follows no other server and is new in this place (term 1 names another server)",
        ),
        row(
            "a promoted replica with two stopped channels",
            vec![None, following("b", 2, [stopped(1), stopped(9)].concat())],
            Some(1),
            "db2 takes writes: it is writable, has stopped following server 1 and server 9 with nothing left to \
             apply and is new in this place (term 1 names another server)",
        ),
        row(
            "a replica with two channels, of which one runs",
            vec![None, following("b", 2, [stopped(1), runs(9)].concat())],
            None,
            "no server takes writes: db1 cannot be asked (no answer); db2 is writable but still follows server 9",
        ),
        row(
            "several writable servers",
            vec![source(), Some(writable("b", 2, 1, "a"))],
            None,
            "several servers take writes: db1 (term 1 of a); db2 (term 1 of a); make all but one read-only",
        ),
        row(
            "a stopped replica left writable, beside its source",
            vec![source(), following("b", 2, stopped(1))],
            None,
            "several servers take writes: db1 (term 1 of a); db2 (term 1 of a, has stopped following server 1); \
             make all but one read-only",
        ),
    ]
}

fn rings_and_names() -> Vec<Row> {
    let row = |name, servers, source, why| Row { name, servers, highest_term: 1, source, why, strays: &[] };
    vec![
        row(
            "two that follow each other, one closed",
            vec![following("a", 1, runs(2)), closed(following("b", 2, runs(1)))],
            Some(0),
            "db1 takes writes: it is writable, has all that its read-only partner has and holds term 1",
        ),
        row(
            "two that follow each other, both open",
            vec![following("a", 1, runs(2)), following("b", 2, runs(1))],
            None,
            "no server takes writes: db1 is writable but still follows server 2; db2 is writable but still follows server 1",
        ),
        row(
            "a ring of three",
            vec![following("a", 1, runs(3)), closed(following("b", 2, runs(1))), closed(following("c", 3, runs(2)))],
            None,
            "no server takes writes: db1 takes writes in a ring of 3 servers, which has no beginning (db1 from db3 from db2 \
             from db1): stop the replication of db1, with STOP SLAVE and RESET SLAVE ALL; db2 is read-only; db3 is read-only",
        ),
        row(
            "a moving address beside the names of its servers",
            vec![Some(writable("b", 2, 2, "b")), closed(following("a", 1, runs(2))), Some(writable("b", 2, 2, "b"))],
            Some(0),
            "db1 takes writes: it is writable, follows no other server and holds term 2",
        ),
        row(
            "two names of one server, which is closed",
            vec![Some(replica("b", 2, 1)), Some(replica("b", 2, 1))],
            None,
            "no server takes writes: db1 is read-only; db2 is the same server as db1",
        ),
    ]
}

fn terms() -> Vec<Row> {
    let still = Facts { replication: runs(2), ..writable("c", 3, 2, "b") };
    let old = || Some(writable("a", 1, 1, "a"));
    vec![
        Row {
            name: "a source left behind by a failover returns, and a replica is left writable",
            servers: vec![old(), Some(writable("b", 2, 2, "b")), Some(still), Some(replica("d", 4, 2)), None],
            highest_term: 2,
            source: Some(1),
            why: "db2 takes writes: it is writable, follows no other server and holds term 2",
            strays: &[
                "db1 was the source before a later failover (its term is 1, the highest seen is 2)",
                "db3 is writable but still follows server 2",
            ],
        },
        Row {
            name: "the same while its successor is away",
            servers: vec![old(), None],
            highest_term: 2,
            source: None,
            why: "no server takes writes: db1 was the source before a later failover (its term is 1, the highest seen is \
                  2); db2 cannot be asked (no answer); if db1 was restored from a backup, say so: fieldgate db accept-restored db1",
            strays: &[],
        },
    ]
}

fn clusters() -> Vec<Row> {
    let one = (1, "a");
    let row = |name, servers, source, why| Row { name, servers, highest_term: 1, source, why, strays: &[] };
    vec![
        row(
            "a cluster at the first contact",
            vec![member("a", 1, (1, "x"), "Synced"), member("b", 2, (1, "x"), "Synced")],
            Some(0),
            "db1 takes writes: it is one of 2 members of a cluster that are in step, and is new in this place (term 1 names \
             another server)",
        ),
        row(
            "a cluster stays with the member that the term names",
            vec![member("b", 2, one, "Synced"), member("a", 1, one, "Synced"), member("c", 3, one, "Synced")],
            Some(1),
            "db2 takes writes: it is one of 3 members of a cluster that are in step, and holds term 1",
        ),
        row(
            "a member that is not in step",
            vec![member("a", 1, one, "Donor"), member("b", 2, one, "Synced"), None],
            Some(1),
            "db2 takes writes: it is writable, follows no other server and is new in this place (term 1 names another \
                 server)",
        ),
        row(
            "the only member there is, and it is not in step",
            vec![member("a", 1, one, "Donor"), None],
            None,
            "no server takes writes: db1 is not in step with its cluster (Donor); db2 cannot be asked (no answer)",
        ),
        row(
            "a cluster and a server of its own",
            vec![member("a", 1, one, "Synced"), Some(writable("b", 2, 1, "a"))],
            None,
            "several servers take writes: db1 (term 1 of a); db2 (term 1 of a); make all but one read-only",
        ),
    ]
}

#[test]
fn every_topology_is_chosen_from_with_its_sentence() {
    for row in plain().into_iter().chain(rings_and_names()).chain(terms()).chain(clusters()) {
        let choice = choose(&views(row.servers), row.highest_term);
        assert_eq!((choice.source, choice.why.as_str()), (row.source, row.why), "{}", row.name);
        assert_eq!(choice.strays, row.strays, "{}", row.name);
    }
}
