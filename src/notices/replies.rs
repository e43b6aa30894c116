//! What a relay's reply means, in French and from data: twelve sentences cover nearly all of them. The raw line is shown beside.

use crate::deliver::{Class, Throttle, classify};
use crate::domain::{
    delivery::{Phase, Reply, State},
    feedback::{Feedback, FeedbackKind},
    french::NBSP,
    lane::Pace,
    partner::SuppressionReason,
    pause::SenderFault,
};

/// What a reply says, for a person who answers the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    NoSuchAddress,
    MailboxFull,
    /// Nobody reads it any more, or the provider closed it.
    MailboxAbandoned,
    TooFast,
    /// The provider makes everybody wait.
    Wait,
    /// SFR refuses our server for two hours.
    Blocked,
    /// Something on our side.
    Ours(SenderFault),
    /// No reply: how far the conversation came.
    NoReply(Phase),
    Unusual,
}

impl Meaning {
    /// A clause without capital and full stop.
    pub fn in_french(self) -> String {
        match self {
            Meaning::NoSuchAddress => {
                "cette adresse n’existe pas (ou plus)\u{a0}: demandez-en une autre au partenaire".to_owned()
            }
            Meaning::MailboxFull => "boîte pleine\u{a0}: nouvel essai au prochain envoi".to_owned(),
            Meaning::MailboxAbandoned => "boîte abandonnée ou bloquée".to_owned(),
            Meaning::TooFast => "trop de connexions, on ralentit".to_owned(),
            Meaning::Wait => "le fournisseur fait attendre\u{202f}; rien à faire".to_owned(),
            Meaning::Blocked => "SFR bloque notre serveur pendant deux heures\u{202f}; rien à faire".to_owned(),
            Meaning::Ours(SenderFault::Blocklisted) => {
                "notre serveur est sur une liste noire\u{a0}: prévenir l’hébergeur".to_owned()
            }
            Meaning::Ours(SenderFault::NotAuthenticated | SenderFault::NameNotRecognised) => {
                "notre domaine n’est pas reconnu (SPF, DKIM, DMARC)\u{a0}: prévenir l’hébergeur".to_owned()
            }
            Meaning::Ours(SenderFault::TakenForSpam) => "pris pour du courrier indésirable".to_owned(),
            Meaning::Ours(SenderFault::MessageTooBig) => "trop lourd".to_owned(),
            Meaning::Ours(SenderFault::LoginWanted) => "mot de passe du relais refusé".to_owned(),
            Meaning::Ours(other) => format!("c’est nous qui sommes refusés, pas cette personne{NBSP}: {other}"),
            Meaning::NoReply(phase) => phase_in_french(phase).to_owned(),
            Meaning::Unusual => "réponse inhabituelle, telle que reçue ci-contre".to_owned(),
        }
    }
}

/// What a reply means. `code`: `None` or below 400 where the conversation broke off.
pub fn meaning_of(phase: Phase, code: Option<u16>, enhanced: Option<&str>, text: &str) -> Meaning {
    let Some(code) = code.filter(|code| *code >= 400) else { return Meaning::NoReply(phase) };
    let reply = Reply { code: Some(code), enhanced: enhanced.map(str::to_owned), text: text.to_owned() };
    let words = text.to_lowercase();
    let says = |all: &[&str]| all.iter().any(|word| words.contains(word));
    if code == 535 {
        return Meaning::Ours(SenderFault::LoginWanted);
    }
    if says(&["sfr_in_", "gu_eib_"]) {
        return Meaning::Blocked;
    }
    // A 4xx is "later" by definition: of a full mailbox too.
    let verdict = classify(phase, &reply);
    let full = says(&["mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "_417"])
        || enhanced.is_some_and(|it| it.ends_with(".2.2"));
    match (verdict.class, verdict.fault, verdict.throttle) {
        (_, Some(fault), _) => Meaning::Ours(fault),
        (Class::Hard, ..) if says(&["_420", "_426"]) => Meaning::MailboxAbandoned,
        (Class::Hard, ..) => Meaning::NoSuchAddress,
        (Class::Soft | Class::Defer, ..) if full => Meaning::MailboxFull,
        (Class::Defer, None, Some(Throttle::Slow { .. })) => Meaning::TooFast,
        (Class::Defer, None, Some(Throttle::Suspend { .. })) => Meaning::Wait,
        (Class::Defer, None, None) if verdict.per_connection => Meaning::TooFast,
        (Class::Defer, None, None) => Meaning::Wait,
        _ => Meaning::Unusual,
    }
}

/// What a bounce says of an address.
pub fn bounce_in_french(it: &Feedback) -> String {
    let said = &it.said;
    match meaning_of(Phase::Rcpt, said.code, said.enhanced.as_deref(), &said.text) {
        // Nobody tries again: to wait is no comfort.
        Meaning::Wait | Meaning::TooFast | Meaning::NoReply(_) | Meaning::Unusual if it.class == Some(Class::Soft) => {
            "son serveur n’en a pas voulu cette fois, ou ne répond pas\u{a0}: nouvel essai au prochain envoi".to_owned()
        }
        Meaning::Wait | Meaning::TooFast | Meaning::NoReply(_) | Meaning::Unusual => {
            "c’est nous qui sommes refusés, pas cette personne".to_owned()
        }
        meaning => meaning.in_french(),
    }
}

/// What came back, as a clause.
pub fn feedback_in_french(it: &Feedback) -> String {
    match it.kind {
        FeedbackKind::Bounce => format!("accepté par le relais, puis revenu{NBSP}: {}", bounce_in_french(it)),
        FeedbackKind::Delayed => "la remise est retardée\u{a0}; rien à faire".to_owned(),
        FeedbackKind::Delivered => "son serveur confirme la remise".to_owned(),
        FeedbackKind::Complaint => "signalé comme indésirable\u{a0}: plus rien ne lui est envoyé".to_owned(),
        FeedbackKind::OptOut => "s’est désinscrit chez son fournisseur\u{a0}: plus rien ne lui est envoyé".to_owned(),
        FeedbackKind::NotSpam => "sorti des indésirables par la personne".to_owned(),
    }
}

/// How far a conversation came that broke off.
pub fn phase_in_french(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "le relais n’a pas répondu",
        Phase::Tls => "connexion chiffrée impossible",
        Phase::Auth => "mot de passe du relais refusé",
        Phase::Ehlo | Phase::Mail => "le relais nous refuse",
        Phase::Rcpt => "adresse refusée",
        Phase::Data | Phase::Body => "coupé avant la fin\u{a0}: certainement pas parti",
        Phase::Dot => "coupé après la fin\u{a0}: peut-être parti",
    }
}

/// What became of an attempt: `accepted`, `refused` and so on, as they are stored.
pub fn outcome_in_french(outcome: &str) -> &'static str {
    match outcome {
        "accepted" => "accepté",
        "refused" => "refusé",
        "deferred" => "plus tard",
        "sender_fault" => "c’est nous qui sommes refusés, pas cette personne",
        "unknown" => "incertain",
        "resolved" => "décidé par une personne",
        "in_flight" => "en cours",
        _ => "réponse inhabituelle",
    }
}

/// A note under the state of a delivery, where it needs one.
pub fn note_in_french(state: State) -> Option<&'static str> {
    match state {
        State::Sent => {
            Some("Le relais l’a accepté. Semainier ne sait pas s’il a été lu, et ne cherche pas à le savoir.")
        }
        State::Unknown => Some("Le relais l’a peut-être. Rien ne repart sans vous."),
        State::Expired => Some("L’heure limite est passée avant l’envoi."),
        State::Cancelled => Some("Une personne a arrêté ce numéro."),
        State::Suppressed => Some("La personne s’était désinscrite, ou l’adresse est écartée."),
        State::Queued | State::Claimed | State::InData | State::Failed => None,
    }
}

/// Why nothing is sent to somebody.
pub fn suppressed_in_french(reason: SuppressionReason) -> &'static str {
    match reason {
        SuppressionReason::OptOut => "s’est désinscrit",
        SuppressionReason::Bounce => "adresse morte",
        SuppressionReason::Complaint => "s’est plaint (indésirable)",
        SuppressionReason::Manual => "écarté par l’office",
    }
}

/// The state of a lane that is not open.
pub fn pace_in_french(pace: Pace) -> &'static str {
    match pace {
        Pace::Slow => "ralentie",
        Pace::Suspended => "arrêtée pour un temps",
        Pace::Paused => "arrêtée\u{a0}: à rouvrir",
    }
}
