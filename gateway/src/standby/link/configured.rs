//! A link of the kind that the configuration says.

use super::mailbox::MailboxLink;
use super::serial::SerialLink;
use super::target::{TargetBusLink, TargetFileLink};
use super::udp::UdpLink;
use super::{Link, Reporter};
use crate::standby::beat::Frame;
use sensors::i2c::{Bus, LinuxBus};
use std::path::Path;
use tokio::sync::watch;

/// Any link.
pub enum Configured {
    /// Through a mailbox.
    Mailbox(MailboxLink),
    /// Over a serial line.
    Serial(SerialLink),
    /// To an I2C target.
    TargetBus(TargetBusLink),
    /// As an I2C target.
    TargetFile(TargetFileLink),
    /// Over the network.
    Udp(UdpLink),
}

impl From<&config::Link> for Configured {
    fn from(settings: &config::Link) -> Self {
        match settings {
            config::Link::Mailbox { bus, address } => {
                let (name, address) = (at("i2c-mailbox", bus, *address), *address);
                Self::Mailbox(MailboxLink { name, bus: linux(bus), address })
            }
            config::Link::Serial { port, baud } => Self::Serial(SerialLink { port: port.clone(), baud: *baud }),
            config::Link::TargetBus { bus, address } => {
                let (name, address) = (at("i2c-target", bus, *address), *address);
                Self::TargetBus(TargetBusLink { name, bus: linux(bus), address })
            }
            config::Link::TargetFile { file } => Self::TargetFile(TargetFileLink { file: file.clone() }),
            config::Link::Udp { listen, peer } => Self::Udp(UdpLink { listen: *listen, peer: peer.clone() }),
        }
    }
}

fn at(kind: &str, bus: &Path, address: u16) -> String {
    format!("{kind} {} 0x{address:02x}", bus.display())
}

fn linux(bus: &Path) -> Box<dyn Bus + Send> {
    Box::new(LinuxBus::new(bus))
}

impl Link for Configured {
    fn name(&self) -> String {
        match self {
            Self::Mailbox(link) => link.name(),
            Self::Serial(link) => link.name(),
            Self::TargetBus(link) => link.name(),
            Self::TargetFile(link) => link.name(),
            Self::Udp(link) => link.name(),
        }
    }

    fn is_witness(&self) -> bool {
        matches!(self, Self::Udp(_))
    }

    async fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) {
        match self {
            Self::Mailbox(link) => link.run(outgoing, news).await,
            Self::Serial(link) => link.run(outgoing, news).await,
            Self::TargetBus(link) => link.run(outgoing, news).await,
            Self::TargetFile(link) => link.run(outgoing, news).await,
            Self::Udp(link) => link.run(outgoing, news).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::PeerAddress;

    #[test]
    fn every_link_is_called_by_its_kind_and_device() {
        let named = |settings: config::Link| {
            let link = Configured::from(&settings);
            assert_eq!(link.is_witness(), settings.is_witness());
            link.name()
        };
        assert_eq!(
            named(config::Link::Mailbox { bus: "/dev/i2c-1".into(), address: 8 }),
            "i2c-mailbox /dev/i2c-1 0x08"
        );
        assert_eq!(named(config::Link::Serial { port: "/dev/ttyS0".into(), baud: 9600 }), "serial /dev/ttyS0");
        assert_eq!(
            named(config::Link::TargetBus { bus: "/dev/i2c-1".into(), address: 100 }),
            "i2c-target /dev/i2c-1 0x64"
        );
        assert_eq!(named(config::Link::TargetFile { file: "/sys/x".into() }), "i2c-target /sys/x");
        let (listen, peer) = ("0.0.0.0:7420".parse().unwrap(), PeerAddress::parse("barn-2").unwrap());
        assert_eq!(named(config::Link::Udp { listen, peer }), "udp barn-2:7420");
    }
}
