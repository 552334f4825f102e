//! A sensor node as its own process: publishes numbered messages with QoS 1 and logs which ones the broker has
//! acknowledged. It survives a broker that goes away, and sends again what was not acknowledged.

mod outbox;
mod publisher;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rumqttc::Outgoing;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use publisher::Publisher;

/// A broker that is gone is looked for this often.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// A broker that is silent for about twice this long counts as gone.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// After SIGTERM, so long for the acknowledgements that are still out.
const LAST_WAIT: Duration = Duration::from_secs(5);
const GOODBYE_WAIT: Duration = Duration::from_millis(200);

/// A sensor node for tests and the demo.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// The broker, as IP:PORT.
    #[arg(long)]
    broker: SocketAddr,
    /// The node's name; it publishes to plants/NAME.
    #[arg(long)]
    name: String,
    /// Messages a second; 0 is as fast as the broker acknowledges.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// At most so many messages on their way.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Values in a message.
    #[arg(long, default_value_t = 4)]
    channels: usize,
    /// Messages in all; 0 is until SIGTERM.
    #[arg(long, default_value_t = 0)]
    count: u64,
    /// The log of acknowledged messages; it must not exist yet.
    #[arg(long)]
    log: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("node {}, log {}: {e}", arguments.name, arguments.log.display());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(publish(arguments))
}

/// The event loop must never be dropped half-way through a packet, so it runs beside the clock, not in turns with it.
async fn publish(arguments: &Arguments) -> std::io::Result<()> {
    let (client, mut event_loop) = AsyncClient::new(options(arguments), usize::from(arguments.in_flight));
    let publisher = Publisher::new(arguments, client)?;
    tokio::select! {
        result = serve(&mut event_loop, &publisher) => result,
        result = publisher.keep_pace() => result,
        result = end_when_told(&publisher) => result,
    }?;
    say_goodbye(&mut event_loop, &publisher).await;
    publisher.flush()
}

/// A session of its own for each connection: the node itself keeps what is to be sent again.
fn options(arguments: &Arguments) -> MqttOptions {
    let (host, port) = (arguments.broker.ip().to_string(), arguments.broker.port());
    let mut options = MqttOptions::new(&arguments.name, host, port);
    options.set_keep_alive(KEEP_ALIVE).set_clean_start(true);
    options.set_outgoing_inflight_upper_limit(arguments.in_flight);
    options
}

/// Returns only when the journal cannot be written or the broker refuses a message.
async fn serve(event_loop: &mut EventLoop, publisher: &Publisher) -> std::io::Result<()> {
    loop {
        match event_loop.poll().await {
            Ok(event) => publisher.on_event(&event)?,
            Err(e) => {
                eprintln!("{e}");
                publisher.on_disconnect();
                sleep(RECONNECT_DELAY).await;
            }
        }
    }
}

async fn end_when_told(publisher: &Publisher) -> std::io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    publisher.close();
    sleep(LAST_WAIT).await;
    Ok(())
}

/// An orderly end of the connection; a broker that is gone or silent does not hold it up.
async fn say_goodbye(event_loop: &mut EventLoop, publisher: &Publisher) {
    publisher.request_disconnect();
    let disconnected = async {
        while let Ok(event) = event_loop.poll().await {
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    };
    // Everything that counts is acknowledged and logged already.
    let _ = timeout(GOODBYE_WAIT, disconnected).await;
}
