-- Views for people: by site, node and channel, never by gateway, so that a graph goes on when another gateway takes over.
-- They show what the account that asks may see.

-- The newest reading of each channel, or why there is none.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW latest AS
SELECT c.site, c.node, c.channel, c.unit, r.sampled_at, r.value, r.value_int, r.value_text, r.no_data, r.time_quality
FROM channels c
JOIN readings r ON r.channel_id = c.channel_id
  AND r.sampled_at = (
    SELECT m.sampled_at FROM readings m WHERE m.channel_id = c.channel_id ORDER BY m.sampled_at DESC LIMIT 1)
WHERE NOT EXISTS (
  SELECT 1 FROM readings n
  WHERE n.channel_id = r.channel_id AND n.sampled_at = r.sampled_at
    AND (n.stream > r.stream OR (n.stream = r.stream AND n.seq > r.seq)));

-- Each hour of each channel. `count` counts readings with a number or a truth value; what is text has none.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW hourly AS
SELECT c.site, c.node, c.channel, c.unit, CAST(DATE_FORMAT(r.sampled_at, '%Y-%m-%d %H:00:00') AS DATETIME) AS hour,
  COUNT(r.value) AS count, MIN(r.value) AS min, AVG(r.value) AS avg, MAX(r.value) AS max
FROM channels c
JOIN readings r ON r.channel_id = c.channel_id
GROUP BY c.site, c.node, c.channel, c.unit, hour;

-- What is missing, of which node and channel, from when until when, and why. NULL: it may be any, or it is not known. The
-- table gaps has the numbers; a dead letter is missing too until it has been retried, unless it is
-- that of a route: then the reading itself is there.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW missing AS
SELECT g.site, g.node, g.channel, g.from_time, g.to_time, g.count, g.reason
FROM gaps g
UNION ALL
-- Names here too: a dump writes them down, and a view in which two columns have one name cannot be restored.
SELECT s.site, NULL AS node, NULL AS channel, d.arrived_at AS from_time, d.arrived_at AS to_time, 1 AS count,
  CONCAT('dead letter of ', d.origin, ': ', COALESCE(d.server_words, d.reason)) AS reason
FROM dead_letters d
JOIN streams s ON s.stream = d.stream
WHERE d.state = 'new' AND d.route = '';
