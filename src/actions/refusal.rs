//! Why an action was refused, as data, with texts for both interfaces: English with a suggested command for the command
//! line, French without commands for the console.

use super::api_refusal::ApiRefusal;
use super::exception_refusal::ExceptionRefusal;
use crate::app::NoSuchMailing;
use crate::domain::{
    Timestamp,
    delivery::State,
    edition::OrderState,
    email::EmailAddress,
    french::{NBSP, date_and_hour, plural},
    hold::Hold,
    issue::{Counts, IssueKey, IssueState, IssueSummary},
    issue_name::IssueName,
};
use crate::partners::said::Said;
use crate::views::instant;
use chrono_tz::Tz;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The ledger stores who acted.
    NoName,
    NoSuchIssue(IssueKey),
    /// It will be composed before its hour.
    NotComposedYet(IssueKey),
    NothingToApprove {
        issue: IssueKey,
        state: IssueState,
        reason: Option<String>,
    },
    DeadlinePassed(IssueKey),
    /// Its content is not the reviewed one; `now` is the beginning of its hash.
    HasChanged {
        issue: IssueKey,
        seen: String,
        now: String,
    },
    /// Another actor changed it concurrently.
    ChangedMeanwhile(IssueKey),
    /// Frozen or finished.
    Unchangeable {
        issue: IssueKey,
        state: IssueState,
    },
    /// Not possible in its state.
    WrongState {
        issue: IssueKey,
        state: IssueState,
    },
    /// No more of its deliveries are sent.
    GivenUp {
        issue: Box<IssueSummary>,
        zone: Tz,
    },
    /// Its content comes from no source.
    NotCollected {
        mailing: String,
    },
    NotANewsletter {
        mailing: String,
    },
    NoEditorialSection {
        mailing: String,
    },
    LeavesWithoutApproval {
        mailing: String,
    },
    NoOccurrence {
        issue: IssueKey,
    },
    /// Its issues wait for an approval, or no schedule says when they leave.
    NotRehearsed {
        mailing: String,
    },
    /// A test goes to staff only; this address is neither of an account nor in `staff`.
    NotStaff(EmailAddress),
    /// More tests in a day would be mail.
    TestedTooOften {
        most: u32,
    },
    /// A mail to one person, such as the confirmation of an order.
    NotOfAList(IssueKey),
    NoRelay,
    /// Somebody does not want it to leave.
    Skipped {
        issue: IssueKey,
        by: String,
    },
    NotSkipped(IssueKey),
    /// Exactly this content is approved.
    ApprovedAlready {
        issue: IssueKey,
        by: String,
    },
    /// Too late to skip it, or to take that back.
    HourHasCome(IssueKey),
    NoSuchDelivery(String),
    NotUnknown {
        delivery: String,
        state: State,
    },
    LaneIsOpen(String),
    NoEditionMailing(String),
    NoSuchEdition {
        slug: String,
        known: Vec<String>,
    },
    HourIsOver,
    AnnouncedBefore {
        slug: String,
        issue: IssueKey,
        state: IssueState,
        counts: Box<Counts>,
    },
    AnnouncedFor {
        slug: String,
        at: Timestamp,
        zone: Tz,
    },
    /// An erratum needs somebody to read it.
    ReachedNobody(IssueKey),
    NoWords,
    TooManyWords {
        most: usize,
    },
    TooManyErrata {
        issue: IssueKey,
        most: u32,
    },
    /// It has no sources and no editorial: other words are written anew.
    IsErratum(IssueKey),
    /// With this change it could not leave.
    WouldBeHeld {
        issue: IssueKey,
        why: Box<Hold>,
    },
    CannotBeAnnounced {
        slug: String,
        why: Box<Hold>,
    },
    AnnouncedMeanwhile(IssueKey),
    NotAnnounced(String),
    /// The announcement can no longer be cancelled.
    LeavingAlready {
        issue: IssueKey,
        state: IssueState,
    },
    PacksAreOrdered {
        slug: String,
        ordered: u32,
    },
    NoSuchOrders(Vec<String>),
    /// It is not printed, or no longer valid.
    NotOrderable(String),
    /// Fewer packs are left.
    TooFewPacks {
        slug: String,
        left: u32,
    },
    /// More than one order may have (`max_packs` in the edition's file).
    OverOrderLimit {
        slug: String,
        most: u32,
    },
    /// Each change is confirmed by a mail.
    OrderedTooOften(EmailAddress),
    OrderNotOpen {
        order: String,
        state: OrderState,
    },
    /// The partner changed it since it was shown.
    OrderChanged(String),
    /// The person who ordered was erased.
    OrderOfNobody(String),
    /// The contact ordered the edition again.
    OtherOrderOpen {
        order: String,
        other: String,
    },
    /// A message to the address is being sent at this moment.
    BeingSent(EmailAddress),
    /// The reason is stored with the action, and none was given.
    NoReason,
    ContactKnown(EmailAddress),
    ContactNotKnown(EmailAddress),
    /// Another contact has this address.
    AddressTaken(EmailAddress),
    /// No field to change was given.
    NothingSaid,
    /// The address is not suppressed.
    NotSuppressed(EmailAddress),
    /// Only the person can lift their own opt-out.
    PersonsOwnWord(EmailAddress),
    /// Where the addresses of a list come from is stored with them.
    NoSource,
    /// The file as a whole cannot be used: at which line, and why.
    UnusableList((u64, Said)),
    /// Lists of one account that wait to be imported.
    TooManyUploads {
        most: u32,
    },
    /// It was imported, given up, or has expired.
    NoSuchUpload,
    /// The list would remove more than a fifth of the contacts.
    RemovesMany {
        gone: usize,
        known: usize,
    },
    /// A backup is written into an empty folder.
    FolderNotEmpty(PathBuf),
    /// There is a ledger with data at the place to restore to.
    LedgerInTheWay,
    /// Another secret or other link keys are at the place to restore those of the backup to.
    FileInTheWay(String),
    /// The configuration contains the secret itself, at this place, and it is not the backup's.
    SecretNotOfBackup(String),
    /// The backup contains link keys, and the configuration names no file for them.
    LinkKeysNotConfigured,
    /// An account has at least one role.
    NoRole,
    NoAddress,
    /// There is an account with this address.
    AccountKnown(EmailAddress),
    /// What was given: an address or an id.
    NoSuchAccount(String),
    AccountDisabled(String),
    /// Nobody could administer the accounts any more.
    LastAdministrator,
    /// Other towns may have a venue of this name.
    NotAVenueOfItsOwn(String),
    /// It is not in the list of communes.
    NotACommune(String),
    /// Nothing is known of it.
    NoSuchVenue(String),
    /// Only the lines of an agenda are corrected.
    NotAnAgenda {
        mailing: String,
    },
    /// Nothing was read for the issue yet.
    NothingRead(IssueKey),
    /// What was last read has no such line.
    NoSuchLine(String),
    /// Somebody else corrected it since it was shown.
    CorrectedMeanwhile {
        by: String,
    },
    /// The correction is not in force.
    NoSuchCorrection(String),
    /// A correction places a line on a day of the issue's week only.
    OutsideTheWeek,
    NotAWebAddress(String),
    /// The line is left out of every issue already.
    DismissedAlready,
    NotDismissed(String),
    /// Of tokens, webhooks and the API.
    Api(ApiRefusal),
    Exception(ExceptionRefusal),
    NoSuchMailing(NoSuchMailing),
}

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
                let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
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

    pub fn in_french(&self) -> String {
        let of = |key: &IssueKey| IssueName::new(key).of();
        match self {
            Self::Api(refusal) => refusal.in_french(),
            Self::Exception(refusal) => refusal.in_french(),
            Self::NoSuchMailing(_) => "cet envoi périodique n’existe pas".to_owned(),
            Self::NoName => "indiquez votre nom : il est gardé avec ce que vous faites".to_owned(),
            Self::NoSuchIssue(key) => format!("le numéro {} n’existe pas", of(key)),
            Self::NotComposedYet(key) => format!("le numéro {} n’est pas encore composé", of(key)),
            Self::NothingToApprove { issue, state, reason } => {
                let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("le numéro {} est {}{reason}{NBSP}: il n’y a rien à approuver", of(issue), state.in_french())
            }
            Self::DeadlinePassed(key) => {
                format!("l’heure limite du numéro {} est passée{NBSP}: il ne partira plus", of(key))
            }
            Self::HasChanged { issue, .. } => {
                format!(
                    "le numéro {} a changé depuis que vous l’avez lu{NBSP}: relisez-le avant d’approuver",
                    of(issue)
                )
            }
            Self::ChangedMeanwhile(key) => format!("le numéro {} vient d’être modifié{NBSP}: relisez-le", of(key)),
            Self::Unchangeable { issue, state } => {
                format!("le numéro {} est {}{NBSP}: il ne peut plus être modifié", of(issue), state.in_french())
            }
            Self::WrongState { issue, state } => {
                format!("le numéro {} est {}{NBSP}: cette action n’est pas possible", of(issue), state.in_french())
            }
            Self::GivenUp { issue, .. } => {
                format!("le numéro {} est {}{NBSP}: plus rien n’en partira", of(&issue.key), issue.state().in_french())
            }
            Self::NotCollected { mailing } => {
                format!("les numéros de «{NBSP}{mailing}{NBSP}» ne sont pas lus sur un site{NBSP}: modifiez l’édition")
            }
            Self::NotANewsletter { mailing } => format!("«{NBSP}{mailing}{NBSP}» n’est pas une lettre"),
            Self::NoEditorialSection { mailing } => {
                format!("la lettre «{NBSP}{mailing}{NBSP}» n’a pas de place pour un éditorial")
            }
            Self::LeavesWithoutApproval { mailing } => {
                format!("«{NBSP}{mailing}{NBSP}» part sans être approuvée")
            }
            Self::NotRehearsed { mailing } => {
                format!(
                    "les numéros de «{NBSP}{mailing}{NBSP}» ne sont pas répétés{NBSP}: ils attendent un accord ou une annonce"
                )
            }
            Self::NotAnAgenda { mailing } => format!("«{NBSP}{mailing}{NBSP}» n’est pas un agenda"),
            Self::NothingRead(key) => {
                format!("rien n’a encore été lu pour le numéro {}{NBSP}: répétez-le d’abord", of(key))
            }
            Self::NoSuchLine(_) => "cette annonce n’est plus dans la dernière lecture de l’article".to_owned(),
            Self::CorrectedMeanwhile { by } => {
                format!("{by} vient de corriger cette annonce{NBSP}: rien n’a été changé")
            }
            Self::NoSuchCorrection(_) => "cette correction a déjà été retirée ou remplacée".to_owned(),
            Self::OutsideTheWeek => "ce jour n’est pas dans la semaine du numéro".to_owned(),
            Self::NotAWebAddress(text) => {
                format!("«{NBSP}{text}{NBSP}» n’est pas l’adresse d’une page (https://…)")
            }
            Self::DismissedAlready => "cette ligne est déjà écartée de tous les numéros".to_owned(),
            Self::NotDismissed(_) => "cette ligne n’est pas écartée".to_owned(),
            Self::NotStaff(_) => "un essai ne part que vers l’équipe de l’office".to_owned(),
            Self::TestedTooOften { most } => {
                format!("vous avez demandé {most} essais aujourd’hui{NBSP}: le prochain sera possible demain")
            }
            Self::NotOfAList(key) => {
                format!(
                    "{} est un message à une seule personne{NBSP}: cette action n’est pas possible",
                    IssueName::new(key)
                )
            }
            Self::NoRelay => format!("aucun relais n’est configuré{NBSP}: rien ne peut partir"),
            Self::Skipped { issue, by } => format!("{by} ne veut pas que le numéro {} parte", of(issue)),
            Self::NotSkipped(key) => format!("rien n’empêche le numéro {} de partir", of(key)),
            Self::ApprovedAlready { issue, by } => {
                format!("cette version du numéro {} est déjà approuvée par {by}", of(issue))
            }
            Self::HourHasCome(key) => format!("l’heure du numéro {} est passée", of(key)),
            Self::NoOccurrence { issue } => format!("aucun envoi prévu ne correspond plus au numéro {}", of(issue)),
            Self::NoSuchDelivery(_) => "cet envoi n’existe pas".to_owned(),
            Self::NotUnknown { .. } => "cet envoi n’attend pas de décision".to_owned(),
            Self::LaneIsOpen(name) => format!("les envois vers «{NBSP}{name}{NBSP}» ne sont pas suspendus"),
            Self::NoEditionMailing(_) => "aucun envoi n’est configuré pour les éditions".to_owned(),
            Self::NoSuchEdition { slug, .. } => format!("l’édition «{NBSP}{slug}{NBSP}» n’existe pas"),
            Self::HourIsOver => "cette heure est passée".to_owned(),
            Self::AnnouncedBefore { slug, .. } => {
                format!("«{NBSP}{slug}{NBSP}» a déjà été annoncée{NBSP}: une édition ne s’annonce qu’une fois")
            }
            Self::AnnouncedFor { slug, at, zone } => {
                format!("«{NBSP}{slug}{NBSP}» est déjà annoncée, pour le {}", date_and_hour(*at, *zone))
            }
            Self::ReachedNobody(key) => {
                format!("le numéro {} n’a atteint personne à qui un rectificatif pourrait être envoyé", of(key))
            }
            Self::NoWords => "le texte est vide".to_owned(),
            Self::TooManyWords { most } => format!("le texte est trop long{NBSP}: {most} caractères au plus"),
            Self::TooManyErrata { issue, most } => format!("le numéro {} a déjà {most} rectificatifs", of(issue)),
            Self::IsErratum(key) => {
                format!(
                    "{} est un rectificatif{NBSP}: pour en changer les mots, écrivez-le de nouveau",
                    IssueName::new(key)
                )
            }
            Self::WouldBeHeld { issue, why } => {
                format!("ainsi, le numéro {} ne pourrait pas partir{NBSP}: {why}", of(issue))
            }
            Self::CannotBeAnnounced { slug, why } => {
                format!("«{NBSP}{slug}{NBSP}» ne peut pas être annoncée{NBSP}: {why}")
            }
            Self::AnnouncedMeanwhile(key) => format!("une autre personne vient d’annoncer {}", IssueName::new(key)),
            Self::NotAnnounced(slug) => format!("«{NBSP}{slug}{NBSP}» n’est pas annoncée"),
            Self::LeavingAlready { issue, .. } => {
                format!("l’envoi {} a commencé{NBSP}: il peut seulement être arrêté", of(issue))
            }
            Self::PacksAreOrdered { ordered, .. } => {
                let (s, are) = (plural((*ordered).into()), if *ordered < 2 { "est" } else { "sont" });
                format!(
                    "{ordered}{NBSP}paquet{s} {are} commandé{s}{NBSP}: il ne peut pas y en avoir moins, ni d’une autre taille"
                )
            }
            Self::NoSuchOrders(ids) => format!("commande inconnue{NBSP}: {}", ids.join(", ")),
            Self::NotOrderable(slug) => format!("«{NBSP}{slug}{NBSP}» ne se commande pas, ou plus"),
            Self::TooFewPacks { left: 0, .. } => format!("il n’en reste plus{NBSP}: tous les paquets sont commandés"),
            Self::TooFewPacks { left: 1, .. } => "il ne reste qu’un paquet".to_owned(),
            Self::TooFewPacks { left, .. } => format!("il ne reste que {left}{NBSP}paquets"),
            Self::OverOrderLimit { most: 1, .. } => "une commande est d’un seul paquet".to_owned(),
            Self::OverOrderLimit { most, .. } => format!("une commande est de {most}{NBSP}paquets au plus"),
            Self::OrderedTooOften(_) => "cette commande a été modifiée trop souvent".to_owned(),
            Self::OrderNotOpen { order, state } => {
                let state = match state {
                    OrderState::Open => "en cours",
                    OrderState::Delivered => "remise",
                    OrderState::Cancelled => "annulée",
                };
                format!("la commande {order} est {state}{NBSP}: elle ne change plus")
            }
            Self::OrderChanged(order) => format!("la commande {order} vient d’être modifiée"),
            Self::OrderOfNobody(order) => format!("la personne de la commande {order} a été effacée"),
            Self::OtherOrderOpen { order, other } => {
                format!(
                    "ce partenaire a commandé de nouveau depuis la commande {order}{NBSP}: la commande {other} est en cours"
                )
            }
            Self::BeingSent(_) => {
                format!("un message part vers cette adresse en ce moment{NBSP}: réessayez dans une minute")
            }
            Self::NoReason => format!("indiquez la raison{NBSP}: elle est gardée avec ce que vous faites"),
            Self::ContactKnown(address) => format!("{address} est déjà dans la liste"),
            Self::ContactNotKnown(address) => format!("{address} n’est pas dans la liste"),
            Self::AddressTaken(address) => format!("{address} est déjà l’adresse d’un autre contact"),
            Self::NothingSaid => "rien n’a été modifié".to_owned(),
            Self::NotSuppressed(address) => format!("rien ne s’oppose aux envois à {address}"),
            Self::PersonsOwnWord(address) => {
                format!("{address} a demandé à ne plus rien recevoir{NBSP}: seule cette personne peut y revenir")
            }
            Self::NoSource => format!("indiquez d’où viennent les adresses{NBSP}: c’est gardé avec elles"),
            Self::UnusableList((line, why)) => format!("ligne {line}{NBSP}: {}", why.fr),
            Self::TooManyUploads { most } => {
                format!("{most} listes attendent déjà d’être importées{NBSP}: importez-en une, ou abandonnez-la")
            }
            Self::NoSuchUpload => "cette liste a été importée ou abandonnée, ou elle a expiré".to_owned(),
            Self::RemovesMany { gone, known } => {
                format!("cette liste retire {gone} contacts sur {known}{NBSP}: confirmez que c’est voulu")
            }
            Self::FolderNotEmpty(_) => "ce dossier n’est pas vide".to_owned(),
            Self::LedgerInTheWay => "il y a déjà une base de données à cet endroit".to_owned(),
            Self::FileInTheWay(_) | Self::SecretNotOfBackup(_) => {
                "la clé en place n’est pas celle de la sauvegarde".to_owned()
            }
            Self::LinkKeysNotConfigured => "aucun emplacement n’est configuré pour les clés des liens".to_owned(),
            Self::NoRole => "choisissez au moins un rôle".to_owned(),
            Self::NoAddress => "cette adresse électronique n’est pas comprise".to_owned(),
            Self::AccountKnown(_) => "cette adresse a déjà un compte".to_owned(),
            Self::NoSuchAccount(_) => "ce compte n’existe pas".to_owned(),
            Self::AccountDisabled(_) => format!("ce compte est désactivé{NBSP}: réactivez-le d’abord"),
            Self::NotAVenueOfItsOwn(name) => format!(
                "«{NBSP}{name}{NBSP}» peut désigner un lieu dans plusieurs communes{NBSP}: indiquez son nom propre"
            ),
            Self::NotACommune(name) => format!("«{NBSP}{name}{NBSP}» ne figure pas dans la liste des communes"),
            Self::NoSuchVenue(name) => format!("le lieu «{NBSP}{name}{NBSP}» n’est pas connu"),
            Self::LastAdministrator => format!(
                "c’est le dernier compte actif qui administre{NBSP}: donnez d’abord ce rôle à une autre personne"
            ),
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
