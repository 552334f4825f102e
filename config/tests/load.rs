//! Good files, and files that cannot be read.

use std::path::Path;
use std::time::Duration;

use fieldgate_config::{Commit, Config, ConfigError, Failover, KeepUntil, Promote, ReplicationAccount, WhenFull};

const SMALLEST: &str = r#"
[mysql]
servers = ["db1"]
database = "field"
user = "fieldgate"

[[mqtt]]
broker = "mqtt://localhost"
topics = ["plants/{node}/{channel}"]
"#;

fn load(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(text, Path::new("f.toml"), "barn-1")
}

#[test]
fn the_smallest_file_has_every_default() {
    let config = load(SMALLEST).unwrap();
    assert_eq!(config.gateway.id.as_str(), "barn-1");
    assert_eq!(config.gateway.site.as_str(), "barn-1");
    assert_eq!(config.gateway.state_dir, Path::new("/var/lib/fieldgate"));
    assert_eq!(config.mysql.servers[0].to_string(), "db1:3306");
    assert_eq!(config.mysql.password_file, None);
    assert_eq!((config.mysql.failover, &config.mysql.promote), (Failover::Follow, &None));
    assert_eq!(config.mysql.keep_until_replicas, KeepUntil::All);
    assert_eq!(config.mysql.probe_period, Duration::from_secs(1));
    assert_eq!(config.mysql.connect_timeout, Duration::from_secs(2));
    assert_eq!(config.mysql.query_timeout, Duration::from_secs(5));
    assert_eq!(config.queue.keep, Duration::from_secs(86_400));
    assert_eq!((config.queue.max_bytes, config.queue.commit), (None, Commit::Card));
    assert_eq!((config.queue.when_full, config.queue.reserve_bytes), (WhenFull::DropNewest, None));
    let mqtt = &config.mqtt[0];
    assert_eq!((mqtt.broker.host.as_str(), mqtt.broker.port), ("localhost", 1883));
    assert_eq!(mqtt.client_id, "fieldgate-barn-1");
    assert_eq!((mqtt.sequence.as_str(), mqtt.time.as_str()), ("/seq", "/time"));
    assert_eq!((&mqtt.user, &mqtt.password_file, &mqtt.node), (&None, &None, &None));
}

#[test]
fn every_key_is_heard() {
    let config = load(
        r#"
        mqtt = [
          { broker = "mqtt://a:1884", topics = ["x/#"], node = "silo", client_id = "c", user = "u", password_file = "/p", sequence = "/n", time = "/t" },
          { broker = "mqtt://b", topics = ["{node}"] },
          { broker = "mqtt://b", topics = ["+/{node}"] },
        ]
        [gateway]
        id = "g"
        site = "s"
        state_dir = "/srv/fg"
        [mysql]
        servers = ["db1", "db2:3307", "[::1]:3308"]
        database = "my_db-$1"
        user = "u"
        password_file = "/etc/p"
        failover = "promote"
        keep_until_replicas = 2
        probe_period = "100 ms"
        connect_timeout = "1 min"
        query_timeout = "300s"
        [mysql.promote]
        user = "p"
        password_file = "/etc/q"
        grace = "1s"
        cooldown = "0s"
        replication_user = "r"
        replication_password_file = "/etc/r"
        [queue]
        keep = "0s"
        max = 16777216
        commit = "fast"
        when_full = "drop-oldest"
        reserve = "1 GiB"
        "#,
    )
    .unwrap();
    assert_eq!((config.gateway.id.as_str(), config.gateway.site.as_str()), ("g", "s"));
    assert_eq!(config.gateway.state_dir, Path::new("/srv/fg"));
    let servers: Vec<String> = config.mysql.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["db1:3306", "db2:3307", "[::1]:3308"]);
    assert_eq!((config.mysql.database.as_str(), config.mysql.user.as_str()), ("my_db-$1", "u"));
    assert_eq!(config.mysql.password_file.as_deref(), Some(Path::new("/etc/p")));
    assert_eq!(config.mysql.keep_until_replicas, KeepUntil::Count(2));
    assert_eq!(config.mysql.probe_period, Duration::from_millis(100));
    assert_eq!(config.mysql.connect_timeout, Duration::from_secs(60));
    assert_eq!(config.mysql.query_timeout, Duration::from_secs(300));
    assert_eq!(config.queue.keep, Duration::ZERO);
    assert_eq!(config.mysql.failover, Failover::Promote);
    let file = |path: &str| Some(Path::new(path).to_owned());
    let promote = Promote {
        user: "p".to_owned(),
        password_file: file("/etc/q"),
        grace: Duration::from_secs(1),
        cooldown: Duration::ZERO,
        replication: Some(ReplicationAccount { user: "r".to_owned(), password_file: file("/etc/r") }),
    };
    assert_eq!(config.mysql.promote, Some(promote));
    assert_eq!((config.queue.max_bytes, config.queue.commit), (Some(16 << 20), Commit::Fast));
    assert_eq!((config.queue.when_full, config.queue.reserve_bytes), (WhenFull::DropOldest, Some(1 << 30)));
    let first = &config.mqtt[0];
    assert_eq!(first.node.as_ref().map(ToString::to_string).as_deref(), Some("silo"));
    assert_eq!((first.user.as_deref(), first.password_file.as_deref()), (Some("u"), Some(Path::new("/p"))));
    assert_eq!((first.sequence.as_str(), first.time.as_str()), ("/n", "/t"));
    let client_ids: Vec<&str> = config.mqtt.iter().map(|mqtt| mqtt.client_id.as_str()).collect();
    assert_eq!(client_ids, ["c", "fieldgate-g-2", "fieldgate-g-3"]);
}

#[test]
fn each_way_to_treat_a_full_queue_has_a_word() {
    let of = |words: &str| load(&format!("{SMALLEST}[queue]\n{words}\n")).map(|config| config.queue.when_full);
    let words =
        [("drop-newest", WhenFull::DropNewest), ("drop-oldest", WhenFull::DropOldest), ("pause", WhenFull::Pause)];
    for (word, meaning) in words {
        assert_eq!(of(&format!("when_full = \"{word}\"")).unwrap(), meaning);
    }
    let unknown = of("when_full = \"drop\"").unwrap_err().to_string();
    assert!(unknown.contains("write \"drop-newest\" or \"drop-oldest\" or \"pause\""), "{unknown}");
    for size in ["1023 KiB", "2 TiB"] {
        let out_of_bounds = of(&format!("reserve = \"{size}\"")).unwrap_err().to_string();
        assert!(out_of_bounds.contains("queue.reserve: "), "{out_of_bounds}");
    }
}

#[test]
fn a_later_problem_has_the_line_of_its_key_or_section() {
    let config = load(SMALLEST).unwrap();
    let problem = config.problem("mqtt[0].broker", "does not answer", "start it");
    assert_eq!(problem.to_string(), "8: mqtt[0].broker: does not answer; start it");
    assert_eq!(config.problem("mysql.password_file", "w", "r").line, 2);
    assert_eq!(config.problem("gateway.id", "w", "r").line, 1);
}

#[test]
fn a_file_on_disk_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fieldgate.toml");
    std::fs::write(&file, SMALLEST.replace('\n', "\r\n")).unwrap();
    assert_eq!(Config::load(&file, "barn-1").unwrap(), load(SMALLEST).unwrap());
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let words = |name: &str| Config::load(&folder.path().join(name), "barn-1").unwrap_err().to_string();
    assert!(words("absent.toml").ends_with("create it or name another file"), "{}", words("absent.toml"));
    assert!(words(".").ends_with("name the file in this folder"), "{}", words("."));
    std::fs::write(folder.path().join("long.toml"), "#".repeat(256 * 1024 + 1)).unwrap();
    assert!(words("long.toml").contains("cannot be read: longer than 256 KiB; "), "{}", words("long.toml"));
    std::fs::write(folder.path().join("latin.toml"), b"# ok\n# caf\xe9\n").unwrap();
    assert!(words("latin.toml").ends_with("latin.toml:2: has bytes that are not UTF-8; save the file as UTF-8"));
}
