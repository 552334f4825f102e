-- The account that lets another server take writes: it stops and starts replication, and opens and closes servers. Of the
-- data it changes only who the source is (server_term), with a row that says so (events).
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED WITH caching_sha2_password BY {password};
GRANT SELECT ON {database}.* TO {user}@'%';
GRANT INSERT, UPDATE ON server_term TO {user}@'%';
GRANT INSERT, UPDATE ON events TO {user}@'%';
GRANT RELOAD, REPLICATION CLIENT ON *.* TO {user}@'%';
GRANT REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* TO {user}@'%';
