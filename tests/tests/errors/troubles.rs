//! Errors that one statement of SQL makes and another mends.

use crate::site::Site;

/// What it is called, what breaks it, what the status must say, and what mends it.
type Trouble = (&'static str, &'static str, &'static [&'static str], &'static str);

const ACCOUNT: &[Trouble] = &[
    (
        "password changed (1045)",
        "ALTER USER fieldgate@'%' IDENTIFIED BY 'another'",
        &["Access denied", "error 1045", "check mysql.user and the password"],
        "ALTER USER fieldgate@'%' IDENTIFIED BY 'gateway''s own'",
    ),
    (
        "account locked (4151)",
        "ALTER USER fieldgate@'%' ACCOUNT LOCK",
        &["locked", "error 4151", "ACCOUNT UNLOCK"],
        "ALTER USER fieldgate@'%' ACCOUNT UNLOCK",
    ),
    (
        "password expired (1820, 1862)",
        "ALTER USER fieldgate@'%' PASSWORD EXPIRE",
        &["password", "set the account's password anew"],
        "ALTER USER fieldgate@'%' IDENTIFIED BY 'gateway''s own'",
    ),
    (
        "no right to insert (1142)",
        "REVOKE INSERT ON field.* FROM fieldgate@'%'",
        &["error 1142", "`fieldgate db schema` prints the statements"],
        "GRANT INSERT ON field.* TO fieldgate@'%'",
    ),
    (
        "no right at all (1044, 1142)",
        "REVOKE SELECT, INSERT, UPDATE ON field.* FROM fieldgate@'%'",
        &["denied to user", "`fieldgate db schema` prints the statements"],
        "GRANT SELECT, INSERT, UPDATE ON field.* TO fieldgate@'%'",
    ),
    (
        "limit of the account (1226)",
        "ALTER USER fieldgate@'%' WITH MAX_USER_CONNECTIONS 1",
        &["error 1226", "raise the account's limits"],
        "ALTER USER fieldgate@'%' WITH MAX_USER_CONNECTIONS 0",
    ),
];

const TABLES: &[Trouble] = &[
    (
        "table dropped (1146)",
        "RENAME TABLE field.readings TO field.away",
        &["error 1146", "fieldgate db schema --apply"],
        "RENAME TABLE field.away TO field.readings",
    ),
    (
        "table of the cursor dropped (1146)",
        "RENAME TABLE field.streams TO field.away",
        &["error 1146", "fieldgate db schema --apply"],
        "RENAME TABLE field.away TO field.streams",
    ),
    (
        "column missing (1054)",
        "ALTER TABLE field.readings RENAME COLUMN value TO rare",
        &["error 1054", "the tables are of an earlier version"],
        "ALTER TABLE field.readings RENAME COLUMN rare TO value",
    ),
    (
        "column too many (1364)",
        "ALTER TABLE field.readings ADD COLUMN surplus INT NOT NULL",
        &["error 1364", "the tables are of an earlier version"],
        "ALTER TABLE field.readings DROP COLUMN surplus",
    ),
    (
        "trigger that writes to its table (1442)",
        "CREATE TRIGGER field.own AFTER INSERT ON field.readings FOR EACH ROW UPDATE field.readings SET raw = 0",
        &["error 1442", "the trigger on our tables"],
        "DROP TRIGGER field.own",
    ),
];

const SERVER: &[Trouble] = &[
    ("read-only transactions (1792)", "SET GLOBAL tx_read_only = 1", &["error 1792"], "SET GLOBAL tx_read_only = 0"),
    ("read-only server (1290)", "SET GLOBAL read_only = 1", &["no server takes writes"], "SET GLOBAL read_only = 0"),
    (
        "statements cut short (1969)",
        "SET GLOBAL max_statement_time = 0.000001",
        &["error 1969", "raise max_statement_time"],
        "SET GLOBAL max_statement_time = 0",
    ),
    (
        "another time zone and its clock",
        "SET GLOBAL time_zone = '+13:00'",
        &["\"trouble\":null"],
        "SET GLOBAL time_zone = SYSTEM",
    ),
];

fn endure_all(site: &Site, troubles: &[Trouble]) {
    for (name, breaking, words, mending) in troubles {
        let set = |sql: &str| {
            site.server().execute(sql);
            site.disconnect();
        };
        site.endure(name, words, || set(breaking), || set(mending));
    }
}

#[test]
fn what_is_wrong_with_account_or_server_is_named_and_waited_for() {
    let site = Site::start();
    endure_all(&site, ACCOUNT);
    endure_all(&site, SERVER);
    site.finish();
}

#[test]
fn what_is_wrong_with_the_tables_is_named_and_waited_for() {
    let site = Site::start();
    endure_all(&site, TABLES);
    site.finish();
}
