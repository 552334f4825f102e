//! A takeover that somebody asks for: handed to the loop of the role, whose answer is waited for.

use super::Desk;
use super::wire::{TurnAnswer, TurnWish};
use crate::standby::inputs::{Answer, Ask};
use crate::standby::state::StandbyState;
use tokio::sync::{mpsc, oneshot};

/// Asks the loop, which answers within about its `silence`.
pub async fn ask(desk: &Desk, wish: TurnWish) -> TurnAnswer {
    let answer = match &desk.asks {
        Some(asks) => ask_loop(asks, wish).await,
        None => Err("this gateway was started without [standby] in its configuration; restart it".to_owned()),
    };
    answer_of(answer, desk.board.role())
}

async fn ask_loop(asks: &mpsc::Sender<Ask>, wish: TurnWish) -> Answer {
    let (answer, answered) = oneshot::channel();
    let ask = match wish {
        TurnWish::This => Ask::TakeOver { force: false, answer },
        TurnWish::ThisByForce => Ask::TakeOver { force: true, answer },
        TurnWish::Other => Ask::HandOver { answer },
    };
    let stopping = || "the gateway is stopping; ask again when it runs".to_owned();
    asks.send(ask).await.map_err(|_| stopping())?;
    answered.await.map_err(|_| stopping())?
}

fn answer_of(answer: Answer, shown: Option<StandbyState>) -> TurnAnswer {
    let done = answer.is_ok();
    let text = answer.unwrap_or_else(|why| why);
    TurnAnswer { done, text, role: shown.as_ref().map(|shown| shown.role), term: shown.map_or(0, |shown| shown.term) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standby::role::Role;

    #[tokio::test]
    async fn a_loop_that_has_ended_is_a_gateway_that_stops() {
        let (asks, loop_end) = mpsc::channel(1);
        drop(loop_end);
        assert!(ask_loop(&asks, TurnWish::This).await.unwrap_err().contains("stopping"));
    }

    #[test]
    fn an_answer_comes_with_the_role_and_the_term() {
        let shown = StandbyState { role: Role::Active, term: 5, ..StandbyState::default() };
        let answer = answer_of(Ok("two is active in term 5".to_owned()), Some(shown));
        assert_eq!((answer.done, answer.role, answer.term), (true, Some(Role::Active), 5));
        let alone = answer_of(Err("no".to_owned()), None);
        assert_eq!((alone.done, alone.text.as_str(), alone.role), (false, "no", None));
    }
}
