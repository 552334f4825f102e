//! Trimming: what is hidden from readers, and which generations leave the disk.

use crate::generations::{Generation, Hiding};
use crate::index::FrameRef;
use crate::seal::Held;
use crate::shared::Shared;
use crate::writer::Dropped;
use crate::{QueueError, Span};

/// Brings order into what the last process left: seals what a crash left open, hides again what was trimmed, and
/// removes what is empty.
pub(crate) fn settle(shared: &Shared) -> Result<(), QueueError> {
    let numbers: Vec<u64> = shared.generations().all.keys().copied().collect();
    for number in numbers {
        let Some(generation) = shared.generations().all.get(&number).cloned() else { continue };
        if generation.unreadable.is_some() {
            continue;
        }
        if !generation.sealed && generation.seal.frames > 0 {
            // On a full disk that waits for another start.
            let sealed = shared.disk.write_seal(number, &generation.seal).is_ok();
            shared.generations().all.entry(number).and_modify(|known| known.sealed = sealed);
        }
    }
    hide_again(shared)?;
    // What cannot be removed now is no reason not to collect; trimming tries again, and tells.
    let _ = remove_hidden(shared);
    Ok(())
}

/// Hides what the marks say was trimmed.
pub(crate) fn hide_again(shared: &Shared) -> Result<(), QueueError> {
    let known: Vec<(u64, Generation)> =
        shared.generations().all.iter().map(|(number, known)| (*number, known.clone())).collect();
    known.iter().try_for_each(|(number, generation)| hide_trimmed(shared, *number, generation))
}

fn hide_trimmed(shared: &Shared, number: u64, generation: &Generation) -> Result<(), QueueError> {
    let trimmed = |stream| shared.marks().trimmed(stream);
    if generation.visible.iter().all(|held| trimmed(held.stream) < held.first) {
        return Ok(());
    }
    hide_in(shared, number, usize::MAX, |held, number| number <= trimmed(held.stream))?;
    Ok(())
}

/// Hides everything of a stream's order up to a number, and all older streams. Returns how many readings that were.
pub(crate) fn hide(shared: &Shared, (order, through): (u64, u64), kept_frames: usize) -> Result<u64, QueueError> {
    let mut removed: u64 = 0;
    for (generation, most) in hideable(shared, kept_frames) {
        let gone = hide_in(shared, generation, most, |held, number| (held.order, number) <= (order, through))?;
        removed = removed.saturating_add(gone);
    }
    Ok(removed)
}

/// The generations that have something to hide, and up to which frame that is possible: the newest always stay.
fn hideable(shared: &Shared, kept_frames: usize) -> Vec<(u64, usize)> {
    let generations = shared.generations();
    let mut newer = 0_usize;
    let mut hideable = Vec::new();
    for (&number, known) in generations.all.iter().rev() {
        let frames = known.frames();
        let most = if known.seal.imported { frames } else { newer.saturating_add(frames).saturating_sub(kept_frames) };
        if !known.seal.imported {
            newer = newer.saturating_add(frames);
        }
        if known.unreadable.is_none() && known.hidden.frames < most.min(frames) {
            hideable.push((number, most));
        }
    }
    hideable.reverse();
    hideable
}

/// Hides frames from the beginning of a generation, as long as their numbers are gone, and at most so many. The closure
/// is asked about numbers of a stream.
fn hide_in(shared: &Shared, number: u64, most: usize, is_gone: impl Fn(&Held, u64) -> bool) -> Result<u64, QueueError> {
    let Some(known) = shared.generations().all.get(&number).cloned() else { return Ok(0) };
    if !known.visible.first().is_some_and(|held| is_gone(held, held.first)) {
        return Ok(0);
    }
    if most >= known.frames() && known.visible.iter().all(|held| is_gone(held, held.last)) {
        note_trimmed(shared, &known.visible);
        return Ok(shared.generations().all.get_mut(&number).map_or(0, Generation::hide_all));
    }
    let hidden = known.hidden.frames;
    let hiding = shared.with_index(number, |index| {
        let rest = index.frames().get(hidden..).unwrap_or_default();
        let gone = rest.iter().map(held).take_while(|held| is_gone(held, held.last)).count();
        Hiding::new(index, hidden, hidden.saturating_add(gone).min(most))
    })?;
    note_trimmed(shared, &hiding.hidden);
    Ok(shared.generations().all.get_mut(&number).map_or(0, |known| known.hide(hiding)))
}

fn held(frame: &FrameRef) -> Held {
    Held { stream: frame.stream, order: frame.order, first: frame.first, last: frame.last() }
}

fn note_trimmed(shared: &Shared, hidden: &[Held]) {
    let mut marks = shared.marks();
    for held in hidden {
        marks.note_trimmed(held.stream, held.last);
    }
}

/// Hides all of a generation, and remembers that it was dropped.
pub(crate) fn drop_generation(shared: &Shared, number: u64) -> Result<Option<Dropped>, QueueError> {
    let mut generations = shared.generations();
    let Some(known) = generations.all.get_mut(&number) else { return Ok(None) };
    let visible = std::mem::take(&mut known.visible);
    let readings = known.hide_all();
    drop(generations);
    let mut marks = shared.marks();
    for held in &visible {
        marks.note_dropped(held.stream, held.first, held.last);
        marks.note_trimmed(held.stream, held.last);
    }
    let span = |held: &Held| Span { stream: held.stream, order: held.order, first: held.first, last: held.last };
    Ok(Some(Dropped { spans: visible.iter().map(span).collect(), readings }))
}

/// Takes generations off the disk of which everything is hidden, but for the one being written.
pub(crate) fn remove_hidden(shared: &Shared) -> Result<(), QueueError> {
    let hidden: Vec<(u64, bool)> = {
        let generations = shared.generations();
        let open = generations.open.as_ref().map(|open| open.number);
        let is_hidden = |number: u64, known: &Generation| {
            Some(number) != open && known.is_all_hidden() && known.unreadable.is_none()
        };
        let hidden = generations.all.iter().filter(|(number, known)| is_hidden(**number, known));
        hidden.map(|(number, known)| (*number, known.seal.damaged)).collect()
    };
    for (number, damaged) in hidden {
        shared.disk.remove(number, damaged)?;
        shared.generations().forget(number);
    }
    Ok(())
}
