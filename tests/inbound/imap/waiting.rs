//! Through the library, since a test waits no nine minutes.

use super::{ALL, OTHER, PASSWORD, Server, Tls, USER};
use crate::support::{house::block_on, ledger::Ledger};
use semainier::domain::lane::Lanes;
use semainier::{
    clock::Clock,
    inbound::{
        Inbox,
        imap::{self, Mailbox, Timing},
    },
    secret::Credential,
    tokens::Tokens,
    trust::Authorities,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn timing() -> Timing {
    let short = Duration::from_millis(200);
    Timing { connect: Duration::from_secs(5), answer: Duration::from_secs(5), idle: short, poll: short }
}

fn settings(server: &Server) -> imap::Settings {
    imap::Settings {
        host: "127.0.0.1".to_owned(),
        port: server.address.port(),
        tls: imap::Tls::None,
        user: USER.to_owned(),
        password: Credential::Given { value: PASSWORD.to_owned().into(), place: "test".to_owned() },
        authorities: Authorities::default(),
        folder: "INBOX".to_owned(),
        done: None,
        other: None,
    }
}

#[test]
fn idle_is_begun_again_in_time_and_without_it_the_folder_is_looked_into() {
    for (capabilities, idles) in [(ALL, 3), (&["IMAP4rev1", "AUTH=PLAIN", "MOVE"], 0)] {
        let server = Server::with(Tls::None, capabilities);
        block_on(async {
            let ledger = Ledger::sqlite().await;
            let tokens = Tokens::new("a secret for tests".to_owned().into());
            let inbox = Inbox { store: &*ledger.store, tokens: &tokens, soft_limit: 5, lanes: &Lanes::default() };
            let (clock, stop) = (Clock::System, CancellationToken::new());
            let mut mailbox = Mailbox::new(settings(&server), timing());
            for _ in 0..3 {
                mailbox.drain(inbox, &clock, &stop).await.unwrap();
                mailbox.wait(&clock, &stop, || false).await.unwrap();
            }
            assert_eq!((server.heard("IDLE"), server.heard("DONE")), (idles, idles));
            assert_eq!((server.heard("SELECT"), server.logins()), (3, 1), "one connection");
            // It ends when it should, not when it is time.
            let mut mailbox = Mailbox::new(settings(&server), Timing { idle: Duration::from_secs(600), ..timing() });
            mailbox.drain(inbox, &clock, &stop).await.unwrap();
            let stopped = stop.clone();
            let (waited, ()) = tokio::join!(mailbox.wait(&clock, &stop, || false), async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                stopped.cancel();
            });
            waited.unwrap();
        });
        server.judge();
    }
}

#[test]
fn a_connection_that_ends_while_waiting_is_an_error_and_the_next_pass_opens_another() {
    let server = Server::start();
    block_on(async {
        let ledger = Ledger::sqlite().await;
        let tokens = Tokens::new("a secret for tests".to_owned().into());
        let inbox = Inbox { store: &*ledger.store, tokens: &tokens, soft_limit: 5, lanes: &Lanes::default() };
        let (clock, stop) = (Clock::System, CancellationToken::new());
        let mut mailbox = Mailbox::new(settings(&server), Timing { idle: Duration::from_secs(600), ..timing() });
        mailbox.drain(inbox, &clock, &stop).await.unwrap();
        server.state().closes = true;
        mailbox.wait(&clock, &stop, || false).await.unwrap_err();
        server.state().closes = false;
        server.put("From: a@b.example\n\nBonjour !\n");
        assert_eq!(mailbox.drain(inbox, &clock, &stop).await.unwrap().ignored, 1);
        assert_eq!((server.logins(), server.count(OTHER)), (2, 1));
    });
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_long() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start();
    let settings = imap::Settings { port: listener.local_addr().unwrap().port(), ..settings(&server) };
    let timing = Timing { answer: Duration::from_millis(300), ..timing() };
    let failed = block_on(imap::probe(&settings, &timing)).unwrap_err();
    assert!(failed.to_string().contains("no answer within"), "{failed}");
    drop(listener);
}
