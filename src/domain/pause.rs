//! Why an issue is paused, or a lane closed, as data; worded in [`crate::notices::wording`].

/// Why sending an issue is paused. A person resumes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseReason {
    /// Too many deliveries are unknown.
    InDoubt {
        unknown: u64,
        because: Doubt,
    },
    /// Several recipients' servers refused it as spam.
    TakenForSpam,
    /// One recipient after another is refused in the same words, and nobody accepted.
    EveryoneRefused {
        said: String,
    },
    /// So many recipients, each refused.
    NobodyReached {
        refused: u64,
    },
    /// The first messages of an issue were all refused, and the rest has not left (docs/adr/0016).
    FirstRefused {
        refused: u64,
    },
    /// The same came back by mail for so many of those it was handed over for (docs/adr/0017).
    MassBounced {
        recipients: u64,
        said: String,
    },
    TooBig {
        bytes: usize,
        most: usize,
    },
    EightBit,
    /// Servers refuse the sender, for any recipient; `said` is their reply.
    SenderFault {
        fault: SenderFault,
        said: String,
    },
}

/// Why deliveries are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    RelayWasSilent,
    ProcessDied,
}

/// The fault on our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderFault {
    RelayRefuses,
    Blocklisted,
    NameNotRecognised,
    NotAuthenticated,
    SenderRefused,
    MessageTooBig,
    LoginWanted,
    /// The relay does not understand, or does not take, what we say to it.
    CommandRefused,
    /// Our account at the relay is suspended, or has nothing left to send with.
    AccountBlocked,
    TakenForSpam,
}
