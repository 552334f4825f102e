//! From the wire to a reading.
//!
//! A transport stamps what it hears, decodes it into [`Reading`]s and hands them over as an [`Arrival`];
//! whoever makes them durable gives back the [`Ticket`], and only then does the transport acknowledge.
//!
//! - [`reading`]: what a reading, a gap and a dead letter are, and their byte form
//! - [`clock`]: stamps with boot id, monotonic time, wall time and the kernel's word on its quality
//! - [`decode`]: payload to readings, pure
//! - [`source`]: the contract every transport keeps
//! - [`meter`]: how a source is getting on, for people who look
//! - [`mqtt`]: MQTT nodes; [`receipts`]: which messages the broker may send again
//! - [`serial`]: serial nodes
//! - [`i2c`]: nodes of I2C buses
//! - [`turn`]: whether it is this gateway's turn to ask
//! - [`backoff`]: the only place that waits before trying again

pub mod backoff;
pub mod clock;
pub mod decode;
pub mod i2c;
pub mod meter;
pub mod mqtt;
pub mod reading;
pub mod receipts;
pub mod serial;
pub mod source;
pub mod turn;

pub use clock::{ClockQuality, KernelClock, ManualClock, SampleClock, Stamp};
pub use meter::{Meter, SourceState};
pub use reading::{DeadLetter, Gap, NoData, Reading, Value};
pub use source::{Arrival, Content, Outlet, Source, Ticket};
pub use turn::Turn;
