use super::*;
use crate::status::Full;
use config::WhenFull;
use queue::pressure::Cause;
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What was set, as milliseconds since the start and the level.
type Record = Arc<Mutex<Vec<(u128, bool)>>>;

/// A line that records what is set, until it is broken.
struct FakeLine {
    start: Instant,
    set: Record,
    broken: Arc<Mutex<bool>>,
}

impl Line for FakeLine {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        if *self.broken.lock().unwrap() {
            return Err(refused());
        }
        self.set.lock().unwrap().push((self.start.elapsed().as_millis(), on));
        Ok(())
    }
}

fn full() -> Full {
    Full { cause: Cause::Queue, when_full: WhenFull::Pause, since_us: 0, dropped: 0 }
}

fn refused() -> LineError {
    LineError::Chip { line: 17, chip: PathBuf::from("/dev/gpiochip0"), words: "it is gone".to_owned() }
}

struct Rig {
    intake: watch::Sender<IntakeState>,
    drain: watch::Sender<DrainState>,
    stop: watch::Sender<bool>,
    start: Instant,
    set: Record,
    broken: Arc<Mutex<bool>>,
}

impl Rig {
    /// A gateway with which all is well.
    fn new() -> Self {
        let drain = DrainState { source: Some("db1:3306".to_owned()), ..DrainState::default() };
        Self {
            intake: watch::Sender::new(IntakeState::default()),
            drain: watch::Sender::new(drain),
            stop: watch::Sender::new(false),
            start: Instant::now(),
            set: Record::default(),
            broken: Arc::default(),
        }
    }

    fn watched(&self) -> Watched {
        Watched { intake: self.intake.subscribe(), drain: self.drain.subscribe(), stop: self.stop.subscribe() }
    }

    fn line(&self) -> Box<dyn Line> {
        Box::new(FakeLine { start: self.start, set: Arc::clone(&self.set), broken: Arc::clone(&self.broken) })
    }

    fn show(&self) -> impl Future<Output = ()> {
        show(self.watched(), || Ok(self.line()))
    }

    /// What was set since the last look.
    fn set(&self) -> Vec<(u128, bool)> {
        std::mem::take(&mut *self.set.lock().unwrap())
    }
}

/// Lets the LED run for so long.
async fn pass(led: &mut (impl Future<Output = ()> + Unpin), time_ms: u64) {
    assert!(tokio::time::timeout(Duration::from_millis(time_ms), led).await.is_err(), "it ends at a stop only");
}

#[tokio::test(start_paused = true)]
async fn the_led_follows_intake_and_drain_and_is_off_after_a_stop() {
    let rig = Rig::new();
    let mut led = Box::pin(rig.show());
    pass(&mut led, 1_990).await;
    assert_eq!(rig.set(), []);
    rig.intake.send_modify(|state| state.durable = 12);
    pass(&mut led, 1_000).await;
    assert_eq!(rig.set(), [(2_000, true), (2_060, false)]);
    rig.drain.send_modify(|state| state.source = None);
    pass(&mut led, 1_000).await;
    assert_eq!(rig.set(), [(3_000, true), (3_060, false), (3_200, true), (3_260, false)]);
    rig.intake.send_modify(|state| state.full = Some(full()));
    pass(&mut led, 250).await;
    assert_eq!(rig.set(), [(4_060, true), (4_200, false)]);
    pass(&mut led, 50).await;
    rig.stop.send_replace(true);
    led.await;
    assert_eq!(rig.set(), [(4_260, true), (4_300, false)]);
}

#[tokio::test(start_paused = true)]
async fn the_led_is_off_when_its_task_is_ended() {
    let rig = Rig::new();
    rig.intake.send_modify(|state| state.full = Some(full()));
    let mut led = Box::pin(rig.show());
    pass(&mut led, 100).await;
    drop(led);
    assert_eq!(rig.set(), [(60, true), (100, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_fails_is_opened_again_after_a_minute() {
    let rig = Rig::new();
    let opened = Cell::new(0);
    let mut led = Box::pin(show(rig.watched(), || {
        opened.set(opened.get() + 1);
        if opened.get() == 2 { Err(refused()) } else { Ok(rig.line()) }
    }));
    *rig.broken.lock().unwrap() = true;
    rig.drain.send_modify(|state| state.source = None);
    pass(&mut led, 59_990).await;
    assert_eq!(opened.get(), 1);
    *rig.broken.lock().unwrap() = false;
    pass(&mut led, 60_000).await;
    assert_eq!((opened.get(), rig.set()), (2, vec![]));
    pass(&mut led, 100).await;
    assert_eq!((opened.get(), rig.set()), (3, vec![(120_000, true), (120_060, false)]));
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_opened_is_tried_every_minute_and_told_once() {
    let log = Log::default();
    let writer = log.clone();
    let _logs =
        tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(move || writer.clone()).finish());
    let rig = Rig::new();
    let tried = Cell::new(0);
    let mut led = Box::pin(show(rig.watched(), || {
        tried.set(tried.get() + 1);
        if tried.get() == 4 { Ok(rig.line()) } else { Err(refused()) }
    }));
    let count = |text: &str| String::from_utf8(log.0.lock().unwrap().clone()).unwrap().matches(text).count();
    pass(&mut led, 179_990).await;
    assert_eq!((tried.get(), count("line 17 of /dev/gpiochip0: it is gone"), count("group gpio")), (3, 1, 1));
    pass(&mut led, 1_000).await;
    assert_eq!((tried.get(), count("the LED shows the state")), (4, 1));
}

#[test]
fn the_memory_device_is_for_a_pi_and_the_chip_for_every_other_board_and_when_it_fails() {
    let pi_fails = || Err(LineError::Pi { line: 17, words: "no /dev/gpiomem".to_owned() });
    assert!(is_pi(b"Raspberry Pi 4 Model B Rev 1.5\0"));
    assert!(!is_pi(b"Radxa ROCK 4SE\0") && !is_pi(b""));
    assert_eq!(choose(true, || Ok("pi"), || Ok("chip")), Ok("pi"));
    assert_eq!(choose(true, pi_fails, || Ok("chip")), Ok("chip"));
    assert_eq!(choose(false, || Ok("pi"), || Ok("chip")), Ok("chip"));
    let both = choose::<&str>(true, pi_fails, || Err(refused())).unwrap_err().to_string();
    assert_eq!(both, "GPIO 17 of this Raspberry Pi: no /dev/gpiomem; line 17 of /dev/gpiochip0: it is gone");
    assert_eq!(choose::<&str>(false, pi_fails, || Err(refused())), Err(refused()));
}

/// No board has this chip, and no Raspberry Pi this line, so nothing is switched wherever this runs.
#[test]
fn the_real_libraries_say_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let chip = folder.path().join("gpiochip0");
    let settings = Led { line: 63, chip: chip.clone(), active_low: false };
    let error = character_device::open(&settings).err().map(|error| error.to_string()).unwrap();
    let begin = format!("line 63 of {}: ", chip.display());
    assert!(error.starts_with(&begin) && error.contains("No such file"), "{error}");
    std::fs::write(&chip, "").unwrap();
    let error = open(&settings).err().map(|error| error.to_string()).unwrap();
    assert!(error.contains("is not a character device"), "{error}");
    let error = pi::open(&settings).err().map(|error| error.to_string()).unwrap();
    assert!(error.starts_with("GPIO 63 of this Raspberry Pi: "), "{error}");
}
