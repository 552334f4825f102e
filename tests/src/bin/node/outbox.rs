//! What the node still has to send or to hear about: plain values, no clock, no network.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// The messages between the first attempt to send them and the broker's acknowledgement.
#[derive(Debug)]
pub struct Outbox {
    window: usize,
    last_seq: u64,
    end: Option<u64>,
    unacknowledged: BTreeMap<u64, String>,
    /// Handed to the client, in this order, and not yet given a packet id.
    handed_over: VecDeque<u64>,
    by_packet_id: HashMap<u16, u64>,
}

impl Outbox {
    /// Numbers from 1; at most `window` messages unacknowledged; `count` messages in all, without end if 0.
    pub fn new(window: usize, count: u64) -> Self {
        Self {
            window,
            last_seq: 0,
            end: (count > 0).then_some(count),
            unacknowledged: BTreeMap::new(),
            handed_over: VecDeque::new(),
            by_packet_id: HashMap::new(),
        }
    }

    /// The number of the next message, if one may be sent now.
    pub fn next_seq(&self) -> Option<u64> {
        let more = self.end.is_none_or(|end| self.last_seq < end);
        (more && self.unacknowledged.len() < self.window).then_some(self.last_seq + 1)
    }

    /// The message `seq`, from `next_seq`, goes to the client; it is kept for sending it again.
    pub fn hand_over(&mut self, seq: u64, payload: String) {
        self.last_seq = seq;
        self.unacknowledged.insert(seq, payload);
        self.handed_over.push_back(seq);
    }

    /// The client has sent the next message under this packet id.
    pub fn sent(&mut self, packet_id: u16) {
        if let Some(seq) = self.handed_over.pop_front() {
            self.by_packet_id.insert(packet_id, seq);
        }
    }

    /// The broker has this message now; `None` for a packet id that means nothing to us.
    pub fn acknowledged(&mut self, packet_id: u16) -> Option<u64> {
        let seq = self.by_packet_id.remove(&packet_id)?;
        self.unacknowledged.remove(&seq).map(|_| seq)
    }

    /// A new connection knows nothing of what was sent on the old one: everything unacknowledged has to be sent again,
    /// in this order, the same as before. Says which of them were on their way already.
    pub fn send_again(&mut self) -> Vec<Again> {
        let on_their_way: Vec<u64> = self.by_packet_id.drain().map(|(_, seq)| seq).collect();
        self.handed_over = self.unacknowledged.keys().copied().collect();
        let again = |(&seq, payload): (&u64, &String)| Again {
            seq,
            payload: payload.clone(),
            was_sent: on_their_way.contains(&seq),
        };
        self.unacknowledged.iter().map(again).collect()
    }

    /// Takes no new messages any more.
    pub fn close(&mut self) {
        self.end = Some(self.last_seq);
    }

    /// True when every message there will be is acknowledged.
    pub fn is_done(&self) -> bool {
        self.end == Some(self.last_seq) && self.unacknowledged.is_empty()
    }
}

/// A message to send again.
#[derive(Debug, PartialEq, Eq)]
pub struct Again {
    /// Its number.
    pub seq: u64,
    /// The same payload as the first time.
    pub payload: String,
    /// Whether the broker may have it already.
    pub was_sent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(outbox: &mut Outbox) -> Vec<u64> {
        std::iter::from_fn(|| {
            let seq = outbox.next_seq()?;
            outbox.hand_over(seq, format!("message {seq}"));
            Some(seq)
        })
        .collect()
    }

    #[test]
    fn the_window_opens_with_each_acknowledgement() {
        let mut outbox = Outbox::new(2, 0);
        assert_eq!(fill(&mut outbox), [1, 2]);
        outbox.sent(1);
        outbox.sent(2);
        assert_eq!(outbox.acknowledged(1), Some(1));
        assert_eq!(outbox.acknowledged(1), None);
        assert_eq!(fill(&mut outbox), [3]);
    }

    #[test]
    fn a_packet_id_is_used_again_for_another_message() {
        let mut outbox = Outbox::new(1, 0);
        for seq in 1..=3 {
            assert_eq!(fill(&mut outbox), [seq]);
            outbox.sent(1);
            assert_eq!(outbox.acknowledged(1), Some(seq));
        }
    }

    #[test]
    fn after_a_break_what_is_unacknowledged_goes_again() {
        let mut outbox = Outbox::new(3, 0);
        fill(&mut outbox);
        outbox.sent(1);
        outbox.sent(2);
        assert_eq!(outbox.acknowledged(1), Some(1));
        let again = outbox.send_again();
        assert_eq!(again.iter().map(|again| (again.seq, again.was_sent)).collect::<Vec<_>>(), [(2, true), (3, false)]);
        assert_eq!(again[0].payload, "message 2");
        assert_eq!(outbox.acknowledged(2), None, "the old connection's packet ids are void");
        outbox.sent(7);
        assert_eq!(outbox.acknowledged(7), Some(2));
    }

    #[test]
    fn it_is_done_when_the_last_is_acknowledged() {
        let mut outbox = Outbox::new(5, 2);
        assert_eq!(fill(&mut outbox), [1, 2]);
        for packet_id in [1, 2] {
            assert!(!outbox.is_done());
            outbox.sent(packet_id);
            outbox.acknowledged(packet_id);
        }
        assert!(outbox.is_done());
    }

    #[test]
    fn a_closed_one_waits_for_what_is_on_its_way() {
        let mut outbox = Outbox::new(5, 0);
        outbox.hand_over(1, String::new());
        outbox.close();
        assert_eq!(outbox.next_seq(), None);
        assert!(!outbox.is_done());
        outbox.sent(1);
        outbox.acknowledged(1);
        assert!(outbox.is_done());
    }
}
