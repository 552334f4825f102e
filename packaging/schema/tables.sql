-- fieldgate's tables, version 1, for MariaDB and MySQL. Run in the database that mysql.database names.
-- All times are UTC.

-- Which version of these tables is here.
CREATE TABLE IF NOT EXISTS schema_version (
  version    INT UNSIGNED NOT NULL PRIMARY KEY,
  applied_at DATETIME(6)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per stream, which is one run of one gateway or a part of it: how far it has come in this server's data (the cursor).
CREATE TABLE IF NOT EXISTS streams (
  stream     BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  site       VARCHAR(64)     NOT NULL,
  gateway    VARCHAR(64)     NOT NULL,
  last_seq   BIGINT UNSIGNED NOT NULL,
  started_at DATETIME(6)     NOT NULL,
  updated_at DATETIME(6)     NOT NULL,
  KEY by_gateway (gateway)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per quantity that a node measures.
CREATE TABLE IF NOT EXISTS channels (
  channel_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  site       VARCHAR(64)  NOT NULL,
  node       VARCHAR(64)  NOT NULL,
  channel    VARCHAR(128) NOT NULL,
  unit       VARCHAR(32)  NULL,
  UNIQUE KEY by_name (site, node, channel)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per reading, or per reading that could not be taken (no_data).
--   value       every number and truth value as a double; value_int: whole numbers and truth values exactly; value_text: text
--   sampled_at  when the gateway saw it; node_time: when the node says it measured it; node_seq: the node's own number
--   time_quality 0 the clock was never set in that boot, 1 it was set earlier in that boot, 2 synchronised
--   no_data     1 absent, 2 timeout, 3 bus fault, 4 bad frame, 5 out of range, 6 dropped for want of room
--   maybe_twice 1 heard by both gateways of the site around a takeover, with nothing that tells it from others: it may
--               stand twice
CREATE TABLE IF NOT EXISTS readings (
  stream        BIGINT UNSIGNED  NOT NULL,
  seq           BIGINT UNSIGNED  NOT NULL,
  channel_id    INT UNSIGNED     NOT NULL,
  sampled_at    DATETIME(6)      NOT NULL,
  time_quality  TINYINT          NOT NULL,
  time_error_us INT UNSIGNED     NULL,
  gateway_time  DATETIME(6)      NULL,
  value         DOUBLE           NULL,
  value_int     BIGINT           NULL,
  value_text    VARCHAR(4096)    NULL,
  raw           DOUBLE           NULL,
  no_data       TINYINT          NULL,
  node_seq      BIGINT           NULL,
  node_time     DATETIME(6)      NULL,
  maybe_twice   TINYINT          NULL,
  PRIMARY KEY (stream, seq),
  KEY by_channel_and_time (channel_id, sampled_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What is missing, and why. The row accounts for the numbers seq to last_seq of its stream.
CREATE TABLE IF NOT EXISTS gaps (
  stream    BIGINT UNSIGNED NOT NULL,
  seq       BIGINT UNSIGNED NOT NULL,
  last_seq  BIGINT UNSIGNED NOT NULL,
  site      VARCHAR(64)     NOT NULL,
  node      VARCHAR(64)     NULL,
  channel   VARCHAR(128)    NULL,
  reason    VARCHAR(1024)   NOT NULL,
  from_time DATETIME(6)     NULL,
  to_time   DATETIME(6)     NULL,
  `count`   BIGINT UNSIGNED NULL,
  PRIMARY KEY (stream, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What could not become a reading: its first bytes, its length and why.
--   server_words  what the server said to a reading that it refused: then the bytes are the reading's record, and whole
--   state         new; retried: the row is there now; or left out: the other gateway's row is there
--   route         the route whose table refused the row; the reading itself is stored. Empty: it is not
CREATE TABLE IF NOT EXISTS dead_letters (
  stream       BIGINT UNSIGNED NOT NULL,
  seq          BIGINT UNSIGNED NOT NULL,
  origin       VARCHAR(256)    NOT NULL,
  reason       VARCHAR(1024)   NOT NULL,
  server_words VARCHAR(1024)   NULL,
  bytes        BLOB            NOT NULL,
  length       BIGINT UNSIGNED NOT NULL,
  hash         BIGINT UNSIGNED NULL,
  arrived_at   DATETIME(6)     NULL,
  state        VARCHAR(16)     NOT NULL,
  route        VARCHAR(64)     NOT NULL DEFAULT '',
  PRIMARY KEY (stream, seq, route),
  KEY by_state (state, stream)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What happened to the gateways and the servers of a site.
CREATE TABLE IF NOT EXISTS events (
  id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at      DATETIME(6)     NOT NULL,
  site    VARCHAR(64)     NOT NULL,
  gateway VARCHAR(64)     NOT NULL,
  kind    VARCHAR(32)     NOT NULL,
  text    VARCHAR(1024)   NOT NULL,
  `count` BIGINT UNSIGNED NULL,
  KEY by_time (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which server is the source: one row, raised at each failover.
CREATE TABLE IF NOT EXISTS server_term (
  id         TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  term       BIGINT UNSIGNED  NOT NULL,
  server     VARCHAR(512)     NOT NULL,
  adopted_at DATETIME(6)      NOT NULL,
  adopted_by VARCHAR(64)      NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Whose turn it is among the replicas that lag the same (`fieldgate db reader`): one row, counted up by each that asks.
CREATE TABLE IF NOT EXISTS reader_turn (
  id   TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  turn BIGINT UNSIGNED  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO schema_version (version, applied_at) VALUES (1, UTC_TIMESTAMP(6));

-- Two gateways of one site: which of them is active, in which term. `updated_at` is when it last wrote, by its own clock.
CREATE TABLE IF NOT EXISTS standby_groups (
  site       VARCHAR(64)     NOT NULL PRIMARY KEY,
  term       BIGINT UNSIGNED NOT NULL,
  holder     VARCHAR(64)     NOT NULL,
  claimed_at DATETIME(6)     NULL,
  updated_at DATETIME(6)     NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What each of two gateways heard without a break, and has dealt with: it is in the database, by its own rows or by those of the
-- other one. By its own clock.
--   source      the node of a wire; empty: all brokers
--   written_*   from when to when what it heard became rows while it was active
--   filled_to   its last row while the other one was active: what that one did not hear
--   is_open     it may go on; is_resumed: what was published during the break before it came in it; is_partial: not all
--               brokers were heard
CREATE TABLE IF NOT EXISTS standby_spans (
  stream       BIGINT UNSIGNED NOT NULL,
  source       VARCHAR(64)     NOT NULL,
  from_time    DATETIME(6)     NOT NULL,
  to_time      DATETIME(6)     NOT NULL,
  written_from DATETIME(6)     NULL,
  written_to   DATETIME(6)     NULL,
  filled_to    DATETIME(6)     NULL,
  is_open      TINYINT         NOT NULL,
  is_resumed   TINYINT         NOT NULL,
  is_partial   TINYINT         NOT NULL DEFAULT 0,
  PRIMARY KEY (stream, source, from_time),
  KEY by_time (to_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Numbers of a stream for which there are no rows, since the other gateway of the site has brought the same.
CREATE TABLE IF NOT EXISTS left_out (
  stream   BIGINT UNSIGNED NOT NULL,
  seq      BIGINT UNSIGNED NOT NULL,
  last_seq BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (stream, seq),
  KEY by_last (stream, last_seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What each of two gateways says of itself, for the other one to compare.
--   started_at, updated_at  when it was started and when it wrote this, by its own clock
--   said                    its priority and its times, and every source that the other one may have too, as JSON
CREATE TABLE IF NOT EXISTS standby_members (
  site       VARCHAR(64) NOT NULL,
  gateway    VARCHAR(64) NOT NULL,
  version    VARCHAR(64) NOT NULL,
  started_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  said       MEDIUMTEXT  NOT NULL,
  PRIMARY KEY (site, gateway)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A table `readings` that was made before two gateways could share a site gets its column. MySQL has no ADD COLUMN IF NOT EXISTS.
SET @add_maybe_twice = IF(
  EXISTS (SELECT 1 FROM information_schema.COLUMNS
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'readings' AND COLUMN_NAME = 'maybe_twice'),
  'DO 0',
  'ALTER TABLE readings ADD COLUMN maybe_twice TINYINT NULL');
PREPARE add_maybe_twice FROM @add_maybe_twice;
EXECUTE add_maybe_twice;
DEALLOCATE PREPARE add_maybe_twice;
