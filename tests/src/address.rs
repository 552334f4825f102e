//! Loopback addresses: each rig has one of its own, so that every server listens on its well-known port and no two
//! rigs race for a port, in one process or in several.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Holding this UDP port is holding the address. Above the range from which Linux picks ports by itself.
const CLAIM_PORT: u16 = 61_999;

/// So many addresses one process can hold at once.
const ADDRESSES_PER_PROCESS: u32 = 254;

/// A loopback address that nobody else who asks here has, until this value is dropped.
///
/// A server outside of the rigs that listens on *all* addresses (0.0.0.0:3306, say) still stands in the way.
#[derive(Debug)]
pub struct Address {
    ip: Ipv4Addr,
    // The kernel gives it back even when the process is killed.
    _claim: UdpSocket,
}

impl Address {
    /// Takes a free loopback address.
    ///
    /// # Panics
    /// When this process holds all 254 of its addresses already.
    pub fn claim() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        (0..ADDRESSES_PER_PROCESS)
            .map(|_| candidate(process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
            .find_map(Self::try_claim)
            .expect("no loopback address is free: drop some rigs of this process first")
    }

    fn try_claim(ip: Ipv4Addr) -> Option<Self> {
        let claim = UdpSocket::bind((ip, CLAIM_PORT)).ok()?;
        Some(Self { ip, _claim: claim })
    }

    /// The address itself.
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// The address with a port; printed as `127.x.y.z:port`.
    pub fn port(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.ip, port)
    }
}

/// The `turn`th address of a process, never in 127.0.x.x, where other people's servers are.
fn candidate(process_id: u32, turn: u32) -> Ipv4Addr {
    let below = |value: u32, limit: u32| u8::try_from(value % limit).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 1 + below(process_id / 256, 254), below(process_id, 256), 1 + below(turn, ADDRESSES_PER_PROCESS))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_are_distinct_and_usable() {
        let addresses: Vec<Address> = (0..20).map(|_| Address::claim()).collect();
        let distinct: HashSet<Ipv4Addr> = addresses.iter().map(Address::ip).collect();
        assert_eq!(distinct.len(), addresses.len());
        let listeners: Vec<_> =
            addresses.iter().map(|address| TcpListener::bind(address.port(3306)).unwrap()).collect();
        assert_eq!(listeners.len(), 20);
    }

    #[test]
    fn a_held_address_is_not_given_again() {
        let held = Address::claim();
        assert!(Address::try_claim(held.ip()).is_none());
        let ip = held.ip();
        drop(held);
        assert!(Address::try_claim(ip).is_some());
    }

    #[test]
    fn no_candidate_is_in_the_net_of_other_peoples_servers() {
        for process_id in [1, 255, 256, 65_023, 65_024, 4_194_303, u32::MAX] {
            for turn in [0, 253, 254, u32::MAX] {
                let [first, second, _, last] = candidate(process_id, turn).octets();
                assert_eq!(first, 127);
                assert!(second != 0 && last != 0 && last != 255);
            }
        }
    }
}
