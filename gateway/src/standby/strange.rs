//! Messages that are no beats of the other gateway, and what people hear of them: a warning when they begin. Pure but for the
//! log. Times are microseconds on a clock that never steps.

use super::beat::Heard;
use std::collections::BTreeMap;
use tracing::warn;

/// Without another one for so long, it is over.
const OVER_AFTER_US: u64 = 30_000_000;
/// A clock may be off by so much, ms, before anybody is told.
const CLOCK_OFF_MS: u64 = 5_000;
/// By so much it is still called off, so that the warning does not come and go.
const CLOCK_STILL_OFF_MS: u64 = 4_000;

#[derive(Debug)]
struct Warning {
    text: String,
    last_us: u64,
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub struct Warnings {
    /// By the link and the kind of message.
    messages: BTreeMap<(usize, &'static str), Warning>,
    clock: Option<String>,
}

impl Warnings {
    /// A message that is no beat came over a link of this name.
    pub fn heard(&mut self, heard: Heard, link: usize, name: &str, now_us: u64) {
        let Some((kind, what)) = words(heard) else { return };
        let known = self.messages.contains_key(&(link, kind));
        let text = format!("{name} brings {what}");
        if !known {
            warn!("{text}");
        }
        self.messages.insert((link, kind), Warning { text, last_us: now_us });
    }

    /// The other gateway's clock is ahead of ours by so much.
    pub fn clock(&mut self, offset_ms: Option<i64>) {
        let Some(offset_ms) = offset_ms else { return };
        let least = if self.clock.is_some() { CLOCK_STILL_OFF_MS } else { CLOCK_OFF_MS };
        if offset_ms.unsigned_abs() <= least {
            self.clock = None;
            return;
        }
        let side = if offset_ms > 0 { "ahead of" } else { "behind" };
        let seconds = offset_ms.unsigned_abs() / 1000;
        let text =
            format!("the other gateway's clock is {seconds} s {side} this one's; look at the time service of both");
        if self.clock.is_none() {
            warn!("{text}");
        }
        self.clock = Some(text);
    }

    /// What is to be looked at now, in sentences.
    pub fn shown(&mut self, now_us: u64) -> Vec<String> {
        self.messages.retain(|_, warning| now_us.saturating_sub(warning.last_us) < OVER_AFTER_US);
        self.messages.values().map(|warning| warning.text.clone()).chain(self.clock.clone()).collect()
    }
}

fn words(heard: Heard) -> Option<(&'static str, String)> {
    Some(match heard {
        Heard::Beat(_) | Heard::Hello | Heard::Garbage => return None,
        Heard::Echo => {
            ("echo", "this gateway's own beats; is the line looped back, or are both ends this machine?".to_owned())
        }
        Heard::SameId => {
            ("id", "beats of another gateway with this one's id; give each an `id` of its own in [gateway]".to_owned())
        }
        Heard::OtherSite => (
            "site",
            "beats of another site; write the same `site` in [gateway] of both, or look where the link leads"
                .to_owned(),
        ),
        Heard::OtherVersion(version) => {
            ("version", format!("beats of version {version}; put the same version of fieldgate on both gateways"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_one_warning_until_it_is_over() {
        let mut warnings = Warnings::default();
        for at in 0..10 {
            warnings.heard(Heard::SameId, 0, "serial /dev/a", at * 1_000_000);
            warnings.heard(Heard::Garbage, 0, "serial /dev/a", at);
        }
        warnings.heard(Heard::Echo, 1, "udp b:1", 1);
        let shown = warnings.shown(9_000_000);
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert!(shown[1].starts_with("udp b:1 brings this gateway's own beats") || shown[0].contains("own beats"));
        assert_eq!(warnings.shown(38_000_000).len(), 1);
        assert!(warnings.shown(39_000_000).is_empty());
    }

    #[test]
    fn a_clock_is_off_from_five_seconds_until_it_is_within_four() {
        let mut warnings = Warnings::default();
        for (offset, warned) in [(5_000, false), (-5_001, true), (-4_500, true), (4_000, false), (4_500, false)] {
            warnings.clock(Some(offset));
            assert_eq!(!warnings.shown(0).is_empty(), warned, "{offset}");
        }
        warnings.clock(Some(-61_000));
        warnings.clock(None);
        assert_eq!(
            warnings.shown(0),
            ["the other gateway's clock is 61 s behind this one's; look at the time service of both"]
        );
    }
}
