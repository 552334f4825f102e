//! Does what is left to do at the other servers.

use super::hands::Hands;
use super::record::Record;
use super::statements::{self, Channel, Upstream};
use super::{Failure, Rules};
use crate::event::Event;
use crate::topology::Replication;
use crate::topology::promote::chores::{Chore, Task, chores};
use tracing::{info, warn};

/// Does these chores, and tells of each with a row of events at the source, if there is one. Who fails is left for the next
/// time; returns what was done, and whether all was.
pub async fn do_chores(
    hands: &mut Hands,
    tasks: &[Task],
    source: Option<usize>,
    record: &mut Record,
    rules: &Rules,
    now_us: i64,
) -> (Vec<String>, bool) {
    // Of two gateways one does it.
    if let Err(failure) = hands.lock(false).await {
        info!("what is left to do at the servers waits: {failure}");
        return (Vec::new(), false);
    }
    carry_out(hands, tasks, source, record, rules, now_us).await
}

/// The same for whoever holds the lock.
pub(super) async fn carry_out(
    hands: &mut Hands,
    tasks: &[Task],
    source: Option<usize>,
    record: &mut Record,
    rules: &Rules,
    now_us: i64,
) -> (Vec<String>, bool) {
    let (mut done, mut is_all) = (Vec::new(), true);
    for task in tasks {
        match do_one(hands, source, record, task).await {
            Ok(None) => {}
            Ok(Some(words)) => {
                if let Some(source) = source {
                    tell(hands, source, rules, now_us, &words).await;
                }
                done.push(words);
            }
            Err(failure) => {
                warn!("{} ({}): {failure}; it is tried again", task.why, words(task.chore));
                is_all = false;
            }
        }
    }
    (done, is_all)
}

fn words(chore: Chore) -> &'static str {
    match chore {
        Chore::Close => "to be closed for writes",
        Chore::Follow => "to follow it",
        Chore::Receive => "to receive again",
    }
}

async fn do_one(
    hands: &mut Hands,
    source: Option<usize>,
    record: &mut Record,
    task: &Task,
) -> Result<Option<String>, Failure> {
    let (index, name) = (task.server, hands.name(task.server).to_owned());
    // What was seen may be old; what is done to a server goes by what it says now.
    hands.ask(index).await?;
    if !is_left(hands, source, record, task) {
        return Ok(None);
    }
    let facts = hands.facts(index).cloned().unwrap_or_default();
    let family = hands.session(index).await?.family();
    let first = facts.replication.first().cloned().unwrap_or_default();
    let channel = Channel { family, name: &first.channel };
    let words = match (task.chore, source) {
        (Chore::Close, _) => {
            hands.run(index, &[statements::close(family)]).await?;
            format!("{name} was closed for writes: {}", task.why)
        }
        (Chore::Receive, _) => {
            hands.run(index, &[channel.start_receiving()]).await?;
            format!("{name} receives again")
        }
        (Chore::Follow, Some(source)) => {
            follow(hands, source, index, &first).await?;
            format!("{name} follows {}", hands.name(source))
        }
        (Chore::Follow, None) => return Err(Failure::Shut("there is no source to follow".to_owned())),
    };
    record.forget(&facts.identity)?;
    Ok(Some(words))
}

/// Whether it is still to be done.
fn is_left(hands: &Hands, source: Option<usize>, record: &Record, task: &Task) -> bool {
    let is_it = |other: &Task| (other.server, other.chore) == (task.server, task.chore);
    match source {
        Some(source) => chores(hands.views(), source, record.stopped()).iter().any(is_it),
        None => hands.facts(task.server).is_some_and(|facts| !facts.read_only),
    }
}

/// It keeps the account with which it followed the one before.
async fn follow(hands: &mut Hands, source: usize, index: usize, channel: &Replication) -> Result<(), Failure> {
    let family = hands.session(index).await?.family();
    let words = Channel { family, name: &channel.channel };
    let server = hands.address(source)?.clone();
    let upstream = Upstream { server: &server, login: None, tls: false };
    Ok(hands.run(index, &[words.stop(), words.follow(&upstream), words.start()]).await?)
}

async fn tell(hands: &mut Hands, source: usize, rules: &Rules, now_us: i64, words: &str) {
    let event =
        Event { at_us: now_us, site: &rules.site, gateway: &rules.gateway, kind: "topology", text: words, count: None };
    let written = match hands.session(source).await {
        Ok(session) => event.write(session).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        warn!("no row of events says so: {error}");
    }
}
