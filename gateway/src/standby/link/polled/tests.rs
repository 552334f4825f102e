//! The thread with something that it asks, and the rig that other links use.

use super::*;
use crate::standby::link::{News, What};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far more than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// A link that runs; dropped, it ends.
pub struct Running {
    pub outgoing: watch::Sender<Frame>,
    pub news: mpsc::Receiver<News>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    #[allow(clippy::disallowed_methods, reason = "the test is what starts the link")]
    pub fn start(link: impl crate::standby::link::Link + Send + 'static) -> Self {
        let (outgoing, frames) = watch::channel([0; 32]);
        let (sender, news) = mpsc::channel(8);
        let task = tokio::spawn(async move { link.run(frames, Reporter::new(0, sender)).await });
        Self { outgoing, news, task }
    }

    pub async fn next(&mut self) -> What {
        timeout(PATIENCE, self.news.recv()).await.unwrap().unwrap().what
    }

    /// The next message, whatever else is told before it.
    pub async fn message(&mut self) -> Message {
        loop {
            if let What::Bytes { bytes, age } = self.next().await {
                return Message { bytes, age };
            }
        }
    }

    /// Returns when the link's end is gone.
    pub async fn ends(mut self) {
        timeout(PATIENCE, &mut self.task).await.unwrap().unwrap();
    }
}

#[derive(Clone, Default)]
struct Asked(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    message: Option<Message>,
    broken: bool,
    sent: Vec<Frame>,
    looks: u32,
    dropped: bool,
}

impl Polled for Asked {
    fn look(&mut self) -> Result<Option<Message>, LinkError> {
        let mut state = self.0.lock().unwrap();
        state.looks += 1;
        if state.broken { Err(LinkError::NotAMailbox) } else { Ok(state.message.take()) }
    }

    fn send(&mut self, frame: &Frame) -> Result<(), LinkError> {
        self.0.lock().unwrap().sent.push(*frame);
        Ok(())
    }
}

struct Named(Asked);

impl crate::standby::link::Link for Named {
    fn name(&self) -> String {
        "a rig".to_owned()
    }

    async fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) {
        let ended = Arc::clone(&self.0.0);
        run(self.0, outgoing, news).await;
        ended.lock().unwrap().dropped = true;
    }
}

#[tokio::test]
async fn it_looks_sends_what_changes_and_ends_with_the_sender() {
    let asked = Asked::default();
    let mut running = Running::start(Named(asked.clone()));
    assert_eq!(running.next().await, What::Up);
    assert!(asked.0.lock().unwrap().sent.is_empty(), "what was there before the first beat is none");
    let message = Message { bytes: vec![1, 2], age: Duration::from_secs(1) };
    asked.0.lock().unwrap().message = Some(message.clone());
    let heard = running.message().await;
    assert!(heard.bytes == message.bytes && heard.age >= message.age, "{heard:?}");
    running.outgoing.send_replace([7; 32]);
    let sent = async {
        while asked.0.lock().unwrap().sent.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, sent).await.unwrap();
    assert_eq!(asked.0.lock().unwrap().sent, [[7; 32]]);
    let (closed, _) = watch::channel([0; 32]);
    drop(std::mem::replace(&mut running.outgoing, closed));
    running.ends().await;
    assert!(asked.0.lock().unwrap().dropped);
}

#[tokio::test]
async fn a_fault_is_told_once_and_nothing_is_written_until_it_is_over() {
    let asked = Asked::default();
    asked.0.lock().unwrap().broken = true;
    let mut running = Running::start(Named(asked.clone()));
    running.outgoing.send_replace([7; 32]);
    assert_eq!(running.next().await, What::Down(LinkError::NotAMailbox));
    let tried = async {
        while asked.0.lock().unwrap().looks < 3 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, tried).await.unwrap();
    assert!(asked.0.lock().unwrap().sent.is_empty());
    asked.0.lock().unwrap().broken = false;
    assert_eq!(running.next().await, What::Up);
    assert_eq!(asked.0.lock().unwrap().sent, [[7; 32]], "the beat that waited");
}
