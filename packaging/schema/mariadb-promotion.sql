-- The account that lets another server take writes: it stops and starts replication, and opens and closes servers. Of the
-- data it changes only who the source is (server_term), with a row that says so (events).
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED BY {password};
GRANT SELECT ON {database}.* TO {user}@'%';
GRANT INSERT, UPDATE ON server_term TO {user}@'%';
GRANT INSERT, UPDATE ON events TO {user}@'%';
GRANT REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN, RELOAD, SLAVE MONITOR, BINLOG MONITOR ON *.* TO {user}@'%';
