//! What must hold, in words.

pub const TWO_ACTIVE: &str = "two gateways that have heard each other's newest beat are not both active";
pub const NEWER_TERM: &str = "of two active gateways the one of the newer term stays active";
pub const STOOD_STILL: &str = "who stood still does not go on beside the one that took over";
pub const TAKES_OVER: &str = "who lives, with a link that works, is active soon after the other one died";
pub const ONE_ACTIVE: &str = "of two that live and hear each other one is active";
pub const HOLDER_WRITES: &str = "who is not in the group's row does not write as its holder";
pub const HOLDER_PASSED: &str = "who is not the holder writes nothing that the holder has not passed";
pub const NOT_MISSING: &str = "what was heard and whose card lives stands in the source";
pub const ONCE: &str = "what has an identity stands there once";
pub const MARKED: &str = "what stands there twice has a mark";
pub const ENDS: &str = "nothing waits for ever";
