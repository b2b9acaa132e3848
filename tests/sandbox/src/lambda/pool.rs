//! The instances of one function, and how many of them may run at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::deployment::Function;
use crate::error::Error;
use crate::lambda::instance::Instance;

/// A deployed function with its program and its instances.
#[derive(Debug)]
pub struct Pool {
    /// The function as deployed.
    pub function: Function,
    /// The step or door that it is: its name without the stack's.
    pub step: String,
    program: Option<PathBuf>,
    binaries: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    idle: Vec<(Instant, Arc<Instance>)>,
    retired: bool,
}

impl Pool {
    /// A pool without instances for a function whose program is in `binaries`.
    pub fn new(function: Function, binaries: &Path) -> Self {
        let found = suffixes(&function.name).find(|suffix| binaries.join(suffix).is_file());
        let program = found.map(|name| binaries.join(name));
        let step = found.unwrap_or(&function.name).to_owned();
        Self { function, step, program, binaries: binaries.to_owned(), state: Mutex::default() }
    }

    /// The program to run.
    pub fn program(&self) -> Result<&Path, Error> {
        self.program.as_deref().ok_or_else(|| Error::NoProgram {
            function: self.function.name.clone(),
            binaries: self.binaries.display().to_string(),
        })
    }

    /// How many invocations run now.
    pub fn busy(&self) -> usize {
        self.state.lock().busy
    }

    /// Takes a place for an invocation; nothing if all reserved places are taken.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state.lock();
        if self.function.reserved_concurrency.is_some_and(|reserved| state.busy >= reserved) {
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

/// The name itself and what follows each of its hyphens, longest first.
fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(name.match_indices('-').map(|(at, _)| &name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_functions_program_is_named_by_what_follows_the_stacks_name() {
        let all: Vec<_> = suffixes("my-stack-create-account").collect();
        assert_eq!(
            all,
            ["my-stack-create-account", "stack-create-account", "create-account", "account"]
        );
    }

    #[test]
    fn reserved_concurrency_limits_the_places() {
        let function = Function { reserved_concurrency: Some(1), ..Function::default() };
        let pool = Arc::new(Pool::new(function, Path::new("/nowhere")));
        let place = pool.enter();
        assert!(place.is_some() && pool.enter().is_none());
        drop(place);
        assert!(pool.enter().is_some());
    }
}
