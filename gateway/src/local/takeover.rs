//! A takeover that somebody asks for: handed to the loop of the role, whose answer is waited for.

use super::Desk;
use super::wire::TurnAnswer;
use crate::standby::inputs::{Answer, Ask};
use crate::standby::role::Role;
use crate::standby::state::StandbyState;
use tokio::sync::{mpsc, oneshot};

/// Asks the loop, which answers within about its `silence`.
pub async fn ask(desk: &Desk, force: bool) -> TurnAnswer {
    let answer = match &desk.asks {
        Some(asks) => ask_loop(asks, desk.board.role().is_some_and(|shown| shown.role == Role::Active), force).await,
        None => Err("this gateway was started without [standby] in its configuration; restart it".to_owned()),
    };
    answer_of(answer, desk.board.role())
}

/// Without force the active one gives its turn away. With it the gateway that is asked is to be active, whatever it is now.
async fn ask_loop(asks: &mpsc::Sender<Ask>, is_active: bool, force: bool) -> Answer {
    let (answer, answered) = oneshot::channel();
    let ask = if is_active && !force { Ask::HandOver { answer } } else { Ask::TakeOver { force, answer } };
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

    /// What the loop is asked for.
    async fn asked(is_active: bool, force: bool) -> String {
        let (asks, mut loop_end) = mpsc::channel(1);
        let answering = async {
            match loop_end.recv().await {
                Some(Ask::TakeOver { force, answer }) => answer.send(Ok(format!("take over, force {force}"))),
                Some(Ask::HandOver { answer }) => answer.send(Err("hand over".to_owned())),
                None => Ok(()),
            }
        };
        let (answer, _) = tokio::join!(ask_loop(&asks, is_active, force), answering);
        answer.unwrap_or_else(|why| why)
    }

    #[tokio::test]
    async fn the_active_one_gives_its_turn_away_and_with_force_nobody_is_asked_to() {
        assert_eq!(asked(false, false).await, "take over, force false");
        assert_eq!(asked(true, false).await, "hand over");
        assert_eq!(asked(false, true).await, "take over, force true");
        assert_eq!(asked(true, true).await, "take over, force true");
    }

    #[tokio::test]
    async fn a_loop_that_has_ended_is_a_gateway_that_stops() {
        let (asks, loop_end) = mpsc::channel(1);
        drop(loop_end);
        assert!(ask_loop(&asks, true, false).await.unwrap_err().contains("stopping"));
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
