//! Serial nodes over pseudo-terminals: what they say, what is not understood, and ports that come and go.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod log;
mod ptys;

use config::{Channel, Column, LineFormat};
use fieldgate_sensors::turn::WAITING;
use fieldgate_sensors::{Content, Meter, NoData, Turn, Value};
use ptys::{Socket, listening, listening_in_turn, next, next_readings, settings};

fn channel(name: &str) -> Channel {
    Channel::new(name).unwrap()
}

#[tokio::test]
async fn json_lines_go_on_after_garbage_which_is_kept() {
    let socket = Socket::new();
    let mut node = socket.plug();
    let port = socket.port().display().to_string();
    let rest = listening(settings(&socket.port(), LineFormat::JsonLines), 100, async |arrivals| {
        node.opened().await;
        node.say("{\"seq\":1,\"t\":21.5}\r\n\r\n{\"se");
        let first = next_readings(arrivals).await;
        assert_eq!((first[0].node.as_str(), first[0].channel.as_str()), ("silo", "t"));
        assert_eq!((first[0].value.clone(), first[0].node_seq), (Ok(Value::Float(21.5)), Some(1)));
        node.say("q\":2,\"t\":22}\n\x00\u{fffd}{\"t\n{\"t\":23}\n");
        assert_eq!(next_readings(arrivals).await[0].node_seq, Some(2));
        let Content::DeadLetter(letter) = next(arrivals).await else { panic!("no dead letter") };
        assert_eq!((letter.origin, letter.bytes), (port, "\x00\u{fffd}{\"t".as_bytes().to_vec()));
        assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(23)));
        assert!(first[0].stamp.boottime_us > 0 && letter.stamp.boottime_us >= first[0].stamp.boottime_us);
    })
    .await;
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn fields_and_numbers_are_read_from_the_first_whole_line_on() {
    let columns = vec![Column::Sequence, Column::Channel(channel("a")), Column::Channel(channel("b"))];
    let socket = Socket::new();
    let mut node = socket.plug();
    let csv = LineFormat::Csv { columns, delimiter: b';' };
    let rest = listening(settings(&socket.port(), csv), 100, async |arrivals| {
        node.opened().await;
        node.say("7;1;2\n8;3;\n9;open;true\n");
        let readings = next_readings(arrivals).await;
        assert_eq!((readings[0].node_seq, readings[0].value.clone()), (Some(8), Ok(Value::Int(3))));
        assert_eq!((readings[1].channel.as_str(), readings[1].value.clone()), ("b", Err(NoData::Absent)));
        let readings = next_readings(arrivals).await;
        assert_eq!(readings[0].value, Ok(Value::Text("open".to_owned())));
        assert_eq!(readings[1].value, Ok(Value::Bool(true)));
    })
    .await;
    assert!(rest.is_empty(), "{rest:?}");
    let socket = Socket::new();
    let mut node = socket.plug();
    let number = LineFormat::Number { channel: channel("level") };
    listening(settings(&socket.port(), number), 100, async |arrivals| {
        node.opened().await;
        node.say("1.5\r\n21.5\r\n");
        let readings = next_readings(arrivals).await;
        assert_eq!((readings[0].channel.as_str(), readings[0].value.clone()), ("level", Ok(Value::Float(21.5))));
    })
    .await;
}

#[tokio::test]
async fn a_line_without_end_is_told_and_the_next_one_is_heard() {
    let socket = Socket::new();
    let mut node = socket.plug();
    listening(settings(&socket.port(), LineFormat::JsonLines), 100, async |arrivals| {
        node.opened().await;
        node.say([b'x'; 3000]);
        let Content::DeadLetter(letter) = next(arrivals).await else { panic!("no dead letter") };
        assert_eq!((letter.length, letter.bytes), (65, vec![b'x'; 65]));
        assert!(letter.reason.contains("more than 64 bytes; raise max_frame"), "{}", letter.reason);
        node.say("x\n{\"t\":1}\n");
        assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(1)));
    })
    .await;
}

#[tokio::test]
async fn an_unplugged_port_is_heard_again_and_the_time_between_is_a_gap() {
    let socket = Socket::new();
    let mut node = socket.plug();
    listening(settings(&socket.port(), LineFormat::JsonLines), 100, async |arrivals| {
        node.opened().await;
        node.say("{\"t\":1}\n{\"t\":");
        let last = next_readings(arrivals).await[0].stamp.wall_us;
        drop(node);
        let mut again = socket.plug();
        again.opened().await;
        again.say("{\"t\":2}\n");
        let Content::Gap(gap) = next(arrivals).await else { panic!("no gap") };
        assert_eq!((gap.node.unwrap().as_str(), gap.reason.as_str(), gap.count), ("silo", "the port was gone", None));
        let second = next_readings(arrivals).await;
        assert_eq!(second[0].value, Ok(Value::Int(2)), "half a line of before is not joined to it");
        assert!(
            gap.from_us.unwrap() >= last && gap.to_us > gap.from_us && gap.to_us.unwrap() <= second[0].stamp.wall_us
        );
    })
    .await;
}

#[tokio::test]
async fn a_port_that_is_missing_at_the_start_is_told_once_and_heard_when_it_comes() {
    let socket = Socket::new();
    let logged = |words| log::lines(&socket.port(), words);
    listening(settings(&socket.port(), LineFormat::JsonLines), 100, async |arrivals| {
        assert_eq!(logged("is not there; waiting for it"), 1);
        let mut node = socket.plug();
        node.opened().await;
        node.say("{\"t\":1}\n");
        let Content::Gap(gap) = next(arrivals).await else { panic!("no gap") };
        assert_eq!(gap.reason, "the port could not be opened");
        assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(1)));
    })
    .await;
    assert_eq!((logged("is not there; waiting for it"), logged("listening to")), (1, 1));
}

#[tokio::test]
async fn a_port_in_use_is_taken_when_it_becomes_free() {
    let socket = Socket::new();
    let logged = |words| log::lines(&socket.port(), words);
    let mut node = socket.plug();
    let settings = || settings(&socket.port(), LineFormat::JsonLines);
    let (free, freed) = tokio::sync::oneshot::channel();
    let first = listening(settings(), 100, async |_| freed.await.unwrap());
    let second = async {
        node.opened().await;
        listening(settings(), 100, async |arrivals| {
            assert_eq!((logged("is in use by another process"), logged("listening to")), (1, 1));
            free.send(()).unwrap();
            let Content::Gap(gap) = next(arrivals).await else { panic!("no gap") };
            assert_eq!(gap.reason, "the port could not be opened");
            node.say("{\"t\":1}\n");
            assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(1)));
        })
        .await;
    };
    let (of_the_first, ()) = tokio::join!(first, second);
    assert!(of_the_first.is_empty(), "{of_the_first:?}");
    assert_eq!((logged("is in use by another process"), logged("listening to")), (1, 2));
}

/// Returns when the source says that it is connected, or that it is not.
async fn shows(meter: &Meter, connected: bool) {
    let patience = std::time::Duration::from_secs(8);
    let shown = async {
        while meter.state().connected != connected {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(patience, shown).await.is_ok(), "{:?}", meter.state());
}

#[tokio::test]
async fn a_port_of_one_gateway_at_a_time_is_open_in_our_turn_only_and_nothing_is_missing_between() {
    let socket = Socket::new();
    let mut node = socket.plug();
    let turn = Turn::new();
    let json = settings(&socket.port(), LineFormat::JsonLines);
    let rest = listening_in_turn(json, 100, turn.clone(), async |arrivals, meter| {
        let state = meter.state();
        assert_eq!((state.connected, state.trouble.as_deref()), (false, Some(WAITING)));
        turn.grant_until(u64::MAX);
        shows(meter, true).await;
        node.say("{\"t\":1}\n{\"t\":");
        assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(1)));
        turn.withdraw();
        shows(meter, false).await;
        // Somebody else can open it now, and what is said meanwhile is not ours.
        let other = settings(&socket.port(), LineFormat::JsonLines);
        let heard = listening(other, 100, async |arrivals| {
            node.say("{\"t\":2}\n");
            assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(2)));
        });
        assert!(heard.await.is_empty());
        turn.grant_until(u64::MAX);
        shows(meter, true).await;
        node.say("{\"t\":3}\n");
        assert_eq!(next_readings(arrivals).await[0].value, Ok(Value::Int(3)), "half a line of before is dropped");
    })
    .await;
    assert!(rest.is_empty(), "no gap, no dead letter: {rest:?}");
}

#[tokio::test]
async fn a_gap_of_a_port_that_is_gone_ends_with_the_turn() {
    let socket = Socket::new();
    let mut node = socket.plug();
    let turn = Turn::new();
    turn.grant_until(u64::MAX);
    let json = settings(&socket.port(), LineFormat::JsonLines);
    let rest = listening_in_turn(json, 100, turn.clone(), async |arrivals, meter| {
        shows(meter, true).await;
        node.say("{\"t\":1}\n");
        next_readings(arrivals).await;
        drop(node);
        shows(meter, false).await;
        turn.withdraw();
        let Content::Gap(gap) = next(arrivals).await else { panic!("no gap") };
        assert_eq!(gap.reason, "the port was gone");
        let mut again = socket.plug();
        turn.grant_until(u64::MAX);
        shows(meter, true).await;
        again.say("{\"t\":2}\n");
        let readings = next_readings(arrivals).await;
        assert_eq!(readings[0].value, Ok(Value::Int(2)));
        assert!(gap.to_us.unwrap() < readings[0].stamp.wall_us);
    })
    .await;
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn without_room_every_line_is_a_reading_or_counted() {
    const LINES: u64 = 100;
    let socket = Socket::new();
    let mut node = socket.plug();
    listening(settings(&socket.port(), LineFormat::JsonLines), 1, async |arrivals| {
        node.opened().await;
        node.say("{\"t\":1}\n".repeat(100));
        let (mut heard, mut counted) = (0, 0);
        while heard + counted < LINES {
            match next(arrivals).await {
                Content::Readings(_) => heard += 1,
                Content::Gap(gap) => {
                    assert_eq!(gap.reason, "no room in the gateway");
                    counted += gap.count.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(heard + counted, LINES);
        assert!(counted > 0);
    })
    .await;
}
