//! The operator's view of dead letters: what could not be delivered or handled, and what is to become of it.

use entry::{Environment, Means};
use futures::future::join_all;
use jiff::SignedDuration;
use letter::{Letter, Letters, Named, Taken};
use tenant::{
    DiscardWish, Failure, LeftLetter, LetterView, LettersView, RedrivenView, Tenant, Uuid,
};

use crate::{Refusal, Request, Response};

/// Letters that are looked at in one answer.
const MOST: usize = 100;
/// Letters among which one is looked for.
const SEARCHED: usize = 500;
/// Letters that are sent at a time.
const AT_ONCE: usize = 10;
/// How long letters are sent, so that the answer comes before API Gateway gives up.
const LONGEST: SignedDuration = SignedDuration::from_secs(12);
/// Characters of a letter's text in an answer.
const SHOWN: usize = 2_000;

/// Where dead letters are read.
pub(crate) struct Desk<'a> {
    means: &'a Means,
    letters: Letters,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(means: &'a Means) -> Self {
        let Environment { letters, functions, .. } = &means.environment;
        Self { means, letters: Letters::new(&means.config, letters, functions) }
    }

    /// The letters that wait; looking at them takes none away.
    pub async fn list(&self) -> Result<Response, Refusal> {
        let waiting = self.letters.waiting().await?;
        let Taken { letters, .. } = self.letters.take(MOST, None).await?;
        self.letters.give_back(&letters).await;
        let items = join_all(letters.iter().map(|letter| self.view(letter))).await;
        let items = items.into_iter().collect::<Result<Vec<_>, _>>()?;
        let waiting = waiting.max(items.len() as u64);
        Ok(Response::json(200, &LettersView { items, waiting }))
    }

    /// Sends a letter to its function again, and takes it away once that is accepted: if anything fails in between, the
    /// function gets it twice.
    pub async fn redrive(&self, id: &str, author: &str) -> Result<Response, Refusal> {
        let letter = self.found(id).await?;
        let view = match self.view(&letter).await {
            Ok(view) => view,
            Err(failure) => {
                self.letters.give_back([&letter]).await;
                return Err(failure.into());
            }
        };
        self.sent(&letter, &view, author).await?;
        Ok(Response::json(202, &view))
    }

    /// Sends all letters again that can be, a number of them at most.
    pub async fn redrive_all(&self, author: &str) -> Result<Response, Refusal> {
        let began = self.means.now();
        let Taken { letters, more } = self.letters.take(MOST, None).await?;
        let mut answer = RedrivenView { redriven: Vec::new(), left: Vec::new(), more };
        for (number, some) in letters.chunks(AT_ONCE).enumerate() {
            if self.means.now().duration_since(began) > LONGEST {
                self.letters.give_back(&letters[number * AT_ONCE..]).await;
                answer.more = true;
                break;
            }
            let tried = join_all(some.iter().map(|letter| async move {
                // What cannot be looked up in the ledger is sent all the same.
                let shown = self.view(letter).await.unwrap_or_else(|_| self.plain(letter));
                let sent = self.sent(letter, &shown, author).await;
                (shown, sent)
            }));
            for (letter, sent) in tried.await {
                match sent {
                    Ok(()) => answer.redriven.push(letter),
                    Err(refusal) => {
                        let reason = refusal.reason();
                        answer.left.push(LeftLetter { letter, reason });
                    }
                }
            }
        }
        Ok(Response::json(202, &answer))
    }

    /// Throws a letter away.
    pub async fn discard(
        &self,
        request: &Request,
        id: &str,
        author: &str,
    ) -> Result<Response, Refusal> {
        let wish: DiscardWish = serde_json::from_value(request.json()?)
            .map_err(|error| Refusal::Unreadable(error.to_string()))?;
        let DiscardWish { comment } =
            wish.checked().map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let letter = self.found(id).await?;
        let view = self.view(&letter).await.unwrap_or_else(|_| self.plain(&letter));
        if let Err(failure) = self.letters.take_away(&letter).await {
            self.letters.give_back([&letter]).await;
            return Err(failure.into());
        }
        let LetterView { id, from, about, account, tenant, .. } = &view;
        tracing::info!(
            author,
            comment,
            letter.id = id,
            from,
            about,
            account,
            tenant,
            text = view.text,
            "a dead letter was discarded"
        );
        Ok(Response::json(200, &view))
    }

    /// The letter with this id, in hand; all others that were looked at are given back.
    async fn found(&self, id: &str) -> Result<Letter, Refusal> {
        let Taken { letters, more } = self.letters.take(SEARCHED, Some(id)).await?;
        let (mut wanted, others): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| letter.id == id);
        self.letters.give_back(&others).await;
        wanted.pop().ok_or_else(|| {
            Refusal::Missing(if more {
                format!("letter `{id}` among the first {SEARCHED}; redrive or discard others first")
            } else {
                format!(
                    "letter `{id}`: it is redriven or discarded already, or somebody else has it in hand for half a \
                     minute. List the letters again"
                )
            })
        })
    }

    /// Sends a letter in hand, and takes it away; gives it back if it was not sent.
    async fn sent(&self, letter: &Letter, view: &LetterView, author: &str) -> Result<(), Refusal> {
        let Some(function) = self.letters.function(letter) else {
            self.letters.give_back([letter]).await;
            return Err(Refusal::Undeliverable(letter.id.clone()));
        };
        if let Err(failure) = self.letters.send(letter, function).await {
            self.letters.give_back([letter]).await;
            tracing::warn!(letter.id = letter.id, function, failure = %failure, "a letter was not sent");
            return Err(failure.into());
        }
        let LetterView { id, about, account, tenant, .. } = view;
        tracing::info!(
            author,
            letter.id = id,
            function,
            about,
            account,
            tenant,
            "a dead letter was redriven"
        );
        Ok(self.letters.take_away(letter).await?)
    }

    /// A letter as operators see it, with the tenant that it is about.
    async fn view(&self, letter: &Letter) -> Result<LetterView, Failure> {
        let Named { account, tenant, request } = letter.content.named();
        let whose = match (tenant, &account, &request) {
            (Some(tenant), ..) => Some(tenant),
            (None, Some(account), _) => self.means.ledger.owner(account).await?,
            (None, None, Some(request)) => self
                .means
                .ledger
                .waiter("create-account", request)
                .await?
                .map(|waiter| waiter.tenant),
            (None, None, None) => None,
        };
        let tenant = known(self.means, whose).await?.map(|tenant| tenant.name.to_string());
        Ok(LetterView { tenant, ..self.plain(letter) })
    }

    /// A letter as it can be shown without the ledger.
    fn plain(&self, letter: &Letter) -> LetterView {
        let content = &letter.content;
        LetterView {
            id: letter.id.clone(),
            since: letter.since,
            from: content.from.clone(),
            function: content.function_name().map(ToOwned::to_owned),
            about: content.about(),
            account: content.named().account,
            tenant: None,
            error: content.error.clone(),
            attempts: content.attempts,
            redrivable: self.letters.function(letter).is_some(),
            text: letter.text.chars().take(SHOWN).collect(),
        }
    }
}

async fn known(means: &Means, id: Option<Uuid>) -> Result<Option<Tenant>, Failure> {
    match id {
        Some(id) => Ok(means.ledger.tenant(id).await?),
        None => Ok(None),
    }
}
