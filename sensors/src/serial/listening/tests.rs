use super::*;
use crate::clock::KernelClock;
use config::{LineFormat, NodeId, Parity, Serial, StopBits, WhileStandby};

fn listening() -> Listening {
    let (format, parity, stop_bits) = (LineFormat::JsonLines, Parity::None, StopBits::One);
    let (port, node) = ("/dev/ttyUSB0".into(), NodeId::new("silo").unwrap());
    let while_standby = WhileStandby::Deliver;
    let settings =
        Serial { port, node, format, baud: 115_200, parity, stop_bits, max_frame_bytes: 4096, while_standby };
    let clock = Arc::new(KernelClock::open().unwrap());
    Listening::new(SerialSource { index: 0, settings, clock, turn: Turn::always() }, Outlet::new(10, 1000).0)
}

#[test]
fn each_trouble_is_news_once_until_another_or_until_the_port_was_open() {
    let mut listening = listening();
    let mut news = |trouble: OpenError| listening.is_news(&trouble);
    assert!(news(OpenError::NotThere) && !news(OpenError::NotThere) && !news(OpenError::NotThere));
    assert!(news(OpenError::Forbidden) && !news(OpenError::Forbidden) && news(OpenError::NotThere));
    listening.opened();
    assert!(listening.is_news(&OpenError::NotThere));
    listening.opened();
    listening.gone("it was unplugged");
    assert!(!listening.is_news(&OpenError::NotThere), "that it is gone has been said");
}

#[test]
fn a_gap_begins_at_the_first_failure_or_at_the_last_arrival() {
    let mut listening = listening();
    listening.not_open(OpenError::NotThere);
    let first = listening.deaf;
    listening.not_open(OpenError::InUse);
    assert!(first.is_some() && listening.deaf == first);
    listening.opened();
    assert_eq!(listening.deaf, None);
    listening.last_arrival_us = Some(17);
    listening.gone("it was unplugged");
    listening.not_open(OpenError::NotThere);
    assert_eq!(listening.deaf, Some((Missing::PortGone, 17)));
}
