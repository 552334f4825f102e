//! The mailbox between two gateways, without hardware: the firmware's own logic behind two simulated I2C buses.
//!
//! A `fieldgate` that is started with the environment of one side finds that side's bus under the side's device path, and
//! uses it through its real code. Both sides are I2C here: two mailboxes back to back, what one sends at its UART is what
//! the other one gets. Other targets can be added; both sides reach the same ones, each over its own bus.

mod bus;
mod logic;
mod server;
mod side;
mod world;

use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

pub use bus::Target;
pub use logic::Logic;
pub use side::{I2cSide, Side};

use server::Server;
use world::{Fault, Shared};

/// The address of the mailbox on both buses.
pub const ADDRESS: u16 = 8;

/// Two running mailboxes back to back. Dropping it unplugs both buses and removes its folder.
///
/// Each side has one fault at a time; the last one counts, until `restore`.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
    sides: [I2cSide; 2],
    _servers: [Server; 2],
    _folder: TempDir,
}

impl Mailbox {
    /// Makes logic and library with the C compiler, and starts.
    ///
    /// # Panics
    /// When there is no C compiler, or the rig cannot start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the mailbox");
        let shim = side::build_shim(folder.path());
        let shared = Arc::new(Shared::new(Logic::start(folder.path())));
        let sides = Side::BOTH.map(|side| I2cSide::new(folder.path(), side, &shim));
        let servers = Side::BOTH.map(|side| Server::start(sides[side.index()].socket(), side, Arc::clone(&shared)));
        Self { shared, sides, _servers: servers, _folder: folder }
    }

    /// The bus of the first gateway.
    pub fn side_a(&self) -> &I2cSide {
        &self.sides[0]
    }

    /// The bus of the second gateway.
    pub fn side_b(&self) -> &I2cSide {
        &self.sides[1]
    }

    /// Adds another target, which both sides reach.
    ///
    /// # Panics
    /// When the address is taken.
    pub fn add(&self, address: u16, target: Box<dyn Target + Send>) {
        self.shared.world().bus.add(address, target);
    }

    /// Who asked for a target that was added, and when: each message of a transfer, so a register that is read counts twice.
    pub fn asked(&self, address: u16) -> Vec<(Side, Instant)> {
        self.shared.world().bus.asked(address)
    }

    /// The mailbox does not acknowledge its address on this side (ENXIO). Other targets do.
    pub fn cut(&self, side: Side) {
        self.shared.set_fault(side, Some(Fault::Cut));
    }

    /// No transfer on this side's bus comes to an end, to whatever address, until `restore`.
    pub fn hang(&self, side: Side) {
        self.shared.set_fault(side, Some(Fault::Hang));
    }

    /// One bit of each read from the mailbox on this side is wrong; each time another one.
    pub fn corrupt(&self, side: Side) {
        self.shared.set_fault(side, Some(Fault::Corrupt));
    }

    /// Ends this side's fault; transfers that hang are done now.
    pub fn restore(&self, side: Side) {
        self.shared.set_fault(side, None);
    }

    /// The mailbox goes on answering, with what it has now: count and age stand still, what is written is lost. So it
    /// answers for a gateway that is dead.
    pub fn freeze_contents(&self) {
        self.shared.world().set_frozen(true);
    }

    /// Contents and age change again; what was written meanwhile stays lost.
    pub fn thaw_contents(&self) {
        self.shared.world().set_frozen(false);
    }

    /// Nothing passes between the two sides any more, in either direction; both mailboxes answer and their ages grow.
    pub fn cut_between(&self) {
        self.shared.world().set_joined(false);
    }

    /// Messages pass again.
    pub fn join_between(&self) {
        self.shared.world().set_joined(true);
    }

    /// These bytes come over the wire to this side's mailbox, as if its other side had sent them.
    pub fn bytes_from_the_wire(&self, side: Side, bytes: &[u8]) {
        self.shared.world().bytes_from_the_wire(side, bytes);
    }

    /// Power-up of both mailboxes: they are empty, and their start number is another one.
    pub fn restart(&self) {
        self.shared.world().restart();
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.shared.unplug();
    }
}

#[cfg(test)]
mod tests;
