//! A gateway of two, as the drain sees it: in each transaction the row of its group is locked, and what the other gateway has
//! brought decides what becomes of everything that both may have heard.
//!
//! All of it comes from the database, in the transaction that writes: whose turn it is, how far the other one has come, and
//! its rows. So two gateways that are both active for a while are put in line by the lock, and the second one sees what the first one wrote.

mod alike;
mod listening;
mod part;
mod rows;

pub use listening::{Clocks, Listening, Sources};
pub use part::{Judgement, Part};
pub use rows::leave_out;
pub(super) use rows::{Rows, Twin};

use super::plan::Batch;
use crate::database::{DbError, Session};
use crate::standby::claim::{ClaimStep, Claimant, Holder, claim_step};
use crate::standby::span::{BROKERS, OwnSpans};
use alike::Taken;
use part::Question;
use queue::StreamId;
use sensors::Meter;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Whether it is this gateway's turn, as its links and its role say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duty {
    /// It is active.
    pub is_active: bool,
    /// The term it acts in, or the highest it has seen.
    pub term: u64,
    /// What is known of the other gateway's clock.
    pub clocks: Clocks,
}

/// What the database says of the group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRow {
    /// Who holds the newest term; none before the first claim.
    pub holder: Option<Holder>,
    /// When the holder last wrote, by its own clock, microseconds since 1970.
    pub moved_us: Option<i64>,
}

/// Where the role comes from, and who is told what the database says.
pub trait Turns: Send + Sync {
    /// What the role says now.
    fn duty(&self) -> Duty;
    /// What the row of the group says now.
    fn tell(&self, row: &GroupRow);
    /// The database does not answer any more.
    fn lost(&self);
    /// What this gateway heard until this time (microseconds since 1970) is dealt with.
    fn reached(&self, through_us: i64);
    /// The turn of another gateway is over, as the database says now. Until when that one brought what it read, by source.
    fn took_over(&self, from: &str, positions: BTreeMap<String, i64>);
}

/// That of a gateway which is not one of two: never its own, and nobody asks.
struct NoTurn;

impl Turns for NoTurn {
    fn duty(&self) -> Duty {
        Duty::default()
    }

    fn tell(&self, _row: &GroupRow) {}

    fn lost(&self) {}

    fn reached(&self, _through_us: i64) {}

    fn took_over(&self, _from: &str, _positions: BTreeMap<String, i64>) {}
}

/// What lasts over connections.
pub struct Group {
    site: String,
    gateway: String,
    turns: Box<dyn Turns>,
    listening: Arc<Mutex<Listening>>,
    meters: Vec<Meter>,
    /// The term in which it has stood in the row since it became active.
    claimed: Option<u64>,
    /// The same by a transaction that is not committed yet.
    pending: Option<u64>,
    /// In that transaction the turn of this gateway ended, with how far it came.
    taken: Option<(String, BTreeMap<String, i64>)>,
    changed: Arc<Notify>,
    durable: Option<Durable>,
    alike: Taken,
    /// It is not one of two any more.
    is_former: bool,
}

/// Everything that was heard until this time is in the queue, in this stream up to this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Durable {
    /// Microseconds since 1970.
    pub through_us: i64,
    /// The running stream.
    pub stream: StreamId,
    /// Its last number at that time, or later.
    pub last: u64,
}

impl Group {
    /// Of a gateway of this site with these sources; `changed` tells when the role may have.
    pub fn new(
        (site, gateway): (&str, &str),
        turns: Box<dyn Turns>,
        (listening, meters): (Arc<Mutex<Listening>>, Vec<Meter>),
        changed: Arc<Notify>,
    ) -> Self {
        let (site, gateway) = (site.to_owned(), gateway.to_owned());
        let (claimed, pending, taken, durable) = (None, None, None, None);
        let (alike, is_former) = (Taken::default(), false);
        Self { site, gateway, turns, listening, meters, claimed, pending, taken, changed, durable, alike, is_former }
    }

    /// Of a gateway without `[standby]`, for what it collected while it was one of two, or has imported from such a one.
    pub fn former(names: (&str, &str), listening: Listening) -> Self {
        let listening = (Arc::new(Mutex::new(listening)), Vec::new());
        let group = Self::new(names, Box::new(NoTurn), listening, Arc::new(Notify::new()));
        Self { is_former: true, ..group }
    }

    fn rows<'s>(&'s self, session: &'s mut Session) -> Rows<'s> {
        self.rows_of(session, &self.gateway)
    }

    /// What there is of the gateways other than the one that made a stream: that of an imported stream is not this one.
    fn rows_of<'s>(&'s self, session: &'s mut Session, maker: &'s str) -> Rows<'s> {
        Rows { session, site: &self.site, gateway: maker }
    }

    /// Makes sure that the group has a row, on a connection that was just made, and that the server does not wait for long for a
    /// gateway that stands still in a transaction.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) async fn begin(&self, session: &mut Session) -> Result<(), DbError> {
        self.rows(session).begin().await
    }

    /// In a transaction: locks the row of the group, and claims it where it is this gateway's turn. True when it is the
    /// holder from here on.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) async fn lock(&mut self, session: &mut Session, now_us: i64) -> Result<bool, DbError> {
        self.look(now_us);
        self.alike.begin();
        if self.is_former {
            self.rows(session).make().await?;
        }
        let duty = self.turns.duty();
        let row = self.rows(session).lock().await?;
        self.turns.tell(&row);
        if !duty.is_active {
            self.claimed = None;
        }
        let has_claimed = self.claimed.is_some();
        let own = Claimant { gateway: &self.gateway, is_active: duty.is_active, term: duty.term, has_claimed };
        self.pending = match claim_step(row.holder.as_ref(), &own) {
            ClaimStep::Holds => row.holder.map(|holder| holder.term),
            ClaimStep::Claim(term) => {
                self.rows(session).claim(term, row.holder.as_ref(), now_us).await?;
                self.taken = self.positions(session, row.holder).await?;
                Some(term)
            }
            ClaimStep::Deposed | ClaimStep::StandsBy => None,
        };
        Ok(self.pending.is_some())
    }

    /// What came after a break is judged once the break is known, however soon that is.
    fn look(&self, now_us: i64) {
        let states: Vec<_> = self.meters.iter().map(Meter::state).collect();
        self.listening().look(&states, now_us);
    }

    /// How far another gateway came, if it was the holder.
    async fn positions(
        &self,
        session: &mut Session,
        before: Option<Holder>,
    ) -> Result<Option<(String, BTreeMap<String, i64>)>, DbError> {
        let Some(before) = before.filter(|before| before.gateway != self.gateway) else { return Ok(None) };
        let positions = self.rows(session).positions(&before.gateway).await?;
        Ok(Some((before.gateway, positions)))
    }

    /// The transaction that began with [`Group::lock`] is in the database.
    pub(super) fn committed(&mut self, now_us: i64) {
        self.alike.commit();
        let Some(term) = self.pending.take() else { return };
        self.claimed = Some(term);
        if let Some((from, positions)) = self.taken.take() {
            self.turns.took_over(&from, positions);
        }
        let holder = Holder { term, gateway: self.gateway.clone() };
        self.turns.tell(&GroupRow { holder: Some(holder), moved_us: Some(now_us) });
    }

    /// No server that takes writes is connected any more.
    pub(super) fn lost(&self) {
        self.turns.lost();
    }

    /// Whether it is this gateway's turn and the database does not say so yet, or the other way round.
    pub(super) fn must_tell(&self) -> bool {
        self.turns.duty().is_active != self.claimed.is_some()
    }

    /// The links say that the other gateway's clock is off, and tell people.
    pub(super) fn knows_clock_is_off(&self) -> bool {
        self.turns.duty().clocks.offset_us != 0
    }

    /// Waits until the role may have changed.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + use<> {
        let changed = Arc::clone(&self.changed);
        async move { changed.notified().await }
    }

    /// In a transaction that has begun and not written yet: what becomes of each part of a batch, which `maker` has heard.
    pub(super) async fn judge(
        &mut self,
        session: &mut Session,
        batch: &Batch,
        maker: &str,
        now_us: i64,
    ) -> Result<Part, DbError> {
        let is_holder = self.lock(session, now_us).await?;
        let clocks = self.turns.duty().clocks;
        let heard = self.listening().heard(batch, clocks);
        let others = match heard.first_us() {
            Some(from_us) => self.rows_of(session, maker).others(from_us).await?,
            None => Vec::new(),
        };
        let judgement = match self.is_former {
            true => Judgement::of_former(&heard, &others),
            false => Judgement::of(&heard, &others, is_holder),
        };
        let found = match judgement.question(batch) {
            Some(question) => self.find(session, maker, question).await?,
            None => Default::default(),
        };
        let found = &found | &self.find_alike(session, maker, judgement.alike(batch)).await?;
        Ok(judgement.part(batch, &found, is_holder))
    }

    /// After a break of days whatever came in the ten minutes behind it may be as old: those days are looked through only for what
    /// the other gateway did not hear at the same time.
    async fn find(&self, session: &mut Session, maker: &str, question: Question) -> Result<BTreeSet<u64>, DbError> {
        let mut rows = self.rows_of(session, maker);
        let mut found = rows.find(&question.near()).await?;
        if let Some(rest) = question.rest(&found) {
            found.extend(rows.find(&rest).await?);
        }
        Ok(found)
    }

    /// The numbers for which the other gateway has a row of the same value.
    async fn find_alike(
        &mut self,
        session: &mut Session,
        maker: &str,
        question: alike::Question,
    ) -> Result<BTreeSet<u64>, DbError> {
        let rows = match question.times_us() {
            Some(times_us) => self.rows_of(session, maker).alike(&question.nodes(), times_us).await?,
            None => return Ok(BTreeSet::new()),
        };
        Ok(self.alike.matched(&question, &rows))
    }

    /// Writes what this gateway has collected and dealt with, in the transaction of the rows.
    pub(super) async fn write_spans(
        &mut self,
        session: &mut Session,
        own: &OwnSpans,
        stream: StreamId,
        now_us: i64,
    ) -> Result<(), DbError> {
        let is_holder = self.pending.is_some();
        self.rows(session).write_spans(own, stream, is_holder.then_some(now_us)).await
    }

    /// The newest span of each source in a stream.
    pub(super) async fn own_spans(&self, session: &mut Session, stream: StreamId) -> Result<OwnSpans, DbError> {
        self.rows(session).own(stream).await
    }

    /// Takes what was dealt with into the spans of this gateway.
    pub(super) fn extend(&self, part: &Part, spans: &mut OwnSpans) {
        let listening = self.listening();
        part.extend(spans, |source| listening.breaks_of(source));
    }

    /// How far the queue had come before the next batch was taken from it.
    pub(super) fn note_durable(&mut self, durable: Option<Durable>) {
        self.durable = durable;
    }

    /// With this part everything that was heard until a known time is dealt with: then so are sources that say nothing, also
    /// while another one never stops.
    pub(super) fn reach_with(&self, part: &Part, spans: &mut OwnSpans) {
        let is_all = |durable: &Durable| part.batch.stream == durable.stream && part.batch.last >= durable.last;
        if let Some(durable) = self.durable.filter(is_all) {
            self.reach(spans, durable.through_us);
        }
    }

    /// The sources that are heard were heard until this time.
    pub(super) fn reach(&self, spans: &mut OwnSpans, through_us: i64) {
        let listening = self.listening();
        self.turns.reached(through_us);
        for source in listening.connected() {
            spans.reach(&source, through_us, &listening.breaks_of(&source));
        }
        if listening.are_brokers_deaf(through_us) {
            spans.pass(BROKERS, through_us, &listening.breaks_of(BROKERS));
        }
        for source in listening.wires_lost(through_us) {
            spans.end(&source, through_us);
        }
    }

    /// Names the numbers that are left out.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) async fn leave_out(&self, session: &mut Session, part: &Part) -> Result<(), DbError> {
        leave_out(session, part.batch.stream, &part.left_out).await
    }

    /// Marks the readings of these channels and times that other gateways than the `maker` of the stream have written.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) async fn mark(
        &self,
        session: &mut Session,
        maker: &str,
        channels: &BTreeSet<u64>,
        times_us: (i64, i64),
    ) -> Result<(), DbError> {
        if channels.is_empty() { Ok(()) } else { self.rows_of(session, maker).mark(channels, times_us).await }
    }

    /// What is known of the sources.
    pub(super) fn listening(&self) -> std::sync::MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
