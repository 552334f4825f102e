//! An I2C bus with one of the two gateways as the target: the kernel's `slave-24c02` keeps 256 bytes that both can read and
//! write. The controller writes its beat at 0 and reads the target's at 32; the target does the opposite through a file.
//!
//! This takes a board whose controller can be a target, such as the Raspberry Pi 5, and a kernel with
//! `CONFIG_I2C_SLAVE_EEPROM`, which neither Raspberry Pi OS nor Debian switches on. The memory keeps no age: what lies there
//! when a gateway starts may be old, so only a change is news. One may read while the other one writes; then the checksum does
//! not fit, and the next look finds it whole.

use super::polled::{self, Message, Polled};
use super::{Link, LinkError, Reporter};
use crate::standby::beat::{FRAME_BYTES, Frame, is_frame};
use sensors::i2c::{Bus, Operation};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

const CONTROLLER_AT: u8 = 0;
const TARGET_AT: u8 = 32;

/// The end that is the controller.
pub struct TargetBusLink {
    /// What it is called, `i2c-target /dev/i2c-1 0x64`.
    pub name: String,
    /// The bus.
    pub bus: Box<dyn Bus + Send>,
    /// The other gateway's address.
    pub address: u16,
}

/// The end that is the target.
pub struct TargetFileLink {
    /// The target's memory.
    pub file: PathBuf,
}

impl Link for TargetBusLink {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) {
        polled::run(Controller { link: self, last: Last::default() }, outgoing, news).await;
    }
}

impl Link for TargetFileLink {
    fn name(&self) -> String {
        format!("i2c-target {}", self.file.display())
    }

    async fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) {
        polled::run(Target { path: self.file, file: None, last: Last::default() }, outgoing, news).await;
    }
}

/// The last whole beat that was seen in the memory.
#[derive(Debug, Default)]
struct Last(Option<Frame>);

impl Last {
    /// What these bytes are news of. The first are none: nobody knows how long they have been there.
    fn news(&mut self, frame: Frame) -> Option<Message> {
        if !is_frame(&frame) || self.0 == Some(frame) {
            // A memory that never had a beat is seen all the same: the first beat in it is a change.
            self.0.get_or_insert(frame);
            return None;
        }
        let is_first = self.0.replace(frame).is_none();
        (!is_first).then(|| Message { bytes: frame.to_vec(), age: Duration::ZERO })
    }
}

struct Controller {
    link: TargetBusLink,
    last: Last,
}

impl Polled for Controller {
    fn look(&mut self) -> Result<Option<Message>, LinkError> {
        let TargetBusLink { bus, address, .. } = &mut self.link;
        let mut frame = [0; FRAME_BYTES];
        bus.open()?;
        bus.transfer(*address, &mut [Operation::Write(&[TARGET_AT]), Operation::Read(&mut frame)])?;
        Ok(self.last.news(frame))
    }

    fn send(&mut self, frame: &Frame) -> Result<(), LinkError> {
        let bytes: Vec<u8> = [CONTROLLER_AT].iter().chain(frame).copied().collect();
        self.link.bus.transfer(self.link.address, &mut [Operation::Write(&bytes)])?;
        Ok(())
    }
}

struct Target {
    path: PathBuf,
    file: Option<File>,
    last: Last,
}

impl Target {
    /// Does something with the file, which is opened anew after a failure.
    fn with_file(&mut self, mut act: impl FnMut(&File) -> io::Result<()>) -> Result<(), LinkError> {
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => OpenOptions::new().read(true).write(true).open(&self.path),
        };
        let done = file.and_then(|file| act(&file).map(|()| file));
        self.file = Some(done.map_err(|error| LinkError::Memory(error.to_string()))?);
        Ok(())
    }
}

impl Polled for Target {
    fn look(&mut self) -> Result<Option<Message>, LinkError> {
        let mut frame = [0; FRAME_BYTES];
        self.with_file(|file| file.read_exact_at(&mut frame, u64::from(CONTROLLER_AT)))?;
        Ok(self.last.news(frame))
    }

    fn send(&mut self, frame: &Frame) -> Result<(), LinkError> {
        self.with_file(|file| file.write_all_at(frame, u64::from(TARGET_AT)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::polled::tests::Running;
    use super::*;
    use crate::standby::beat::{Beat, Identity};
    use crate::standby::link::What;
    use crate::standby::role::Role;
    use sensors::i2c::{Chip, SimBus};

    fn beat(counter: u32) -> Frame {
        let who = Identity { site: 1, gateway: 2, start: 3 };
        let (role, priority, wants_turn, unwell) = (Role::Standby, 2, false, false);
        let times = (0, 0);
        let (durable_through_ms, drained_through_ms) = times;
        Beat { who, role, priority, wants_turn, unwell, term: 5, counter, durable_through_ms, drained_through_ms }
            .encode()
    }

    /// The other end of the wire: what the kernel does with the file.
    struct Kernel {
        memory: File,
        at: u8,
    }

    impl Chip for Kernel {
        fn write(&mut self, bytes: &[u8]) {
            if let Some((at, bytes)) = bytes.split_first() {
                self.at = *at;
                self.memory.write_all_at(bytes, u64::from(*at)).unwrap();
            }
        }

        fn read(&mut self, room: &mut [u8]) {
            self.memory.read_exact_at(room, u64::from(self.at)).unwrap();
        }
    }

    #[tokio::test]
    async fn both_ends_hear_each_other_through_the_targets_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("slave-eeprom");
        std::fs::write(&file, [0xff; 256]).unwrap();
        let memory = OpenOptions::new().read(true).write(true).open(&file).unwrap();
        let bus = SimBus::default();
        bus.plug(0x64, Box::new(Kernel { memory, at: 0 }));
        let mut target = Running::start(TargetFileLink { file: file.clone() });
        let name = "i2c-target".to_owned();
        let mut controller = Running::start(TargetBusLink { name, bus: Box::new(bus.clone()), address: 0x64 });
        assert_eq!((target.next().await, controller.next().await), (What::Up, What::Up));
        for counter in [1, 2, 3] {
            controller.outgoing.send_replace(beat(counter));
            assert_eq!(target.message().await.bytes, beat(counter));
            target.outgoing.send_replace(beat(counter + 10));
            assert_eq!(controller.message().await.bytes, beat(counter + 10));
        }
        bus.unplug(0x64);
        assert!(matches!(controller.next().await, What::Down(LinkError::Bus(_))));
    }

    #[test]
    fn what_lies_there_from_before_and_what_is_torn_is_no_news() {
        let mut last = Last::default();
        assert_eq!(last.news(beat(1)), None, "nobody knows how old it is");
        assert_eq!(last.news(beat(1)), None);
        let mut torn = beat(2);
        torn[20] ^= 1;
        assert_eq!(last.news(torn), None);
        assert_eq!(last.news(beat(2)).unwrap().bytes, beat(2));
        let mut never = Last::default();
        assert_eq!(never.news([0xff; 32]), None);
        assert!(never.news(beat(1)).is_some(), "it was not there before");
    }

    #[tokio::test]
    async fn a_memory_that_is_not_there_says_what_to_do_and_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("slave-eeprom");
        let mut target = Running::start(TargetFileLink { file: file.clone() });
        let What::Down(why) = target.next().await else { panic!("there is no file") };
        assert!(why.to_string().contains("CONFIG_I2C_SLAVE_EEPROM"), "{why}");
        let whole = folder.path().join("new");
        std::fs::write(&whole, [0xff; 256]).unwrap();
        std::fs::rename(whole, &file).unwrap();
        assert_eq!(target.next().await, What::Up);
    }
}
