//! `while_standby`: what a source does while the other gateway of the site is the active one.

use toml::de::DeValue;

use crate::problem::ValueError;
use crate::section::Section;
use crate::values::choice;

/// What a source does while its gateway is on standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhileStandby {
    /// Both gateways hear the same nodes: it goes on, and what it brings is held until it is known what the other one brought.
    Hold,
    /// Only this gateway hears these nodes: it goes on, and what it brings is delivered.
    Deliver,
    /// Only one gateway may ask these nodes: it asks only while this gateway is active.
    Off,
}

impl WhileStandby {
    /// Whether the other gateway may have what this source brings.
    pub fn is_shared(self) -> bool {
        self != Self::Deliver
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        CHOICES.iter().find(|(_, choice)| *choice == self).map_or("", |(text, _)| text)
    }
}

const KEY: &str = "while_standby";
const CHOICES: [(&str, WhileStandby); 3] =
    [("hold", WhileStandby::Hold), ("deliver", WhileStandby::Deliver), ("off", WhileStandby::Off)];

/// Of a broker, which any number of gateways may hear. Default: hold; without `[standby]` always deliver.
pub(crate) fn of_broker(section: &mut Section<'_, '_>, with_standby: bool) -> WhileStandby {
    if with_standby { section.or(KEY, WhileStandby::Hold, broker_choice) } else { refused(section) }
}

/// Of a port or a bus, where it must be said. None when it is missing; without `[standby]` always deliver.
pub(crate) fn of_wire(section: &mut Section<'_, '_>, with_standby: bool) -> Option<WhileStandby> {
    if !with_standby {
        return Some(refused(section));
    }
    section.demand(
        KEY,
        "add while_standby = \"hold\" if both gateways hear these nodes, \"deliver\" if only this one does, or \"off\" if only one gateway at a time may ask them",
    );
    section.optional(KEY, choice(&CHOICES))
}

fn broker_choice(value: &DeValue<'_>) -> Result<WhileStandby, ValueError> {
    let [hold, deliver, _] = CHOICES;
    choice(&[hold, deliver])(value).map_err(|error| match choice(&CHOICES)(value) {
        Ok(_) => {
            let remedy = "write \"hold\" if both gateways hear these nodes, or \"deliver\" if only this one does";
            ValueError::new("is \"off\", but every gateway may hear a broker", remedy)
        }
        Err(_) => error,
    })
}

fn refused(section: &mut Section<'_, '_>) -> WhileStandby {
    if section.has(KEY) {
        section.ignore(KEY);
        section.add(KEY, ValueError::new("has no meaning without [standby]", "remove it or add [standby]"));
    }
    WhileStandby::Deliver
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;
    use crate::lines::Lines;
    use crate::report::Report;

    /// What both kinds of sources make of a section, and the problems with it.
    fn judged(text: &str, with_standby: bool) -> (WhileStandby, Option<WhileStandby>, [Vec<String>; 2]) {
        let table = DeTable::parse(text).unwrap();
        let report = || Report::new(Lines::of(text, table.get_ref()), Vec::new());
        let mut reports = [report(), report()];
        let [broker, wire] = &mut reports;
        let of_broker = Section::document(table.get_ref(), broker, |section| super::of_broker(section, with_standby));
        let of_wire = Section::document(table.get_ref(), wire, |section| super::of_wire(section, with_standby));
        let words = reports.map(|report| report.problems.iter().map(ToString::to_string).collect());
        (of_broker, of_wire, words)
    }

    #[test]
    fn a_gateway_alone_delivers_and_refuses_the_key() {
        let (deliver, none) = (WhileStandby::Deliver, Vec::<String>::new());
        assert_eq!(judged("", false), (deliver, Some(deliver), [none.clone(), none]));
        let refused = "1: while_standby: has no meaning without [standby]; remove it or add [standby]".to_owned();
        let said = [vec![refused.clone()], vec![refused]];
        assert_eq!(judged("while_standby = \"hold\"", false), (deliver, Some(deliver), said));
    }

    #[test]
    fn of_two_gateways_a_wire_must_say_it_and_a_broker_is_held() {
        let (broker, wire, [of_broker, of_wire]) = judged("", true);
        assert_eq!((broker, wire, of_broker.len(), of_wire.len()), (WhileStandby::Hold, None, 0, 1));
        let named = |choice| of_wire[0].contains(&format!("\"{choice}\" if "));
        assert!(of_wire[0].contains("while_standby: is missing") && ["hold", "deliver", "off"].iter().all(named));
    }

    #[test]
    fn a_broker_cannot_be_off_and_other_words_are_refused() {
        for (word, meaning) in CHOICES {
            let (broker, wire, [of_broker, of_wire]) = judged(&format!("while_standby = {word:?}"), true);
            assert_eq!((wire, of_wire), (Some(meaning), vec![]));
            let refused = meaning == WhileStandby::Off;
            assert_eq!((broker == meaning, of_broker.len()), (!refused, usize::from(refused)), "{of_broker:?}");
        }
        let (_, wire, [of_broker, of_wire]) = judged("while_standby = \"cold\"", true);
        assert!(wire.is_none() && of_wire[0].ends_with("; write \"hold\" or \"deliver\" or \"off\""), "{of_wire:?}");
        assert!(of_broker[0].ends_with("; write \"hold\" or \"deliver\""), "{of_broker:?}");
    }

    #[test]
    fn only_what_nobody_else_hears_is_not_shared() {
        assert_eq!(CHOICES.map(|(_, meaning)| meaning.is_shared()), [true, false, true]);
    }
}
