//! French sentences of the verdict and its checks: what the office reads before it goes home.

use crate::domain::{
    Timestamp,
    french::{self, NBSP},
    tonight::{Check, Departure, Level, Verdict},
};
use chrono_tz::Tz;

/// Two sentences at most: the answer, then the numbers or the reason.
pub fn verdict(it: &Verdict, now: Timestamp, zone: Tz) -> (String, String) {
    let worst = it.checks.iter().find(|check| check.level() == it.level && it.level > Level::Good);
    let reason = worst.map(|check| sentence(check, now, zone)).unwrap_or_default();
    let leaving = it.departure.as_ref();
    let skipped = it.checks.iter().find(|check| matches!(check, Check::Skipped { .. }));
    let answer = match (it.level, leaving) {
        (Level::Good, Some(Departure { soon: true, .. })) => "Vous pouvez dormir.",
        (Level::Good, Some(_)) => "Rien ne part d’ici demain soir.",
        (Level::Good, None) => "Rien n’est prévu.",
        (Level::Look, Some(Departure { soon: true, .. })) => "À voir avant ce soir.",
        (Level::Look, _) => "À voir.",
        (Level::NotKnown, _) => "Je ne peux pas le promettre.",
        (Level::WillNotGo, Some(Departure { soon: true, .. })) => "Il ne partira pas en l’état.",
        (Level::WillNotGo, _) => "Rien ne partira en l’état.",
    };
    let details = match (it.level, leaving, skipped) {
        (Level::Good, _, Some(skipped)) => sentence(skipped, now, zone),
        (Level::Good, Some(it), _) => departure(it, now, zone),
        (Level::Good, None, _) => "Aucun envoi n’est au programme.".to_owned(),
        (Level::Look, Some(it @ Departure { soon: true, .. }), _) => format!("{reason} {}", departure(it, now, zone)),
        _ => reason,
    };
    (answer.to_owned(), details)
}

/// « Que faire à Auch » part demain à 8 h à 214 partenaires ; 41 événements, 2 documents joints.
fn departure(it: &Departure, now: Timestamp, zone: Tz) -> String {
    let partners = match it.recipients {
        1 => "1 partenaire".to_owned(),
        n => format!("{} partenaires", french::grouped(n)),
    };
    let mut parts = Vec::new();
    parts.extend(it.events.map(|n| counted(n, "événement")));
    parts.extend((it.documents > 0).then(|| {
        format!("{} joint{}", counted(it.documents, "document"), if it.documents > 1 { "s" } else { "" })
    }));
    let parts = if parts.is_empty() { String::new() } else { format!("\u{202f}; {}", parts.join(", ")) };
    format!("«{NBSP}{}{NBSP}» part {} à {partners}{parts}.", it.title, french::near(it.at, now, zone))
}

fn counted(n: usize, word: &str) -> String {
    format!("{}{NBSP}{word}{}", french::grouped(n as u64), if n > 1 { "s" } else { "" })
}

/// What was found, as a sentence.
pub fn sentence(check: &Check, now: Timestamp, zone: Tz) -> String {
    let at = |instant: &Timestamp| french::near(*instant, now, zone);
    match check {
        Check::Daemon { alive: true, .. } => "Le service tourne.".to_owned(),
        Check::Daemon { seen_at: Some(seen), .. } => {
            format!("Le service ne tourne plus{NBSP}: vu pour la dernière fois {}. Rien ne part tout seul.", at(seen))
        }
        Check::Daemon { seen_at: None, .. } => "Le service ne tourne pas. Rien ne part tout seul.".to_owned(),
        Check::NoRelay => "Aucun relais de messagerie n’est configuré\u{a0}: rien ne peut partir.".to_owned(),
        Check::RelayAway { trouble, until } => format!(
            "Le relais de messagerie ne prend pas nos messages («{NBSP}{trouble}{NBSP}»)\u{202f}; nouvel essai {}.",
            at(until)
        ),
        Check::RelayFine => "Le relais de messagerie n’a rien signalé.".to_owned(),
        Check::LedgerDoubtful => {
            "La base de données semble restaurée ou déplacée. Vérifiez ce qui est parti avant de reprendre.".to_owned()
        }
        Check::NoStaff => "Personne de l’équipe n’est prévenu\u{a0}: aucune adresse n’est configurée.".to_owned(),
        Check::NoticesOwed { count: 1 } => "Un message à l’équipe n’a pas encore pu partir.".to_owned(),
        Check::NoticesOwed { count } => format!("{count} messages à l’équipe n’ont pas encore pu partir."),
        Check::StaffTold { count: 1 } => "Une personne de l’équipe est prévenue en cas de problème.".to_owned(),
        Check::StaffTold { count } => format!("{count} personnes de l’équipe sont prévenues en cas de problème."),
        Check::LanesOpen => "Aucune voie n’est arrêtée.".to_owned(),
        Check::LanePaused { lane, why } => format!("Les envois vers {lane} sont arrêtés{NBSP}: {why}."),
        Check::Unknown { count: 1, .. } => {
            "Un envoi est incertain\u{a0}: le relais l’a peut-être. Rien ne repart sans vous.".to_owned()
        }
        Check::Unknown { count, .. } => format!(
            "{} envois sont incertains{NBSP}: le relais les a peut-être. Rien ne repart sans vous.",
            french::grouped(*count)
        ),
        Check::Paused { reason: Some(reason), .. } => {
            format!("L’envoi est en pause{NBSP}: {}.", reason.trim_end_matches('.'))
        }
        Check::Paused { reason: None, .. } => "L’envoi est en pause.".to_owned(),
        Check::Missed { mailing, at: when, reason } => {
            let why = reason.as_deref().map(|why| format!("{NBSP}: {why}")).unwrap_or_default();
            format!("«{NBSP}{mailing}{NBSP}» prévu {} n’est pas parti{why}.", at(when))
        }
        Check::NotComposed { rehearsal: Some(rehearsal), .. } => format!(
            "Rien n’est composé encore\u{a0}: la répétition est prévue {}. Ce qui sera lu alors, personne ne le sait.",
            at(rehearsal)
        ),
        Check::NotComposed { rehearsal: None, .. } => {
            "Rien n’est composé encore\u{a0}: l’article sera lu à l’heure de l’envoi.".to_owned()
        }
        Check::Held { reason, until, .. } => {
            format!("Retenu{NBSP}: {reason}. Semainier réessaie jusqu’à l’heure limite, {}.", at(until))
        }
        Check::ToApprove { until, .. } => format!("Une personne doit donner son accord avant l’heure limite, {}.", at(until)),
        Check::Approved { by, .. } => format!("Approuvé par {by}\u{a0}: exactement cette version partira."),
        Check::Rehearsed { .. } => {
            "Répété\u{a0}: part à son heure sauf si une personne l’arrête. L’article sera relu.".to_owned()
        }
        Check::Skipped { by, why, .. } if why.is_empty() => format!("{by} ne veut pas que ce numéro parte."),
        Check::Skipped { by, why, .. } => format!("{by} ne veut pas que ce numéro parte{NBSP}: {why}."),
        Check::Unplaced { count: 1, .. } => {
            "Une annonce n’a pas trouvé son jour\u{a0}: elle partira telle quelle, à la fin.".to_owned()
        }
        Check::Unplaced { count, .. } => {
            format!("{count} annonces n’ont pas trouvé leur jour{NBSP}: elles partiront telles quelles, à la fin.")
        }
        Check::Warnings { count: 1, .. } => "Une remarque a été faite à la lecture de l’article.".to_owned(),
        Check::Warnings { count, .. } => format!("{count} remarques ont été faites à la lecture de l’article."),
        Check::Content { events, documents, .. } => {
            let events = events.map_or_else(|| "Contenu composé".to_owned(), |n| counted(n, "événement"));
            match documents {
                0 => format!("{events}, sans document joint."),
                n => format!("{events}, {} joint{}.", counted(*n, "document"), if *n > 1 { "s" } else { "" }),
            }
        }
        Check::TooLong { bytes, .. } => format!(
            "Le message pèse {}{NBSP}ko\u{a0}: certaines messageries le couperont au-delà de 100{NBSP}ko.",
            bytes / 1000
        ),
        Check::Nobody { .. } => "Personne n’est abonné\u{a0}: il ne partirait à personne.".to_owned(),
        Check::AudienceMoved { now, before, .. } => format!(
            "{} destinataires aujourd’hui, {} la dernière fois\u{a0}: plus d’un dixième d’écart.",
            french::grouped(*now),
            french::grouped(*before)
        ),
        Check::Audience { now: 1, .. } => "1 destinataire.".to_owned(),
        Check::Audience { now, .. } => format!("{} destinataires d’après la liste d’aujourd’hui.", french::grouped(*now)),
        Check::WaitsFor { before, .. } => {
            format!("Le numéro précédent ({before}) n’est pas terminé\u{a0}: celui-ci attend.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issue::IssueKey;

    #[test]
    fn the_verdict_is_one_answer_and_its_numbers() {
        let now = "2027-07-09T18:00:00Z".parse().unwrap();
        let zone = Tz::Europe__Paris;
        let issue = IssueKey::new("agenda", "2027-W28");
        let departure = Departure {
            issue: issue.clone(),
            title: "Que faire à Auch".to_owned(),
            at: "2027-07-10T06:00:00Z".parse().unwrap(),
            recipients: 1214,
            events: Some(41),
            documents: 2,
            soon: true,
        };
        let of = |level, checks| Verdict { level, departure: Some(departure.clone()), checks };
        let (answer, numbers) = verdict(&of(Level::Good, vec![]), now, zone);
        assert_eq!(answer, "Vous pouvez dormir.");
        let expected = "«\u{a0}Que faire à Auch\u{a0}» part demain à 8\u{a0}h à 1\u{202f}214 partenaires\u{202f}; \
                        41\u{a0}événements, 2\u{a0}documents joints.";
        assert_eq!(numbers, expected);
        let held = Check::Held { issue, reason: "aucun article".to_owned(), until: now + chrono::TimeDelta::hours(2) };
        let (answer, why) = verdict(&of(Level::WillNotGo, vec![held]), now, zone);
        assert_eq!(answer, "Il ne partira pas en l’état.");
        assert!(why.starts_with("Retenu\u{a0}: aucun article.") && why.contains("aujourd’hui à 22\u{a0}h"), "{why}");
    }
}
