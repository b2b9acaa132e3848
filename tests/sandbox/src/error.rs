//! What can go wrong in the sandbox itself, as opposed to what AWS would answer.

/// A failure of the sandbox's own machinery.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A socket, a process or a file did not do what was asked.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// moto did not answer, or not as expected.
    #[error("moto: {0}")]
    Moto(String),
    /// A function has no program to run.
    #[error("function {function} has no program in {binaries}")]
    NoProgram {
        /// The function's name.
        function: String,
        /// The folder that was searched.
        binaries: String,
    },
    /// A deployed program is no longer what was deployed.
    #[error("{0} was written into after it was deployed; deploy again")]
    Overwritten(String),
}

impl Error {
    /// Names what was being done when `source` came up.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
