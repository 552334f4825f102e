//! MQTT with QoS 1 to committed in the source, against `mosquitto_sub` that throws everything away, both fed at one pace.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fieldgate_tests::artifacts::installed_program;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;
use fieldgate_tests::process::{Process, wait_for};

use crate::table::Line;

const MESSAGES: u64 = 3000;
const MESSAGES_A_SECOND: f64 = 1000.0;
const CHANNELS: usize = 16;
const READINGS: u64 = MESSAGES * CHANNELS as u64;
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Numbers {
    readings_a_second: Vec<f64>,
    cpu_seconds_a_100_000: Vec<f64>,
}

impl Numbers {
    fn add(&mut self, began: Instant, cpu_seconds: f64) {
        self.readings_a_second.push(READINGS as f64 / began.elapsed().as_secs_f64());
        self.cpu_seconds_a_100_000.push(cpu_seconds / READINGS as f64 * 100_000.0);
    }
}

/// Readings a second, delay and cost.
pub fn measure(rounds: usize) -> Vec<Line> {
    let cluster = Cluster::start(0);
    // A broker each, or the gateway would hear the other one's messages.
    let (broker, mut other) = (Broker::start(Limits::Large), Broker::start(Limits::Large));
    let gateway = Gateway::named("bench").servers(cluster.addresses()).broker(broker.address());
    let mut gateway = gateway.commit("card").build();
    gateway.apply_schema();
    gateway.start();
    gateway.wait_log("connected to the source", DEADLINE);
    gateway.wait_log("connected to the broker", DEADLINE);
    let (mut ours, mut plain) = (Numbers::default(), Numbers::default());
    let (mut behind_ms, mut rss_mib) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        behind_ms.push(to_the_source(&gateway, &broker, round, &mut ours).as_secs_f64() * 1000.0);
        rss_mib.push(gateway.rss_bytes() as f64 / (1024.0 * 1024.0));
        to_nowhere(&mut other, round, &mut plain);
    }
    lines(ours, plain, behind_ms, rss_mib)
}

fn lines(ours: Numbers, plain: Numbers, behind_ms: Vec<f64>, rss_mib: Vec<f64>) -> Vec<Line> {
    let offered = MESSAGES_A_SECOND * CHANNELS as f64;
    let line = |what: String, fieldgate, limit: Option<Vec<f64>>| Line {
        what: format!("mqtt to committed: {what}"),
        fieldgate,
        limit: limit.map(|numbers| (numbers, "mosquitto_sub -q 1 to /dev/null")),
        target: None,
    };
    vec![
        line(format!("readings/s of {offered}"), ours.readings_a_second, Some(plain.readings_a_second)),
        // The subscriber is there before the node has ended, so there is nothing to compare with.
        line("ms behind the node".to_owned(), behind_ms, None),
        line("CPU s/100,000".to_owned(), ours.cpu_seconds_a_100_000, Some(plain.cpu_seconds_a_100_000)),
        line("MiB resident".to_owned(), rss_mib, None),
    ]
}

fn start_node(broker: &Broker, round: usize) -> Node {
    let node = Node::named(&format!("node-{round}")).rate(MESSAGES_A_SECOND).channels(CHANNELS);
    node.in_flight(100).count(MESSAGES).start(broker.address())
}

/// Also says how long after the end of the node, which waits for the broker's last acknowledgement, all was committed.
fn to_the_source(gateway: &Gateway, broker: &Broker, round: usize, numbers: &mut Numbers) -> Duration {
    let (delivered, cpu_seconds) = (gateway.delivered(), gateway.cpu_seconds());
    let began = Instant::now();
    start_node(broker, round).finish(DEADLINE);
    let published = Instant::now();
    wait_for("all readings in the source", DEADLINE, || gateway.delivered() >= delivered + READINGS);
    numbers.add(began, gateway.cpu_seconds() - cpu_seconds);
    published.elapsed()
}

fn to_nowhere(broker: &mut Broker, round: usize, numbers: &mut Numbers) {
    let mut subscriber = subscribe(broker, round);
    let began = Instant::now();
    start_node(broker, round).finish(DEADLINE);
    // The node has been waited for, the subscriber has not: what comes on top is the subscriber's.
    let cpu_seconds = cpu_seconds_of_ended_children();
    let status = subscriber.wait(DEADLINE);
    assert!(status.success(), "mosquitto_sub: {status}");
    numbers.add(began, cpu_seconds_of_ended_children() - cpu_seconds);
}

/// Ends after so many messages.
fn subscribe(broker: &mut Broker, round: usize) -> Process {
    let (id, topic) = (format!("plain-{round}"), "plants/+");
    let mut command = Command::new(installed_program("mosquitto_sub", "mosquitto-clients"));
    let (host, count) = (broker.address().ip().to_string(), MESSAGES.to_string());
    command.args(["-V", "mqttv5", "-h", &host, "-i", &id, "-q", "1", "-t", topic, "-C", &count]);
    let subscriber = Process::spawn("mosquitto_sub", &command, Path::new("/dev/null"));
    broker.wait_subscribed(&id, topic, DEADLINE);
    subscriber
}

/// User and system time of all processes that this one has started and waited for.
fn cpu_seconds_of_ended_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the kernel's word on this process");
    let (_, fields) = stat.rsplit_once(") ").expect("the stat line of a process");
    // `cutime` and `cstime`, the 16th and 17th field; the name before was the second.
    let ticks: u32 = fields.split(' ').skip(13).take(2).map(|ticks| ticks.parse::<u32>().expect("ticks")).sum();
    f64::from(ticks) / rustix::param::clock_ticks_per_second() as f64
}
