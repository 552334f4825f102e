//! Brings the queue into the database, exactly once, whatever breaks.
//!
//! The database holds the only cursor, in the transaction of the rows, and every connection begins by asking for it. So
//! every connection is a failover, and a failover is no special case here: a server that lacks readings shows an older cursor
//! and gets them again.

mod ahead;
mod aside;
pub mod backlog;
mod elsewhere;
mod ended;
mod farewell;
pub mod group;
mod heartbeat;
mod latency;
mod letters;
mod live;
mod looks;
pub mod members;
mod missing;
mod pace;
pub mod plan;
mod rate;
mod refused;
pub mod routes;
pub mod rows;
mod settings;
mod source;
mod telling;
mod throttle;
mod turn;
pub mod twin;
pub mod write;

pub use ended::DrainError;
pub use live::Live;
pub use looks::Looks;
pub use settings::Settings;
pub use throttle::Throttle;

use crate::database::Class;
use crate::memory::Memory;
use crate::origin::Origins;
use crate::pulse::Pulse;
use crate::standby::verdict::EDGE_US;
use crate::status::{DrainState, IntakeState};
use crate::topology::leave::may_leave;
use crate::topology::{Choice, View, choose};
use ahead::Ahead;
use backlog::Backlog;
use elsewhere::leads_elsewhere;
use ended::Ended;
use farewell::Farewell;
use group::{Durable, Group};
use heartbeat::LastBeat;
use letters::Letters;
use pace::Pace;
use queue::StreamId;
pub use refused::Refusals;
use sensors::SampleClock;
use source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
pub use telling::ToldRefused;
use tokio::sync::{Notify, watch};
use tracing::info;
use turn::Turn;

/// How often the file of what is remembered of the servers is written while all is well.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// The loop turns at least this often, with work or without.
const TURN: Duration = Duration::from_secs(2);

/// While what is next may still come from the other gateway, how often to look.
const WAITS: Duration = Duration::from_secs(1);

/// Per stream, the last number that may leave the queue.
pub type Leave = Arc<BTreeMap<StreamId, u64>>;

/// The drain.
pub struct Drain {
    /// Who and where.
    pub settings: Settings,
    /// The queue.
    pub backlog: Backlog,
    /// Which stream goes first.
    pub live: Live,
    /// How fast it may be.
    pub throttle: Throttle,
    /// What the servers said.
    pub views: watch::Receiver<Vec<View>>,
    /// Lets the servers be asked at once.
    pub look: Arc<Notify>,
    /// Changes whenever something became durable.
    pub durable: watch::Receiver<IntakeState>,
    /// Tells the queue's writer what may leave.
    pub leave: watch::Sender<Leave>,
    /// What is remembered of the servers.
    pub memory: Memory,
    /// Which gateway made what is in the queue.
    pub origins: watch::Receiver<Arc<Origins>>,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// Tells how far each stream is known to be in a source.
    pub delivered: watch::Sender<BTreeMap<StreamId, u64>>,
    /// Tells people how it is getting on.
    pub state: watch::Sender<DrainState>,
    /// Beats at every turn.
    pub pulse: Pulse,
    /// True: finish the batch and end.
    pub stop: watch::Receiver<bool>,
    /// The choice that was told last.
    pub told: Choice,
    /// Whose turn it is, where this gateway is one of two.
    pub group: Option<Group>,
    /// Without that: decides about what was collected by one of two.
    pub former: Option<Group>,
    /// What the source has refused.
    pub refusals: Refusals,
    /// What was said of it.
    pub told_refused: ToldRefused,
    /// What is known of other machines of this site.
    pub looks: Looks,
}

/// A source holds what it has stamped for a moment before it hands it over.
fn heard_through_us(durable_through_us: i64) -> Option<i64> {
    (durable_through_us > 0).then(|| durable_through_us.saturating_sub(EDGE_US))
}

impl Drain {
    /// Runs until told to stop. What is left stays in the queue.
    ///
    /// # Errors
    /// Only what cannot be mended by trying again: the queue or the state folder cannot be used.
    pub async fn run(mut self) -> Result<(), DrainError> {
        let mut pace = Pace::new();
        while !*self.stop.borrow() {
            self.pulse.beat();
            let choice = self.choose();
            // Of several that take writes, the one that answers first is not the one to write to.
            if self.views.borrow().iter().any(View::is_unasked) {
                self.pause(None).await;
                continue;
            }
            if choice.source != self.told.source {
                pace.start_again();
            }
            if self.tell(&choice) {
                pace.backoff.reset();
            }
            let Some(index) = choice.source else {
                self.pause(None).await;
                continue;
            };
            match self.serve(index, &mut pace).await {
                Ended::Moved | Ended::GivenUp => {}
                Ended::Final(error) => return Err(error),
                Ended::Database(error) => {
                    // What has just been seen the probes would see a period later.
                    if matches!(error.class, Class::Away | Class::NotSource) {
                        self.look.notify_waiters();
                    }
                    self.memory.save()?;
                    self.state.send_modify(|state| state.trouble = Some(error.to_string()));
                    pace.tell_trouble(error);
                    self.pause(Some(pace.backoff.delay())).await;
                }
            }
        }
        self.memory.save()?;
        Ok(())
    }

    fn choose(&mut self) -> Choice {
        let views = self.views.borrow_and_update();
        self.memory.servers.see_terms(&views);
        let highest_term = self.memory.servers.highest_term;
        self.state.send_if_modified(|state| std::mem::replace(&mut state.highest_term, highest_term) != highest_term);
        choose(&views, highest_term)
    }

    /// Waits until a server says something new, we are told to stop, or `most` has passed.
    async fn pause(&mut self, most: Option<Duration>) {
        tokio::select! {
            _ = self.views.changed(), if most.is_none() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(most.unwrap_or(TURN)) => {}
        }
    }

    /// Writes to one server until something changes.
    async fn serve(&mut self, index: usize, pace: &mut Pace) -> Ended {
        let ended = self.serve_while_it_is_the_source(index, pace).await;
        if let Some(group) = &self.group {
            group.lost();
        }
        ended
    }

    async fn serve_while_it_is_the_source(&mut self, index: usize, pace: &mut Pace) -> Ended {
        match self.connect(index, pace).await {
            Ok(mut source) => {
                let ended = self.write_all(index, &mut source, pace).await;
                if matches!(ended, Ended::Moved) {
                    source.close().await;
                }
                ended
            }
            Err(ended) => ended,
        }
    }

    async fn connect(&mut self, index: usize, pace: &Pace) -> Result<Source, Ended> {
        let Some(server) = self.settings.servers.get(index).cloned() else { return Err(Ended::Moved) };
        // Taken before the source's own cursors are read, so that a replica can be ahead only if the source forgot.
        let views = self.views.borrow().clone();
        let mut source = Source::open(&server, &self.settings, &views, index).await?;
        let raised = source.confirm_term(&self.settings, self.memory.servers.highest_term, self.now_us()).await?;
        self.tell_term(&source, raised);
        self.memory.servers.highest_term = raised.max(self.memory.servers.highest_term);
        self.memory.save()?;
        let origins = Arc::clone(&self.origins.borrow());
        source.locate(&self.settings, &origins, &self.backlog.streams(), self.now_us()).await?;
        source.refuse_if_behind(&views, index)?;
        if let Some(group) = &self.group {
            source.join(group).await?;
        }
        self.backlog.note_cursors(&source)?;
        self.begin_live(&mut source).await?;
        let behind = source.expect_again(|stream| self.memory.delivered(stream));
        for (stream, cursor) in source.cursors() {
            self.see_delivered(stream, cursor);
        }
        if pace.is_well() {
            info!(server = %server, term = raised, sent_again_up_to = behind, "connected to the source");
        }
        Ok(source)
    }

    /// Shows a new connection: its term, and that it began with a failover: one that we adopted, or another gateway.
    fn tell_term(&self, source: &Source, term: u64) {
        self.state.send_modify(|state| {
            if source.is_failover() || state.term.is_some_and(|before| term > before) {
                state.failover = Some(format!("{} is the source in term {term}", source.name()));
            }
            state.term = Some(term);
            state.heartbeats.begin_again();
        });
    }

    async fn write_all(&mut self, index: usize, source: &mut Source, pace: &mut Pace) -> Ended {
        let mut saved_at = tokio::time::Instant::now();
        let mut letters = Letters::default();
        let mut last_beat = LastBeat::default();
        let mut ahead = Ahead::default();
        self.looks.begin_again();
        let mut farewell = Farewell::default();
        loop {
            self.pulse.beat();
            // Taken before the queue is looked at: what becomes durable afterwards is later.
            let heard_through_us = heard_through_us(self.durable.borrow_and_update().heard_through_us);
            self.note_durable(heard_through_us);
            let turn = self.write_next(index, source, &mut ahead).await;
            let is_done = matches!(turn, Ok(Turn::Idle));
            match turn {
                Ok(Turn::Wrote { set_aside }) => {
                    pace.went_well();
                    last_beat = LastBeat::now();
                    letters.look_soon_if(set_aside);
                }
                Ok(Turn::Refused) => {}
                Ok(Turn::Waits) => {
                    if let Err(ended) = self.beat(index, source, &mut last_beat, None).await {
                        return ended;
                    }
                    self.idle(WAITS).await;
                }
                Ok(Turn::Idle) => {
                    self.state.send_if_modified(|state| state.trouble.take().is_some());
                    if let Err(ended) = self.say_what_is_new(source, &mut letters).await {
                        return ended;
                    }
                    if let Err(ended) = self.beat(index, source, &mut last_beat, heard_through_us).await {
                        return ended;
                    }
                    self.idle(TURN).await;
                }
                Err(ended) => return ended,
            }
            self.publish_leave(index, source);
            if let Err(ended) = self.look_around(index, source).await {
                return ended;
            }
            if saved_at.elapsed() >= SAVE_EVERY {
                saved_at = tokio::time::Instant::now();
                if let Err(error) = self.memory.save() {
                    return error.into();
                }
            }
            let choice = self.choose();
            // An imported stream is located like all others: on a new connection.
            let is_elsewhere = leads_elsewhere(&self.views.borrow(), &choice, index, source.identity());
            let may_end = farewell.may_end(*self.stop.borrow(), self.group.is_some(), is_done);
            if may_end || is_elsewhere || self.has_new_stream(source) {
                return Ended::Moved;
            }
            self.tell_strays(&choice);
            self.show(&choice);
        }
    }

    fn note_durable(&mut self, through_us: Option<i64>) {
        let Some(group) = &mut self.group else { return };
        let stream = self.backlog.reader.current();
        let last = self.backlog.reader.spans().iter().find(|span| span.stream == stream).map(|span| span.last);
        group.note_durable(through_us.zip(last).map(|(through_us, last)| Durable { through_us, stream, last }));
    }

    fn has_new_stream(&self, source: &Source) -> bool {
        let origins = self.origins.borrow();
        self.backlog.streams().iter().any(|stream| !source.is_located(*stream, origins.gateway_of(*stream)))
    }

    /// Waits until there may be something to do, `most` at most.
    async fn idle(&mut self, most: Duration) {
        let turns = self.group.as_ref().map(Group::changed);
        let is_stopping = *self.stop.borrow();
        tokio::select! {
            () = async { match turns { Some(changed) => changed.await, None => std::future::pending().await } } => {}
            _ = self.durable.changed() => {}
            _ = self.views.changed() => {}
            _ = self.stop.wait_for(|stop| *stop), if !is_stopping => {}
            () = tokio::time::sleep(most) => {}
        }
    }

    /// With nothing else to do: what was sent again, and which dead letters there are.
    async fn say_what_is_new(&mut self, source: &mut Source, letters: &mut Letters) -> Result<(), Ended> {
        self.announce_again(source).await?;
        if let Some(found) = letters.look(source, &self.settings).await? {
            self.state.send_if_modified(|state| {
                let is_new = state.dead_letters.as_ref() != Some(&found);
                state.dead_letters = Some(found);
                is_new
            });
        }
        Ok(())
    }

    /// All that the source lacked has been sent again: say how much, in the log and in the database.
    async fn announce_again(&mut self, source: &mut Source) -> Result<(), Ended> {
        source.expect_again(|_| 0);
        let count = self.memory.servers.sent_again;
        if count > 0 {
            let text = format!("sent again after failover: {count}");
            info!(server = source.name(), "{text}");
            source.event(&self.settings, "sent again", &text, Some(count), self.now_us()).await?;
            self.memory.servers.sent_again = 0;
            self.memory.save()?;
        }
        Ok(())
    }

    fn publish_leave(&mut self, index: usize, source: &Source) {
        let views = self.views.borrow();
        let leave: BTreeMap<StreamId, u64> = source
            .cursors()
            .map(|(stream, cursor)| {
                (stream, may_leave(stream.as_u64(), cursor, index, &views, self.settings.keep_until))
            })
            .collect();
        drop(views);
        for stream in self.backlog.forget_surplus(&leave) {
            self.memory.forget(stream);
        }
        self.leave.send_if_modified(|before| {
            let changed = **before != leave;
            if changed {
                *before = Arc::new(leave);
            }
            changed
        });
    }

    fn see_delivered(&mut self, stream: StreamId, seq: u64) {
        self.memory.see_delivered(stream, seq);
        self.delivered.send_modify(|delivered| {
            delivered.insert(stream, seq);
        });
    }

    fn now_us(&self) -> i64 {
        self.clock.stamp().wall_us
    }
}
