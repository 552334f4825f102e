//! What the gateways hear of the nodes, and what stops them from hearing.

use super::world::{Life, Queued, SILENCE_US, World};
use gateway::standby::role::Role;
use gateway::standby::span::Break;
use gateway::standby::verdict::EDGE_US;

impl World {
    /// A node publishes. Who hears it has it on its card at once.
    pub fn publish(&mut self) -> bool {
        let reading = u8::try_from(self.heard.len()).unwrap();
        self.heard.push([false; 2]);
        for gateway in 0..2 {
            let own = &self.gateways[gateway];
            if own.life == Life::Runs && own.hears {
                self.queue(gateway, reading);
            } else if self.site.is_kept || own.life == Life::Frozen && own.hears {
                // A kernel keeps what a frozen process does not read; of a wire not for long.
                self.gateways[gateway].kept.push(reading);
            }
        }
        true
    }

    fn queue(&mut self, gateway: usize, reading: u8) {
        let at_us = self.clock_us(gateway);
        self.heard[usize::from(reading)][gateway] = true;
        let own = &mut self.gateways[gateway];
        (own.last_number, own.durable_us) = (own.last_number + 1, at_us);
        own.queue.push(Queued { number: own.last_number, stream: own.stream, reading, at_us });
    }

    /// Its source is lost.
    pub fn go_deaf(&mut self, gateway: usize) -> bool {
        let at_us = self.clock_us(gateway);
        let own = &mut self.gateways[gateway];
        let can = own.runs() && own.hears;
        if can {
            (own.hears, own.deaf_us) = (false, at_us);
        }
        can
    }

    /// Its source is heard again, and the broker gives what it has kept.
    pub fn hear_again(&mut self, gateway: usize) -> bool {
        let (at_us, is_resumed) = (self.clock_us(gateway), self.site.is_kept);
        let own = &mut self.gateways[gateway];
        // A break takes some time.
        if !own.runs() || own.hears || own.deaf_us >= at_us {
            return false;
        }
        own.hears = true;
        own.breaks.push((own.stream, Break { from_us: own.deaf_us, to_us: at_us, is_resumed }));
        self.queue_kept(gateway);
        true
    }

    /// It is killed, or its power fails.
    pub fn die(&mut self, gateway: usize) -> bool {
        let (at_us, is_kept) = (self.clock_us(gateway), self.site.is_kept);
        let own = &mut self.gateways[gateway];
        if own.life == Life::Dead {
            return false;
        }
        // After the start it is known only until when something came.
        (own.hears, own.deaf_us) = (false, own.durable_us);
        if !is_kept {
            own.kept.clear();
        }
        (own.life, own.halted_us, own.stood_still) = (Life::Dead, at_us, false);
        true
    }

    /// It dies, and its card with it.
    pub fn lose_card(&mut self, gateway: usize) -> bool {
        self.die(gateway);
        self.heard.iter_mut().for_each(|by| by[gateway] = false);
        let own = &mut self.gateways[gateway];
        own.queue.clear();
        own.breaks.clear();
        // Nobody knows any more since when it has heard nothing.
        (own.deaf_us, own.durable_us, own.seen_term, own.drained_us) = (0, 0, 0, 0);
        true
    }

    /// It starts, with a new stream.
    pub fn start(&mut self, gateway: usize) -> bool {
        let now_us = self.now_us;
        let own = &mut self.gateways[gateway];
        let can = own.life == Life::Dead;
        if can {
            (own.life, own.role, own.beat_us, own.heard) = (Life::Runs, Role::Starting, now_us, None);
            (own.term, own.has_claimed) = (0, false);
            own.taken.clear();
            own.stream += 1;
        }
        can
    }

    pub fn freeze(&mut self, gateway: usize) -> bool {
        let at_us = self.clock_us(gateway);
        let own = &mut self.gateways[gateway];
        let can = own.runs();
        if can {
            (own.life, own.halted_us) = (Life::Frozen, at_us);
        }
        can
    }

    /// It goes on, and reads what was kept for it. Its source sees that it stood still when that was for so long that the two
    /// could hear the same thing further apart than they ever should.
    pub fn thaw(&mut self, gateway: usize) -> bool {
        let (at_us, is_resumed, ahead_us) = (self.clock_us(gateway), self.site.is_kept, self.site.ahead_us);
        let own = &mut self.gateways[gateway];
        if own.life != Life::Frozen {
            return false;
        }
        own.life = Life::Runs;
        own.stood_still |= at_us - own.halted_us >= SILENCE_US;
        if own.hears && at_us - own.halted_us > EDGE_US - ahead_us {
            own.breaks.push((own.stream, Break { from_us: own.halted_us, to_us: at_us, is_resumed }));
            if !is_resumed {
                own.kept.clear();
            }
        }
        if own.hears {
            self.queue_kept(gateway);
        }
        true
    }

    fn queue_kept(&mut self, gateway: usize) {
        for reading in std::mem::take(&mut self.gateways[gateway].kept) {
            self.queue(gateway, reading);
        }
    }
}
