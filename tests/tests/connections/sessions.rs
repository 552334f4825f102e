//! What a session learns and sets.

use config::Tls;
use fieldgate_tests::mariadb;
use gateway::database::{Cell, Family};

use crate::{block_on, families, open, server, shown};

#[test]
fn a_session_knows_its_server_and_speaks_utf8mb4_whatever_the_servers_own_letters_are() {
    for family in families("what a session learns of MySQL") {
        let server = server(family, &["--character-set-server=latin1"]);
        block_on(async {
            let mut session = open(&server, Tls::Off).await.unwrap();
            let expected = match family {
                mariadb::Family::MariaDb => Family::MariaDb,
                mariadb::Family::MySql => Family::MySql,
            };
            println!("{}", session.version());
            assert_eq!(session.family(), expected);
            for name in ["character_set_client", "character_set_connection", "character_set_results"] {
                assert_eq!(shown(&mut session, "VARIABLES", name).await, "utf8mb4", "{name}");
            }
            assert!(shown(&mut session, "VARIABLES", "sql_mode").await.contains("STRICT_ALL_TABLES"));
            let text = "温室 🌱 µS";
            let back = session.ask_with("SELECT ?", vec![Cell::text(text)]).await.unwrap();
            assert_eq!(back, [[Cell::text(text)]]);
            session.close().await;
        });
    }
}
