-- The account that replicas log in with.
CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED WITH caching_sha2_password BY {password};
GRANT REPLICATION SLAVE ON *.* TO {user}@'%';
