//! A process that is one side: it works when it is told to, and says what that took.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::appender::{Appender, LogSide, QueueSide};
use super::ground::Mounted;
use super::usage::{Counter, Written, cpu, peak_bytes};
use super::work::{Turn, WORKS, Work};

/// What is told on the standard input, a line each; the answer is a line of JSON.
pub const BEGIN: &str = "begin";
pub const TURN: &str = "turn";
pub const END: &str = "end";

/// Milliseconds since 1970 of a clock that is not the real one.
const SOME_MS: u64 = 1_790_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Who {
    Queue,
    Log,
}

#[derive(Debug, Args)]
pub struct Arguments {
    who: Who,
    /// Which one of `WORKS`
    work: usize,
    /// Where to work; made by who starts this
    folder: PathBuf,
    /// A file system to be mounted there, in a mount namespace of this process' own
    #[arg(long)]
    image: Option<PathBuf>,
}

/// Answers until the input ends.
pub fn run(arguments: &Arguments) {
    let mounted = arguments.image.as_deref().map(|image| Mounted::mount(image, &arguments.folder));
    answer_all(arguments);
    drop(mounted);
}

fn answer_all(arguments: &Arguments) {
    let work = &WORKS[arguments.work];
    let folder = arguments.folder.join("round");
    let mut round = None;
    for line in io::stdin().lines() {
        let answer = match line.expect("lines on the standard input").as_str() {
            BEGIN => {
                round = Some(Round::begin(arguments, work, folder.clone()));
                Value::Null
            }
            TURN => {
                round.as_mut().expect("a turn is in a round").take_turn();
                Value::Null
            }
            END => round.take().expect("a round that was begun").end(),
            unknown => panic!("nobody knows how to {unknown}"),
        };
        writeln!(io::stdout(), "{answer}").expect("somebody listens");
    }
}

struct Round<'a> {
    work: &'a Work,
    folder: PathBuf,
    appender: Box<dyn Appender>,
    counter: Counter,
    written_before: Written,
    groups: u64,
    busy: Duration,
    cpu: Duration,
}

impl<'a> Round<'a> {
    fn begin(arguments: &Arguments, work: &'a Work, folder: PathBuf) -> Round<'a> {
        fs::create_dir(&folder).expect("a folder for a round");
        let mut appender: Box<dyn Appender> = match arguments.who {
            Who::Queue => Box::new(QueueSide::new(&folder, work.group)),
            Who::Log => Box::new(LogSide::new(&folder, work.group)),
        };
        // What only the first one costs is not counted.
        step(appender.as_mut(), work, 0);
        let counter = match arguments.image {
            Some(_) => Counter::of_device(&folder),
            None => Counter::Process,
        };
        let written_before = counter.beginning();
        Round { work, folder, appender, counter, written_before, groups: 0, busy: Duration::ZERO, cpu: Duration::ZERO }
    }

    fn take_turn(&mut self) {
        let (began, cpu_before) = (Instant::now(), cpu());
        let mut groups = 0;
        while !is_over(&self.work.turn, groups, began.elapsed()) {
            groups += 1;
            step(self.appender.as_mut(), self.work, self.groups + u64::from(groups));
        }
        self.busy += began.elapsed();
        self.cpu += cpu() - cpu_before;
        self.groups += u64::from(groups);
    }

    /// What was done and what it took.
    fn end(self) -> Value {
        let written = self.counter.after_syncing();
        let flushes = written.flushes.zip(self.written_before.flushes).map(|(after, before)| after - before);
        drop(self.appender);
        fs::remove_dir_all(&self.folder).expect("what a round made can be removed");
        json!({
            "groups": self.groups,
            "busy_s": self.busy.as_secs_f64(),
            "cpu_s": self.cpu.as_secs_f64(),
            "bytes": written.bytes - self.written_before.bytes,
            "flushes": flushes,
            "peak_bytes": peak_bytes(),
        })
    }
}

fn step(appender: &mut dyn Appender, work: &Work, index: u64) {
    appender.append(now_ms(work, index));
    if work.is_drained {
        appender.drain();
    }
}

fn now_ms(work: &Work, index: u64) -> u64 {
    match work.ms_apart {
        0 => u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0),
        ms => SOME_MS + index * ms,
    }
}

fn is_over(turn: &Turn, groups: u32, elapsed: Duration) -> bool {
    match *turn {
        Turn::Ms(ms) => elapsed >= Duration::from_millis(ms),
        Turn::Groups(count) => groups >= count,
    }
}
