//! The instances of one function, and how many of them may run at once.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::deployment::Function;
use crate::error::Error;
use crate::lambda::Chain;
use crate::lambda::instance::Instance;
use crate::lambda::programs::{Program, Programs};

/// A deployed function, or a version of one, with its program and its instances.
#[derive(Debug)]
pub struct Pool {
    /// The function as deployed.
    pub function: Function,
    /// The step or door that it is: its name without the stack's.
    pub step: String,
    program: Option<Arc<Program>>,
    binaries: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    idle: Vec<(Instant, Arc<Instance>)>,
    retired: bool,
}

impl Pool {
    /// A pool without instances for a function that runs one of these programs.
    pub fn new(function: Function, programs: &Programs) -> Self {
        let name = programs.name(&function.name);
        let step = name.unwrap_or(&function.name).to_owned();
        let code = function.code.as_deref().unwrap_or_default();
        let program = name.and_then(|name| {
            let kept = programs.deployed(name, code);
            kept.inspect_err(|error| tracing::error!(error = %Chain(error), "no program")).ok()
        });
        let binaries = programs.searched().display().to_string();
        Self { function, step, program, binaries, state: Mutex::default() }
    }

    /// The program to run.
    pub fn program(&self) -> Result<&Path, Error> {
        let Some(program) = &self.program else {
            let (function, binaries) = (self.function.name.clone(), self.binaries.clone());
            return Err(Error::NoProgram { function, binaries });
        };
        program.file()
    }

    /// How many invocations run now.
    pub fn busy(&self) -> usize {
        self.state.lock().busy
    }

    /// Takes a place for an invocation beside those of the function's other versions; nothing if all reserved places
    /// are taken.
    pub fn enter(self: &Arc<Self>, others: usize) -> Option<Place> {
        let mut state = self.state.lock();
        if self
            .function
            .reserved_concurrency
            .is_some_and(|reserved| state.busy + others >= reserved)
        {
            return None;
        }
        state.busy += 1;
        Some(Place(Arc::clone(self)))
    }

    /// A warm instance that is free.
    pub fn warm(&self) -> Option<Arc<Instance>> {
        let mut state = self.state.lock();
        while let Some((_, instance)) = state.idle.pop() {
            if instance.alive() {
                return Some(instance);
            }
        }
        None
    }

    /// Keeps an instance for the next invocation.
    pub fn keep(&self, instance: Arc<Instance>) {
        let mut state = self.state.lock();
        if state.retired {
            instance.stop();
        } else if instance.alive() {
            state.idle.push((Instant::now(), instance));
        }
    }

    /// Ends all free instances, now and in the future: the function was changed or deleted.
    pub fn retire(&self) {
        let mut state = self.state.lock();
        state.retired = true;
        for (_, instance) in state.idle.drain(..) {
            instance.stop();
        }
    }

    /// Ends the instances that had nothing to do for longer than `longest`.
    pub fn cool(&self, longest: Duration) {
        self.state.lock().idle.retain(|(since, instance)| {
            let keep = since.elapsed() < longest;
            if !keep {
                instance.stop();
            }
            keep
        });
    }
}

/// A place among the concurrent invocations of a function, free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Pool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state.lock().busy -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_concurrency_limits_the_places() {
        let function = Function { reserved_concurrency: Some(1), ..Function::default() };
        let pool = Arc::new(Pool::new(function, &Programs::of("/nowhere".into())));
        let place = pool.enter(0);
        assert!(place.is_some() && pool.enter(0).is_none());
        drop(place);
        assert!(pool.enter(0).is_some());
    }
}
