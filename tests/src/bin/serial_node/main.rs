//! A serial node as its own process: writes numbered lines of JSON into a pseudo-terminal, at whose other end a serial
//! port is found, and logs which of them somebody could hear. It waits for nobody and keeps nothing, as nodes on wires do.

mod wire;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fieldgate_tests::journal::Journal;
use fieldgate_tests::pace::Pace;
use fieldgate_tests::payload;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval};

use wire::Wire;

/// A serial node for tests and the demo.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the port is to be found: a link, put in place by the node. Given more than once, it has a wire to each.
    #[arg(long, required = true)]
    port: Vec<PathBuf>,
    /// The node's name; it only decides on the values.
    #[arg(long)]
    name: String,
    /// Lines a second; 0 is as fast as the wire takes them.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Values in a line.
    #[arg(long, default_value_t = 4)]
    channels: usize,
    /// The log of written lines; it must not exist yet.
    #[arg(long)]
    log: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("serial node {}, ports {:?}: {e}", arguments.name, arguments.port);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(write_until_told(arguments))
}

async fn write_until_told(arguments: &Arguments) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut talk = Talk::begin(arguments)?;
    let mut clock = interval(talk.pace.poll_period());
    loop {
        tokio::select! {
            _ = terminate.recv() => return talk.journal.flush(),
            _ = clock.tick() => talk.write_due()?,
        }
    }
}

/// What the node has to say, and to whom.
struct Talk<'a> {
    arguments: &'a Arguments,
    wires: Vec<Wire>,
    journal: Journal,
    pace: Pace,
    last_seq: u64,
}

impl<'a> Talk<'a> {
    fn begin(arguments: &'a Arguments) -> io::Result<Self> {
        let wires = arguments.port.iter().map(|port| Wire::plug(port)).collect::<io::Result<_>>()?;
        let journal = Journal::create(&arguments.log, &arguments.name, arguments.channels)?;
        let pace = Pace::new(arguments.rate, Instant::now());
        Ok(Self { arguments, wires, journal, pace, last_seq: 0 })
    }

    /// At most one line, so that the signal is heard at any rate.
    fn write_due(&mut self) -> io::Result<()> {
        if !self.pace.take(Instant::now()) {
            return Ok(());
        }
        self.last_seq += 1;
        let time = format!("{:.6}", jiff::Timestamp::now());
        let line = payload::message(&self.arguments.name, self.last_seq, self.arguments.channels, &time) + "\n";
        let mut is_heard = false;
        for wire in &mut self.wires {
            is_heard |= wire.write(line.as_bytes())?;
        }
        if is_heard {
            self.journal.acknowledged(self.last_seq)?;
        } else {
            self.journal.unheard(self.last_seq)?;
        }
        self.journal.flush()
    }
}
