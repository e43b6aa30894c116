//! The misbehaving relay for blocking tests.

use super::{
    house::STAFF,
    smtp::{Accepted, Options, SmtpRelay},
};
use std::ops::Deref;

/// [`SmtpRelay`] on threads of its own, so that a test may block.
pub struct Relay {
    relay: SmtpRelay,
    _runtime: tokio::runtime::Runtime,
}

impl Relay {
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let relay = runtime.block_on(SmtpRelay::start(options));
        Self { relay, _runtime: runtime }
    }

    /// Where nobody listens.
    pub fn nowhere() -> String {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("smtp://{}?tls=none", socket.local_addr().unwrap())
    }

    /// What staff were told: the subjects, in order.
    pub fn told_staff(&self) -> Vec<String> {
        let to_staff = |it: &&Accepted| it.recipient == STAFF;
        let subject = |it: &Accepted| {
            let message = mail_parser::MessageParser::default().parse(&it.bytes).unwrap();
            message.subject().unwrap().to_owned()
        };
        self.seen().accepted.iter().filter(to_staff).map(subject).collect()
    }

    /// The messages to partners.
    pub fn to_partners(&self) -> usize {
        self.seen().accepted.iter().filter(|it| it.recipient != STAFF).count()
    }
}

impl Deref for Relay {
    type Target = SmtpRelay;

    fn deref(&self) -> &SmtpRelay {
        &self.relay
    }
}
