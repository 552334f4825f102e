//! Opening a store that may be damaged: it is whole, or it is set aside and collecting goes on in a new one.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::error::io_at;
use crate::generations::{Generations, copy_path, set_aside_path, store_path};
use crate::skip::SkippingStore;
use crate::store::{SledStore, panic_words, remove_bad_snapshots};
use crate::verify::{Examined, VERIFIED_BYTES, examine, file_bytes, open_and_look};
use crate::{QueueError, SetAside, copy, files};

/// How long a store may take to open, however small it is.
const DEADLINE: Duration = Duration::from_secs(10);
/// A slow card reads and writes faster than this.
const SLOWEST_BYTES_PER_SECOND: u64 = 4 * 1024 * 1024;
/// So many stores that were set aside are kept.
const KEPT_ASIDE: usize = 4;

type OpenedStore = (SkippingStore, Option<SetAside>);

/// Opens the store of a queue's folder, which this process has locked.
///
/// Damage, a panic of the library and a deadline that passed set the store aside; what can be read of one that is not
/// too long goes on in its copy. Whatever else went wrong (a full disk, a missing right, a newer layout) is returned, and
/// the store stays where it is.
pub(crate) fn open_store(folder: &Path) -> Result<OpenedStore, QueueError> {
    let settled = copy::settle(folder)?;
    let generations = Generations::list(folder)?;
    let Some(number) = generations.current(folder)? else {
        return Ok((new_store(folder, generations.next())?, None));
    };
    let earlier = generations.set_aside.last().filter(|_| settled).map(|&number| set_aside_earlier(folder, number));
    let (store, set_aside) = open_or_replace(folder, number, generations.next())?;
    Ok((store, set_aside.or(earlier)))
}

/// Opens the store of a queue that already has one, and sets nothing aside.
pub(crate) fn look_at_store(folder: &Path) -> Result<SkippingStore, QueueError> {
    let generations = Generations::list(folder)?;
    let store = generations.current(folder)?.map(|number| store_path(folder, number));
    // Without a store, a copy is complete; the gateway lets it take its place.
    let copied = || generations.copies.last().map(|&number| copy_path(folder, number));
    let Some(path) = store.or_else(copied) else {
        return Err(io_at("find a queue in", folder)(io::ErrorKind::NotFound.into()));
    };
    let opened = remove_bad_snapshots(&path).map_err(Refused::Other);
    let opened = opened.and_then(|()| within(time_for(file_bytes(&path)), &path, open_and_look));
    opened.map_err(|refused| match refused {
        Refused::Damage(reason) => damaged(&path, reason),
        Refused::Other(error) => error,
    })
}

/// Why a store did not open.
#[derive(Debug)]
enum Refused {
    Damage(String),
    Other(QueueError),
}

impl From<QueueError> for Refused {
    fn from(error: QueueError) -> Refused {
        match error {
            QueueError::Damaged { what, .. } => Refused::Damage(what),
            QueueError::SyncFailed { reason, .. } => Refused::Damage(reason),
            error => Refused::Other(error),
        }
    }
}

/// Opens a store, or puts another with the number `next` in its place: a copy if there can be one, else an empty one.
fn open_or_replace(folder: &Path, number: u64, next: u64) -> Result<OpenedStore, QueueError> {
    let reason = match open_or_copy(&store_path(folder, number), &copy_path(folder, next)) {
        Ok(Outcome::Whole(store)) => return Ok((store, None)),
        Ok(Outcome::Copied(reason)) => {
            let aside = set_aside(folder, number, reason)?;
            copy::put_in_place(folder, next)?;
            return Ok((new_store(folder, next)?, Some(aside)));
        }
        Err(Refused::Damage(reason)) => reason,
        Err(Refused::Other(error)) => {
            // It would fill a disk that may be full; what cannot be removed now is removed at the next start.
            let _ = copy::discard(folder, next);
            return Err(error);
        }
    };
    // Before the store goes, as a copy without a store counts as complete.
    copy::discard(folder, next)?;
    let aside = set_aside(folder, number, reason)?;
    Ok((new_store(folder, next)?, Some(aside)))
}

enum Outcome {
    Whole(SkippingStore),
    /// What could be read is in the copy; why that was needed.
    Copied(String),
}

fn open_or_copy(path: &Path, copy: &Path) -> Result<Outcome, Refused> {
    // A damaged snapshot alone keeps a store closed that has everything, so it goes first.
    remove_bad_snapshots(path)?;
    let bytes = file_bytes(path);
    let read_twice = bytes.saturating_add(bytes.min(VERIFIED_BYTES));
    let (store, damage) = match within(time_for(read_twice), path, examine)? {
        Examined::Whole(store) => return Ok(Outcome::Whole(store)),
        Examined::Damaged(store, damage) => (store, damage),
    };
    if bytes > VERIFIED_BYTES {
        return Err(Refused::Damage(damage));
    }
    let to = copy.to_owned();
    within(time_for(bytes.saturating_mul(2)), path, move |_| copy::copy_readable(&store, &to))?;
    Ok(Outcome::Copied(format!("{damage}; what could be read was copied")))
}

/// Opens a store that is empty or was just copied.
fn new_store(folder: &Path, number: u64) -> Result<SkippingStore, QueueError> {
    let path = store_path(folder, number);
    files::make_folder(&path)?;
    Ok(SkippingStore::new(Box::new(SledStore::open(&path)?)))
}

fn time_for(bytes: u64) -> Duration {
    DEADLINE.saturating_add(Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND))
}

/// Runs `work` on a thread of its own, since nothing can stop a library that hangs; the thread is then left behind.
fn within<T: Send + 'static>(
    deadline: Duration,
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, QueueError> + Send + 'static,
) -> Result<T, Refused> {
    let (tell, hear) = sync_channel(1);
    let owned = path.to_owned();
    let run = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&owned)));
        // Nobody listens any more when the deadline has passed; the store is then closed here.
        let _ = tell.send(outcome.unwrap_or_else(|panic| Err(damaged(&owned, panic_words(&*panic)))));
    };
    let spawned = thread::Builder::new().name("open-store".to_owned()).spawn(run);
    spawned.map_err(io_at("start a thread to open", path))?;
    Ok(hear.recv_timeout(deadline).map_err(|error| Refused::Damage(no_answer(error, deadline)))??)
}

fn no_answer(error: RecvTimeoutError, deadline: Duration) -> String {
    match error {
        RecvTimeoutError::Timeout => format!("it could not be read within {} s", deadline.as_secs_f32()),
        RecvTimeoutError::Disconnected => "the thread that opened it ended without a word".to_owned(),
    }
}

fn damaged(path: &Path, what: String) -> QueueError {
    QueueError::Damaged { what, place: path.display().to_string() }
}

fn set_aside_earlier(folder: &Path, number: u64) -> SetAside {
    let reason = "damaged at an earlier start, which was interrupted; what could be read was copied".to_owned();
    SetAside { folder: set_aside_path(folder, number), reason }
}

fn set_aside(folder: &Path, number: u64, reason: String) -> Result<SetAside, QueueError> {
    let aside = set_aside_path(folder, number);
    files::rename(&store_path(folder, number), &aside)?;
    let removed = remove_oldest(folder)?;
    Ok(SetAside { folder: aside, reason: with_removed(reason, &removed) })
}

fn remove_oldest(folder: &Path) -> Result<Vec<PathBuf>, QueueError> {
    let numbers = Generations::list(folder)?.set_aside;
    let too_many = numbers.len().saturating_sub(KEPT_ASIDE);
    let paths: Vec<PathBuf> = numbers[..too_many].iter().map(|&number| set_aside_path(folder, number)).collect();
    for path in &paths {
        fs::remove_dir_all(path).map_err(io_at("remove", path))?;
    }
    Ok(paths)
}

fn with_removed(reason: String, removed: &[PathBuf]) -> String {
    removed.iter().fold(reason, |text, path| format!("{text}; {}, set aside earlier, was removed", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::store::Store as _;
    use crate::{Kind, Record, Unit};

    #[test]
    fn a_store_that_hangs_is_given_up_after_the_deadline() {
        let (let_go, held) = sync_channel::<()>(0);
        let refused = within(Duration::from_millis(20), Path::new("x"), move |_| {
            let _ = held.recv();
            Ok(())
        });
        assert!(matches!(refused, Err(Refused::Damage(reason)) if reason.contains("within 0.02 s")));
        drop(let_go);
    }

    #[test]
    fn a_panic_is_damage_with_its_words() {
        let outcome = within(DEADLINE, Path::new("x"), |_| -> Result<(), QueueError> { panic!("page {} is torn", 7) });
        assert!(matches!(outcome, Err(Refused::Damage(what)) if what.contains("page 7 is torn")));
    }

    #[test]
    fn a_refusal_of_the_system_is_not_damage() {
        let full = std::io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        let error = io_at("use the store in", Path::new("x"))(full);
        assert!(matches!(Refused::from(error), Refused::Other(QueueError::Io { .. })));
    }

    #[test]
    fn four_are_kept_aside_and_the_oldest_goes_with_a_word() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5 {
            fs::create_dir(store_path(folder.path(), number)).unwrap();
            let told = set_aside(folder.path(), number, "torn".to_owned()).unwrap();
            assert_eq!(told.reason.contains("was removed"), number == 5, "{}", told.reason);
        }
        assert_eq!(Generations::list(folder.path()).unwrap().set_aside, [2, 3, 4, 5]);
    }

    /// A frame at the end of the store as a newer version would write it.
    fn with_a_newer_frame(folder: &Path) {
        let mut opened = crate::open(folder).unwrap();
        let unit = Unit::new(vec![Record { kind: Kind::READING, body: vec![1] }]).unwrap();
        opened.writer.append(&[unit], 0).unwrap();
        drop(opened);
        let store = SledStore::open(&store_path(folder, 1)).unwrap();
        let (key, mut frame) = store.next(Key::MIN).unwrap().unwrap();
        frame[12] = 2;
        let sum = crc32fast::hash(&frame[8..]).to_be_bytes();
        frame[4..8].copy_from_slice(&sum);
        store.insert(key.after(), &frame).unwrap();
        store.sync().unwrap();
    }

    #[test]
    fn a_newer_layout_is_refused_and_left_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        with_a_newer_frame(folder.path());
        let marks = fs::read(folder.path().join("marks.json")).unwrap();
        for _ in 0..2 {
            let refused = crate::open(folder.path()).unwrap_err();
            assert!(matches!(refused, QueueError::NewerLayout { found: 2, known: 1, .. }), "{refused}");
        }
        let found = Generations::list(folder.path()).unwrap();
        assert_eq!((found.stores, found.set_aside), (vec![1], vec![]));
        assert_eq!(fs::read(folder.path().join("marks.json")).unwrap(), marks);
        let store = SledStore::open(&store_path(folder.path(), 1)).unwrap();
        assert!(store.next(Key { order: 1, first: 2 }).unwrap().is_some());
    }
}
