//! A switchover that fails is taken back.

use super::{Stage, Switchover, in_term};
use crate::promotion::{Failure, statements};
use crate::topology::{Term, newest_term};

impl Switchover {
    /// Opens the old source again. Once the new one may be open, it is asked first: never both.
    pub(super) async fn take_back(&mut self, failure: Failure, failed: Stage) -> Failure {
        let (from, to) = (self.hands.name(self.from).to_owned(), self.hands.name(self.to).to_owned());
        if matches!(failed, Stage::Release | Stage::Open) {
            let asked = self.hands.ask(self.to).await;
            match self.hands.facts(self.to).map(|facts| facts.read_only) {
                Some(true) => {}
                Some(false) => return Failure::Shut(format!("{failure}; {to} takes writes all the same")),
                None => {
                    let why = asked.err().map(|error| error.explained()).unwrap_or_default();
                    return Failure::Shut(format!(
                        "{failure}; {to} does not say whether it takes writes ({why}), so {from} stays closed. \
                         When {to} answers: `fieldgate db switchover --to {to}` goes on, --to {from} takes it back"
                    ));
                }
            }
            if let Err(error) = self.follow(self.to, self.from).await {
                tracing::warn!("{to} does not follow {from} again: {error}");
            }
        }
        if self.was_closed {
            return Failure::Shut(format!("{failure}; {from} stays closed, as it was before"));
        }
        match self.open_again(self.from).await {
            Ok(_) => Failure::Shut(format!("{failure}; taken back: {from} takes writes again")),
            Err(error) => {
                Failure::Shut(format!("{failure}; {from} could not be opened again ({error}): open it by hand"))
            }
        }
    }

    /// With a term that names it, so that nobody takes the switchover for one that was left half done.
    pub(super) async fn open_again(&mut self, index: usize) -> Result<u64, Failure> {
        self.hands.ask(index).await?;
        let name = self.hands.name(index).to_owned();
        let facts = self.hands.facts(index).cloned().unwrap_or_default();
        let own = facts.term.filter(|term| term.server == facts.identity).map(|term| term.number);
        let number = match own {
            Some(number) => number,
            None => {
                let number = newest_term(self.hands.views()).max(self.highest_term).saturating_add(1);
                let text = format!("{name} is opened again: it is the source {}", in_term(number));
                self.give_term(index, Term { number, server: facts.identity }, &text).await?;
                number
            }
        };
        self.hands.run(index, &[statements::OPEN]).await?;
        Ok(number)
    }
}
