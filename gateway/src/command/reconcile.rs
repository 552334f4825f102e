//! `fieldgate db reconcile`: is everything there, once, and as it was?

use crate::command::{account, block_on, refuse};
use crate::database::Account;
use crate::exit::Exit;
use crate::local::QueueAccess;
use crate::reconcile::{ReconcileError, Report, reconcile as compare};
use config::Config;
use std::path::Path;

/// Prints what was found; exit code 1 if anything is wrong.
pub fn reconcile(file: &Path, config: &Config, json: bool) -> Exit {
    let compared = with_queue(file, config, async |account, queue| compare(config, account, queue).await);
    compared.map_or_else(|exit| exit, |report| show(&report, json))
}

/// Does what needs the servers and the queue, with the gateway's own account.
///
/// # Errors
/// The exit code when that fails; why has been shown then.
pub fn with_queue<T>(
    file: &Path,
    config: &Config,
    work: impl AsyncFnOnce(&Account, &QueueAccess) -> Result<T, ReconcileError>,
) -> Result<T, Exit> {
    let account = account(config).map_err(|problem| refuse(file, &[problem]))?;
    let queue = QueueAccess::open(&config.gateway.state_dir).map_err(|error| {
        eprintln!("{error}");
        Exit::Storage
    })?;
    block_on(work(&account, &queue))?.map_err(|error| {
        eprintln!("{error}");
        match error {
            ReconcileError::Queue(_) => Exit::Storage,
            ReconcileError::Database(_) | ReconcileError::NoSource(_) => Exit::Unavailable,
        }
    })
}

fn show(report: &Report, json: bool) -> Exit {
    if json {
        match serde_json::to_string_pretty(report) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("the report cannot be written as JSON: {error}");
                return Exit::Bug;
            }
        }
    } else {
        show_text(report);
    }
    if report.is_clean() { Exit::Ok } else { Exit::No }
}

fn show_text(report: &Report) {
    for line in &report.servers {
        println!("{:<12} {:<24} {}", line.role, line.server, line.text);
    }
    println!(
        "{:<12} {} waiting for the database, {} kept and compared with the source",
        "queue", report.waiting, report.compared
    );
    println!("{:<12} {} rows that say what is missing; {} dead letters", "gaps", report.gaps, report.dead_letters);
    if report.without_identity > 0 {
        println!(
            "{:<12} {} readings carry neither a number nor a time of their node; a double among them cannot be told",
            "note", report.without_identity
        );
    }
    for finding in &report.findings {
        println!(
            "{:<12} {} stream {} numbers {} to {}: {}",
            format!("{:?}", finding.wrong).to_lowercase(),
            finding.place,
            finding.stream,
            finding.first_seq,
            finding.last_seq,
            finding.text
        );
    }
    if report.doubled > 0 {
        println!(
            "{:<12} a node that loses its broker before the acknowledgement sends again by itself; such doubles are the node's",
            "note"
        );
    }
    println!("lost {}, doubled {}, changed {}", report.lost, report.doubled, report.changed);
}
