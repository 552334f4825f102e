//! What the gateways of a site say of themselves: this one's row is written, and those of the others are read and compared.
//! Only advice comes of it; nothing is decided by it.

mod sight;

use crate::database::{Cell, DbError, Row, Session};
use crate::standby::differences::{Member, differences};
use crate::standby::said::Said;
use config::Config;
use sight::Sight;
use std::collections::BTreeMap;

/// Who has not written for so long is not compared: it may be away for good.
const MINUTES: i64 = 10;
const MINUTES_US: i64 = MINUTES * 60_000_000;
/// Told at once; more lines would hide the others.
const MOST_TOLD: usize = 20;

/// This gateway among those with `[standby]`.
#[derive(Debug)]
pub struct Members {
    site: String,
    own: Member,
    text: String,
    started_us: i64,
    /// What was seen of the rows of the others.
    seen: BTreeMap<String, Sight>,
}

impl Members {
    /// Of the gateway of this configuration, started now; none without `[standby]`.
    #[must_use]
    pub fn of(config: &Config, now_us: i64) -> Option<Self> {
        let said = Said::of(config, config.standby.as_ref()?);
        Some(Self::new((config.gateway.site.as_str(), config.gateway.id.as_str()), said, now_us))
    }

    /// Of a gateway of this site that was started then, microseconds since 1970.
    #[must_use]
    pub fn new((site, gateway): (&str, &str), said: Said, started_us: i64) -> Self {
        // A document of strings and numbers can always be written.
        let text = serde_json::to_string(&said).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let own = Member { gateway: gateway.to_owned(), version, clock_ahead_us: 0, said: Some(said) };
        Self { site: site.to_owned(), own, text, started_us, seen: BTreeMap::new() }
    }

    /// Writes the own row and compares it with the others: what does not fit, at most 20 sentences and how many more there are.
    /// `is_clock_told`: the links tell how far the other clock is off, and better.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn look(
        &mut self,
        session: &mut Session,
        now_us: i64,
        is_clock_told: bool,
    ) -> Result<Vec<String>, DbError> {
        self.write(session, now_us).await?;
        let mut others = self.read(session, now_us).await?;
        if is_clock_told {
            others.iter_mut().for_each(|other| other.clock_ahead_us = 0);
        }
        let mut found: Vec<String> = others.iter().flat_map(|other| differences(&self.own, other)).collect();
        found.extend(self.too_many(&others));
        found.extend(self.at_other_sites(session, now_us).await?);
        if others.is_empty() {
            found.extend(self.alone(session, now_us).await?);
        }
        Ok(bounded(found))
    }

    async fn write(&self, session: &mut Session, now_us: i64) -> Result<(), DbError> {
        let sql = "INSERT INTO standby_members (site, gateway, version, started_at, updated_at, said) \
                   VALUES (?, ?, ?, ?, ?, ?) \
                   ON DUPLICATE KEY UPDATE version = VALUES(version), started_at = VALUES(started_at), \
                     updated_at = VALUES(updated_at), said = VALUES(said)";
        let values = vec![
            Cell::text(&self.site),
            Cell::text(&self.own.gateway),
            Cell::text(&self.own.version),
            Cell::TimeUs(self.started_us),
            Cell::TimeUs(now_us),
            Cell::text(&self.text),
        ];
        session.change(sql, values).await.map(drop)
    }

    /// The others that live, as far as can be told.
    async fn read(&mut self, session: &mut Session, now_us: i64) -> Result<Vec<Member>, DbError> {
        let sql = "SELECT gateway, version, updated_at, said FROM standby_members \
                   WHERE site = ? AND gateway <> ? ORDER BY gateway";
        let rows = session.ask_with(sql, vec![Cell::text(&self.site), Cell::text(&self.own.gateway)]).await?;
        let before = std::mem::take(&mut self.seen);
        let mut living = Vec::new();
        for (mut member, updated_us) in rows.iter().filter_map(member) {
            let sight = Sight::next(before.get(&member.gateway), updated_us, now_us);
            self.seen.insert(member.gateway.clone(), sight);
            member.clock_ahead_us = sight.ahead_us;
            living.extend(sight.is_fresh(now_us, MINUTES_US).then_some(member));
        }
        Ok(living)
    }

    fn too_many(&self, others: &[Member]) -> Option<String> {
        let names: Vec<&str> = others.iter().map(|member| member.gateway.as_str()).collect();
        (names.len() > 1).then(|| {
            format!(
                "{} and {} all have [standby] in the site {}, which can have two: give the others a site of their own",
                self.own.gateway,
                names.join(" and "),
                self.site
            )
        })
    }

    /// The own id at another site, by the rows of both tables.
    async fn at_other_sites(&self, session: &mut Session, now_us: i64) -> Result<Option<String>, DbError> {
        let sql = "SELECT site FROM standby_members WHERE gateway = ? AND site <> ? AND updated_at >= ? \
                   UNION SELECT site FROM streams WHERE gateway = ? AND site <> ? AND updated_at >= ?";
        let (gateway, site) = (Cell::text(&self.own.gateway), Cell::text(&self.site));
        let mine = [gateway, site, Cell::TimeUs(now_us.saturating_sub(MINUTES_US))];
        let rows = session.ask_with(sql, [mine.clone(), mine].concat()).await?;
        Ok(names(&rows).map(|sites| {
            format!(
                "{} has written for the site {sites} in the last {MINUTES} minutes too: write the same `site` in [gateway] of both, or give this one an `id` of its own",
                self.own.gateway
            )
        }))
    }

    /// Two that should be one site, each alone in a site of its own.
    async fn alone(&self, session: &mut Session, now_us: i64) -> Result<Option<String>, DbError> {
        let sql = "SELECT CONCAT(MIN(gateway), ' in the site ', site) FROM standby_members \
                   WHERE site <> ? AND gateway <> ? AND updated_at >= ? GROUP BY site HAVING COUNT(*) = 1 LIMIT 3";
        let since = Cell::TimeUs(now_us.saturating_sub(MINUTES_US));
        let rows = session.ask_with(sql, vec![Cell::text(&self.site), Cell::text(&self.own.gateway), since]).await?;
        Ok(names(&rows).map(|others| {
            format!(
                "no other gateway of the site {} has written in the last {MINUTES} minutes, and each of these is alone too: {others}; where two belong together, write the same `site` in [gateway] of both",
                self.site
            )
        }))
    }
}

/// A row, and when it was written.
fn member(row: &Row) -> Option<(Member, i64)> {
    let [gateway, version, updated_at, said] = row.as_slice() else { return None };
    let said = serde_json::from_str(&said.as_text()?).ok();
    let member = Member { gateway: gateway.as_text()?, version: version.as_text()?, clock_ahead_us: 0, said };
    Some((member, updated_at.as_time_us()?))
}

/// The only column of these rows; none of no rows.
fn names(rows: &[Row]) -> Option<String> {
    let names: Vec<String> = rows.iter().filter_map(|row| row.first()?.as_text()).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn bounded(mut found: Vec<String>) -> Vec<String> {
    let more = found.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        found.truncate(MOST_TOLD);
        found.push(format!("and {more} more: compare the configurations of both gateways"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_told_and_the_others_counted() {
        let some = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(bounded(some(20)).len(), 20);
        let told = bounded(some(23));
        assert_eq!((told.len(), told[20].starts_with("and 3 more")), (21, true));
    }
}
