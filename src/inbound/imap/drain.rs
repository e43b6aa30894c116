//! Takes in all messages of the folder.

use super::{Folders, ImapError, MOST_BYTES, Mailbox, Purpose, Result, Session, Way, answer::Answer, names, select};
use crate::{
    clock::Clock,
    failpoint,
    inbound::{Drained, Inbox, Message},
};
use std::collections::HashSet;
use tokio_util::sync::CancellationToken;

/// Messages that are read and recorded together.
const AT_ONCE: usize = 64;
/// Messages that are looked for together, so that the list of a very full folder is bounded.
const WINDOW: u32 = 1_000;
/// Messages that cannot be read or moved, after which a pass gives up.
const MOST_LEFT: usize = 100;
/// Connections that break while messages are read, after which a pass gives up.
const MOST_BROKEN: usize = 10;

/// How often messages may vanish between looking and moving, since others read too.
const MOST_CONTENDED: usize = 1_000;
/// Answers that are no message we asked for, while messages are read.
const MOST_OTHERS: usize = 10_000;

/// A pass over the folder, which may take several connections.
#[derive(Default)]
struct Pass {
    drained: Drained,
    /// UIDs that are left where they are, of this validity.
    left: HashSet<u32>,
    validity: Option<u32>,
    first: Option<ImapError>,
    /// Messages that are still read one by one, after some could not be read together: to find the one that cannot.
    careful: usize,
    /// Being read: these cannot be, if it fails.
    reading: Vec<u32>,
    broken: usize,
    /// How often another reader was in the way.
    contended: usize,
}

impl Mailbox {
    /// Takes in everything in the folder, until nothing is left or `stop`. Connects if need be.
    ///
    /// # Errors
    /// When the mailbox cannot be opened, read or written, or some messages cannot (the others are), or the ledger cannot be written. What was
    /// recorded until then stays recorded.
    pub async fn drain(&mut self, inbox: Inbox<'_>, clock: &Clock, stop: &CancellationToken) -> Result<Drained> {
        let mut pass = Pass::default();
        loop {
            match self.go_on(&mut pass, inbox, clock, stop).await {
                Ok(()) => break,
                Err(why) => {
                    if !matches!(why, ImapError::Refused { .. }) {
                        self.session = None;
                    }
                    pass.failed(why)?;
                }
            }
        }
        let (count, first) = (pass.left.len(), pass.first);
        first.map_or(Ok(pass.drained), |first| Err(ImapError::Left { count, first: Box::new(first) }))
    }

    async fn go_on(
        &mut self,
        pass: &mut Pass,
        inbox: Inbox<'_>,
        clock: &Clock,
        stop: &CancellationToken,
    ) -> Result<()> {
        let folder = self.settings.folder.clone();
        let session = self.session().await?;
        let (mut begin, mut handled) = (1, HashSet::new());
        while !stop.is_cancelled() {
            let selected = select(&mut session.connection, "SELECT", &folder).await?;
            if selected.read_only {
                return Err(ImapError::ReadOnly(folder));
            }
            if session.way == Way::Mark && !selected.keywords {
                return Err(ImapError::CannotMark);
            }
            if pass.validity.replace(selected.validity).is_some_and(|it| it != selected.validity) {
                // The numbers are those of other messages now.
                (pass.left, handled, begin) = (HashSet::new(), HashSet::new(), 1);
            }
            let exists = session.connection.exists;
            if begin > exists {
                session.connection.seen = exists;
                return Ok(());
            }
            let end = exists.min(begin.saturating_add(WINDOW - 1));
            let found = session.search(begin, end).await?;
            // Otherwise they would be read forever.
            pass.leave(found.iter().copied().filter(|it| handled.contains(it)), || ImapError::StillThere)?;
            let mut uids: Vec<u32> = found.into_iter().filter(|it| !pass.left.contains(it)).collect();
            uids.sort_unstable();
            if uids.is_empty() {
                begin = end + 1;
                continue;
            }
            handled = uids.iter().copied().collect();
            let mut rest = &uids[..];
            while !rest.is_empty() && !stop.is_cancelled() {
                let (some, after) = rest.split_at(rest.len().min(if pass.careful > 0 { 1 } else { AT_ONCE }));
                match session.take_some(some, pass, inbox, clock).await {
                    Err(why) if why.is_of_another_reader() && pass.contended < MOST_CONTENDED => {
                        // Which of them are gone is not said: they are looked for again.
                        pass.contended += 1;
                        pass.reading.clear();
                        handled.clear();
                        break;
                    }
                    taken => taken?,
                }
                rest = after;
            }
        }
        Ok(())
    }
}

impl Pass {
    /// Leaves messages where they are.
    fn leave(&mut self, uids: impl IntoIterator<Item = u32>, why: impl Fn() -> ImapError) -> Result<()> {
        for uid in uids {
            self.left.insert(uid);
            self.first.get_or_insert_with(&why);
        }
        if self.left.len() > MOST_LEFT { Err(why()) } else { Ok(()) }
    }

    /// Whether another try makes sense: only after messages could not be read, which then are read one by one, or are left.
    fn failed(&mut self, why: ImapError) -> Result<()> {
        let reading = std::mem::take(&mut self.reading);
        let is_of_reading = matches!(
            why,
            ImapError::Refused { .. } | ImapError::Lost { .. } | ImapError::Unreadable(_) | ImapError::TooLarge(_)
        );
        if reading.is_empty() || !is_of_reading || self.broken >= MOST_BROKEN || self.left.len() >= MOST_LEFT {
            return Err(why);
        }
        if !matches!(why, ImapError::Refused { .. }) {
            self.broken += 1;
        }
        match reading[..] {
            [one] => {
                self.left.insert(one);
                self.first.get_or_insert(why);
            }
            _ => self.careful = reading.len(),
        }
        Ok(())
    }
}

impl Session {
    /// Reads messages, has them recorded, and only then puts them away.
    async fn take_some(&mut self, some: &[u32], pass: &mut Pass, inbox: Inbox<'_>, clock: &Clock) -> Result<()> {
        pass.reading = some.to_vec();
        let (uids, messages) = self.fetch(some).await?;
        pass.reading.clear();
        pass.careful = pass.careful.saturating_sub(1);
        let outcomes = inbox.take(&messages, clock.now()).await?;
        failpoint::reach("after_feedback_recorded");
        outcomes.iter().for_each(|outcome| pass.drained.count(outcome));
        for purpose in [Purpose::Done, Purpose::Other] {
            let those = uids.iter().zip(&outcomes);
            let those = those.filter(|(_, outcome)| outcome.is_ours() == (purpose == Purpose::Done));
            let those: Vec<u32> = those.map(|(uid, _)| *uid).collect();
            if !those.is_empty() {
                self.put_away(&those, purpose).await?;
            }
        }
        Ok(())
    }

    /// The UIDs of messages that nobody has taken in, among those with these numbers. What a person marked as deleted is nobody's concern;
    /// it may also be what a reader that was killed has copied.
    async fn search(&mut self, begin: u32, end: u32) -> Result<Vec<u32>> {
        let mut command = format!("UID SEARCH {begin}:{end} UNDELETED");
        if self.way == Way::Mark {
            for purpose in [Purpose::Done, Purpose::Other] {
                command.push_str(" UNKEYWORD ");
                command.push_str(purpose.keyword());
            }
        }
        let (mut uids, most) = (HashSet::new(), (end - begin + 1) as usize);
        let each = |answer| {
            if let Answer::Search(found) = answer {
                uids.extend(found.into_iter().take(most));
            }
        };
        self.connection.command("looking for messages", &command, each).await?;
        Ok(uids.into_iter().take(most).collect())
    }

    /// Reads messages; those that another reader has moved in the meantime are missing.
    async fn fetch(&mut self, wanted: &[u32]) -> Result<(Vec<u32>, Vec<Message>)> {
        let command = format!("UID FETCH {} (UID BODY.PEEK[]<0.{MOST_BYTES}>)", names::set(wanted));
        let (mut uids, mut messages) = (Vec::new(), Vec::new());
        let sent = self.connection.begin("reading messages", &command).await?;
        // A message comes once; besides, flags that others change may come.
        let mut others = 0;
        loop {
            match self.connection.step(&sent).await? {
                Answer::Message { uid, bytes } if wanted.contains(&uid) && !uids.contains(&uid) => {
                    let read = tokio::task::spawn_blocking(move || Message::read(&bytes));
                    messages.push(read.await.map_err(|_| ImapError::Thread)?);
                    uids.push(uid);
                }
                Answer::Done { .. } => return Ok((uids, messages)),
                _ => others += 1,
            }
            if others > MOST_OTHERS {
                return Err(ImapError::Unreadable("reading messages"));
            }
        }
    }

    async fn put_away(&mut self, uids: &[u32], purpose: Purpose) -> Result<()> {
        let set = names::set(uids);
        let Folders { done, other } = self.folders.clone();
        let folder = if purpose == Purpose::Done { done } else { other };
        // Marked as seen, but what a person should look at.
        let seen = if purpose == Purpose::Done { "\\Seen" } else { "" };
        if self.way == Way::Mark {
            let flags = format!("{seen} {}", purpose.keyword());
            return self.flag(&set, flags.trim()).await;
        }
        if purpose == Purpose::Done {
            self.flag(&set, seen).await?;
        }
        let verb = if self.way == Way::Move { "MOVE" } else { "COPY" };
        let command = format!("UID {verb} {set} {folder}");
        self.connection.command("moving messages", &command, |_| {}).await?;
        if self.way == Way::Copy {
            self.flag(&set, "\\Deleted").await?;
            let expunge = format!("UID EXPUNGE {set}");
            self.connection.command("removing what was copied", &expunge, |_| {}).await?;
        }
        Ok(())
    }

    async fn flag(&mut self, set: &str, flags: &str) -> Result<()> {
        let command = format!("UID STORE {set} +FLAGS.SILENT ({flags})");
        self.connection.command("marking messages", &command, |_| {}).await
    }
}
