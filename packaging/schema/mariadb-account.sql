-- The account of the gateways: data, and looking at replication. It can neither drop nor delete, nor write to a
-- read-only server.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED BY {password};
GRANT SELECT, INSERT, UPDATE ON {database}.* TO {user}@'%';
GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO {user}@'%';
