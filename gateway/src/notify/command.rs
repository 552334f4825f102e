//! Runs the command of `[notify]`, one at a time.

use super::Event;
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tracing::warn;

/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the command for each event, in order. A command that fails is a line in the log, no more. Ends when no more
/// events can come.
pub async fn run_all(command: &Path, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if let Err(why) = run(command, &event, DEADLINE).await {
            let kind = event.kind.as_str();
            warn!("the command {} of [notify] did not tell of the event {kind}: {why}", command.display());
        }
    }
}

async fn run(command: &Path, event: &Event, deadline: Duration) -> Result<(), String> {
    let kind = event.kind.as_str();
    let mut child = Command::new(command)
        .args([kind, &event.text])
        .envs([("FIELDGATE_EVENT", kind), ("FIELDGATE_TEXT", &event.text)])
        // The service manager's socket is ours alone.
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it cannot be run: {error}"))?;
    match tokio::time::timeout(deadline, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(error)) => Err(format!("its end cannot be waited for: {error}")),
        Err(_) => {
            kill(&mut child).await;
            Err(format!("it took longer than {deadline:?} and was killed"))
        }
    }
}

/// The command and everything that it started.
async fn kill(child: &mut Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It has a group of its own, which bears its number. It may have ended by now.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.kill().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::EventKind;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("tell");
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{text}\n", folder.display())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path
    }

    fn event() -> Event {
        Event { kind: EventKind::QueueFull, text: "the queue's full; $HOME".to_owned(), at_us: 0 }
    }

    #[tokio::test]
    async fn kind_and_text_arrive_as_arguments_and_in_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let tell = script(folder.path(), r#"printf '%s\n' "$@" "$FIELDGATE_EVENT" "$FIELDGATE_TEXT" > told"#);
        assert_eq!(run(&tell, &event(), DEADLINE).await, Ok(()));
        let text = event().text;
        let told = fs::read_to_string(folder.path().join("told")).unwrap();
        assert_eq!(told, format!("queue-full\n{text}\nqueue-full\n{text}\n"));
    }

    #[tokio::test]
    async fn a_command_that_fails_or_is_not_there_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let failing = script(folder.path(), "exit 3");
        assert_eq!(run(&failing, &event(), DEADLINE).await, Err("exit status: 3".to_owned()));
        let missing = run(&folder.path().join("missing"), &event(), DEADLINE).await;
        assert!(missing.unwrap_err().starts_with("it cannot be run: "));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = script(folder.path(), "sleep 60 &\necho $! > child\nwait");
        let ended = run(&hanging, &event(), Duration::from_secs(2)).await;
        assert_eq!(ended, Err("it took longer than 2s and was killed".to_owned()));
        let child: i32 = fs::read_to_string(folder.path().join("child")).unwrap().trim().parse().unwrap();
        let gone = || !fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        for _ in 0..100 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("what the command started still runs");
    }
}
