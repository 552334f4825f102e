-- The account that lets another server take writes. It stops and starts replication, opens and closes servers, and of the
-- data changes only which server is the source (server_term), with a row that says so (events): also while that server is
-- read-only, which takes CONNECTION_ADMIN.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED WITH caching_sha2_password BY {password};
GRANT SELECT ON {database}.* TO {user}@'%';
GRANT INSERT, UPDATE ON server_term TO {user}@'%';
GRANT INSERT ON events TO {user}@'%';
GRANT REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* TO {user}@'%';
GRANT RELOAD, REPLICATION CLIENT ON *.* TO {user}@'%';
