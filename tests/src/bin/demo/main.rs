//! `make demo`: the main job for real, broken in front of the viewer, and an audit at the end.
//!
//! Private MariaDB servers with replication, a broker with its default limits, nodes as processes of their own, and the
//! gateway as its own process. Exit status 0 only when the audit finds nothing lost, doubled or changed.

mod audit;
mod numbers;
mod promotion;
mod site;
mod standby;
mod story;
mod table;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use crate::site::Site;

/// Shows what fieldgate does while databases and gateways are killed. About two minutes.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leave everything running after the audit, until Ctrl-C
    #[arg(long)]
    keep_open: bool,
}

/// Ctrl-C was pressed.
#[derive(Debug)]
pub struct Interrupted;

/// Set by Ctrl-C and SIGTERM; every wait of the demo looks at it.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    fn listen() -> Self {
        let flag = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&flag);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime for signals");
            runtime.block_on(async {
                use tokio::signal::unix::{SignalKind, signal};
                let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be heard");
                let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be heard");
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            });
            set.store(true, Ordering::Relaxed);
        });
        Self(flag)
    }

    /// An error once Ctrl-C was pressed.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupt = Interrupt::listen();
    match run(&arguments, &interrupt) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Interrupted) => {
            println!("\nstopped; everything that was started has been ended and removed");
            ExitCode::from(130)
        }
    }
}

fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<bool, Interrupted> {
    println!("first act, failover = \"follow\": whoever promotes a server, readings arrive");
    let mut first = Site::start(None);
    let told = story::tell(&mut first, interrupt)?;
    let first_is_clean = audit::audit(&mut first, &told, interrupt)?;
    drop(first);
    println!("\nsecond act, failover = \"promote\" with grace = \"{}\": nobody helps", promotion::GRACE);
    let mut second = Site::start(Some(promotion::GRACE));
    let told = promotion::tell(&mut second, interrupt)?;
    let second_is_clean = audit::audit(&mut second, &told, interrupt)?;
    println!("\nthird act, two gateways: one is active, the other one hears its beats over a serial line");
    let third_is_clean = standby::tell(interrupt)?;
    if arguments.keep_open {
        second.describe();
        loop {
            interrupt.check()?;
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    Ok(first_is_clean && second_is_clean && third_is_clean)
}
