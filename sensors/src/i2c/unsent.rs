//! Readings of a node that found no room, until a gap has told of them.

use crate::reading::Gap;
use config::NodeId;
use tracing::warn;

/// What is missing of one node.
#[derive(Debug, Default)]
pub struct Unsent(Option<Missing>);

#[derive(Debug)]
struct Missing {
    from_us: i64,
    readings: u64,
}

impl Unsent {
    /// Notes readings that found no room, or were not asked for since there was none.
    pub fn add(&mut self, node: &NodeId, at_us: i64, readings: usize) {
        if self.0.is_none() {
            warn!(%node, "no room in the gateway; the node is not asked until there is");
        }
        let missing = self.0.get_or_insert(Missing { from_us: at_us, readings: 0 });
        missing.readings = missing.readings.saturating_add(u64::try_from(readings).unwrap_or(u64::MAX));
    }

    /// Tells of what is missing, if anything is. False while `tell` finds no room either.
    pub fn is_told(&mut self, node: &NodeId, now_us: i64, tell: impl FnOnce(Gap) -> bool) -> bool {
        let Some(missing) = &self.0 else { return true };
        let told = tell(Gap {
            node: Some(node.clone()),
            channel: None,
            reason: "no room in the gateway".to_owned(),
            from_us: Some(missing.from_us),
            to_us: Some(now_us),
            count: Some(missing.readings).filter(|readings| *readings > 0),
        });
        if told {
            self.0 = None;
        }
        told
    }
}
