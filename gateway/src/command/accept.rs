//! `fieldgate db accept-restored`: the operator says that a server was restored from a backup, so that its term, which is below
//! the highest seen, is no sign of a source left behind by a failover.
//!
//! The term row of that server is raised above everything seen, as a failover would. So every gateway of the site accepts it,
//! those that run as well, and nothing is forgotten anywhere.

use crate::command::{account, block_on, deadlines, now_us, place, refuse};
use crate::database::{Account, DbError, Session};
use crate::event::Event;
use crate::exit::Exit;
use crate::memory::look_and_remember;
use crate::term_row;
use crate::topology::{Facts, Term, View, choose};
use config::Config;
use std::path::PathBuf;
use thiserror::Error;

/// Which server.
#[derive(Debug, clap::Args)]
pub struct AcceptArguments {
    /// The server that was restored, as in mysql.servers
    pub server: String,
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Servers that do not answer will never come back with what they have
    #[arg(long)]
    pub others_gone: bool,
}

/// Why it is not accepted.
#[derive(Debug, Error)]
enum Refused {
    #[error("{0}")]
    No(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Accepts it; exit code 1 when that is refused.
pub fn accept(config: &Config, arguments: &AcceptArguments) -> Exit {
    let account = match account(config) {
        Ok(account) => account,
        Err(problem) => return refuse(&arguments.config, &[problem]),
    };
    let index = match place(config, &arguments.server) {
        Ok(index) => index,
        Err(exit) => return exit,
    };
    let now_us = match now_us() {
        Ok(now_us) => now_us,
        Err(exit) => return exit,
    };
    match block_on(raise(config, &account, index, arguments.others_gone, now_us)) {
        Ok(Ok(words)) => {
            println!("{words}");
            Exit::Ok
        }
        Ok(Err(refused)) => {
            eprintln!("{refused}");
            if matches!(refused, Refused::No(_)) { Exit::No } else { Exit::Unavailable }
        }
        Err(exit) => exit,
    }
}

async fn raise(
    config: &Config,
    account: &Account,
    index: usize,
    others_gone: bool,
    now_us: i64,
) -> Result<String, Refused> {
    let (views, highest_term) = look_and_remember(config, account).await;
    let before = may_accept(&views, index, highest_term, others_gone).map_err(Refused::No)?;
    let Some(server) = config.mysql.servers.get(index) else { return Err(DbError::closed("mysql.servers").into()) };
    let mut session = Session::open(server, account, deadlines(config)).await?;
    let term = highest_term.saturating_add(1);
    write(&mut session, config, &before, term, now_us).await?;
    session.close().await;
    Ok(format!("{server} is accepted as restored, in term {term}; running gateways find it by themselves"))
}

async fn write(session: &mut Session, config: &Config, before: &Term, term: u64, now_us: i64) -> Result<(), DbError> {
    let (site, gateway) = (config.gateway.site.as_str(), config.gateway.id.as_str());
    let text = format!("accepted as restored from a backup: term {} becomes {term}", before.number);
    let event = Event { at_us: now_us, site, gateway, kind: "restored", text: &text, count: None };
    let after = Term { number: term, server: before.server.clone() };
    term_row::raise(session, Some(before), &after, &event).await
}

/// The term row to raise, or why not. Accepting a source that was left behind by a failover would lose what the newer one has
/// taken from others, so nothing may speak for a newer one.
fn may_accept(views: &[View], index: usize, highest: u64, others_gone: bool) -> Result<Term, String> {
    if let Some(name) = choose(views, highest).source.and_then(|source| views.get(source)).map(|view| &view.name) {
        return Err(format!("{name} takes writes and holds the highest term; there is nothing to accept"));
    }
    let Some(view) = views.get(index) else { return Err("it is not in mysql.servers".to_owned()) };
    let facts = view.facts().ok_or_else(|| format!("{} cannot be asked ({})", view.name, view.trouble()))?;
    let term = own_term(view, facts, highest)?;
    for other in views.iter().filter(|other| other.name != view.name) {
        speaks_against(other, term, others_gone)?;
    }
    Ok(term.clone())
}

fn own_term<'a>(view: &View, facts: &'a Facts, highest: u64) -> Result<&'a Term, String> {
    let name = &view.name;
    if facts.read_only || !facts.replication.is_empty() {
        return Err(format!("{name} is read-only or follows another server; open it for writes first"));
    }
    let own = facts.term.as_ref().filter(|term| term.server == facts.identity);
    own.filter(|term| term.number < highest)
        .ok_or_else(|| format!("{name} does not hold an older term; a gateway takes it without this command"))
}

fn speaks_against(other: &View, term: &Term, others_gone: bool) -> Result<(), String> {
    let name = &other.name;
    match other.facts() {
        None if others_gone => Ok(()),
        None => Err(format!(
            "{name} cannot be asked ({}), and may hold what is newer; bring it back, or say --others-gone",
            other.trouble()
        )),
        Some(facts) => match &facts.term {
            Some(newer) if newer.number > term.number => Err(format!(
                "{name} has term {} of {}, which is newer: promote it, or restore it too",
                newer.number, newer.server
            )),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, read_only: bool, term: Option<(u64, &str)>) -> View {
        let mut view = View::unasked(name.to_owned());
        let term = term.map(|(number, server)| Term { number, server: server.to_owned() });
        view.answered(Facts { identity: name.to_owned(), read_only, term, ..Facts::default() });
        view
    }

    fn away(name: &str) -> View {
        let mut view = View::unasked(name.to_owned());
        view.failed("no answer".to_owned());
        view
    }

    #[test]
    fn an_older_term_is_accepted_only_when_nothing_speaks_for_a_newer_one() {
        let restored = || view("a", false, Some((1, "a")));
        let answer = |others: Vec<View>, gone| {
            let views: Vec<View> = std::iter::once(restored()).chain(others).collect();
            may_accept(&views, 0, 3, gone)
        };
        assert_eq!(answer(vec![], false).map(|term| term.number), Ok(1));
        assert!(answer(vec![view("b", true, Some((1, "a"))), view("c", true, None)], false).is_ok());
        assert!(answer(vec![view("b", true, Some((3, "b")))], true).unwrap_err().contains("restore it too"));
        assert!(answer(vec![away("b")], false).unwrap_err().contains("--others-gone"));
        assert!(answer(vec![away("b")], true).is_ok());
        assert!(answer(vec![view("b", false, Some((3, "b")))], true).unwrap_err().contains("nothing to accept"));
    }

    #[test]
    fn a_server_that_is_taken_anyway_or_takes_no_writes_is_refused() {
        let refused = |view: View, highest| may_accept(&[view, super::tests::away("z")], 0, highest, true).unwrap_err();
        assert!(refused(view("a", true, Some((1, "a"))), 3).contains("open it for writes first"));
        assert!(refused(view("a", false, Some((3, "a"))), 3).contains("nothing to accept"));
        assert!(refused(view("a", false, Some((1, "b"))), 3).contains("nothing to accept"));
        assert!(refused(away("a"), 3).contains("cannot be asked"));
    }
}
