//! Processes of this program, started by itself, so that each has processor time and memory of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// As in the systemd unit: the C library gives memory back from this many bytes on.
const MEMORY: (&str, &str) = ("MALLOC_TRIM_THRESHOLD_", "131072");

/// A process that answers. It ends when this is dropped.
pub struct Answering {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Answering {
    pub fn start(mut command: Command) -> Answering {
        command.env(MEMORY.0, MEMORY.1).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program can be started");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Answering { child, input, output }
    }

    pub fn ask(&mut self, what: &str) -> Value {
        let input = self.input.as_mut().expect("open until this is dropped");
        writeln!(input, "{what}").expect("the process listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the process answers");
        serde_json::from_str(&line).expect("an answer; if there is none, the process said why")
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // It ends when its input does.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// The one answer of a process that ends by itself.
pub fn answer_of(command: Command) -> Value {
    Answering::start(command).answer()
}

/// A number of an answer.
pub fn number(answer: &Value, field: &str) -> f64 {
    answer[field].as_f64().unwrap_or_else(|| panic!("no {field} in {answer}"))
}
