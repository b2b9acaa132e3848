//! The call log: one JSON line for each AWS call that passes the gateway.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;
use serde::Serialize;

use crate::error::Error;

/// How many calls are kept in memory.
const KEPT: usize = 200_000;

/// One AWS call: who made it, on what, and how it ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// Position in the log, from 1.
    pub seq: u64,
    /// Virtual time of the call's arrival, RFC 3339.
    pub at: String,
    /// Wall-clock time of the call's arrival, RFC 3339.
    pub wall: String,
    /// State machine on whose behalf the call was made.
    pub machine: Option<String>,
    /// Step or door on whose behalf the call was made.
    pub step: Option<String>,
    /// Part of the step, for steps that run once for each part.
    pub part: Option<String>,
    /// Tenant on whose behalf the call was made.
    pub tenant: Option<String>,
    /// Run of the tenant's replication.
    pub run: Option<u64>,
    /// Mode of the replication.
    pub mode: Option<String>,
    /// Request id of the function invocation that made the call.
    pub invocation: Option<String>,
    /// ARN of the caller.
    pub principal: String,
    /// Account of the caller.
    pub account: String,
    /// Region in the request's signature.
    pub region: String,
    /// Service in the request's signature.
    pub service: String,
    /// IAM action name.
    pub action: String,
    /// Name of the operation on the wire.
    pub operation: String,
    /// ARN that the call acts on.
    pub resource: String,
    /// `allowed`, `denied:<layer>` or `unjudged`.
    pub decision: String,
    /// HTTP status of the answer; 0 when the caller got none.
    pub status: u16,
    /// Error code of the answer.
    pub error: Option<String>,
    /// Real duration in milliseconds.
    pub duration_ms: f64,
    /// Which call of this action it is in the step's work on this tenant and run.
    pub occurrence: u32,
    /// Whether the operation changes anything.
    pub write: bool,
    /// Kind of fault that was injected.
    pub fault: Option<String>,
    /// Whether an earlier answer was given instead of the present truth.
    pub stale: bool,
}

/// The calls so far, in memory and optionally in a file.
#[derive(Debug)]
pub struct Log {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    lines: VecDeque<(u64, String)>,
    file: Option<File>,
}

impl Log {
    /// Opens a log, with a file beside the memory if `path` is given.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = path
            .map(|path| {
                File::create(path).map_err(Error::io(format!("creating {}", path.display())))
            })
            .transpose()?;
        Ok(Self { state: Mutex::new(State { next: 1, lines: VecDeque::new(), file }) })
    }

    /// Adds a call and gives it its position.
    pub fn add(&self, mut entry: Entry) {
        let mut state = self.state.lock();
        entry.seq = state.next;
        state.next += 1;
        let Ok(mut line) = serde_json::to_string(&entry) else { return };
        line.push('\n');
        if let Some(file) = &mut state.file
            && let Err(error) = file.write_all(line.as_bytes())
        {
            tracing::warn!(%error, "the call log's file can't be written");
        }
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back((entry.seq, line));
    }

    /// All lines after position `seq`.
    pub fn since(&self, seq: u64) -> String {
        let state = self.state.lock();
        let first = state.lines.partition_point(|(position, _)| *position <= seq);
        state.lines.range(first..).map(|(_, line)| line.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_after_a_position_are_found() {
        let log = Log::open(None).unwrap();
        for operation in ["A", "B", "C"] {
            log.add(Entry { operation: operation.to_owned(), ..Entry::default() });
        }
        assert_eq!(log.since(0).lines().count(), 3);
        let rest = log.since(2);
        assert_eq!(rest.lines().count(), 1);
        assert!(rest.contains(r#""seq":3"#) && rest.contains(r#""operation":"C""#));
    }
}
