//! Account-wide limits, the daily cap and the breaker.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{Failure, Pace, Seat, Seated, Seats};

use crate::{
    Error, Ledger, failed,
    item::{self, EXPIRES, Key},
};

const BREAKER: &str = "breaker";
/// How often a row that others write too is read and written anew.
const ATTEMPTS: usize = 10;

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

    /// Gives a seat back, or a place in line.
    pub async fn leave_seat(&self, seats: &Seats, who: &str) -> Result<(), Error> {
        self.seat(seats, |seated| ((), seats.leave(seated, who))).await
    }

    async fn seat<T>(
        &self,
        seats: &Seats,
        change: impl Fn(&Seated) -> (T, Option<Seated>),
    ) -> Result<T, Error> {
        let key = Key::limit(&seats.name);
        for _ in 0..ATTEMPTS {
            let SeatsRow { version, seated } = self.get(key.clone()).await?.unwrap_or_default();
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
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// The next number of a platform; a number that nobody uses is left out.
    pub async fn draw_number(&self, platform: &str) -> Result<u64, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(&format!("tenant-number#{platform}")).item()))
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

    /// Counts one more of something today; false if that would be more than allowed. The same `member` counts once.
    pub async fn count_today(
        &self,
        what: &str,
        member: &str,
        most: u32,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let day = now.strftime("%F").to_string();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(&format!("{what}#{day}")).item()))
            .update_expression("ADD members :members SET #expires = :expires")
            .condition_expression(
                "attribute_not_exists(members) OR contains(members, :member) OR size(members) < :most",
            )
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":members", AttributeValue::Ss(vec![member.to_owned()]))
            .expression_attribute_values(":member", AttributeValue::S(member.to_owned()))
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

    /// Why no accounts are created at present, if the breaker is open.
    pub async fn breaker(&self) -> Result<Option<String>, Error> {
        #[derive(Deserialize)]
        struct Breaker {
            reason: Option<String>,
        }
        let row: Option<Breaker> = self.get(Key::limit(BREAKER)).await?;
        Ok(row.and_then(|row| row.reason))
    }

    /// Opens the breaker: no more accounts until a person closes it.
    pub async fn open_breaker(&self, reason: &str) -> Result<(), Error> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(BREAKER).item()))
            .update_expression("SET reason = :reason")
            .expression_attribute_values(":reason", AttributeValue::S(reason.to_owned()))
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }

    /// Closes the breaker.
    pub async fn close_breaker(&self) -> Result<(), Error> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(Key::limit(BREAKER).item()))
            .send()
            .await
            .map_err(|error| failed("dynamodb:DeleteItem", &error))?;
        Ok(())
    }
}
