//! The third act: two gateways, a serial line between them, and a broker that both hear. The active one is killed, and the one
//! that has taken over is frozen.

use std::thread;
use std::time::{Duration, Instant};

use fieldgate_tests::audit::{Audit, NodeLog};
use fieldgate_tests::node::Node;
use fieldgate_tests::pair::{NAMES, Pair};

use crate::{Interrupt, Interrupted};

/// Nothing here takes longer, or the audit will say what is missing.
const DEADLINE: Duration = Duration::from_secs(40);

struct Stage<'i> {
    pair: Pair,
    node: Node,
    /// The one that cannot be asked.
    frozen: Option<usize>,
    began: Instant,
    next: Instant,
    interrupt: &'i Interrupt,
}

/// Tells the whole story; true when the audits find nothing.
pub fn tell(interrupt: &Interrupt) -> Result<bool, Interrupted> {
    let mut stage = Stage::begin(interrupt);
    stage.pass(3)?;
    stage.say("gateway one is killed (SIGKILL)");
    stage.pair.gateways[0].kill9();
    stage.until_active(1)?;
    stage.pass(3)?;
    stage.say("gateway one is started again");
    stage.pair.start_gateway(0);
    stage.pass(3)?;
    stage.say("gateway two is frozen (SIGSTOP), as a machine that swaps");
    stage.pair.gateways[1].freeze();
    stage.frozen = Some(1);
    stage.until_active(0)?;
    stage.pass(3)?;
    stage.say("gateway two goes on as if nothing had been, and finds that its turn is over");
    stage.pair.gateways[1].thaw();
    stage.frozen = None;
    stage.until(|pair| pair.role(1) == "standby")?;
    stage.pass(3)?;
    stage.say("the node stops");
    stage.audit()
}

impl<'i> Stage<'i> {
    fn begin(interrupt: &'i Interrupt) -> Self {
        let pair = Pair::start(1);
        let node = Node::named("shed").rate(50.0).start(pair.broker.address());
        println!("\n  time       sent   rows of {:>9} {:>9}   roles", NAMES[0], NAMES[1]);
        let now = Instant::now();
        let stage = Self { pair, node, frozen: None, began: now, next: now, interrupt };
        stage.say("one node begins to send 50 messages a second; silence = \"1 s\"");
        stage
    }

    fn say(&self, text: &str) {
        println!("{:5.1} s  ** {text}", self.began.elapsed().as_secs_f64());
    }

    /// Returns when a gateway is active and has brought a row, and says how long that took.
    fn until_active(&mut self, index: usize) -> Result<(), Interrupted> {
        let (begun, before) = (Instant::now(), self.pair.rows_of(0, index));
        self.until(|pair| pair.role(index) == "active")?;
        let active = begun.elapsed().as_secs_f64();
        self.until(|pair| pair.rows_of(0, index) > before)?;
        let name = NAMES[index];
        let row = begun.elapsed().as_secs_f64();
        self.say(&format!(
            "gateway {name} is active after {active:.2} s; its first row is in the database after {row:.2} s"
        ));
        Ok(())
    }

    fn pass(&mut self, seconds: u64) -> Result<(), Interrupted> {
        let end = Instant::now() + Duration::from_secs(seconds);
        self.until(|_| Instant::now() >= end)
    }

    /// Goes on until the condition holds or [`DEADLINE`] has passed, a line a second.
    fn until(&mut self, mut holds: impl FnMut(&Pair) -> bool) -> Result<(), Interrupted> {
        let deadline = Instant::now() + DEADLINE;
        while !holds(&self.pair) && Instant::now() < deadline {
            self.interrupt.check()?;
            if Instant::now() >= self.next {
                self.next = Instant::now() + Duration::from_secs(1);
                self.line();
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn line(&self) {
        let log = self.node.log();
        let sent = log.acknowledged.len() * log.channels;
        let rows = [0, 1].map(|index| self.pair.rows_of(0, index));
        let [one, two] = [0, 1].map(|index| self.role(index));
        println!(
            "{:5.1} s {sent:9}   {:>17} {:>9}   {one}, {two}",
            self.began.elapsed().as_secs_f64(),
            rows[0],
            rows[1]
        );
    }

    fn role(&self, index: usize) -> String {
        let role = if self.frozen == Some(index) { "frozen".to_owned() } else { self.pair.role(index) };
        if role.is_empty() { "-".to_owned() } else { role }
    }

    fn audit(mut self) -> Result<bool, Interrupted> {
        let log = self.node.terminate();
        let source = 0;
        let taken = |pair: &Pair, log: &NodeLog| Audit::take(&pair.cluster.servers[source], std::slice::from_ref(log));
        self.until(|pair| taken(pair, &log).is_clean())?;
        println!("\naudit, from what the broker acknowledged to the node; both gateways heard nearly all of it:");
        let audit = taken(&self.pair, &log);
        println!("  {audit}");
        let mut is_clean = audit.is_clean();
        for (name, gateway) in NAMES.iter().zip(&self.pair.gateways) {
            self.interrupt.check()?;
            let reconcile = gateway.command(&["db", "reconcile"]);
            println!("fieldgate db reconcile, at gateway {name}:");
            String::from_utf8_lossy(&reconcile.stdout).lines().for_each(|line| println!("  {line}"));
            is_clean &= reconcile.status.success();
        }
        Ok(is_clean)
    }
}
