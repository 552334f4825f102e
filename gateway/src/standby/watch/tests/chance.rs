//! Whatever happens to two gateways and their links: afterwards one is active and the other one stands by.

use super::rig::{BUS, Gateway, Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::link::{LinkError, What};
use crate::standby::role::Role;
use proptest::prelude::*;
use std::time::Duration;

/// What can happen to one of the two.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Freeze,
    Thaw,
    Cut,
    Join,
    Down,
    Up,
}

const ALL: [Fault; 6] = [Fault::Freeze, Fault::Thaw, Fault::Cut, Fault::Join, Fault::Down, Fault::Up];

/// A fault, whether it happens to the first, and how long it is until the next.
type Step = (Fault, bool, u64);

fn steps(faults: &'static [Fault]) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((proptest::sample::select(faults), any::<bool>(), 1..6000_u64), 1..25)
}

/// A link that is down brings nothing.
fn happen(pair: &Pair, fault: Fault, to_first: bool) {
    let (gateway, way) = if to_first { (&pair.a, &pair.to_a) } else { (&pair.b, &pair.to_b) };
    match fault {
        Fault::Freeze => gateway.freeze(),
        Fault::Thaw => gateway.thaw(),
        Fault::Cut => way.cut(true),
        Fault::Join => way.cut(false),
        Fault::Down => {
            way.cut(true);
            gateway.tell(BUS, What::Down(LinkError::NotAMailbox));
        }
        Fault::Up => {
            way.cut(false);
            gateway.tell(BUS, What::Up);
        }
    }
}

fn may_ask(gateway: &Gateway) -> bool {
    gateway.lease().is_some_and(|lease_us| lease_us >= gateway.now_us())
}

/// Looks every twentieth of a second while time passes.
async fn watch(pair: &Pair, span_ms: u64, mut look: impl FnMut(&Pair)) {
    for _ in 0..span_ms.div_ceil(50) {
        after(Duration::from_millis(50)).await;
        look(pair);
    }
}

fn on_a_paused_clock(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future);
}

async fn heal(pair: &Pair) {
    for to_first in [true, false] {
        happen(pair, Fault::Thaw, to_first);
        after(BEAT).await;
        happen(pair, Fault::Up, to_first);
    }
    after(SILENCE * 3).await;
    let mut roles = [pair.roles().0, pair.roles().1];
    roles.sort();
    assert_eq!(roles, [Role::Standby, Role::Active]);
    let before = (pair.a.changes(), pair.b.changes());
    after(SILENCE * 10).await;
    assert_eq!((pair.a.changes(), pair.b.changes()), before, "and it stays so");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn when_all_is_well_again_one_is_active_and_it_stays_so(steps in steps(&ALL)) {
        on_a_paused_clock(async {
            let pair = Pair::start();
            after(BEAT / 20).await;
            for (fault, to_first, span_ms) in steps {
                happen(&pair, fault, to_first);
                after(Duration::from_millis(span_ms)).await;
            }
            heal(&pair).await;
        });
    }

    #[test]
    fn while_the_links_work_no_two_ask_one_bus_however_often_they_are_frozen(steps in steps(&ALL[..2])) {
        on_a_paused_clock(async {
            let pair = Pair::start();
            after(BEAT / 20).await;
            let never_both = |pair: &Pair| assert!(!(may_ask(&pair.a) && may_ask(&pair.b)));
            for (fault, to_first, span_ms) in steps {
                happen(&pair, fault, to_first);
                watch(&pair, span_ms, never_both).await;
            }
            heal(&pair).await;
        });
    }
}
