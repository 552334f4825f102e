//! The MQTT library, behind three small types. This file and its test twin are the only ones that name it.

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode::{BadUserNamePassword, NotAuthorized};
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Filter, Packet, PubAckReason, Publish, RetainForwardRule};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{NetworkOptions, Outgoing};

/// The half that sends: subscriptions and acknowledgements.
pub struct Client(AsyncClient);

/// The half that hears.
pub struct Connection(EventLoop);

/// One message.
#[derive(Debug)]
pub struct Message {
    /// The topic, as sent.
    pub topic: Bytes,
    /// The payload.
    pub payload: Bytes,
    /// The packet id; none for QoS 0.
    pub packet: Option<u16>,
    /// The broker says that it may have sent this before.
    pub dup: bool,
    /// The broker kept this from earlier: not a new reading.
    pub retained: bool,
}

/// What a connection says.
#[derive(Debug)]
pub enum Heard {
    /// Connected, with or without the session of before.
    Connected { session_present: bool },
    /// A message.
    Message(Message),
    /// The broker took every subscription.
    Subscribed,
    /// The broker refused one or more subscriptions.
    SubscriptionRefused(String),
    /// The broker has what was published; if it refused it, why.
    Published(Result<(), String>),
    /// The PUBACK with this packet id was written.
    Acknowledged(u16),
    /// A PINGREQ was written.
    PingSent,
    /// The broker answered it.
    PingAnswered,
    /// Our goodbye was written, and with it everything that was asked for before.
    Disconnected,
    /// Nothing of interest.
    Nothing,
}

/// Room for requests on their way to the connection.
const REQUESTS: usize = 4096;

/// Prepares a connection; nothing is sent before [`Connection::hear`].
pub fn open(settings: &config::Mqtt, password: Option<&str>) -> (Client, Connection) {
    let mut options = options(settings, &settings.client_id, password);
    options.set_clean_start(false).set_manual_acks(true);
    options.set_connect_properties(ConnectProperties {
        session_expiry_interval: u32::try_from(super::SESSION_EXPIRY.as_secs()).ok(),
        receive_maximum: Some(super::RECEIVE_MAXIMUM),
        max_packet_size: Some(super::MAX_PACKET_BYTES),
        ..ConnectProperties::new()
    });
    connect_with(options)
}

/// Prepares a connection to publish over, under a name of its own and without a session that stays.
pub fn open_publisher(settings: &config::Mqtt, client_id: &str, password: Option<&str>) -> (Client, Connection) {
    let mut options = options(settings, client_id, password);
    options.set_clean_start(true);
    connect_with(options)
}

fn options(settings: &config::Mqtt, client_id: &str, password: Option<&str>) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, &settings.broker.host, settings.broker.port);
    options.set_keep_alive(super::KEEP_ALIVE).set_connection_timeout(5);
    if let Some(user) = &settings.user {
        options.set_credentials(user, password.unwrap_or_default());
    }
    options
}

fn connect_with(options: MqttOptions) -> (Client, Connection) {
    let (client, mut connection) = AsyncClient::new(options, REQUESTS);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    connection.options.set_network_options(network);
    (Client(client), Connection(connection))
}

impl Connection {
    /// The next thing that happens; connects when there is no connection. Must not be cancelled.
    ///
    /// # Errors
    /// The connection broke or could not be made; the text says why.
    pub async fn hear(&mut self) -> Result<Heard, String> {
        match self.0.poll().await {
            Ok(event) => Ok(understand(event)),
            Err(error) => {
                // The library cleans up after most errors, but not after a refused handshake.
                self.0.clean();
                Err(words(&error))
            }
        }
    }
}

/// What the library says, and what to do where the operator can do something.
fn words(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code @ (BadUserNamePassword | NotAuthorized)) => {
            format!("the broker does not let us in ({code:?}); check user and password_file of this [[mqtt]] entry")
        }
        other => other.to_string(),
    }
}

fn understand(event: Event) -> Heard {
    match event {
        Event::Incoming(Packet::ConnAck(ack)) => Heard::Connected { session_present: ack.session_present },
        Event::Incoming(Packet::Publish(publish)) => Heard::Message(message(publish)),
        Event::Incoming(Packet::SubAck(ack)) => {
            use rumqttc::v5::mqttbytes::v5::SubscribeReasonCode::Success;
            match ack.return_codes.iter().find(|code| !matches!(code, Success(_))) {
                Some(refused) => Heard::SubscriptionRefused(format!("{refused:?}")),
                None => Heard::Subscribed,
            }
        }
        Event::Incoming(Packet::PubAck(ack)) => Heard::Published(match ack.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
            refused => Err(format!("{refused:?}")),
        }),
        Event::Incoming(Packet::PingResp(_)) => Heard::PingAnswered,
        Event::Outgoing(Outgoing::PubAck(packet)) => Heard::Acknowledged(packet),
        Event::Outgoing(Outgoing::PingReq) => Heard::PingSent,
        Event::Outgoing(Outgoing::Disconnect) => Heard::Disconnected,
        _ => Heard::Nothing,
    }
}

fn message(publish: Publish) -> Message {
    Message {
        topic: publish.topic,
        payload: publish.payload,
        packet: (publish.qos != QoS::AtMostOnce).then_some(publish.pkid),
        dup: publish.dup,
        retained: publish.retain,
    }
}

impl Client {
    /// Asks for the patterns of `settings`, with QoS 1 and without the messages the broker has retained.
    /// False when the request queue is full.
    pub fn subscribe(&self, settings: &config::Mqtt) -> bool {
        let filters = settings.topics.iter().map(|pattern| Filter {
            retain_forward_rule: RetainForwardRule::Never,
            ..Filter::new(pattern.filter(), QoS::AtLeastOnce)
        });
        self.0.try_subscribe_many(filters).is_ok()
    }

    /// Queues a PUBACK; false when the request queue is full.
    pub fn acknowledge(&self, packet: u16) -> bool {
        let mut publish = Publish::new("", QoS::AtLeastOnce, Bytes::new(), None);
        publish.pkid = packet;
        self.0.try_ack(&publish).is_ok()
    }

    /// Queues a message with QoS 1; false when the request queue is full.
    pub fn publish(&self, topic: &str, payload: Vec<u8>) -> bool {
        self.0.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
    }

    /// Asks for a clean end of the connection; the session stays at the broker.
    pub fn disconnect(&self) -> bool {
        self.0.try_disconnect().is_ok()
    }
}
