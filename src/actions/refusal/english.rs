//! For the command line, with a suggested command.

use super::Refusal;
use crate::domain::issue::IssueSummary;
use crate::views::instant;
use chrono_tz::Tz;

impl Refusal {
    pub fn in_english(&self) -> String {
        match self {
            Self::Api(refusal) => refusal.in_english(),
            Self::Exception(refusal) => refusal.in_english(),
            Self::NoSuchMailing(unknown) => unknown.to_string(),
            Self::NoName => "expected a name after --by: the ledger records who approved".to_owned(),
            Self::NoSuchIssue(key) => format!("there is no issue {key}; `semainier issues` lists them"),
            Self::NotComposedYet(key) => format!(
                "there is no issue {key} yet; compose it now: semainier issues rehearse {key}, or recompose where it needs \
                 an approval"
            ),
            Self::NothingToApprove { issue, state, reason } => {
                let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("issue {issue} is {}{reason}; there is nothing to approve", state.as_str())
            }
            Self::DeadlinePassed(key) => format!("the deadline of issue {key} has passed; it can no longer be sent"),
            Self::HasChanged { issue, seen, now } => format!(
                "issue {issue} has changed: what you saw was {seen}, now it is {now}; look at it again: \
                 semainier issues show {issue}"
            ),
            Self::ChangedMeanwhile(key) => {
                format!("issue {key} changed at the same time; review it again: semainier issues show {key}")
            }
            Self::Unchangeable { issue, state } => {
                format!("issue {issue} is {}; it can no longer be changed", state.as_str())
            }
            Self::WrongState { issue, state } => {
                format!("issue {issue} is {}; this is not possible in that state", state.as_str())
            }
            Self::GivenUp { issue, zone } => given_up(issue, *zone),
            Self::NotCollected { mailing } => {
                format!("issues of {mailing} are not collected from a source: change the edition instead")
            }
            Self::NotANewsletter { mailing } => format!("{mailing} is not a newsletter"),
            Self::NoEditorialSection { mailing } => {
                format!("the mailing {mailing} has no section of kind \"editorial\"")
            }
            Self::LeavesWithoutApproval { mailing } => {
                format!("{mailing} needs no approval; send it with `semainier run {mailing}`")
            }
            Self::NoOccurrence { issue } => {
                format!("the schedule of {} has no occurrence for {issue} that could still be sent", issue.mailing())
            }
            Self::NotRehearsed { mailing } => format!(
                "issues of {mailing} are not rehearsed: they need an approval, or are sent when somebody announces them"
            ),
            Self::NotStaff(address) => format!(
                "a test is sent to staff only, and {address} is neither in `staff` of semainier.toml nor the address of an \
                 active account (semainier users list)"
            ),
            Self::TestedTooOften { most } => {
                format!("{most} tests were sent today, which is the limit; try again tomorrow")
            }
            Self::NotOfAList(key) => format!("issue {key} is a mail to one person, not to a list"),
            Self::NoRelay => "no relay is configured, so nothing can be sent; set `relay` in semainier.toml".to_owned(),
            Self::Skipped { issue, by } => {
                format!("issue {issue} was skipped by {by}; to send it after all: semainier issues unskip {issue}")
            }
            Self::NotSkipped(key) => format!("issue {key} is not skipped"),
            Self::ApprovedAlready { issue, by } => format!("this content of issue {issue} is already approved by {by}"),
            Self::HourHasCome(key) => {
                format!("issue {key} is already due; to stop it: semainier issues cancel {key}")
            }
            Self::NoSuchDelivery(id) => {
                format!("there is no delivery {id}; ids are shown by `semainier log --state unknown`")
            }
            Self::NotUnknown { delivery, state } => {
                format!("delivery {delivery} is {state}; only unknown deliveries can be settled")
            }
            Self::LaneIsOpen(name) => format!("lane {name:?} is open; `semainier lanes` shows the others"),
            Self::NoEditionMailing(why) => why.clone(),
            Self::NoSuchEdition { slug, known } => {
                let known = if known.is_empty() { "none has been added yet".to_owned() } else { known.join(", ") };
                format!("there is no edition {slug:?} ({known}); add it first: semainier editions add FILE")
            }
            Self::HourIsOver => "--at is in the past; give a future time, or leave it out to announce now".to_owned(),
            Self::AnnouncedBefore { slug, issue, state, counts } => format!(
                "{slug} was announced already: issue {issue} is {} ({counts}); an edition is announced once. \
                 For another printing, add it under another slug",
                state.as_str()
            ),
            Self::AnnouncedFor { slug, at, zone } => format!(
                "{slug} is announced already, for {}; to cancel that: semainier announce {slug} --cancel",
                instant(*at, *zone)
            ),
            Self::ReachedNobody(key) => format!("issue {key} has reached nobody whom an erratum could reach"),
            Self::NoWords => "there is no text".to_owned(),
            Self::TooManyWords { most } => format!("the text is too long: at most {most} characters"),
            Self::TooManyErrata { issue, most } => format!("issue {issue} has {most} errata already"),
            Self::IsErratum(key) => {
                let of = key.corrected().unwrap_or_else(|| key.clone());
                format!("{key} is an erratum; to replace its words: semainier issues erratum {of} --file FILE")
            }
            Self::WouldBeHeld { issue, why } => format!("nothing was changed: issue {issue} would be held: {why}"),
            Self::CannotBeAnnounced { slug, why } => format!("{slug} cannot be announced: {why}"),
            Self::AnnouncedMeanwhile(key) => {
                format!("{key} was announced by somebody else at the same time: semainier issues")
            }
            Self::NotAnnounced(slug) => format!("{slug} is not announced"),
            Self::LeavingAlready { issue, state } => {
                format!("issue {issue} is {}; stop it with `semainier issues cancel {issue}`", state.as_str())
            }
            Self::PacksAreOrdered { slug, ordered } => format!(
                "{slug} was not changed: {ordered} packs are ordered, so there cannot be fewer, nor packs of another \
                 size; close or cancel orders first (semainier orders --edition {slug})"
            ),
            Self::NoSuchOrders(ids) => {
                format!(
                    "there is no order {}; nothing was changed. Ids are shown by `semainier orders`",
                    ids.join(", ")
                )
            }
            Self::NotOrderable(slug) => format!("{slug} is not printed, or no longer valid: it cannot be ordered"),
            Self::TooFewPacks { slug, left } => {
                format!("of {slug}, {} left for this contact; nothing was changed", packs_are(*left))
            }
            Self::OverOrderLimit { slug, most } => format!(
                "an order of {slug} has at most {most} pack{}; nothing was changed. The limit is max_packs in the edition's \
                 file: semainier editions add FILE",
                if *most == 1 { "" } else { "s" }
            ),
            Self::OrderedTooOften(address) => {
                format!("the order of {address} was changed too often; cancel it, or mark it as delivered")
            }
            Self::OrderNotOpen { order, state } => format!("order {order} is {}; nothing was changed", state.as_str()),
            Self::OrderChanged(order) => format!("order {order} was changed meanwhile; nothing was changed"),
            Self::OrderOfNobody(order) => {
                format!("the person who made order {order} was erased; nothing was changed")
            }
            Self::OtherOrderOpen { order, other } => {
                format!(
                    "the partner has ordered this edition again since order {order}: order {other} is open; nothing was changed"
                )
            }
            Self::BeingSent(address) => {
                format!("a message to {address} is being sent; nothing was changed. Try again in a minute")
            }
            Self::NotAnAgenda { mailing } => format!("{mailing} is not an agenda: it has no lines to correct"),
            Self::NothingRead(key) => {
                format!("nothing was read for {key} yet; read it now: semainier issues rehearse {key}")
            }
            Self::NoSuchLine(name) => {
                format!("what was last read has no line {name}; the names are shown by `semainier corrections list`")
            }
            Self::CorrectedMeanwhile { by } => {
                format!("{by} corrected it at the same time; nothing was changed. Look at it again")
            }
            Self::NoSuchCorrection(id) => format!("no correction {id} is in force; nothing was changed"),
            Self::OutsideTheWeek => "that day is not in the issue's week; nothing was changed".to_owned(),
            Self::NotAWebAddress(text) => format!("{text:?} is not the address of a web page (https://…)"),
            Self::DismissedAlready => "the line is left out of every issue already".to_owned(),
            Self::NotDismissed(line) => format!("the line {line:?} is not left out; nothing was changed"),
            Self::NoReason => "--why: expected the reason, which is stored".to_owned(),
            Self::ContactKnown(address) => {
                format!("{address} is known already; change it with: semainier partners edit {address}")
            }
            Self::ContactNotKnown(address) => {
                format!("{address} is not known; add it with: semainier partners add {address} --why TEXT")
            }
            Self::AddressTaken(address) => {
                format!("{address} belongs to another contact; erase or edit one of the two")
            }
            Self::NothingSaid => "no change was given; --help lists what can be changed".to_owned(),
            Self::NotSuppressed(address) => format!("{address} is not suppressed"),
            Self::PersonsOwnWord(address) => {
                format!("{address} opted out; only the person can take that back, by the link in a mail")
            }
            Self::NoSource => "--source: expected where the addresses come from".to_owned(),
            Self::UnusableList((line, why)) => format!("line {line}: {why}"),
            Self::TooManyUploads { most } => format!("{most} lists are waiting to be imported already"),
            Self::NoSuchUpload => "this list was imported, given up, or has expired".to_owned(),
            Self::RemovesMany { gone, known } => {
                format!("this removes {gone} of {known} contacts ({} %)", gone * 100 / known.max(&1))
            }
            Self::FolderNotEmpty(dir) => {
                format!("{} is not empty: name a folder that is, or one that is not there yet", dir.display())
            }
            Self::LedgerInTheWay => {
                "there is a ledger with data in it; nothing was changed. --replace puts the backup in \
                 its place and keeps it under another name"
                    .to_owned()
            }
            Self::FileInTheWay(path) => format!(
                "{path} differs from the backup's; nothing was changed. --replace puts the backup's in its place and \
                 keeps it under another name"
            ),
            Self::SecretNotOfBackup(place) => format!(
                "{place} is not the secret of the backup; nothing was changed. Put the backup's secret there (its file \
                 `secret`), or set secret_file instead"
            ),
            Self::LinkKeysNotConfigured => {
                "the backup contains link keys, without which links in old mails stop working, and \
                 link_keys_file is not set; nothing was changed. Set it to the file they should be written to"
                    .to_owned()
            }
            Self::NoRole => "expected at least one role".to_owned(),
            Self::NoAddress => "expected an e-mail address".to_owned(),
            Self::AccountKnown(address) => {
                format!("{address} has an account; a new link for it: semainier users reset {address}")
            }
            Self::NoSuchAccount(given) => format!("there is no account {given}; `semainier users list` lists them"),
            Self::AccountDisabled(given) => {
                format!("the account {given} is disabled; enable it first: semainier users enable {given}")
            }
            Self::NotAVenueOfItsOwn(name) => {
                format!("{name:?} is a name that other towns may use as well; give the venue's own name")
            }
            Self::NotACommune(name) => format!("{name:?} is not in the list of communes"),
            Self::NoSuchVenue(name) => {
                format!("nothing is known of the venue {name:?}; `semainier venues list` lists those that are known")
            }
            Self::LastAdministrator => {
                "this is the last active account with the role administration; give the role to another one first"
                    .to_owned()
            }
        }
    }
}

fn packs_are(n: u32) -> String {
    match n {
        1 => "1 pack is".to_owned(),
        n => format!("{n} packs are"),
    }
}

/// The outcome of an issue that will not be sent any more, and what can still be done.
fn given_up(issue: &IssueSummary, zone: Tz) -> String {
    let IssueSummary { key, mailing, counts, .. } = issue;
    let ended = format!("issue {key} is {}: no more of it is sent", issue.state().as_str());
    let by_hand = format!(
        "`semainier preview {mailing} --at {} --out DIR` writes its mail and documents, to be sent by hand",
        issue.scheduled_for.with_timezone(&zone).format("%Y-%m-%dT%H:%M")
    );
    match (issue.reason(), issue.frozen()) {
        (Some(reason), None) => format!(
            "{ended}. It was held until {} ({reason}) and sent to nobody; {by_hand}",
            instant(issue.expires_at, zone)
        ),
        (None, None) => format!("{ended}. It was sent to nobody; {by_hand}"),
        (_, Some(_)) => format!("{ended}. {} of {} recipients have it", counts.sent, counts.total()),
    }
}
