-- The account that replicas log in with.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED BY {password};
GRANT REPLICATION SLAVE ON *.* TO {user}@'%';
