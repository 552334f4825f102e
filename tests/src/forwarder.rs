//! An address that stands before servers, as a moving virtual address or a proxy does: each connection to it goes on to
//! the server that it leads to at that moment.

use std::io;
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::address::Address;

/// Both halves of every connection that has been forwarded, so that they can be cut.
type Connections = Vec<[TcpStream; 2]>;

#[derive(Debug)]
struct Shared {
    /// None: it is to end.
    leads_to: Option<SocketAddrV4>,
    connections: Connections,
}

/// Forwards TCP connections; dropping it cuts them all.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddrV4,
    shared: Arc<Mutex<Shared>>,
    listening: Option<JoinHandle<()>>,
    _claim: Address,
}

impl Forwarder {
    /// Listens on an address of its own, at the server's port, and leads to the server.
    pub fn to(server: SocketAddrV4) -> Self {
        let claim = Address::claim();
        let address = claim.port(server.port());
        let listener = TcpListener::bind(address).expect("the forwarder's address is free");
        let shared = Arc::new(Mutex::new(Shared { leads_to: Some(server), connections: Vec::new() }));
        let forwarded = Arc::clone(&shared);
        let listening = thread::spawn(move || forward_all(&listener, &forwarded));
        Self { address, shared, listening: Some(listening), _claim: claim }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Leads to another server from now on. Connections to the one before are cut, as they are when an address moves to
    /// another machine.
    pub fn move_to(&self, server: SocketAddrV4) {
        self.lead(Some(server));
    }

    fn lead(&self, server: Option<SocketAddrV4>) {
        let mut shared = self.shared.lock().expect("the forwarder's thread has not panicked");
        shared.leads_to = server;
        for half in shared.connections.drain(..).flatten() {
            // One that has ended already is as good as cut.
            let _ = half.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.lead(None);
        // The thread sees the end when something connects.
        drop(TcpStream::connect(self.address));
        let _ = self.listening.take().map(JoinHandle::join);
    }
}

fn forward_all(listener: &TcpListener, shared: &Mutex<Shared>) {
    for client in listener.incoming().flatten() {
        // Held while connecting, so that no connection to the server before slips through a move.
        let mut shared = shared.lock().expect("no thread panics with this lock");
        let Some(server) = shared.leads_to else { return };
        // A server that is away refuses the client, too: it is dropped.
        if let Ok(pair) = TcpStream::connect(server).and_then(|server| forward(&client, &server)) {
            shared.connections.push(pair);
        }
    }
}

/// Copies both ways in threads of their own, which end with the connection.
fn forward(client: &TcpStream, server: &TcpStream) -> io::Result<[TcpStream; 2]> {
    copy(client.try_clone()?, server.try_clone()?);
    copy(server.try_clone()?, client.try_clone()?);
    Ok([client.try_clone()?, server.try_clone()?])
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// A server that says one letter to each that connects, and keeps the connection.
    fn server(letter: u8) -> SocketAddrV4 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        thread::spawn(move || {
            let mut open = Vec::new();
            for mut client in listener.incoming().flatten() {
                client.write_all(&[letter]).unwrap();
                open.push(client);
            }
        });
        address
    }

    #[test]
    fn connections_go_where_it_leads_and_are_cut_when_it_moves() {
        let forwarder = Forwarder::to(server(b'a'));
        let connect = || {
            let mut stream = TcpStream::connect(forwarder.address()).unwrap();
            let mut letter = [0];
            stream.read_exact(&mut letter).unwrap();
            (stream, letter[0])
        };
        let (mut first, letter) = connect();
        assert_eq!(letter, b'a');
        forwarder.move_to(server(b'b'));
        assert_eq!(first.read(&mut [0]).unwrap_or(0), 0, "it was cut");
        assert_eq!(connect().1, b'b');
    }
}
