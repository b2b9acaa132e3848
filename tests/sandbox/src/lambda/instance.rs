//! One warm instance of a function: a process that asks the Runtime API for its next event.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use uuid::Uuid;

use crate::clock::Work;
use crate::error::Error;
use crate::lambda::output::Output;
use crate::lambda::pool::Pool;
use crate::lineage::Lineage;
use crate::process;

/// How long an instance may take until it asks for its first event, in real time.
const INITIALISATION: Duration = Duration::from_secs(10);

/// An event on its way to an instance.
#[derive(Debug)]
pub struct Event {
    /// Request id of the invocation.
    pub id: String,
    /// The payload.
    pub payload: Bytes,
    /// On whose behalf the function runs.
    pub lineage: Lineage,
    /// Virtual epoch in milliseconds at which the function is ended.
    pub deadline: u64,
    /// X-Ray trace header.
    pub trace: String,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered.
    Answer(Bytes),
    /// The function answered with an error document.
    Failed(Bytes),
    /// The process ended.
    Ended(String),
    /// The function did not answer in time and was ended.
    TimedOut,
}

/// A process that runs one invocation at a time.
#[derive(Debug)]
pub struct Instance {
    /// Name in the Runtime API's path.
    pub id: String,
    /// The function that it belongs to.
    pub pool: Arc<Pool>,
    sender: mpsc::Sender<Event>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    current: Mutex<Option<Current>>,
    initialised: watch::Sender<bool>,
    ended: watch::Sender<Option<String>>,
    end: Notify,
}

#[derive(Debug)]
struct Current {
    id: String,
    lineage: Lineage,
    answer: Option<oneshot::Sender<Outcome>>,
    hung: bool,
    /// What hangs does not work.
    work: Option<Work>,
}

impl Instance {
    /// Starts a process for a function with these environment variables.
    pub fn start(
        pool: &Arc<Pool>,
        id: String,
        environment: Vec<(String, String)>,
        output: &Arc<Output>,
    ) -> Result<Arc<Self>, Error> {
        let program = pool.program()?;
        let mut child = process::command(program)?
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(format!("starting {}", program.display())))?;
        let name = &pool.function.name;
        follow(child.stdout.take(), output, name);
        follow(child.stderr.take(), output, name);
        let (sender, inbox) = mpsc::channel(1);
        let instance = Arc::new(Self {
            id,
            pool: Arc::clone(pool),
            sender,
            inbox: tokio::sync::Mutex::new(inbox),
            current: Mutex::new(None),
            initialised: watch::Sender::new(false),
            ended: watch::Sender::new(None),
            end: Notify::new(),
        });
        tokio::spawn(Arc::clone(&instance).supervise(child));
        Ok(instance)
    }

    async fn supervise(self: Arc<Self>, mut child: Child) {
        let status = tokio::select! {
            status = child.wait() => status,
            () = self.end.notified() => match child.start_kill() {
                Ok(()) => child.wait().await,
                Err(error) => Err(error),
            },
        };
        let reason = match status {
            Ok(status) => reason(status),
            Err(error) => format!("Runtime exited with error: {error}"),
        };
        self.finish(Outcome::Ended(reason.clone()));
        self.ended.send_replace(Some(reason));
    }

    /// Waits until the process has asked for its first event.
    pub async fn initialised(&self) -> Result<(), Outcome> {
        let mut initialised = self.initialised.subscribe();
        let mut ended = self.ended.subscribe();
        tokio::select! {
            _ = initialised.wait_for(|initialised| *initialised) => Ok(()),
            reason = ended.wait_for(Option::is_some) => {
                let reason = reason.ok().and_then(|reason| reason.clone()).unwrap_or_default();
                Err(Outcome::Ended(reason))
            }
            () = tokio::time::sleep(INITIALISATION) => {
                self.stop();
                Err(Outcome::TimedOut)
            }
        }
    }

    /// Gives the process an event and waits for its answer until `limit` has passed.
    pub async fn run(&self, event: Event, limit: impl Future<Output = ()>, work: Work) -> Outcome {
        let (answer, answered) = oneshot::channel();
        *self.current.lock() = Some(Current {
            id: event.id.clone(),
            lineage: event.lineage.clone(),
            answer: Some(answer),
            hung: false,
            work: Some(work),
        });
        if self.sender.send(event).await.is_err() {
            return Outcome::Ended("Runtime exited without providing a reason".to_owned());
        }
        let outcome = tokio::select! {
            outcome = answered => Some(outcome),
            () = limit => None,
        };
        *self.current.lock() = None;
        match outcome {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Outcome::Ended("Runtime exited without providing a reason".to_owned()),
            None => {
                self.stop();
                Outcome::TimedOut
            }
        }
    }

    /// The next event, as soon as there is one.
    pub async fn next(&self) -> Option<Event> {
        self.initialised.send_replace(true);
        self.inbox.lock().await.recv().await
    }

    /// Takes the process's answer to invocation `id`; false if it isn't running that one.
    pub fn answer(&self, id: &str, outcome: Outcome) -> bool {
        let mut current = self.current.lock();
        match current.as_mut().filter(|current| current.id == id) {
            Some(current) if current.hung => true,
            Some(current) => {
                current.answer.take().is_some_and(|answer| answer.send(outcome).is_ok())
            }
            None => false,
        }
    }

    /// On whose behalf the process works now.
    pub fn lineage(&self) -> Option<Lineage> {
        self.current.lock().as_ref().map(|current| current.lineage.clone())
    }

    /// Lets no answer through any more: the running invocation will time out.
    pub fn hang(&self) {
        if let Some(current) = self.current.lock().as_mut() {
            current.hung = true;
            current.work = None;
        }
    }

    /// Whether the running invocation is to time out.
    pub fn hangs(&self) -> bool {
        self.current.lock().as_ref().is_some_and(|current| current.hung)
    }

    /// Whether the process still runs.
    pub fn alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Waits until the process has ended.
    pub async fn over(&self) {
        let mut ended = self.ended.subscribe();
        let _ = ended.wait_for(Option::is_some).await;
    }

    /// Ends the process.
    pub fn stop(&self) {
        self.end.notify_one();
    }

    /// Ends the process and waits for its end.
    pub async fn stopped(&self) {
        self.stop();
        self.over().await;
    }

    fn finish(&self, outcome: Outcome) {
        if let Some(answer) = self.current.lock().as_mut().and_then(|current| current.answer.take())
        {
            let _ = answer.send(outcome);
        }
    }
}

/// A fresh name for an instance.
pub fn fresh_id() -> String {
    Uuid::new_v4().simple().to_string()
}

fn reason(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, signal) => {
            format!("Runtime exited with error: signal: {}", signal.unwrap_or_default())
        }
    }
}

fn follow<R: AsyncRead + Unpin + Send + 'static>(
    stream: Option<R>,
    output: &Arc<Output>,
    function: &str,
) {
    let Some(stream) = stream else { return };
    let (output, function) = (Arc::clone(output), function.to_owned());
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            output.add(&function, line);
        }
    });
}
