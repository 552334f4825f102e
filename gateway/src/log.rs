//! Where messages go: to the journal when the service manager connected us to it, else as text to standard error.
//!
//! `FIELDGATE_LOG` chooses levels by module, as in `info,gateway::drain=debug`.

use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts it. A second start in one process keeps the first.
pub fn start() {
    let filter = EnvFilter::try_from_env("FIELDGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let journal = is_journal(std::env::var("JOURNAL_STREAM").ok().as_deref()).then(tracing_journald::layer);
    // Either may be there already; then it stays.
    let _ = match journal {
        Some(Ok(journal)) => registry.with(journal).try_init(),
        _ => {
            let text = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
            registry.with(text.with_ansi(io::stderr().is_terminal())).try_init()
        }
    };
}

/// Whether standard error is the journal's stream: systemd.exec(5), JOURNAL_STREAM, `device:inode`.
fn is_journal(stream: Option<&str>) -> bool {
    let named = stream.and_then(|stream| stream.split_once(':'));
    let named = named.and_then(|(device, inode)| Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?)));
    let own = rustix::fs::fstat(io::stderr()).ok().map(|stat| (stat.st_dev, stat.st_ino));
    named.is_some() && named == own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_standard_error_counts_as_the_journal() {
        let stat = rustix::fs::fstat(io::stderr()).unwrap();
        assert!(is_journal(Some(&format!("{}:{}", stat.st_dev, stat.st_ino))));
        assert!(!is_journal(Some(&format!("{}:{}", stat.st_dev, stat.st_ino + 1))));
        assert!(!is_journal(Some("text")) && !is_journal(None));
    }
}
