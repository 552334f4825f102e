//! What people have asked for and wait to hear of.

use super::inputs::{Answer, Ask};
use super::role::{Event, Role};
use super::situation::Situation;
use sensors::Stamp;
use tokio::sync::oneshot;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    TakeOver,
    HandOver,
}

#[derive(Debug)]
struct Request {
    wish: Wish,
    answer: oneshot::Sender<Answer>,
    until_us: u64,
}

/// Requests without an answer yet.
#[derive(Debug, Default)]
pub struct Requests(Vec<Request>);

impl Requests {
    /// Does what is asked, or says why not.
    pub fn take(&mut self, ask: Ask, situation: &mut Situation, now: Stamp) {
        let (wish, answer, refused) = match ask {
            Ask::TakeOver { force, answer } => (Wish::TakeOver, answer, take_over(situation, force, now)),
            Ask::HandOver { answer } => (Wish::HandOver, answer, hand_over(situation, now)),
        };
        if let Err(why) = refused {
            // Who does not wait any more does not hear it.
            let _ = answer.send(Err(why.to_owned()));
            return;
        }
        let setup = situation.setup();
        let patience_us = setup.silence_us.saturating_add(setup.beat_us.saturating_mul(2));
        self.0.push(Request { wish, answer, until_us: now.boottime_us.saturating_add(patience_us) });
    }

    /// Answers whatever can be answered now.
    pub fn settle(&mut self, situation: &Situation, now: Stamp) {
        for request in std::mem::take(&mut self.0) {
            match outcome(&request, situation, now) {
                Some(answer) => {
                    let _ = request.answer.send(answer);
                }
                None => self.0.push(request),
            }
        }
    }
}

fn take_over(situation: &mut Situation, force: bool, now: Stamp) -> Result<(), &'static str> {
    match (situation.role(), force) {
        (Role::Active, _) => {}
        (_, true) => situation.apply(Event::Forced, now),
        (Role::Standby, false) => situation.apply(Event::Wanted, now),
        (Role::Starting, false) => {
            return Err("this gateway has just started and listens for the other one; ask again in a moment");
        }
        (Role::Isolated, false) => {
            return Err(
                "no link works, so the other gateway cannot be asked; mend a link, or ask with --force when you know that the other one does not run",
            );
        }
        (Role::Leaving, false) => return Err("this gateway is giving up its turn; ask again in a moment"),
    }
    Ok(())
}

fn hand_over(situation: &mut Situation, now: Stamp) -> Result<(), &'static str> {
    if situation.role() != Role::Active {
        return Err("this gateway is not active, so it has no turn to give");
    }
    if !situation.has_successor(now) {
        return Err(
            "the other gateway has not been heard lately, or its queue takes nothing, so nobody would take the turn; look at `fieldgate status` there",
        );
    }
    situation.apply(Event::HandOver, now);
    Ok(())
}

fn outcome(request: &Request, situation: &Situation, now: Stamp) -> Option<Answer> {
    let is_over = now.boottime_us >= request.until_us;
    match (request.wish, situation.role()) {
        (Wish::TakeOver, Role::Active) => Some(Ok(format!("this gateway is active, in term {}", situation.term()))),
        (Wish::TakeOver, _) if is_over => Some(Err(
            "the other gateway did not give its turn in time; look at `fieldgate status` there, or ask with --force"
                .to_owned(),
        )),
        (Wish::HandOver, Role::Standby) => Some(Ok("the other gateway is active".to_owned())),
        (Wish::HandOver, Role::Active) => {
            Some(Err("the other gateway did not take the turn, so this one goes on; look at `fieldgate status` there"
                .to_owned()))
        }
        (Wish::HandOver, _) if is_over => Some(Err("nobody has taken the turn yet".to_owned())),
        _ => None,
    }
}
