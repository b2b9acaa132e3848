//! Child processes that never outlive the sandbox.
//!
//! A child is started through this very program (`become`), which asks the kernel for its own end
//! when the parent's thread ends and then becomes the wanted program. So nothing is left behind
//! even when the gateway is killed.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::process::Command;

use crate::error::Error;

/// First argument with which this program turns into another one.
pub const BECOME: &str = "become";

/// A command for `program` that ends with this process.
pub fn command(program: &Path) -> Result<Command, Error> {
    // The kernel's own name for this program holds even when a new build replaced its file.
    let kernels = Path::new("/proc/self/exe");
    let this = if kernels.exists() {
        kernels.to_owned()
    } else {
        std::env::current_exe().map_err(Error::io("finding this program"))?
    };
    let mut command = Command::new(this);
    command.arg(BECOME).arg(std::process::id().to_string()).arg(program).kill_on_drop(true);
    Ok(command)
}

/// Turns this process into `arguments[1]`, bound to the life of the parent whose process id is
/// `arguments[0]`.
pub fn turn_into(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(parent), Some(program)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(64);
    };
    end_with_parent();
    // The parent may have ended before the kernel was asked.
    let now = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().to_string());
    if now.as_deref() != parent.to_str() {
        return ExitCode::from(70);
    }
    let error = std::process::Command::new(&program).args(arguments).exec();
    tracing::error!(%error, program = %program.display(), "the program can't be started");
    ExitCode::from(127)
}

#[cfg(target_os = "linux")]
fn end_with_parent() {
    let asked =
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if let Err(error) = asked {
        tracing::warn!(%error, "a child may outlive the sandbox");
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent() {}

/// Returns when whoever started the sandbox is gone: standard input, if it is a pipe, was closed, or
/// process `parent` ended. Never returns when neither can be watched.
pub async fn orphaned(parent: Option<u32>) {
    tokio::select! {
        () = stdin_closed() => {}
        () = parent_ended(parent) => {}
    }
}

async fn stdin_closed() {
    let pipe = fs::metadata("/dev/stdin").is_ok_and(|stdin| stdin.file_type().is_fifo());
    if !pipe {
        return std::future::pending().await;
    }
    let (closed, seen) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0_u8; 256];
        let mut stdin = std::io::stdin();
        while stdin.read(&mut ignored).is_ok_and(|read| read > 0) {}
        let _ = closed.send(());
    });
    let _ = seen.await;
}

async fn parent_ended(parent: Option<u32>) {
    let Some(parent) = parent
        .and_then(|parent| i32::try_from(parent).ok())
        .and_then(rustix::process::Pid::from_raw)
    else {
        return std::future::pending().await;
    };
    while rustix::process::test_kill_process(parent).is_ok() {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
