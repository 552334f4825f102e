//! Waits for several things at once, so that a server that does not answer holds up nobody's look at the others.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Does all of it at the same time, within this task; the answers come in the order of the work.
pub async fn together<T>(work: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut parts: Vec<_> = work.into_iter().map(|part| (Box::pin(part), None)).collect();
    poll_fn(|context| {
        for (part, answer) in parts.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(value) = Pin::as_mut(part).poll(context) {
                *answer = Some(value);
            }
        }
        if parts.iter().all(|(_, answer)| answer.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    parts.into_iter().filter_map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn it_takes_as_long_as_the_longest_and_keeps_the_order() {
        let start = Instant::now();
        let wait = async |seconds| {
            sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        assert_eq!(together([3, 1, 2].map(wait)).await, [3, 1, 2]);
        assert_eq!(start.elapsed().as_secs(), 3);
        assert_eq!(together([0; 0].map(wait)).await, [0; 0]);
    }
}
