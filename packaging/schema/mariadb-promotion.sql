-- The account that lets another server take writes. It stops and starts replication, opens and closes servers, and of the
-- data changes only which server is the source (server_term), with a row that says so (events). With CONNECTION ADMIN it
-- is let in when all connections of a server are taken.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED BY {password};
GRANT SELECT ON {database}.* TO {user}@'%';
GRANT INSERT, UPDATE ON server_term TO {user}@'%';
GRANT INSERT ON events TO {user}@'%';
GRANT REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, RELOAD, SLAVE MONITOR, CONNECTION ADMIN ON *.* TO {user}@'%';
