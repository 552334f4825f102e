//! The network between the two. A beat over it says that the other one lives; that none comes says nothing, since a dead
//! switch looks like a dead gateway. Whoever sends it, the names in the beat say whose it is.

use super::{Link, LinkError, Reporter};
use crate::standby::beat::{FRAME_BYTES, Frame};
use config::PeerAddress;
use sensors::backoff::Backoff;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::warn;

/// A name server that takes longer is asked again with the next beat.
const LOOKUP_WITHIN: Duration = Duration::from_secs(5);
/// How often what could not be told is told again.
const TICK: Duration = Duration::from_secs(1);
/// The other one's address may change without any failure.
const LOOKUP_AGAIN: Duration = Duration::from_secs(60);

/// A socket, and where the other gateway is.
pub struct UdpLink {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The other gateway.
    pub peer: PeerAddress,
}

impl Link for UdpLink {
    fn name(&self) -> String {
        format!("udp {}", self.peer)
    }

    fn is_witness(&self) -> bool {
        true
    }

    async fn run(self, mut outgoing: watch::Receiver<Frame>, mut news: Reporter) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10), 1);
        while outgoing.has_changed().is_ok() {
            let why = match UdpSocket::bind(self.listen).await {
                Ok(socket) => {
                    news.up();
                    let mut peer = Peer { address: &self.peer, found: None, told: false };
                    tokio::select! {
                        () = send(&socket, &mut peer, &mut outgoing) => return,
                        why = hear(&socket, &mut news) => why,
                    }
                }
                Err(error) => error.to_string(),
            };
            news.down(LinkError::Socket(why));
            backoff.wait().await;
        }
    }
}

/// Hears until the socket fails; says why. Only whole beats are messages.
async fn hear(socket: &UdpSocket, news: &mut Reporter) -> String {
    let mut datagram = [0; FRAME_BYTES + 1];
    loop {
        match timeout(TICK, socket.recv_from(&mut datagram)).await {
            Ok(Ok((FRAME_BYTES, _))) => {
                news.heard(datagram.get(..FRAME_BYTES).unwrap_or_default(), Duration::ZERO);
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return error.to_string(),
            Err(_) => news.tick(),
        }
    }
}

/// Sends every change, as far as the other one's address is known.
async fn send(socket: &UdpSocket, peer: &mut Peer<'_>, outgoing: &mut watch::Receiver<Frame>) {
    while outgoing.changed().await.is_ok() {
        let Some(to) = peer.address(socket).await else { continue };
        let frame = *outgoing.borrow_and_update();
        if let Err(error) = socket.send_to(&frame, to).await {
            peer.failed(&error.to_string());
        }
    }
}

/// Where the other gateway is.
struct Peer<'a> {
    address: &'a PeerAddress,
    found: Option<(SocketAddr, Instant)>,
    /// Whether it has been said that it cannot be reached.
    told: bool,
}

impl Peer<'_> {
    async fn address(&mut self, socket: &UdpSocket) -> Option<SocketAddr> {
        let known = self.found.filter(|(_, at)| at.elapsed() < LOOKUP_AGAIN);
        if let Some((address, _)) = known {
            return Some(address);
        }
        let is_v4 = socket.local_addr().is_ok_and(|own| own.is_ipv4());
        match look_up(self.address, is_v4).await {
            Ok(address) => {
                self.told = false;
                self.found = Some((address, Instant::now()));
            }
            Err(why) => self.tell(&why),
        }
        self.found.map(|(address, _)| address)
    }

    fn failed(&mut self, why: &str) {
        self.found = None;
        self.tell(why);
    }

    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.told, true) {
            warn!(peer = %self.address, "beats cannot be sent to the other gateway: {why}; does `peer` name it, and is there a network?");
        }
    }
}

async fn look_up(peer: &PeerAddress, is_v4: bool) -> Result<SocketAddr, String> {
    let found = timeout(LOOKUP_WITHIN, lookup_host((peer.host.as_str(), peer.port))).await;
    let mut found =
        found.map_err(|_| format!("no name server answers within {LOOKUP_WITHIN:?}"))?.map_err(|e| e.to_string())?;
    let family = if is_v4 { "IPv4" } else { "IPv6" };
    found
        .find(|address| address.is_ipv4() == is_v4)
        .ok_or_else(|| format!("it has no {family} address, as `listen` has"))
}

#[cfg(test)]
mod tests {
    use super::super::polled::tests::{PATIENCE, Running};
    use super::*;
    use crate::standby::link::What;

    async fn socket() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").await.unwrap()
    }

    /// A link to this port, and where it listens.
    async fn link(peer: &str) -> (UdpLink, SocketAddr) {
        let listen = socket().await.local_addr().unwrap();
        (UdpLink { listen, peer: PeerAddress::parse(peer).unwrap() }, listen)
    }

    #[tokio::test]
    async fn whole_beats_go_both_ways_and_nothing_else_is_heard() {
        let other = socket().await;
        let (link, listen) = link(&format!("localhost:{}", other.local_addr().unwrap().port())).await;
        assert!(link.is_witness());
        let mut running = Running::start(link);
        assert_eq!(running.next().await, What::Up);
        running.outgoing.send_replace([9; 32]);
        let mut datagram = [0; 64];
        let (bytes, _) = timeout(PATIENCE, other.recv_from(&mut datagram)).await.unwrap().unwrap();
        assert_eq!(datagram[..bytes], [9; 32]);
        for length in [0, 31, 33, 64] {
            other.send_to(&vec![1; length], listen).await.unwrap();
        }
        let stranger = socket().await;
        stranger.send_to(&[2; 32], listen).await.unwrap();
        assert_eq!(running.message().await.bytes, [2; 32]);
    }

    #[tokio::test]
    async fn a_peer_that_is_not_there_yet_does_not_stop_the_hearing() {
        let (link, listen) = link("127.0.0.1:9").await;
        let mut running = Running::start(link);
        assert_eq!(running.next().await, What::Up);
        let other = socket().await;
        for number in 1..=3 {
            running.outgoing.send_replace([number; 32]);
            other.send_to(&[number; 32], listen).await.unwrap();
            assert_eq!(running.message().await.bytes, [number; 32]);
        }
    }

    #[tokio::test]
    async fn a_port_that_somebody_has_is_down_until_it_is_free() {
        let (link, listen) = link("127.0.0.1:9").await;
        let taken = UdpSocket::bind(listen).await.unwrap();
        let mut running = Running::start(link);
        let What::Down(why) = running.next().await else { panic!("the port is taken") };
        assert!(why.to_string().contains("a port that nobody else has"), "{why}");
        drop(taken);
        assert_eq!(running.next().await, What::Up);
    }

    #[test]
    fn a_failure_is_told_once_until_it_works_again() {
        let address = PeerAddress::parse("barn-2").unwrap();
        let mut peer = Peer { address: &address, found: None, told: false };
        peer.failed("no route");
        assert!(peer.told && peer.found.is_none());
    }
}
