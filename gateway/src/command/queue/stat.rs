//! `fieldgate queue stat`: what the queue holds, what it takes of the disk, and what it does to the card.

use super::Where;
use super::access::Looked;
use super::card_life::{CardLife, FULL_OVERWRITES, Written, in_words, project};
use super::failure::Failure;
use super::words;
use crate::exit::Exit;
use crate::local::{Generation, QueueStat, StreamStat};
use crate::origin::Origins;
use crate::status::bytes;
use rustix::fs::statvfs;
use sensors::{KernelClock, SampleClock};
use serde::Serialize;
use std::io::{self, Write};

/// How to show it.
#[derive(Debug, clap::Args)]
pub struct StatArguments {
    #[command(flatten)]
    place: Where,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
struct Shown {
    /// Whether a gateway runs; else what waits is as the last run left it.
    running: bool,
    #[serde(flatten)]
    stat: QueueStat,
    /// The size of the disk.
    card_bytes: u64,
    /// The rate at which it is written; none before an hour of counting.
    card_life: Option<CardLife>,
    /// How often all of a card is assumed to be writable.
    assumed_full_overwrites: u64,
}

/// Shows it.
pub fn stat(arguments: &StatArguments) -> Result<Exit, Failure> {
    let looked = Looked::open(&arguments.place)?;
    let stat = looked.queue.stat(looked.max_bytes)?;
    let disk = statvfs(&looked.folder).map_err(|error| Failure::at(&looked.folder)(error.into()))?;
    let card_bytes = disk.f_blocks.saturating_mul(disk.f_frsize);
    let now_ms = u64::try_from(KernelClock::open()?.stamp().wall_us / 1000).unwrap_or(0);
    let written = Written { since_ms: stat.since_ms, bytes: stat.written_bytes, syncs: stat.syncs };
    let card_life = project(written, now_ms, card_bytes);
    let running = looked.is_running();
    let shown = Shown { running, stat, card_bytes, card_life, assumed_full_overwrites: FULL_OVERWRITES };
    let text = if arguments.json {
        serde_json::to_string(&shown).map_err(io::Error::from)?
    } else {
        text(&shown, looked.origins.as_ref())
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(Exit::Ok)
}

fn text(shown: &Shown, origins: Option<&Origins>) -> String {
    let stat = &shown.stat;
    let mut lines: Vec<String> = stat.streams.iter().map(|one| stream(one, origins)).collect();
    if lines.is_empty() {
        lines.push("streams   nothing is queued".to_owned());
    } else if !shown.running {
        lines.push("          no gateway runs here: what waits is as the last run saw it".to_owned());
    }
    lines.extend(stat.generations.iter().map(generation));
    lines.push(disk(stat));
    lines.push(wear(shown));
    lines.join("\n")
}

fn stream(one: &StreamStat, origins: Option<&Origins>) -> String {
    let StreamStat { stream, first, last, waiting, kept } = one;
    let made_by = origins.and_then(|origins| origins.streams.get(stream));
    let made_by = made_by.map(|gateway| format!(" (imported, of {gateway})")).unwrap_or_default();
    format!(
        "stream    {stream}{made_by}: {first} to {last}, {waiting} wait for the database, {kept} kept after delivery"
    )
}

fn generation(one: &Generation) -> String {
    let state = match (one.damaged, one.sealed) {
        (true, _) => "DAMAGED; see `fieldgate queue verify`",
        (false, true) => "sealed",
        (false, false) => "being written, or not sealed by a crash",
    };
    let Generation { number, frames, readings, .. } = one;
    format!("store     {number}: {readings} readings in {frames} frames, {} on disk, {state}", bytes(one.disk_bytes))
}

fn disk(stat: &QueueStat) -> String {
    let limit = stat.max_bytes.map(|limit| format!(" of {}", bytes(limit))).unwrap_or_default();
    let (live, taken, free) = (bytes(stat.live_bytes), bytes(stat.disk_bytes), bytes(stat.free_bytes));
    format!("disk      {live}{limit} of readings, {taken} in files, {free} free")
}

fn wear(shown: &Shown) -> String {
    let stat = &shown.stat;
    if stat.since_ms == 0 {
        return "wear      unknown yet".to_owned();
    }
    let since = words::time(i64::try_from(stat.since_ms).unwrap_or(i64::MAX).saturating_mul(1000));
    let counted = format!("wear      {} written in {} syncs since {since}", bytes(stat.written_bytes), stat.syncs);
    let Some(life) = shown.card_life else {
        return format!("{counted}\n          how long the card will last is unknown yet: that takes an hour");
    };
    let assumed = format!("if all of its {} can be written {FULL_OVERWRITES} times", bytes(shown.card_bytes));
    format!(
        "{counted}: {} and {} syncs a day\n          the card lasts {}, {assumed} (consumer cards; what else is written to it is not counted)",
        bytes(life.bytes_a_day),
        life.syncs_a_day,
        in_words(life.days)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::StreamId;

    #[test]
    fn the_screen_says_what_waits_what_is_damaged_and_how_long_the_card_lasts() {
        let stream = StreamId::from_u64(0xfeed).unwrap();
        let stat = QueueStat {
            streams: vec![StreamStat { stream, first: 1, last: 30, waiting: 10, kept: 20 }],
            generations: vec![Generation {
                number: 4,
                disk_bytes: 2048,
                frames: 2,
                readings: 30,
                sealed: true,
                damaged: true,
            }],
            max_bytes: Some(4 << 30),
            since_ms: 1_763_632_800_000,
            ..QueueStat::default()
        };
        let life = CardLife { bytes_a_day: 1 << 30, syncs_a_day: 9, days: Some(32_000) };
        let mut shown = Shown {
            running: true,
            stat,
            card_bytes: 32 << 30,
            card_life: Some(life),
            assumed_full_overwrites: FULL_OVERWRITES,
        };
        let imported = Origins { streams: [(stream, "g2".to_owned())].into(), ..Origins::default() };
        let screen = text(&shown, Some(&imported));
        for said in [
            "stream    000000000000feed (imported, of g2): 1 to 30, 10 wait for the database, 20 kept after delivery",
            "store     4: 30 readings in 2 frames, 2.0 KiB on disk, DAMAGED",
            "0 B of 4.0 GiB of readings",
            "about 87 years at this rate, if all of its 32.0 GiB can be written 1000 times",
        ] {
            assert!(screen.contains(said), "{said}\n{screen}");
        }
        shown.card_life = None;
        assert!(text(&shown, None).contains("unknown yet: that takes an hour"));
    }
}
