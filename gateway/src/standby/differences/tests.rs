//! Each thing that does not fit has its sentence, and two that fit have none.

use super::*;

fn source(hears: &str, kind: &str, while_standby: &str, details: &[(&str, &str)]) -> SaidSource {
    let details = details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    SaidSource { hears: hears.to_owned(), kind: kind.to_owned(), while_standby: while_standby.to_owned(), details }
}

fn member(gateway: &str, priority: u8) -> Member {
    let sources = vec![
        source("the topic plants/{node}", "mqtt", "hold", &[("sequence", "/seq")]),
        source("the node shed", "i2c", "off", &[("part", "bme280"), ("address", "0x76"), ("every", "10s")]),
        source("the node silo", "serial", "hold", &[("format", "json-lines")]),
    ];
    let said = Some(Said { priority, beat_ms: 1000, silence_ms: 3000, sources });
    Member { gateway: gateway.to_owned(), version: "0.1.0".to_owned(), clock_ahead_us: 0, said }
}

/// What is told when the other one differs in this.
fn told(change: impl Fn(&mut Member)) -> Vec<String> {
    let mut other = member("barn-2", 2);
    change(&mut other);
    differences(&member("barn-1", 1), &other)
}

fn told_of(change: impl Fn(&mut Said)) -> Vec<String> {
    told(|other| change(other.said.as_mut().unwrap()))
}

#[test]
fn two_that_fit_have_nothing_to_tell() {
    assert_eq!(told(|_| ()), Vec::<String>::new());
    assert_eq!(told(|other| other.clock_ahead_us = 4_000_000), Vec::<String>::new());
}

#[test]
fn what_leads_to_wrong_takeovers_is_told_loudly_and_first() {
    let slow = told_of(|said| (said.beat_ms, said.priority) = (3000, 1));
    let expected = "WRONG TAKEOVERS: barn-2 gives a beat every 3s, barn-1 waits 3s for one, so barn-1 takes over although \
                    barn-2 lives: write one standby.beat and one standby.silence on both";
    assert_eq!((slow[0].as_str(), slow.len()), (expected, 2));
    let impatient = told_of(|said| said.silence_ms = 2400);
    assert!(
        impatient[0].starts_with("WRONG TAKEOVERS: barn-1 gives a beat every 1s, barn-2 waits 2.4s"),
        "{impatient:?}"
    );
    assert!(impatient[0].contains("barn-2 takes over when a single beat is lost"));
    assert_eq!(
        told_of(|said| said.silence_ms = 2500),
        ["standby.silence is 3s on barn-1 and 2.5s on barn-2: write the same on both"]
    );
    assert_eq!(
        told_of(|said| said.beat_ms = 500),
        ["standby.beat is 1s on barn-1 and 500ms on barn-2: write the same on both"]
    );
}

#[test]
fn one_priority_on_both_is_told() {
    let same = told_of(|said| said.priority = 1);
    assert!(same.len() == 1 && same[0].starts_with("standby.priority is 1 on both barn-1 and barn-2"), "{same:?}");
}

#[test]
fn a_source_of_one_only_is_told_from_both_sides() {
    let shared = "the node silo is \"hold\" on barn-1 and not shared on barn-2: add it there";
    let lacking = told_of(|said| drop(said.sources.pop()));
    assert!(lacking.len() == 1 && lacking[0].starts_with(shared), "{lacking:?}");
    let more = told_of(|said| said.sources.push(source("the topic tank/#", "mqtt", "hold", &[])));
    assert!(more.len() == 1 && more[0].starts_with("the topic tank/# is \"hold\" on barn-2 and not shared on barn-1"));
}

#[test]
fn each_property_that_differs_is_named_with_both_values() {
    let with = |index: usize, key: &'static str, value: &'static str| {
        told_of(move |said| drop(said.sources[index].details.insert(key.to_owned(), value.to_owned())))
    };
    for (index, key, own, other) in [
        (0, "sequence of the topic plants/{node}", "/seq", "/n"),
        (1, "part of the node shed", "bme280", "register"),
        (1, "address of the node shed", "0x76", "0x77"),
        (1, "every of the node shed", "10s", "20s"),
        (2, "format of the node silo", "json-lines", "csv"),
        (0, "node of the topic plants/{node}", "not there", "tank"),
    ] {
        let name = key.split(' ').next().unwrap();
        let expected = format!("{key} is {own} on barn-1 and {other} on barn-2: write the same on both");
        assert_eq!(with(index, name, other), [expected]);
    }
    let off = told_of(|said| said.sources[2].while_standby = "off".to_owned());
    assert_eq!(off, ["while_standby of the node silo is hold on barn-1 and off on barn-2: write the same on both"]);
    let moved = told_of(|said| said.sources[2].kind = "i2c".to_owned());
    assert!(
        moved.len() == 1 && moved[0].starts_with("the node silo is in [[serial]] on barn-1 and in [[i2c]] on barn-2")
    );
}

#[test]
fn versions_clocks_and_words_that_cannot_be_read_are_told() {
    let newer = told(|other| other.version = "0.2.0".to_owned());
    assert_eq!(
        newer,
        ["barn-1 runs fieldgate 0.1.0 and barn-2 0.2.0: put the same version of fieldgate on both gateways"]
    );
    let unreadable = told(|other| other.said = None);
    assert!(unreadable.len() == 1 && unreadable[0].contains("barn-2 says of its sources cannot be read"));
    let behind = told(|other| other.clock_ahead_us = -86_400_000_000);
    assert!(
        behind.len() == 1 && behind[0].starts_with("barn-2's clock is at least 86400 s behind barn-1's;"),
        "{behind:?}"
    );
    let ahead = told(|other| other.clock_ahead_us = i64::MAX);
    assert!(ahead.len() == 1 && ahead[0].contains("s ahead of"), "{ahead:?}");
}
