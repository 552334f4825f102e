//! Sends acknowledgements and subscriptions, so that the loop that hears never waits for the library's request queue.

use super::client::Client;
use crate::source::Ticket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The number of no connection.
pub const CLOSED: u64 = 0;

/// How long to wait for room in the library's request queue.
const ROOM_PAUSE: Duration = Duration::from_millis(1);

/// Runs until no more tickets can come, then disconnects and says so through `ended`.
///
/// `open` holds the number of the connection that is up. A ticket of another one is dropped: its packet id may mean
/// another message by now, and the broker sends the message again anyway.
pub async fn run(
    client: Client,
    mut tickets: mpsc::Receiver<Ticket>,
    mut subscriptions: mpsc::Receiver<config::Mqtt>,
    open: Arc<AtomicU64>,
    ended: watch::Sender<bool>,
) {
    let mut group = Vec::new();
    loop {
        tokio::select! {
            biased;
            Some(settings) = subscriptions.recv() => until_room(|| client.subscribe(&settings)).await,
            taken = tickets.recv_many(&mut group, 1024) => {
                if taken == 0 {
                    break;
                }
                for ticket in group.drain(..) {
                    acknowledge(&client, ticket, &open).await;
                }
            }
        }
    }
    ended.send_replace(true);
    // Whoever hears has ended already when there is no connection; then there is nobody to say goodbye to.
    until_room(|| client.disconnect() || ended.is_closed()).await;
}

/// Checks the connection and queues the PUBACK without a pause between the two, so that none can slip onto the next
/// connection; when a connection breaks, the library drops the PUBACKs it has queued.
async fn acknowledge(client: &Client, ticket: Ticket, open: &AtomicU64) {
    while open.load(Ordering::Relaxed) == ticket.connection {
        if client.acknowledge(ticket.packet) {
            return;
        }
        tokio::time::sleep(ROOM_PAUSE).await;
    }
}

async fn until_room(mut attempt: impl FnMut() -> bool) {
    while !attempt() {
        tokio::time::sleep(ROOM_PAUSE).await;
    }
}
