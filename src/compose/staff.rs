//! Template contexts of the mails to staff around an issue: on the evening before it leaves, and once it has left.

use crate::domain::french::NBSP;
use crate::templates::Context;
use serde::Serialize;

/// Whether one can sleep, and what it rests on. All texts are French sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// « Vous pouvez dormir. »
    pub answer: String,
    /// What is wrong, or why nothing leaves.
    pub reason: Option<String>,
    /// What leaves, when, to how many: a sentence for each issue.
    pub departures: Vec<String>,
    /// What somebody should look at, besides the reason.
    pub look: Vec<String>,
    /// What is as it should be.
    pub fine: Vec<String>,
    /// The page of the console with all of it.
    pub url: Option<String>,
}

/// `templates/mail/eve`: to staff, on the evening before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EveMail {
    pub verdict: Verdict,
    /// At least one.
    pub issues: Vec<EveIssue>,
}

/// An issue that the mail is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EveIssue {
    /// The mailing's title.
    pub title: String,
    pub key: String,
    /// `demain à 8 h`
    pub leaves: String,
    /// It can be looked at.
    pub composed: bool,
    pub stop: EveStop,
}

/// Whether somebody does not want an issue to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EveStop {
    No,
    /// Until its hour that can be taken back.
    Skipped,
    /// For good.
    Cancelled,
}

/// `templates/mail/summary`: to staff, on the first working morning after issues left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryMail {
    /// At least one.
    pub issues: Vec<SummaryIssue>,
    /// `3 commandes depuis le samedi 10 juillet 2027 à 8 h, dont 2 à préparer.`; `None` without any.
    pub orders: Option<String>,
    /// The page of the console with the orders.
    pub orders_url: Option<String>,
}

/// What became of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryIssue {
    pub title: String,
    pub key: String,
    /// `samedi 10 juillet 2027 à 8 h`
    pub left_at: String,
    /// `214 destinataires : 205 remis au relais, 3 refusés, 6 non envoyés`
    pub sum: String,
    /// `205 remis`, for the subject.
    pub short: String,
    pub refused: Vec<Refused>,
    /// Refused ones that are only counted.
    pub refused_more: u64,
    pub uncertain: u64,
    /// Pages of the console.
    pub refused_url: Option<String>,
    pub uncertain_url: Option<String>,
}

/// Somebody whose address was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The establishment, else the name, else the address.
    pub who: String,
    /// Empty if unknown.
    pub phone: String,
    /// A clause, as in the journal of the console.
    pub why: String,
}

impl Context for EveMail {
    const NAME: &'static str = "eve";

    fn samples() -> Vec<Self> {
        let issue = EveIssue {
            title: "Que faire à Auch cette semaine".to_owned(),
            key: "agenda/2026-W28".to_owned(),
            leaves: format!("demain à 8{NBSP}h"),
            composed: true,
            stop: EveStop::No,
        };
        let good = Verdict {
            answer: "Vous pouvez dormir.".to_owned(),
            reason: None,
            departures: vec![format!(
                "«{NBSP}Que faire à Auch{NBSP}» part demain à 8{NBSP}h à 214 partenaires ; 41{NBSP}événements."
            )],
            look: vec![],
            fine: vec!["Le service tourne.".to_owned()],
            url: Some("https://console.office.example/".to_owned()),
        };
        let bad = Verdict {
            answer: "Il ne partira pas en l’état.".to_owned(),
            reason: Some("agenda/2026-W28 est retenu : l’article <i>parle</i> d’une autre semaine.".to_owned()),
            departures: vec![],
            look: vec!["3 annonces n’ont pas trouvé leur jour.".to_owned()],
            url: None,
            ..good.clone()
        };
        let other = EveIssue { key: "lettre/2026-W28".to_owned(), composed: false, ..issue.clone() };
        let stopped = |stop| EveIssue { stop, ..issue.clone() };
        let stopped = vec![stopped(EveStop::Skipped), stopped(EveStop::Cancelled)];
        vec![
            Self { verdict: good, issues: vec![issue.clone()] },
            Self { verdict: bad.clone(), issues: vec![other.clone(), other] },
            Self { verdict: bad, issues: stopped },
        ]
    }
}

impl Context for SummaryMail {
    const NAME: &'static str = "summary";

    fn samples() -> Vec<Self> {
        let refused = |phone: &str| Refused {
            who: "Gîte « du Pré » & <fils>".to_owned(),
            phone: phone.to_owned(),
            why: "cette adresse n’existe pas (ou plus)".to_owned(),
        };
        let full = SummaryIssue {
            title: "Que faire à Auch cette semaine".to_owned(),
            key: "agenda/2026-W28".to_owned(),
            left_at: format!("samedi 4 juillet 2026 à 8{NBSP}h"),
            sum: format!("214 destinataires{NBSP}: 205 remis au relais, 3 refusés, 6 non envoyés"),
            short: "205 remis".to_owned(),
            refused: vec![refused("05 62 00 00 00"), refused("")],
            refused_more: 1,
            uncertain: 2,
            refused_url: Some("https://console.office.example/journal?etat=failed".to_owned()),
            uncertain_url: Some("https://console.office.example/envois/agenda/2026-W28/incertains".to_owned()),
        };
        let bare = SummaryIssue { refused: vec![], refused_more: 0, uncertain: 0, ..full.clone() };
        let by_hand =
            SummaryIssue { uncertain: 1, refused_more: 0, refused_url: None, uncertain_url: None, ..full.clone() };
        let orders = || Some("3 commandes depuis samedi, dont 2 à préparer.".to_owned());
        let orders_url = Some("https://console.office.example/commandes".to_owned());
        vec![
            Self { issues: vec![full, bare.clone()], orders: orders(), orders_url },
            Self { issues: vec![by_hand], orders: orders(), orders_url: None },
            Self { issues: vec![bare], orders: None, orders_url: None },
        ]
    }
}
