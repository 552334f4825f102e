//! The same for a gateway of two: in each transaction the group decides what is written.

use super::{Tables, move_cursor};
use crate::database::DbError;
use crate::drain::group::{Group, Part, Rows, Twin};
use crate::drain::plan::Batch;
use crate::standby::span::OwnSpans;
use queue::StreamId;

impl Tables {
    /// Deals with as much of a batch as has not to wait for the other gateway: writes it, or leaves it out where the other
    /// one's rows are there. Gives what was dealt with; none when everything waits.
    ///
    /// # Errors
    /// As [`Tables::write`].
    pub async fn deal(&mut self, group: &mut Group, batch: &Batch, now_us: i64) -> Result<Option<Part>, DbError> {
        let dealt = self.deal_in_transaction(group, batch, now_us).await;
        if dealt.is_err() && self.session.is_open() {
            self.roll_back().await?;
        }
        dealt
    }

    async fn deal_in_transaction(
        &mut self,
        group: &mut Group,
        batch: &Batch,
        now_us: i64,
    ) -> Result<Option<Part>, DbError> {
        let mut spans = self.spans_of(group, batch.stream).await?;
        self.session.run("START TRANSACTION").await?;
        let maker = self.maker(batch.stream);
        let part = group.judge(&mut self.session, batch, &maker, now_us).await?;
        if part.batch.last < part.batch.first {
            self.session.run("ROLLBACK").await?;
            self.spans.insert(batch.stream, spans);
            return Ok(None);
        }
        let changed = self.session.change(&move_cursor(&part.batch, now_us), Vec::new()).await?;
        self.require_moved(&part.batch, changed).await?;
        self.write_rows(&part.batch).await?;
        self.write_routes(&part.batch).await?;
        self.write_what_is_twice(group, &part).await?;
        group.extend(&part, &mut spans);
        group.reach_with(&part, &mut spans);
        group.write_spans(&mut self.session, &spans, batch.stream, now_us).await?;
        self.session.run("COMMIT").await?;
        self.keep(group, batch.stream, spans, now_us);
        Ok(Some(part))
    }

    async fn write_what_is_twice(&mut self, group: &Group, part: &Part) -> Result<(), DbError> {
        group.leave_out(&mut self.session, part).await?;
        let marked = part.batch.readings.iter().filter(|(seq, _)| part.batch.marked.contains(seq));
        let ids = marked.filter_map(|(_, reading)| {
            self.channels.get(reading.node.as_str())?.get(reading.channel.as_str()).map(|row| row.id)
        });
        let ids = ids.collect();
        let maker = self.maker(part.batch.stream);
        for times_us in &part.marked_us {
            group.mark(&mut self.session, &maker, &ids, *times_us).await?;
        }
        Ok(())
    }

    /// With nothing to write: claims the turn where it is this gateway's, and tells until when it has heard its sources.
    /// The cursor must be where it was.
    ///
    /// # Errors
    /// As [`Tables::write`].
    pub async fn tell_group(
        &mut self,
        group: &mut Group,
        (stream, cursor): (StreamId, u64),
        through_us: Option<i64>,
        now_us: i64,
    ) -> Result<(), DbError> {
        let told = self.tell_in_transaction(group, (stream, cursor), through_us, now_us).await;
        if told.is_err() && self.session.is_open() {
            self.roll_back().await?;
        }
        told
    }

    async fn tell_in_transaction(
        &mut self,
        group: &mut Group,
        (stream, cursor): (StreamId, u64),
        through_us: Option<i64>,
        now_us: i64,
    ) -> Result<(), DbError> {
        let mut spans = self.spans_of(group, stream).await?;
        self.session.run("START TRANSACTION").await?;
        group.lock(&mut self.session, now_us).await?;
        crate::drain::heartbeat::write(&mut self.session, stream, cursor, now_us).await?;
        if let Some(through_us) = through_us {
            group.reach(&mut spans, through_us);
        }
        group.write_spans(&mut self.session, &spans, stream, now_us).await?;
        self.session.run("COMMIT").await?;
        self.keep(group, stream, spans, now_us);
        Ok(())
    }

    /// In a transaction, for a reading of one of two gateways that was refused: true when the other one's row of it is there. Where
    /// that may be, both are marked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn other_has(&mut self, refused: &mut Batch) -> Result<bool, DbError> {
        let Some((seq, reading)) = refused.readings.first().cloned() else { return Ok(false) };
        let (site, maker) = (self.site.clone(), self.maker(refused.stream));
        let twin = Rows { session: &mut self.session, site: &site, gateway: &maker }.twin(&reading).await?;
        if let Twin::MayBe(times_us) = twin {
            refused.marked.insert(seq);
            let channels = [self.channel_id(&reading).await?].into();
            Rows { session: &mut self.session, site: &site, gateway: &maker }.mark(&channels, times_us).await?;
        }
        Ok(twin == Twin::There)
    }

    fn maker(&self, stream: StreamId) -> String {
        self.makers.get(&stream.as_u64()).cloned().unwrap_or_default()
    }

    async fn spans_of(&mut self, group: &Group, stream: StreamId) -> Result<OwnSpans, DbError> {
        match self.spans.remove(&stream) {
            Some(spans) => Ok(spans),
            None => group.own_spans(&mut self.session, stream).await,
        }
    }

    fn keep(&mut self, group: &mut Group, stream: StreamId, mut spans: OwnSpans, now_us: i64) {
        spans.written();
        self.spans.insert(stream, spans);
        group.committed(now_us);
    }
}
