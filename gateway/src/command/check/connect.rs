//! `fieldgate check --connect`: asks every server, and names what does not fit with the SQL that mends it.

mod accounts;
mod ask;
mod between;
mod facts;
mod promotion;
mod rights;
mod settings;
mod tables;
#[cfg(test)]
mod tests;

use super::promotion::advice;
use crate::command::{block_on, refuse};
use crate::exit::Exit;
use crate::memory::look_and_choose;
use crate::topology::{Choice, View};
use accounts::Accounts;
use config::Config;
use facts::{Finding, ServerFacts, Weight};
use sensors::{KernelClock, SampleClock};
use serde::Serialize;
use settings::Place;
use std::path::Path;

/// The whole answer.
#[derive(Debug, Serialize)]
struct Report {
    /// Every server in the order of the configuration: what it is, or why it cannot be asked.
    servers: Vec<Line>,
    /// Which server takes writes, and why.
    source: String,
    /// What to mend.
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Line {
    server: String,
    answers: bool,
    text: String,
}

/// Asks the servers; the configuration itself has been checked.
pub fn connect(file: &Path, config: &Config, json: bool) -> Exit {
    let accounts = match Accounts::of(config) {
        Ok(accounts) => accounts,
        Err(problem) => return refuse(file, &[problem]),
    };
    let clock = match KernelClock::open() {
        Ok(clock) => clock,
        Err(error) => {
            eprintln!("cannot read the kernel's clock: {error}");
            return Exit::Bug;
        }
    };
    match block_on(ask_all(config, &accounts, &clock)) {
        Ok(report) => {
            show(&report, json);
            exit(&report)
        }
        Err(exit) => exit,
    }
}

fn exit(report: &Report) -> Exit {
    let is_problem = |finding: &Finding| finding.weight == Weight::Problem;
    match report.servers.iter().all(|line| line.answers) {
        _ if report.findings.iter().any(is_problem) => Exit::Configuration,
        false => Exit::Unavailable,
        true => Exit::Ok,
    }
}

async fn ask_all(config: &Config, accounts: &Accounts, clock: &dyn SampleClock) -> Report {
    let (views, choice) = look_and_choose(config, &accounts.own).await;
    let mut answers = Vec::new();
    for server in &config.mysql.servers {
        answers.push(accounts.ask(server, config, clock).await.map_err(|error| error.explained()));
    }
    judge(config, &views, &choice, answers)
}

/// From what the servers said to what is wrong. Pure.
fn judge(config: &Config, views: &[View], choice: &Choice, answers: Vec<Result<ServerFacts, String>>) -> Report {
    let mut report = Report { servers: Vec::new(), source: choice.why.clone(), findings: Vec::new() };
    let (mut asked, mut accounts) = (Vec::new(), Vec::new());
    let mut source = None;
    for (index, (view, answer)) in views.iter().zip(&answers).enumerate() {
        let is_source = choice.source == Some(index);
        report.servers.push(line(view, answer, is_source));
        let Ok(facts) = answer else { continue };
        if is_source {
            source = Some(asked.len());
        }
        asked.push((view, facts));
        report.findings.extend(promotion::findings(facts, view.facts(), config));
        // Without the rights to ask for more, an open server is all that can be told of a source.
        let takes_writes = is_source || choice.source.is_none() && facts.is_off("read_only");
        accounts.push((takes_writes, rights::findings(facts, config)));
        let Some(state) = view.facts() else {
            report.findings.push(Finding::problem(&view.name, view.trouble(), "see the rights above, or what it says"));
            continue;
        };
        let place = Place { is_source, is_replica: !state.replication.is_empty(), has_others: views.len() > 1 };
        report.findings.extend(settings::findings(facts, place));
        if is_source {
            report.findings.extend(tables::findings(facts, config));
        }
    }
    if choice.source.is_none() && !asked.is_empty() {
        let mend = "SET GLOBAL read_only = OFF on the one that is to take writes, and ON on all others";
        report.findings.push(Finding::problem("", &choice.why, mend));
    }
    report.findings.extend(rights::where_to_mend(accounts));
    report.findings.extend(between::findings(views, &asked, source));
    report.findings.extend(advice(config).into_iter().map(|advice| Finding::warning("", advice.what, advice.mend)));
    report.findings.sort_by_key(|finding| finding.weight);
    report
}

fn line(view: &View, answer: &Result<ServerFacts, String>, is_source: bool) -> Line {
    let role = match view.facts() {
        _ if is_source => "source",
        Some(state) if !state.read_only => "takes writes and is not the source",
        Some(state) if state.replication.is_empty() => "read-only, follows no server",
        Some(_) => "replica",
        None => "its state cannot be asked",
    };
    let text = match answer {
        Ok(facts) => {
            let family = if facts.is_mariadb || facts.version.is_empty() { "" } else { "MySQL " };
            format!("{family}{}, {role}, as {}", facts.version, facts.account)
        }
        Err(trouble) => trouble.clone(),
    };
    Line { server: view.name.clone(), answers: answer.is_ok(), text }
}

fn show(report: &Report, json: bool) {
    if json {
        match serde_json::to_string_pretty(report) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("{error}"),
        }
        return;
    }
    for line in &report.servers {
        println!("{}: {}", line.server, line.text);
    }
    println!("{}", report.source);
    for Finding { weight, server, what, mend } in &report.findings {
        let weight = if *weight == Weight::Problem { "problem" } else { "warning" };
        let colon = if server.is_empty() { "" } else { ": " };
        println!("{weight}: {server}{colon}{what}\n    {mend}");
    }
    let problems = report.findings.iter().filter(|finding| finding.weight == Weight::Problem).count();
    let silent = report.servers.iter().filter(|line| !line.answers).count();
    let silent = if silent == 0 { String::new() } else { format!(", servers that cannot be asked: {silent}") };
    println!("problems: {problems}, warnings: {}{silent}", report.findings.len() - problems);
}
