//! Account-wide limits, the daily cap and the breaker.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{Breaker, BreakerEntry, BreakerTransition, Failure, Left, Pace, Seat, Seated, Seats};
use uuid::Uuid;

use crate::{
    Error, Ledger, failed,
    item::{self, EXPIRES, Key},
    step_aside,
};

/// How often a row that others write too is read and written anew.
const ATTEMPTS: u32 = 10;

/// The row of a limit on what is under way at once.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct SeatsRow {
    version: u64,
    seated: Seated,
}

impl Ledger {
    /// Reserves the next slot of a limit and says when it is: first come, first served.
    ///
    /// The arrival time is a number, so that a busy limit is moved on by one blind addition and many callers never
    /// fight for it; only the first call after a pause sets it anew.
    pub async fn reserve(&self, pace: &Pace, now: Timestamp) -> Result<Timestamp, Error> {
        let interval = pace.interval.as_millis();
        for _ in 0..5 {
            let busy = self
                .advance(pace, now, "SET arrival = arrival + :interval", "arrival >= :now")
                .await;
            let arrival = match busy {
                Err(Error::Conflict) => {
                    let idle = "attribute_not_exists(arrival) OR arrival < :now";
                    self.advance(pace, now, "SET arrival = :now + :interval", idle).await
                }
                other => other,
            };
            match arrival {
                Ok(arrival) => {
                    let slot = i128::from(arrival) - interval - pace.tolerance().as_millis();
                    let slot = i64::try_from(slot)
                        .ok()
                        .and_then(|slot| Timestamp::from_millisecond(slot).ok());
                    return Ok(slot.map_or(now, |slot| slot.max(now)));
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    async fn advance(
        &self,
        pace: &Pace,
        now: Timestamp,
        update: &str,
        condition: &str,
    ) -> Result<i64, Error> {
        let number = |value: i128| AttributeValue::N(value.to_string());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(pace.name).item()))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(":interval", number(pace.interval.as_millis()))
            .expression_attribute_values(":now", number(i128::from(now.as_millisecond())))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        match answer.attributes.unwrap_or_default().get("arrival") {
            Some(AttributeValue::N(arrival)) => arrival
                .parse::<i64>()
                .map_err(|error| Error::Failure(Failure::defect(error.to_string()))),
            _ => Err(Error::Failure(Failure::defect("a limit has no arrival time"))),
        }
    }

    /// Asks for one of so many seats: for what may be under way at once. Asking again keeps the seat, or the place in
    /// line.
    pub async fn take_seat(&self, seats: &Seats, who: &str, now: Timestamp) -> Result<Seat, Error> {
        self.seat(seats, |seated| seats.take(seated, who, now)).await
    }

    /// Gives a seat back, or a place in line: who is to be called to it.
    pub async fn leave_seat(
        &self,
        seats: &Seats,
        who: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let leave = |seated: &Seated| {
            let Left { row, called } = seats.leave(seated, who, now);
            (called, row)
        };
        self.seat(seats, leave).await
    }

    /// Whether somebody holds a seat.
    pub async fn holds_seat(&self, seats: &Seats, who: &str) -> Result<bool, Error> {
        Ok(self.seated(seats).await?.seated.holds(who))
    }

    async fn seated(&self, seats: &Seats) -> Result<SeatsRow, Error> {
        Ok(self.get(Key::limit(&seats.name)).await?.unwrap_or_default())
    }

    async fn seat<T>(
        &self,
        seats: &Seats,
        change: impl Fn(&Seated) -> (T, Option<Seated>),
    ) -> Result<T, Error> {
        let key = Key::limit(&seats.name);
        for attempt in 0..ATTEMPTS {
            let SeatsRow { version, seated } = self.seated(seats).await?;
            let (answer, after) = change(&seated);
            let Some(seated) = after else { return Ok(answer) };
            let row = item::write(&key, &SeatsRow { version: version + 1, seated })?;
            let written = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(row))
                .condition_expression("attribute_not_exists(pk) OR version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
                .send()
                .await;
            match written.map_err(|error| failed("dynamodb:PutItem", &error)) {
                Ok(_) => return Ok(answer),
                Err(Error::Conflict) => step_aside(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// The next number of a platform; a number that nobody uses is left out.
    pub async fn draw_number(&self, platform: &str) -> Result<u64, Error> {
        self.draw(&format!("tenant-number#{platform}")).await
    }

    /// A project's number, drawn when it is first asked for and the same ever after.
    pub async fn project_number(&self, workspace: &str, project: &str) -> Result<u64, Error> {
        #[derive(Deserialize, Serialize)]
        struct Project {
            number: u64,
        }
        let key = Key::project(workspace, project);
        if let Some(known) = self.get::<Project>(key.clone()).await? {
            return Ok(known.number);
        }
        let drawn = Project { number: self.draw("project-number").await? };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::write(&key, &drawn)?))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match put.map_err(|error| failed("dynamodb:PutItem", &error)) {
            Ok(_) => Ok(drawn.number),
            // Another of the project's tenants was first.
            Err(Error::Conflict) => {
                let known: Option<Project> = self.get(key).await?;
                known.map(|known| known.number).ok_or(Error::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    async fn draw(&self, counter: &str) -> Result<u64, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(counter).item()))
            .update_expression("ADD drawn :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        match answer.attributes.unwrap_or_default().get("drawn") {
            Some(AttributeValue::N(drawn)) => drawn
                .parse()
                .map_err(|_| Error::Failure(Failure::defect("a drawn number is no number"))),
            _ => Err(Error::Failure(Failure::defect("no number was drawn"))),
        }
    }

    /// When the last call would be in step at a limit's steady rate; none if nobody has called yet.
    pub async fn arrival(&self, pace: &Pace) -> Result<Option<Timestamp>, Error> {
        #[derive(Deserialize)]
        struct Limit {
            #[serde(default)]
            arrival: Option<i64>,
        }
        let row: Option<Limit> = self.get(Key::limit(pace.name)).await?;
        let arrival = row.and_then(|row| row.arrival);
        Ok(arrival.and_then(|arrival| Timestamp::from_millisecond(arrival).ok()))
    }

    /// Counts one more tenant whose account is created today; false if that would be more than allowed. The same
    /// tenant counts once.
    pub async fn count_today(
        &self,
        platform: &str,
        tenant: Uuid,
        most: u32,
        now: Timestamp,
    ) -> Result<bool, Error> {
        if most == 0 {
            return Ok(false);
        }
        let tenant = tenant.to_string();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::today(platform, now).item()))
            .update_expression("ADD members :members SET #expires = :expires")
            .condition_expression(
                "attribute_not_exists(members) OR contains(members, :member) OR size(members) < :most",
            )
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":members", AttributeValue::Ss(vec![tenant.clone()]))
            .expression_attribute_values(":member", AttributeValue::S(tenant))
            .expression_attribute_values(":most", AttributeValue::N(most.to_string()))
            .expression_attribute_values(":expires", AttributeValue::N((now.as_second() + 172_800).to_string()))
            .send()
            .await;
        match answer.map_err(|error| failed("dynamodb:UpdateItem", &error)) {
            Ok(_) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many tenants have had their turn on a platform today.
    pub async fn created_today(&self, platform: &str, now: Timestamp) -> Result<u32, Error> {
        #[derive(Deserialize)]
        struct Today {
            #[serde(default)]
            members: HashSet<String>,
        }
        let row: Option<Today> = self.get(Key::today(platform, now)).await?;
        Ok(row.map_or(0, |row| u32::try_from(row.members.len()).unwrap_or(u32::MAX)))
    }

    /// A platform's breaker; one that nothing has happened to is closed.
    pub async fn breaker(&self, platform: &str) -> Result<Breaker, Error> {
        Ok(self.get(Key::breaker(platform)).await?.unwrap_or_default())
    }

    /// A transition of a breaker: its row and its history entry, unless somebody else was first.
    pub async fn turn_breaker(
        &self,
        platform: &str,
        transition: &BreakerTransition,
    ) -> Result<(), Error> {
        let BreakerTransition { breaker, entry } = transition;
        let put = self
            .put(item::write(&Key::breaker(platform), breaker)?)
            .condition_expression("attribute_not_exists(pk) OR version = :before")
            .expression_attribute_values(
                ":before",
                AttributeValue::N((breaker.version - 1).to_string()),
            )
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        let put = TransactWriteItem::builder().put(put).build();
        let key = Key::breaker_history(platform, entry.at, entry.version);
        self.transact(vec![put, self.put_new(item::write(&key, entry)?)]).await
    }

    /// What happened to a platform's breaker, latest first.
    pub async fn breaker_history(
        &self,
        platform: &str,
        most: i32,
    ) -> Result<Vec<BreakerEntry>, Error> {
        self.latest(&Key::breaker(platform).pk, "HISTORY#", most).await
    }
}
