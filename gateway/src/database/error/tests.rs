use super::codes::CODES;
use super::*;

/// One row a code: what the servers mean by it, and who acts.
#[rustfmt::skip]
const EXPECTED: &[(u16, &str, Class)] = &[
    (1020, "the row changed under a snapshot (MariaDB)", Class::Busy),
    (1021, "disk full", Class::Full),
    (1026, "cannot write a file", Class::Full),
    (1030, "the engine says an error of the system", Class::Full),
    (1037, "out of memory", Class::Busy),
    (1038, "out of sort memory", Class::Busy),
    (1040, "too many connections", Class::Busy),
    (1041, "out of resources", Class::Busy),
    (1044, "no right to the database", Class::Setup),
    (1045, "wrong password", Class::Setup),
    (1046, "no database chosen", Class::Setup),
    (1047, "Galera: not ready", Class::NotSource),
    (1048, "NULL where none may be", Class::Data),
    (1049, "no such database", Class::Setup),
    (1053, "shutting down", Class::Away),
    (1054, "no such column", Class::Setup),
    (1062, "a number twice", Class::Protocol),
    (1064, "not understood", Class::Setup),
    (1114, "table or tablespace full", Class::Full),
    (1118, "row too large", Class::Data),
    (1129, "host blocked", Class::Setup),
    (1130, "host not allowed", Class::Setup),
    (1136, "another number of columns", Class::Setup),
    (1142, "no right to the table", Class::Setup),
    (1143, "no right to the column", Class::Setup),
    (1146, "no such table", Class::Setup),
    (1149, "not understood", Class::Setup),
    (1152, "connection ended", Class::Away),
    (1153, "packet too large", Class::TooLarge),
    (1158, "network", Class::Away),
    (1159, "network", Class::Away),
    (1160, "network", Class::Away),
    (1161, "network", Class::Away),
    (1176, "no such index", Class::Setup),
    (1180, "COMMIT failed", Class::Away),
    (1181, "ROLLBACK failed", Class::Away),
    (1184, "connection ended", Class::Away),
    (1194, "table damaged", Class::Setup),
    (1195, "table damaged", Class::Setup),
    (1197, "transaction larger than the binlog cache", Class::TooLarge),
    (1203, "too many connections of the account", Class::Busy),
    (1205, "lock wait", Class::Busy),
    (1206, "lock table full", Class::Busy),
    (1213, "deadlock", Class::Busy),
    (1216, "foreign key", Class::Data),
    (1217, "foreign key", Class::Data),
    (1226, "limit of the account", Class::Busy),
    (1227, "no right", Class::Setup),
    (1251, "password of an unknown kind", Class::Setup),
    (1264, "out of range", Class::Data),
    (1265, "cut off", Class::Data),
    (1290, "read-only", Class::NotSource),
    (1292, "wrong value", Class::Data),
    (1300, "not of the character set", Class::Data),
    (1317, "statement killed", Class::Away),
    (1364, "column without a default", Class::Setup),
    (1365, "division by zero, in a trigger", Class::Data),
    (1366, "wrong value for the column", Class::Data),
    (1367, "illegal value", Class::Data),
    (1370, "no right to a routine", Class::Setup),
    (1406, "too long", Class::Data),
    (1411, "wrong value for a function", Class::Data),
    (1441, "time out of range", Class::Data),
    (1442, "a trigger that writes to its own table", Class::Setup),
    (1449, "the definer of a trigger is gone", Class::Setup),
    (1451, "foreign key", Class::Data),
    (1452, "foreign key", Class::Data),
    (1524, "password plugin not loaded", Class::Setup),
    (1526, "no partition for the value", Class::Data),
    (1598, "cannot log", Class::Setup),
    (1643, "SIGNAL of a trigger", Class::Data),
    (1644, "SIGNAL of a trigger", Class::Data),
    (1665, "binlog_format = STATEMENT", Class::Setup),
    (1690, "number out of range", Class::Data),
    (1698, "wrong plugin", Class::Setup),
    (1713, "undo record too large", Class::Data),
    (1792, "read-only transaction", Class::NotSource),
    (1812, "tablespace missing", Class::Setup),
    (1820, "password must be changed", Class::Setup),
    (1836, "read-only mode", Class::NotSource),
    (1862, "password expired", Class::Setup),
    (1872, "replication not set up", Class::Setup),
    (1906, "value for a generated column (MariaDB)", Class::Setup),
    (1927, "KILL (MariaDB)", Class::Away),
    (1932, "table missing in the engine", Class::Setup),
    (1969, "max_statement_time (MariaDB)", Class::Busy),
    (1977, "not of the character set (MariaDB)", Class::Data),
    (3024, "max_execution_time (MySQL)", Class::Busy),
    (3032, "offline_mode (MySQL)", Class::Away),
    (3098, "refused by group replication", Class::Setup),
    (3100, "refused by group replication", Class::NotSource),
    (3101, "rolled back by group replication", Class::Busy),
    (3105, "value for a generated column (MySQL)", Class::Setup),
    (3118, "account locked (MySQL)", Class::Setup),
    (3140, "not JSON (MySQL)", Class::Data),
    (3159, "TLS demanded", Class::Setup),
    (3168, "server is not available", Class::Away),
    (3169, "KILL (MySQL)", Class::Away),
    (3170, "memory limit (MySQL)", Class::Busy),
    (3572, "lock not to be had at once", Class::Busy),
    (3819, "CHECK (MySQL)", Class::Data),
    (3854, "not of the character set (MySQL)", Class::Data),
    (3988, "not of the character set (MySQL)", Class::Data),
    (4025, "CHECK (MariaDB)", Class::Data),
    (4031, "idle for too long (MySQL)", Class::Away),
    (4151, "account locked (MariaDB)", Class::Setup),
];

fn said(code: u16, message: &str) -> DbError {
    let said = mysql_async::ServerError { code, message: message.to_owned(), state: "HY000".to_owned() };
    DbError::from_client("db1:3306", mysql_async::Error::Server(said))
}

#[test]
fn every_code_is_sorted_as_it_should_be() {
    for (code, meaning, class) in EXPECTED {
        assert_eq!(said(*code, "").class, *class, "{code}: {meaning}");
    }
    let (listed, expected): (Vec<u16>, Vec<u16>) =
        (CODES.iter().map(|row| row.0).collect(), EXPECTED.iter().map(|row| row.0).collect());
    assert_eq!(listed, expected, "a row here for every code, in order");
    assert!(listed.windows(2).all(|pair| pair[0] < pair[1]), "each code stands once and in order");
}

#[test]
fn a_code_of_no_table_is_unknown() {
    for code in [0, 1, 1063, 1105, 64999] {
        assert_eq!((said(code, "").class, said(code, "").remedy.as_str()), (Class::Unknown, ""), "{code}");
    }
}

/// Whoever has to act is told what to do.
#[test]
fn what_the_operator_must_mend_has_a_remedy() {
    let needs_one = |class| matches!(class, Class::Setup | Class::Full | Class::Protocol | Class::TooLarge);
    for (code, class, remedy) in CODES.iter().filter(|row| needs_one(row.1)) {
        assert!(!remedy.is_empty(), "{code} is {class:?} and says nothing of what to do");
    }
}

#[test]
fn a_message_says_where_what_and_what_to_do() {
    assert_eq!(
        said(1049, "Unknown database 'field'").to_string(),
        "db1:3306: Unknown database 'field' (error 1049) (create the database: `fieldgate db schema --apply --admin-user NAME`)"
    );
}

#[test]
fn a_row_that_no_server_of_this_size_takes_is_told_with_both_sizes() {
    let error = DbError::too_large("a", 3000, 2048);
    assert_eq!(error.class, Class::TooLarge);
    assert_eq!(error.words, "a row takes 3000 bytes, and max_allowed_packet is 2048");
    let broken = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    assert_eq!(DbError::from_client("a", mysql_async::Error::Io(broken.into())).class, Class::Away);
}
