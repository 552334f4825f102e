//! TLS with a root of one's own: a server that is not the one it must be is refused, in words that say what to do.

use std::net::Ipv4Addr;

use config::Tls;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::{Family, Server, WRITABLE};
use gateway::database::Class;

use crate::authority::Authority;
use crate::{block_on, families, open, server, shown};

fn verify(authority: &Authority) -> Tls {
    Tls::Verify { ca_file: authority.ca_file() }
}

/// The server reads its certificate again.
fn reload(family: Family, server: &Server) {
    server.execute(match family {
        Family::MariaDb => "FLUSH SSL",
        Family::MySql => "ALTER INSTANCE RELOAD TLS",
    });
}

#[track_caller]
fn assert_refused(server: &Server, tls: Tls, words: &[&str]) {
    let refused = block_on(open(server, tls)).err().expect("the connection is refused");
    println!("{refused}");
    assert_eq!(refused.class, Class::Setup, "{refused}");
    for words in words {
        assert!(refused.to_string().contains(words), "no {words:?} in: {refused}");
    }
}

#[test]
fn only_the_server_that_the_root_vouches_for_is_taken() {
    for family in families("TLS to MySQL") {
        let (authority, stranger) = (Authority::new(), Authority::new());
        let mut server = server(family, &[]);
        let address = *server.address().ip();
        authority.sign(address, false);
        let arguments = authority.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        server.restart(&[WRITABLE, &["--require-secure-transport=ON"], &arguments].concat());

        block_on(async {
            let mut session = open(&server, verify(&authority)).await.unwrap();
            assert_ne!(shown(&mut session, "STATUS", "Ssl_cipher").await, "");
            session.close().await;
        });
        let missing = Tls::Verify { ca_file: "/no/such/file.pem".into() };
        assert_refused(&server, missing, &["/no/such/file.pem", "check mysql.ca_file"]);
        let unknown = [&*stranger.ca_file().display().to_string(), "mysql.ca_file must name the root"];
        assert_refused(&server, verify(&stranger), &unknown);
        assert_refused(&server, Tls::Off, &["set mysql.tls = \"verify\""]);

        authority.sign(Ipv4Addr::new(127, 0, 0, 1), false);
        reload(family, &server);
        assert_refused(&server, verify(&authority), &["not valid for name", "subject alternative name"]);
        // MySQL refuses to load one itself.
        if family == Family::MariaDb {
            authority.sign(address, true);
            reload(family, &server);
            assert_refused(&server, verify(&authority), &["expired", "give the server a new certificate"]);
        }
    }
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_asked_for() {
    let server = server(Family::MariaDb, &[]);
    assert_refused(&server, verify(&Authority::new()), &["does not offer TLS", "ssl_cert"]);
}

#[test]
fn the_configuration_says_which_root() {
    let authority = Authority::new();
    let mut server = server(Family::MariaDb, &[]);
    authority.sign(*server.address().ip(), false);
    let arguments = authority.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    server.restart(&[WRITABLE, &["--require-secure-transport=ON"], &arguments].concat());
    let gateway = Gateway::named("g1").servers([server.address()]).broker("127.0.0.2:1883".parse().unwrap());
    let ca_file = authority.ca_file();
    let gateway = gateway.set("mysql", "tls", "verify").set("mysql", "ca_file", ca_file.to_str().unwrap()).build();
    gateway.apply_schema();
    assert_eq!(server.query("SELECT version FROM field.schema_version"), [["1"]]);
}
