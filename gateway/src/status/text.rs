//! The snapshot as people read it.

use super::standby::{in_a_word, standby};
use super::table::servers;
use super::{DrainState, IntakeState, LettersState, Snapshot};
use crate::standby::role::Role;
use crate::standby::state::StandbyState;
use sensors::{ClockQuality, SourceState};

/// Dead letters are counted so far and no further.
pub const LETTERS_COUNTED: u64 = 1000;

/// One screen.
pub fn whole(snapshot: &Snapshot) -> String {
    let mut lines = vec![
        format!(
            "gateway   {} of site {}, running for {}, stream {}, fieldgate {}",
            snapshot.gateway,
            snapshot.site,
            duration(snapshot.running_s),
            snapshot.stream,
            snapshot.version
        ),
        format!("clock     {}", clock(snapshot)),
    ];
    lines.extend(snapshot.standby.iter().flat_map(|state| standby(state, snapshot.clock.now_us)));
    lines.extend(snapshot.sources.iter().map(|state| source(state, snapshot.clock.now_us)));
    lines.extend(queue(snapshot));
    lines.extend(drain(snapshot));
    lines.extend(servers(&snapshot.servers));
    lines.join("\n")
}

/// The service manager's line: numbers, what this gateway of two is, what is in the way, and the first steps as long as nothing
/// has been delivered.
pub fn line(
    intake: IntakeState,
    drain: &DrainState,
    sources: &[SourceState],
    standby: Option<&StandbyState>,
    first_steps: Option<&str>,
) -> String {
    let numbers = format!("{} readings durable, {} delivered since the start", intake.durable, drain.delivered);
    let to = match &drain.source {
        Some(source) => format!("source {source}"),
        None if drain.why.is_empty() => "no source yet".to_owned(),
        None => drain.why.clone(),
    };
    let away = sources.iter().filter(|state| !state.waits_for_turn());
    let away = away.filter_map(|state| Some(format!("{} is away ({})", state.name, state.trouble.as_ref()?)));
    let mut parts: Vec<String> = standby.map(in_a_word).into_iter().chain([numbers, to]).collect();
    parts.extend(intake.full.map(|full| full.words()));
    parts.extend(drain.trouble.iter().map(|trouble| format!("waits: {trouble}")));
    parts.extend(drain.same_id.clone());
    parts.extend(away);
    parts.extend(first_steps.filter(|_| drain.delivered == 0).map(str::to_owned));
    // A line break would begin another assignment of the protocol.
    parts.join("; ").replace(['\n', '\r'], " ")
}

fn clock(snapshot: &Snapshot) -> String {
    match (snapshot.clock.quality, snapshot.clock.error_us) {
        (ClockQuality::Synced, Some(us)) => format!("synchronised, wrong by at most {} ms", us.div_ceil(1000)),
        (ClockQuality::Synced, None) => "synchronised".to_owned(),
        (ClockQuality::Holdover, _) => "was synchronised earlier in this boot".to_owned(),
        (ClockQuality::Unset, _) => "not known to be synchronised in this boot".to_owned(),
    }
}

fn source(state: &SourceState, now_us: i64) -> String {
    let link = match (&state.trouble, state.connected) {
        _ if state.waits_for_turn() => "waits for its turn: only the active gateway reads it".to_owned(),
        (Some(trouble), _) => format!("away ({trouble})"),
        (None, true) => "connected".to_owned(),
        (None, false) => "connecting".to_owned(),
    };
    let last = state.last_us.and_then(|last| u64::try_from((now_us - last) / 1_000_000).ok());
    let last = last.map_or_else(|| "none yet".to_owned(), |seconds| format!("last {} ago", duration(seconds)));
    let bad = match (state.dead_letters, state.gaps) {
        (0, 0) => String::new(),
        (letters, gaps) => format!(", {letters} dead letters, {gaps} gaps"),
    };
    format!("readings  {}: {link}, {} since the start, {last}{bad}", state.name, state.readings)
}

fn queue(snapshot: &Snapshot) -> Vec<String> {
    let queue = &snapshot.queue;
    let oldest = queue.oldest_waiting_s.map_or_else(String::new, |age| format!(" (oldest {})", duration(age)));
    let mut lines = vec![format!(
        "queue     {} readings {}{oldest}, {} kept after delivery; {} of {}",
        queue.waiting,
        why_they_wait(snapshot.standby.as_ref().map(|state| state.role), snapshot.drain.source.is_some()),
        queue.kept,
        bytes(queue.live_bytes),
        bytes(queue.max_bytes)
    )];
    lines.extend(queue.full_because.iter().map(|why| format!("          FULL: {why}")));
    if queue.dropped > 0 {
        lines.push(format!("          {} readings dropped since the start for want of room (see gaps)", queue.dropped));
    }
    if queue.damaged_places > 0 {
        lines.push(format!("          {} damaged places met; what they held becomes gaps", queue.damaged_places));
    }
    if queue.over_quota > 0 {
        lines.push(format!("          {} readings of nodes over their quota dropped (see gaps)", queue.over_quota));
    }
    lines
}

/// While the other gateway brings its readings, this one holds the same ones until it sees them in the database.
fn why_they_wait(role: Option<Role>, has_source: bool) -> &'static str {
    match role {
        Some(Role::Standby | Role::Starting | Role::Isolated | Role::Leaving) if has_source => {
            "held, as the other gateway brings them"
        }
        Some(_) | None => "wait for the database",
    }
}

fn drain(snapshot: &Snapshot) -> Vec<String> {
    let drain = &snapshot.drain;
    let mut lines = vec![format!("drain     {}", drain.why)];
    lines.extend(drain.promotion.iter().map(|promotion| format!("          {promotion}")));
    lines.extend(drain.trouble.iter().map(|trouble| format!("          waits: {trouble}")));
    lines.extend(super::machines::lines(drain));
    let missing = if drain.missing > 0 { format!(", {} missing (see gaps)", drain.missing) } else { String::new() };
    let again = if drain.sent_again > 0 { format!(", {} of them sent again", drain.sent_again) } else { String::new() };
    lines.push(format!(
        "          {} durable and {} delivered since the start{again}{missing}",
        snapshot.queue.durable, drain.delivered
    ));
    if drain.left_out > 0 {
        let left_out = drain.left_out;
        lines.push(format!("          left out since the start: {left_out}, as the other gateway had brought them"));
    }
    if drain.gaps > 0 {
        lines.push(format!("          {} rows of gaps written since the start: what is missing, and why", drain.gaps));
    }
    lines.extend(drain.dead_letters.as_ref().filter(|letters| letters.count > 0).map(dead_letters));
    lines
}

fn dead_letters(letters: &LettersState) -> String {
    let count =
        if letters.count > LETTERS_COUNTED { format!("over {LETTERS_COUNTED}") } else { letters.count.to_string() };
    let newest = letters.newest.as_ref().map_or_else(String::new, |newest| format!(" (newest: {newest})"));
    format!("          {count} dead letters{newest}; see `fieldgate db deadletters list`")
}

/// As people read it, rounded down.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A number of bytes as people read it, rounded down.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, size)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, size)| format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Full;
    use config::WhenFull;
    use queue::pressure::Cause;

    #[test]
    fn the_line_says_what_is_in_the_way_and_the_first_steps_until_something_is_delivered() {
        let away = SourceState {
            name: "mqtt://b".to_owned(),
            trouble: Some("refused\nSTOPPING=1".to_owned()),
            ..SourceState::default()
        };
        let fresh = DrainState { why: "no server takes writes: a cannot be asked".to_owned(), ..DrainState::default() };
        assert_eq!(
            line(IntakeState::default(), &fresh, &[away], None, Some("to set it up: edit")),
            "0 readings durable, 0 delivered since the start; no server takes writes: a cannot be asked; \
             mqtt://b is away (refused STOPPING=1); to set it up: edit"
        );
        let delivers = DrainState { source: Some("a".to_owned()), delivered: 7, ..DrainState::default() };
        let intake = IntakeState { durable: 9, ..IntakeState::default() };
        let well = SourceState { connected: true, ..SourceState::default() };
        assert_eq!(
            line(intake, &delivers, &[well], None, Some("to set it up: edit")),
            "9 readings durable, 7 delivered since the start; source a"
        );
        let stuck = DrainState { trouble: Some("no right".to_owned()), ..delivers };
        let why = Full { cause: Cause::Queue, when_full: WhenFull::Pause, since_us: 0, dropped: 0 };
        let full = IntakeState { full: Some(why), ..intake };
        let shown = line(full, &stuck, &[], None, None);
        assert!(shown.contains("source a; the queue is full: ") && shown.ends_with("; waits: no right"), "{shown}");
    }

    #[test]
    fn what_waits_for_its_turn_is_not_away_and_what_is_held_does_not_wait_for_the_database() {
        let trouble = Some(sensors::turn::WAITING.to_owned());
        let waits = SourceState { name: "/dev/i2c-1".to_owned(), trouble, ..SourceState::default() };
        let shown = source(&waits, 0);
        assert!(shown.contains("/dev/i2c-1: waits for its turn: only the active gateway reads it, 0 since"), "{shown}");
        let standby = StandbyState {
            role: Role::Standby,
            reason: "the other gateway is active".to_owned(),
            ..StandbyState::default()
        };
        let delivers = DrainState { source: Some("a".to_owned()), ..DrainState::default() };
        assert_eq!(
            line(IntakeState::default(), &delivers, &[waits], Some(&standby), None),
            "standby: the other gateway is active; 0 readings durable, 0 delivered since the start; source a"
        );
        let held = "held, as the other gateway brings them";
        for role in Role::ALL {
            assert_eq!(why_they_wait(Some(role), true) == held, role != Role::Active, "{role}");
            assert_ne!(why_they_wait(Some(role), false), held);
        }
        assert_ne!(why_they_wait(None, true), held);
    }

    #[test]
    fn dead_letters_are_counted_so_far_and_the_newest_is_named() {
        let newest = Some("2026-01-01 00:00:00 shed/t: no".to_owned());
        assert_eq!(
            dead_letters(&LettersState { count: 3, newest }).trim_start(),
            "3 dead letters (newest: 2026-01-01 00:00:00 shed/t: no); see `fieldgate db deadletters list`"
        );
        let many = LettersState { count: 1001, newest: None };
        assert!(dead_letters(&many).contains(" over 1000 dead letters;"));
    }

    #[test]
    fn durations_and_sizes_are_readable() {
        assert_eq!(
            [duration(0), duration(119), duration(120), duration(7200), duration(172_800)],
            ["0 s", "119 s", "2 min", "2 h", "2 days"]
        );
        assert_eq!([bytes(1023), bytes(1536), bytes(4 << 30)], ["1023 B", "1.5 KiB", "4.0 GiB"]);
    }
}
