//! The mailbox of bounces at a provider: whether it can be opened, and what it offers. Changes nothing in it.

use super::{Finding, Topic, Verdict};
use crate::app::App;
use crate::inbound::imap::{self, ImapError, Probe, Timing, Way};
use std::time::Duration;

/// A person waits for it.
const TIMING: Timing = Timing {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(20),
    idle: Duration::from_secs(60),
    poll: Duration::from_secs(60),
};

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    let Some(settings) = &app.config.inbound.imap else { return Vec::new() };
    match imap::probe(settings, &TIMING).await {
        Ok(probe) => offers(&settings.to_string(), &probe),
        Err(why) => {
            let what = format!("{settings} cannot be read: {why}");
            vec![Finding::new(Topic::Mailbox, Verdict::Bad, what).ask(ask(&why))]
        }
    }
}

fn offers(shown: &str, probe: &Probe) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Mailbox, verdict, what);
    let moves = match probe.way {
        Way::Move => finding(Verdict::Good, format!("messages in {shown} can be moved (MOVE)")),
        Way::Copy => finding(Verdict::Good, format!("messages in {shown} can be copied and removed (UIDPLUS)")),
        Way::Mark => finding(
            Verdict::Warning,
            format!("messages in {shown} cannot be moved: they stay, and are marked as read by us"),
        )
        .ask("ask the provider for MOVE (RFC 6851) or UIDPLUS (RFC 4315); or empty the folder now and then"),
    };
    let news = match probe.idle {
        true => finding(Verdict::Good, format!("{shown} announces new messages (IDLE)")),
        false => finding(Verdict::Good, format!("{shown} is looked into every minute: the server knows no IDLE")),
    };
    vec![
        finding(Verdict::Good, format!("{shown} can be opened; there are {} messages in it", probe.messages)),
        moves,
        news,
    ]
}

/// What to do, or to ask the provider.
fn ask(why: &ImapError) -> &'static str {
    match why {
        ImapError::Connect(_) => {
            "see inbound.imap.host and port; ask the provider for its IMAP server, and whether this machine may connect to it"
        }
        ImapError::Tls(_) => "see inbound.imap.tls, host and ca_file; ask the provider for the name in its certificate",
        ImapError::NoStarttls(_) => "write tls = \"implicit\" (port 993); ask the provider how IMAP is encrypted",
        ImapError::Password(_) => "see inbound.imap.password_file: the user of the service must be able to read it",
        ImapError::LoginRefused(_) => {
            "see inbound.imap.user and password_file; ask the provider whether IMAP is allowed for this mailbox, and whether \
             it needs a password of its own for programs. Do not try often: many lock the account"
        }
        ImapError::NoLogin => {
            "ask the provider for a login with a password (AUTH=PLAIN under TLS); logins by OAuth alone are not supported"
        }
        ImapError::Busy(_) => "wait; ask the provider how many connections the mailbox may have",
        ImapError::CannotMark => "ask the provider for MOVE (RFC 6851), UIDPLUS (RFC 4315) or keywords in this folder",
        ImapError::ReadOnly(_) => "ask the provider for the right to move messages out of this folder",
        ImapError::Refused { .. } => {
            "see inbound.imap.folder, done_folder and other_folder; ask the provider for their names"
        }
        ImapError::Lost { .. }
        | ImapError::Unreadable(_)
        | ImapError::TooLarge(_)
        | ImapError::StillThere
        | ImapError::Left { .. }
        | ImapError::Thread
        | ImapError::Store(_) => "ask the provider why its server answers so",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mailbox_offers_is_judged() {
        let judged = |way, idle| {
            let found = offers("INBOX at imap.example:993", &Probe { messages: 3, way, idle });
            found.iter().map(|it| it.verdict).max()
        };
        assert_eq!(judged(Way::Move, true), Some(Verdict::Good));
        assert_eq!(judged(Way::Copy, false), Some(Verdict::Good));
        assert_eq!(judged(Way::Mark, true), Some(Verdict::Warning));
    }
}
