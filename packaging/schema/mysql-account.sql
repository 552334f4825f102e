-- The account of the gateways: data, and looking at replication. It can neither drop nor delete, nor write to a
-- read-only server. The right on replication_group_members is used where group replication runs.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED WITH caching_sha2_password BY {password};
GRANT SELECT, INSERT, UPDATE ON {database}.* TO {user}@'%';
GRANT REPLICATION CLIENT ON *.* TO {user}@'%';
GRANT SELECT ON performance_schema.replication_group_members TO {user}@'%';
