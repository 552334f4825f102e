//! A server that comes back follows the source again, if it has nothing that the source lacks.

use super::follow::{Login, follow};
use super::{Failure, Hands, Rules, statements};
use crate::event::Event;
use crate::topology::gtid::beyond;

/// Lets a server follow the source; says what was done.
///
/// # Errors
/// [`Failure`], which names the transactions that are in the way.
pub async fn rejoin(
    hands: &mut Hands,
    index: usize,
    source: usize,
    login: &Login,
    rules: &Rules,
    now_us: i64,
) -> Result<String, Failure> {
    hands.lock(false).await?;
    let (name, source_name) = (hands.name(index).to_owned(), hands.name(source).to_owned());
    // In this order: what the source writes meanwhile is no difference.
    hands.ask(index).await?;
    hands.ask(source).await?;
    may_follow(hands, index, source)?;
    let family = hands.session(index).await?.family();
    if hands.facts(index).is_some_and(|facts| !facts.read_only) {
        hands.run(index, &[statements::close(family)]).await?;
        // What was written to it up to now counts too.
        hands.ask(index).await?;
        hands.ask(source).await?;
    }
    refuse_errant(hands, index, source)?;
    follow(hands, index, source, Some(login), rules.patience).await?;
    let text = format!("{name} follows {source_name}, by command");
    let event =
        Event { at_us: now_us, site: &rules.site, gateway: &rules.gateway, kind: "topology", text: &text, count: None };
    event.write(hands.session(source).await?).await?;
    Ok(text)
}

fn may_follow(hands: &Hands, index: usize, source: usize) -> Result<(), Failure> {
    let no = |why: String| Err(Failure::Shut(why));
    let (name, source_name) = (hands.name(index), hands.name(source));
    let (Some(facts), Some(own)) = (hands.facts(index), hands.facts(source)) else {
        return no(format!("{name} or {source_name} does not answer"));
    };
    let follows = facts.replication.iter().any(|one| one.upstream_id == own.server_id && one.connected && one.applying);
    match facts.replication.len() {
        _ if facts.identity == own.identity => no(format!("{name} is the source")),
        _ if follows => no(format!("{name} follows {source_name} already")),
        0 | 1 => Ok(()),
        many => no(format!("{name} has {many} replication channels; which of them is to go only you can say")),
    }
}

/// A server that has more than the source would differ from it for ever, or stop with an error later.
fn refuse_errant(hands: &Hands, index: usize, source: usize) -> Result<(), Failure> {
    let (Some(facts), Some(own)) = (hands.facts(index), hands.facts(source)) else { return Ok(()) };
    let spans = beyond(facts, own);
    if spans.is_empty() {
        return Ok(());
    }
    let (name, source_name) = (hands.name(index), hands.name(source));
    let (tool, dump) = if own.executed.contains(':') {
        ("mysqlbinlog", "the clone plugin, or mysqldump")
    } else {
        ("mariadb-binlog", "mariadb-backup, or mariadb-dump --gtid")
    };
    Err(Failure::Shut(format!(
        "{name} has transactions that {source_name} lacks: {}. It stays as it is, closed for writes. Readings among them have \
         been sent again to {source_name}; look at what else there is with {tool} at {name}, enter by hand what is worth keeping, \
         then make {name} anew as a copy of {source_name} ({dump}) and let it follow",
        spans.join(", ")
    )))
}
