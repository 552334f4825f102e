//! What may happen next, and how it is drawn. Pure.

use rand::Rng;
use rand::rngs::StdRng;

/// How a server stands, as far as the test has brought that about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It runs.
    Up,
    /// It stands still.
    Frozen,
    /// It was killed.
    Down,
}

/// A command of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `db switchover` to this server.
    Switchover(usize),
    /// `db rejoin` of this server.
    Rejoin(usize),
    /// `db failover`.
    Failover,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The server that takes writes is killed.
    SourceKilled,
    /// The server that takes writes is frozen.
    SourceFrozen,
    /// A server is killed, whichever it is.
    Killed(usize),
    /// A server is frozen, whichever it is.
    Frozen(usize),
    /// A frozen server goes on.
    Thawed(usize),
    /// A killed server starts again, closed for writes.
    Restarted(usize),
    /// A killed server that took writes before starts again and takes writes.
    RestartedOpen(usize),
    /// A replica stops applying.
    ApplierStopped(usize),
    /// A replica stops receiving.
    ReceiverStopped(usize),
    /// A gateway is killed and starts again.
    GatewayKilled(usize),
    /// A gateway stands still.
    GatewayFrozen(usize),
    /// A gateway goes on.
    GatewayThawed(usize),
    /// A command, to its end or killed after so many milliseconds.
    Ordered(Command, Option<u64>),
}

/// A promotion is over within about two seconds of a source's death; a message of each node takes 20 ms.
const MOST_MESSAGES: usize = 150;
/// A switchover takes about 200 ms.
const MOST_MILLISECONDS: u64 = 300;

impl Step {
    /// All that can happen, the likelier ones several times.
    fn possible(servers: &[Stands], was_open: &[bool], gateways_frozen: &[bool], numbers: &mut StdRng) -> Vec<Self> {
        let mut steps = vec![Self::SourceKilled; 3];
        steps.extend([Self::SourceFrozen; 2]);
        for (index, stands) in servers.iter().enumerate() {
            match stands {
                Stands::Up => steps.extend([
                    Self::Killed(index),
                    Self::Frozen(index),
                    Self::ApplierStopped(index),
                    Self::ReceiverStopped(index),
                ]),
                Stands::Frozen => steps.extend([Self::Thawed(index); 3]),
                Stands::Down if was_open[index] => {
                    steps.extend([Self::Restarted(index), Self::RestartedOpen(index), Self::RestartedOpen(index)]);
                }
                Stands::Down => steps.extend([Self::Restarted(index); 3]),
            }
            let killed_after =
                |numbers: &mut StdRng| numbers.random_bool(0.7).then(|| numbers.random_range(0..=MOST_MILLISECONDS));
            steps.push(Self::Ordered(Command::Switchover(index), killed_after(numbers)));
            steps.push(Self::Ordered(Command::Rejoin(index), killed_after(numbers)));
            steps.push(Self::Ordered(Command::Failover, killed_after(numbers)));
        }
        for (index, frozen) in gateways_frozen.iter().enumerate() {
            let more = if *frozen { [Self::GatewayThawed(index); 2] } else { [Self::GatewayFrozen(index); 2] };
            steps.extend(more);
            if !frozen {
                steps.extend([Self::GatewayKilled(index); 2]);
            }
        }
        steps
    }

    /// One of them, and how many messages the nodes publish before the next.
    pub fn draw(
        servers: &[Stands],
        was_open: &[bool],
        gateways_frozen: &[bool],
        numbers: &mut StdRng,
    ) -> (Self, usize) {
        let possible = Self::possible(servers, was_open, gateways_frozen, numbers);
        let step = possible[numbers.random_range(0..possible.len())];
        (step, numbers.random_range(0..=MOST_MESSAGES))
    }
}
