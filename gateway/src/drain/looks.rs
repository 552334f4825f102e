//! What is looked at now and then over the drain's connection, apart from readings: whether the two gateways of a site fit
//! together, and whether another machine runs under this gateway's id.

use super::Drain;
use super::elsewhere::another_source;
use super::ended::Ended;
use super::group::Group;
use super::members::Members;
use super::source::Source;
use super::twin::{self, Look, News, Twin, newest_elsewhere};
use crate::database::DbError;
use jiff::Timestamp;
use queue::StreamId;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// The other gateway may come back with another configuration.
const MEMBERS_EVERY: Duration = Duration::from_secs(60);
/// As often as a gateway with nothing to deliver writes the time into its row.
const TWIN_EVERY: Duration = Duration::from_secs(10);

/// What is known of other machines, over all connections.
#[derive(Debug)]
pub struct Looks {
    members: Option<Members>,
    members_at: Option<Instant>,
    twin: Twin,
    twin_at: Option<Instant>,
    begun: Instant,
}

impl Looks {
    /// From now on; `members` only with `[standby]`.
    #[must_use]
    pub fn new(members: Option<Members>) -> Self {
        Self { members, members_at: None, twin: Twin::default(), twin_at: None, begun: Instant::now() }
    }

    /// On a new connection the other gateway is compared at once.
    pub(super) fn begin_again(&mut self) {
        self.members_at = None;
    }

    /// The members, when they are to be looked at now.
    fn due_members(&mut self) -> Option<&mut Members> {
        let members = self.members.as_mut().filter(|_| is_over(self.members_at, MEMBERS_EVERY))?;
        self.members_at = Some(Instant::now());
        Some(members)
    }

    /// How long this run has lasted, microseconds; not when it began, as the clock may have been set since.
    fn run_us(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn is_twin_due(&self) -> bool {
        is_over(self.twin_at, TWIN_EVERY)
    }

    fn is_due(&self) -> bool {
        self.is_twin_due() || (self.members.is_some() && is_over(self.members_at, MEMBERS_EVERY))
    }
}

fn is_over(last: Option<Instant>, period: Duration) -> bool {
    last.is_none_or(|at| at.elapsed() >= period)
}

impl Drain {
    /// Looks at what is to be looked at now, unless another server becomes the source meanwhile.
    pub(super) async fn look_around(&mut self, index: usize, source: &mut Source) -> Result<(), Ended> {
        if !self.looks.is_due() {
            return Ok(());
        }
        let (views, highest_term) = (self.views.clone(), self.memory.servers.highest_term);
        let elsewhere = another_source(views, highest_term, index, source.identity().to_owned());
        let look = async {
            self.look_at_members(source).await?;
            self.look_for_twin(index, source).await
        };
        tokio::select! {
            biased;
            looked = look => Ok(looked?),
            () = elsewhere => Err(Ended::GivenUp),
        }
    }

    async fn look_at_members(&mut self, source: &mut Source) -> Result<(), DbError> {
        let now_us = self.now_us();
        let is_clock_told = self.group.as_ref().is_some_and(Group::knows_clock_is_off);
        let Some(members) = self.looks.due_members() else { return Ok(()) };
        let found = match members.look(source.session(), now_us, is_clock_told).await {
            Ok(found) => found,
            // Advice that cannot be had keeps no reading back.
            Err(error) if source.is_open() => vec![format!("the other gateway cannot be compared: {error}")],
            Err(error) => return Err(error),
        };
        self.tell_differences(found);
        Ok(())
    }

    /// Each is said in the log when it begins.
    fn tell_differences(&self, found: Vec<String>) {
        self.state.send_if_modified(|state| {
            let before = std::mem::replace(&mut state.standby_differences, found);
            let new = state.standby_differences.iter().filter(|words| !before.contains(words));
            new.for_each(|words| warn!(site = self.settings.site, "the gateways of the site do not fit: {words}"));
            state.standby_differences != before
        });
    }

    async fn look_for_twin(&mut self, index: usize, source: &mut Source) -> Result<(), DbError> {
        if !self.looks.is_twin_due() {
            return Ok(());
        }
        let now = twin::look(source.session(), &self.settings.gateway).await?;
        // Asked for afterwards: a row of ours is there only once the queue has its stream.
        let ours = self.backlog.streams();
        let is_ours = |stream: u64| ours.iter().any(|own| own.as_u64() == stream);
        self.looks.twin_at = Some(Instant::now());
        let Some(moved) = self.looks.twin.compare(index, now.clone(), is_ours) else {
            return self.tell_other_queue(source, &now, is_ours).await;
        };
        let since_us = self.now_us().saturating_sub(self.looks.run_us());
        let seen = twin::living(source.session(), &moved, since_us).await?;
        self.tell_news(source, seen).await
    }

    async fn tell_news(&mut self, source: &mut Source, seen: Option<u64>) -> Result<(), DbError> {
        match self.looks.twin.note(seen, Instant::now()) {
            Some(News::Begins(stream)) => self.tell_twin(source, stream).await,
            Some(News::IsOver) => {
                info!("no other machine runs as {} any more", self.settings.gateway);
                self.state.send_modify(|state| state.same_id = None);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn tell_twin(&self, source: &mut Source, stream: u64) -> Result<(), DbError> {
        let words = format!(
            "two machines run as {}: stream {} is written under this id, and not by this machine; give each an `id` of its own in [gateway], \
             or switch off the one that is a copy (docs/spare.md)",
            self.settings.gateway,
            id(stream)
        );
        warn!("{words}");
        source.event(&self.settings, "same id", &words, None, self.now_us()).await?;
        self.state.send_modify(|state| state.same_id = Some(words));
        Ok(())
    }

    /// At the first look: what an earlier queue of this gateway held and had not delivered, nobody else can know.
    async fn tell_other_queue(
        &self,
        source: &mut Source,
        look: &Look,
        is_ours: impl Fn(u64) -> bool,
    ) -> Result<(), DbError> {
        let current = self.backlog.reader.current().as_u64();
        let Some((stream, updated_us)) = newest_elsewhere(look, current, is_ours) else { return Ok(()) };
        let at = Timestamp::from_microsecond(updated_us).map_or_else(|_| "?".to_owned(), |at| format!("{at:.0}"));
        let words = format!(
            "{} has another queue than before: its stream {} came as far as number {} at {at}, and is not in this queue; what was not delivered \
             until then is only on the disk or card of that queue: see docs/spare.md for how to bring it",
            self.settings.gateway,
            id(stream),
            look.get(&stream).map_or(0, |place| place.last_seq),
        );
        warn!("{words}");
        source.event(&self.settings, "other queue", &words, None, self.now_us()).await
    }
}

/// A stream as people see it elsewhere.
fn id(stream: u64) -> String {
    StreamId::from_u64(stream).map_or_else(|| stream.to_string(), |id| id.to_string())
}
