//! Dumps, binary logs and restores, with the tools that operators use. As root, over the socket: root is not held back by a
//! server that is closed for writes, which is how to restore beside a running gateway.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Server;
use crate::artifacts::installed_program;

/// A place in the binary logs of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The name of the file.
    pub file: String,
    /// The byte in it.
    pub offset: u64,
}

impl Position {
    /// The place that a dump with `--master-data` names.
    ///
    /// # Panics
    /// When it names none.
    pub fn of_dump(dump: &str) -> Self {
        let line = dump.lines().find(|line| line.contains("MASTER_LOG_POS=")).expect("a dump with its position");
        let value = |name: &str| line.split_once(name).map_or("", |(_, rest)| rest).trim_end_matches(';');
        let file = value("MASTER_LOG_FILE='").split('\'').next().unwrap_or_default().to_owned();
        Self { file, offset: value("MASTER_LOG_POS=").parse().expect("an offset") }
    }
}

impl Server {
    /// What `mariadb-dump` prints with these arguments, of the database `field`.
    pub fn dump(&self, arguments: &[&str]) -> String {
        let mut command = tool("mariadb-dump", "mariadb-client");
        command.args(["--user=root", "--protocol=socket", "--socket"]).arg(self.socket());
        printed(command.args(arguments))
    }

    /// A whole dump of one moment.
    pub fn consistent_dump(&self) -> String {
        self.dump(&["--single-transaction", "--databases", "field"])
    }

    /// Where its binary log ends.
    pub fn log_position(&self) -> Position {
        let row = self.query("SHOW MASTER STATUS").concat();
        Position { file: row[0].clone(), offset: row[1].parse().expect("an offset") }
    }

    /// What the binary log says from one place to another in the same file, as statements that are not logged again.
    pub fn logged(&self, from: &Position, to: &Position) -> String {
        assert_eq!(from.file, to.file, "the log went on in another file");
        let mut command = tool("mariadb-binlog", "mariadb-client");
        command.args(["--disable-log-bin", &format!("--start-position={}", from.offset)]);
        command.arg(format!("--stop-position={}", to.offset)).arg(self.data_folder().join(&from.file));
        printed(&mut command)
    }

    /// Runs a script such as a dump.
    pub fn load(&self, script: &str) {
        let mut command = tool("mariadb", "mariadb-client-core");
        command.args(["--user=root", "--protocol=socket", "--binary-mode", "--socket"]).arg(self.socket());
        let mut child = command.stdin(Stdio::piped()).spawn().expect("mariadb can be run");
        child.stdin.take().expect("its input").write_all(script.as_bytes()).expect("mariadb reads its input");
        let status = child.wait().expect("mariadb ends");
        assert!(status.success(), "server {}: a script: {status}", self.id());
    }

    /// Drops the database and loads a dump of it; closed for writes meanwhile, so that a gateway waits.
    pub fn restore(&self, dump: &str) {
        self.set_read_only(true);
        self.execute("DROP DATABASE field");
        self.load(dump);
        self.set_read_only(false);
    }

    /// Throws away what this server has of our database and of binary logs, and makes it a read-only replica of `source` with
    /// a dump of it.
    pub fn rebuild_from(&self, source: &Self) {
        let dump = source.dump(&["--single-transaction", "--master-data=1", "--gtid", "--databases", "field"]);
        self.execute(
            "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 1; SET sql_log_bin = 0; DROP DATABASE IF EXISTS field; \
             RESET MASTER; SET GLOBAL gtid_slave_pos = ''",
        );
        self.load(&format!("SET sql_log_bin = 0;\n{dump}"));
        self.follow(source);
    }
}

fn tool(name: &str, debian_package: &str) -> Command {
    let mut command = Command::new(installed_program(name, debian_package));
    command.arg("--no-defaults");
    command
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let program = Path::new(command.get_program()).display();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
