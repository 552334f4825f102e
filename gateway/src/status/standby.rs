//! What a gateway of two says of the two, as people read it. Pure.

use super::text::duration;
use crate::standby::role::Role;
use crate::standby::state::{LinkState, Other, StandbyState};
use jiff::Timestamp;

/// Of an other gateway that was not heard for longer, what it is now is not known.
const STALE_MS: u64 = 2_000;
/// From here on tenths of a second say nothing.
const LONG_MS: u64 = 30_000;
/// A clock that is off by less may be as right as ours: the offset is known to about a second.
const CLOCK_SHOWN_MS: u64 = 2_000;

/// Some lines of the screen.
pub fn standby(state: &StandbyState, now_us: i64) -> Vec<String> {
    let mut lines = vec![format!("standby   {}", role(state, now_us))];
    lines.push(format!("          other gateway: {}", other(state.other.as_ref(), now_us)));
    lines.extend(state.links.iter().map(|state| format!("          link {}", link(state))));
    lines.extend(state.warnings.iter().map(|warning| format!("          WARNING: {warning}")));
    lines
}

/// The most important of it.
pub fn in_a_word(state: &StandbyState) -> String {
    match state.role {
        Role::Active => format!("active in term {}", state.term),
        role => format!("{role}: {}", state.reason),
    }
}

fn role(state: &StandbyState, now_us: i64) -> String {
    let term = match (state.role, state.term) {
        (_, 0) => "no term yet".to_owned(),
        (Role::Active, term) => format!("in term {term}"),
        (_, term) => format!("the newest term is {term}"),
    };
    let since = if state.since_us == 0 { String::new() } else { format!(" since {}", time(state.since_us, now_us)) };
    format!("{}{since}, {term}: {}", state.role, state.reason)
}

fn time(at_us: i64, now_us: i64) -> String {
    let at = Timestamp::from_microsecond(at_us).map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let age = duration(seconds(now_us.saturating_sub(at_us) / 1000));
    at.map_or_else(|_| format!("{age} ago"), |at| format!("{at} ({age} ago)"))
}

fn other(other: Option<&Other>, now_us: i64) -> String {
    let Some(other) = other else { return "not heard yet".to_owned() };
    let ago_ms = other.last_beat_ms_ago;
    let ago = format!("{}.{} s", ago_ms / 1000, ago_ms % 1000 / 100);
    let life = match ago_ms {
        ..STALE_MS => format!("{}, last beat {ago} ago", other.role),
        STALE_MS..LONG_MS => format!("not heard for {ago}, {} then", other.role),
        LONG_MS.. => format!("not heard for {}, {} then", duration(ago_ms / 1000), other.role),
    };
    let mut parts = vec![life];
    parts.extend(other.clock_offset_ms.and_then(clock));
    parts.push(progress(other, now_us));
    if other.unwell {
        parts.push("its queue takes nothing".to_owned());
    }
    if !other.reaches_database {
        parts.push("it reaches no database".to_owned());
    }
    parts.join("; ")
}

fn clock(offset_ms: i64) -> Option<String> {
    let side = if offset_ms > 0 { "ahead of" } else { "behind" };
    let off_ms = offset_ms.unsigned_abs();
    (off_ms > CLOCK_SHOWN_MS).then(|| format!("its clock is {} s {side} this one's", off_ms / 1000))
}

/// How far it has come, by its own clock as far as that is known.
fn progress(other: &Other, now_us: i64) -> String {
    let its_now_ms = (now_us / 1000).saturating_add(other.clock_offset_ms.unwrap_or(0));
    let ago = |through_ms: u64| match i64::try_from(through_ms) {
        Ok(1..) => {
            let age_ms = its_now_ms.saturating_sub(i64::try_from(through_ms).unwrap_or(i64::MAX));
            format!("up to {} ago", duration(seconds(age_ms)))
        }
        _ => "up to a time that is not known yet".to_owned(),
    };
    let (durable, drained) = (ago(other.durable_through_ms), ago(other.drained_through_ms));
    format!("its readings are durable {durable}, and delivered {drained}")
}

fn seconds(ms: i64) -> u64 {
    u64::try_from(ms / 1000).unwrap_or(0)
}

fn link(state: &LinkState) -> String {
    let witness = if state.witness { " (witness)" } else { "" };
    let works = match (&state.trouble, state.up) {
        (Some(trouble), _) => format!("does not work: {trouble}"),
        (None, true) if state.due > 0 && state.lost >= state.due => {
            "is open, but the other gateway is not heard".to_owned()
        }
        (None, true) => "works".to_owned(),
        (None, false) => "not open yet".to_owned(),
    };
    format!("{}{witness}: {works}; {}", state.name, state.beats)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_800_000_000_000_000;
    const NOW_MS: u64 = 1_800_000_000_000;

    fn state() -> StandbyState {
        let other = Other {
            role: Role::Standby,
            term: 0,
            priority: 2,
            last_beat_ms_ago: 420,
            clock_offset_ms: Some(300),
            durable_through_ms: NOW_MS,
            drained_through_ms: NOW_MS - 4_000,
            unwell: false,
            reaches_database: true,
        };
        let serial = LinkState {
            name: "serial /dev/ttyAMA2".to_owned(),
            up: true,
            trouble: None,
            witness: false,
            beats: "58 of the last 60 beats".to_owned(),
            lost: 2,
            due: 60,
        };
        let trouble = Some("no such host".to_owned());
        let (name, beats) = ("udp barn-2:7420".to_owned(), "0 of the last 60 beats".to_owned());
        let udp = LinkState { name, up: false, trouble, witness: true, beats, ..serial.clone() };
        StandbyState {
            role: Role::Active,
            reason: "the other gateway is silent".to_owned(),
            since_us: NOW_US - 7_200_000_000,
            term: 5,
            other: Some(other),
            links: vec![serial, udp],
            warnings: vec!["udp barn-2:7420 brings beats of another site".to_owned()],
        }
    }

    #[test]
    fn one_look_says_the_role_the_other_one_the_links_and_the_warnings() {
        let expected = [
            "standby   active since 2027-01-15 06:00:00 UTC (2 h ago), in term 5: the other gateway is silent",
            "          other gateway: standby, last beat 0.4 s ago; its readings are durable up to 0 s ago, and delivered up to 4 s ago",
            "          link serial /dev/ttyAMA2: works; 58 of the last 60 beats",
            "          link udp barn-2:7420 (witness): does not work: no such host; 0 of the last 60 beats",
            "          WARNING: udp barn-2:7420 brings beats of another site",
        ];
        assert_eq!(standby(&state(), NOW_US), expected);
    }

    #[test]
    fn a_link_that_is_open_and_silent_does_not_pass_for_one_that_works() {
        let mut silent = state().links.remove(0);
        (silent.lost, silent.due, silent.beats) = (60, 60, "0 of the last 60 beats".to_owned());
        assert_eq!(
            link(&silent),
            "serial /dev/ttyAMA2: is open, but the other gateway is not heard; 0 of the last 60 beats"
        );
        (silent.lost, silent.due) = (0, 0);
        assert!(link(&silent).contains(": works; "), "nothing was due yet");
    }

    #[test]
    fn at_the_start_nothing_is_claimed() {
        let expected = [
            "standby   starting, no term yet: it listens for the other gateway",
            "          other gateway: not heard yet",
        ];
        assert_eq!(standby(&StandbyState::default(), NOW_US), expected);
        assert_eq!(in_a_word(&StandbyState::default()), "starting: it listens for the other gateway");
        assert_eq!(in_a_word(&state()), "active in term 5");
    }

    #[test]
    fn what_is_old_off_or_unknown_of_the_other_one_is_said() {
        let mut one = state().other.unwrap();
        one.last_beat_ms_ago = 300_000;
        assert!(other(Some(&one), NOW_US).starts_with("not heard for 5 min, standby then; its readings"));
        one.last_beat_ms_ago = 8_040;
        assert!(other(Some(&one), NOW_US).starts_with("not heard for 8.0 s, standby then; its readings"));
        one.clock_offset_ms = Some(-61_500);
        one.drained_through_ms = 0;
        (one.unwell, one.reaches_database) = (true, false);
        let text = other(Some(&one), NOW_US);
        assert!(text.contains("; its clock is 61 s behind this one's; "), "{text}");
        assert!(
            text.ends_with(
                "delivered up to a time that is not known yet; its queue takes nothing; it reaches no database"
            ),
            "{text}"
        );
        one.durable_through_ms = NOW_MS - 63_500;
        assert!(other(Some(&one), NOW_US).contains("durable up to 2 s ago"), "by its own clock");
    }
}
