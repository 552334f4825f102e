//! This gateway's own ends of the links: whether any works, and how many beats come over each. Times are microseconds on a
//! clock that never steps.

use super::link::LinkError;
use super::reach::Reach;
use super::state::LinkState;
use tracing::{info, warn};

/// Beats that `fieldgate status` counts.
const SHOWN: u32 = 60;
/// A link that worked for so long is told of again when it fails with the same words.
const TOLD_AGAIN_US: u64 = 60_000_000;

/// A link as it was configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkName {
    /// Its kind and device.
    pub name: String,
    /// It only ever says that the other one lives.
    pub witness: bool,
}

#[derive(Debug)]
struct End {
    link: LinkName,
    trouble: Option<String>,
    up_since_us: Option<u64>,
    reach: Reach,
    /// The last trouble in the log, and whether the log has said since then that it is over. A link that comes and goes with the
    /// same words is in the log once a minute at most.
    told: Option<String>,
    told_works: bool,
}

/// All of them.
#[derive(Debug)]
pub struct Ends {
    ends: Vec<End>,
    /// Since when no link over a wire works; none while one does.
    wires_lost_us: Option<u64>,
    /// When a witness last brought a beat.
    witness_us: Option<u64>,
}

impl Ends {
    /// None of them works yet.
    pub fn new(links: Vec<LinkName>, now_us: u64) -> Self {
        let end = |link| End {
            link,
            trouble: None,
            up_since_us: None,
            reach: Reach::default(),
            told: None,
            told_works: false,
        };
        Self { ends: links.into_iter().map(end).collect(), wires_lost_us: Some(now_us), witness_us: None }
    }

    /// A link works.
    pub fn up(&mut self, link: usize, now_us: u64) {
        if let Some(end) = self.ends.get_mut(link) {
            if !std::mem::replace(&mut end.told_works, true) {
                info!(link = end.link.name, "the link works");
            }
            end.trouble = None;
            end.up_since_us.get_or_insert(now_us);
        }
        self.look(now_us);
    }

    /// A link does not work.
    pub fn down(&mut self, link: usize, why: &LinkError, now_us: u64) {
        if let Some(end) = self.ends.get_mut(link) {
            end.down(why.to_string(), now_us);
        }
        self.look(now_us);
    }

    /// A beat came over a link.
    pub fn heard(&mut self, link: usize, now_us: u64) {
        let Some(end) = self.ends.get_mut(link) else { return };
        end.reach.beat();
        if end.link.witness {
            self.witness_us = Some(now_us);
        }
    }

    /// A beat's period is over.
    pub fn shift(&mut self) {
        self.ends.iter_mut().for_each(|end| end.reach.shift());
    }

    /// Whether a link over a wire works.
    pub fn has_wire(&self) -> bool {
        self.wires_lost_us.is_none()
    }

    /// Whether nothing can be known of the other one: for `beat_us` no link over a wire has worked, and for `silence_us`
    /// no witness has brought a beat.
    pub fn is_cut(&self, now_us: u64, beat_us: u64, silence_us: u64) -> bool {
        let over = |since: Option<u64>, span| since.is_some_and(|since| now_us.saturating_sub(since) >= span);
        over(self.wires_lost_us, beat_us) && (self.witness_us.is_none() || over(self.witness_us, silence_us))
    }

    /// What is not heard or does not work begins now: this process stood still.
    pub fn stood_still(&mut self, now_us: u64) {
        self.wires_lost_us = self.wires_lost_us.map(|_| now_us);
    }

    /// What a link is called.
    pub fn name(&self, link: usize) -> &str {
        self.ends.get(link).map_or("an unknown link", |end| &end.link.name)
    }

    /// What people see of them.
    pub fn shown(&self) -> Vec<LinkState> {
        self.ends.iter().map(End::shown).collect()
    }

    fn look(&mut self, now_us: u64) {
        let has_wire = self.ends.iter().any(|end| !end.link.witness && end.up_since_us.is_some());
        self.wires_lost_us = if has_wire { None } else { self.wires_lost_us.or(Some(now_us)) };
    }
}

impl End {
    fn down(&mut self, why: String, now_us: u64) {
        let since = self.up_since_us.take();
        let worked_long = since.is_some_and(|since| now_us.saturating_sub(since) >= TOLD_AGAIN_US);
        if worked_long || self.told.as_ref() != Some(&why) {
            warn!(link = self.link.name, "the link does not work: {why}");
            (self.told, self.told_works) = (Some(why.clone()), false);
        }
        self.trouble = Some(why);
    }

    fn shown(&self) -> LinkState {
        LinkState {
            name: self.link.name.clone(),
            up: self.up_since_us.is_some(),
            trouble: self.trouble.clone(),
            witness: self.link.witness,
            beats: self.reach.to_string(),
            lost: self.reach.lost_of_last(SHOWN),
            due: self.reach.of_last(SHOWN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> Ends {
        let link = |(name, witness): (&str, bool)| LinkName { name: name.to_owned(), witness };
        Ends::new([("serial", false), ("udp", true)].map(link).to_vec(), 0)
    }

    #[test]
    fn only_a_wire_counts_and_only_after_a_beat_without_one() {
        let mut ends = ends();
        ends.up(1, 0);
        assert!(!ends.has_wire());
        assert!(!ends.is_cut(9, 10, 30) && ends.is_cut(10, 10, 30));
        ends.up(0, 20);
        assert!(ends.has_wire() && !ends.is_cut(1000, 10, 30));
        ends.down(0, &LinkError::NotAMailbox, 1000);
        assert!(!ends.is_cut(1009, 10, 30));
        ends.down(0, &LinkError::NotAMailbox, 1009);
        assert!(ends.is_cut(1010, 10, 30), "since the first time");
    }

    #[test]
    fn a_witness_that_is_heard_keeps_from_being_cut() {
        let mut ends = ends();
        ends.heard(1, 100);
        assert!(!ends.is_cut(129, 10, 30) && ends.is_cut(130, 10, 30));
        ends.stood_still(500);
        assert!(!ends.is_cut(509, 10, 30) && ends.is_cut(510, 10, 30));
    }

    #[test]
    fn people_see_each_link() {
        let mut ends = ends();
        ends.up(0, 0);
        ends.heard(0, 1);
        ends.shift();
        ends.shift();
        ends.down(1, &LinkError::Socket("in use".to_owned()), 3);
        let shown = ends.shown();
        assert_eq!((shown[0].up, shown[0].lost, shown[0].due), (true, 1, 2));
        assert_eq!(shown[0].beats, "1 of the last 2 beats");
        assert!(shown[1].witness && shown[1].trouble.as_ref().is_some_and(|why| why.contains("in use")));
    }
}
