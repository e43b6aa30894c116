//! French sentences of the verdict and its checks: what the office reads before it goes home.

use crate::domain::{
    Timestamp,
    agenda::Corrections,
    exception::{Granted, Rule},
    french::{self, NBSP, plural},
    issue_name::IssueName,
    tonight::{Check, Departure, Level},
};
use chrono_tz::Tz;

/// The answer, then the numbers or the reason. `worst`: the sentence of the worst check, where one is not good; `skipped`:
/// why a person does not want it to leave.
pub fn verdict(
    level: Level,
    leaving: Option<&Departure>,
    worst: &str,
    skipped: Option<&str>,
    now: Timestamp,
    zone: Tz,
) -> (String, String) {
    let soon = leaving.is_some_and(|it| it.soon);
    let answer = match level {
        Level::Good if soon && skipped.is_some() => "Rien ne part\u{a0}: c’est voulu.",
        Level::Good if soon => "Vous pouvez dormir.",
        Level::Good if leaving.is_some() => "Rien ne part d’ici demain soir.",
        Level::Good => "Rien n’est prévu.",
        Level::Look if soon => "À voir avant le départ.",
        Level::Look => "À voir.",
        Level::NotKnown => "Je ne peux pas le promettre.",
        Level::WillNotGo if soon => "Il ne partira pas en l’état.",
        Level::WillNotGo => "Rien ne partira en l’état.",
    };
    let details = match (level, leaving, skipped) {
        (Level::Good, _, Some(skipped)) => skipped.to_owned(),
        (Level::Good, Some(it), None) if it.soon => departure(it, now, zone),
        (Level::Good, Some(it), None) => format!("Ensuite, {}", departure(it, now, zone)),
        (Level::Good, None, None) => "Aucun envoi n’est au programme.".to_owned(),
        (Level::Look | Level::NotKnown, Some(it), None) if it.soon => format!("{worst} {}", departure(it, now, zone)),
        _ => worst.to_owned(),
    };
    (answer.to_owned(), details)
}

/// The answer while something is leaving and nothing is wrong.
pub const UNDER_WAY: &str = "L’envoi est en cours.";

/// « Que faire à Auch » part demain à 8 h à 214 partenaires ; 41 événements, 2 documents joints.
pub fn departure(it: &Departure, now: Timestamp, zone: Tz) -> String {
    let (partners, parts) = numbers(it);
    format!("«{NBSP}{}{NBSP}» part {} à {partners}{parts}.", it.title, french::near(it.at, now, zone))
}

/// The same of what does not leave as it is.
pub fn planned(it: &Departure, now: Timestamp, zone: Tz) -> String {
    let (partners, parts) = numbers(it);
    format!("Au programme{NBSP}: «{NBSP}{}{NBSP}», {}, {partners}{parts}.", it.title, french::near(it.at, now, zone))
}

/// `214 partenaires`, and the rest after it.
fn numbers(it: &Departure) -> (String, String) {
    let partners = match it.recipients {
        n @ (0 | 1) => format!("{n} partenaire"),
        n => format!("{} partenaires", french::grouped(n)),
    };
    let mut parts = Vec::new();
    parts.extend(it.events.map(|n| counted(n, "événement")));
    parts
        .extend((it.documents > 0).then(|| {
            format!("{} joint{}", counted(it.documents, "document"), if it.documents > 1 { "s" } else { "" })
        }));
    let parts = if parts.is_empty() { String::new() } else { format!("\u{202f}; {}", parts.join(", ")) };
    (partners, parts)
}

fn counted(n: usize, word: &str) -> String {
    format!("{}{NBSP}{word}{}", french::grouped(n as u64), if n > 1 { "s" } else { "" })
}

/// What was found, as a sentence.
pub fn sentence(check: &Check, now: Timestamp, zone: Tz) -> String {
    let at = |instant: &Timestamp| french::near(*instant, now, zone);
    match check {
        Check::DaemonRuns => "Le service tourne.".to_owned(),
        Check::NoRelay => "Aucun relais de messagerie n’est configuré\u{a0}: rien ne peut partir.".to_owned(),
        Check::RelayFine => "Le relais de messagerie n’a rien signalé.".to_owned(),
        Check::LedgerDoubtful => {
            "La base de données semble restaurée ou déplacée. Vérifiez ce qui est parti avant de reprendre.".to_owned()
        }
        Check::NoStaff => "Personne de l’équipe n’est prévenu\u{a0}: aucune adresse n’est configurée.".to_owned(),
        Check::StaffTold { count: 1 } => "Une personne de l’équipe est prévenue en cas de problème.".to_owned(),
        Check::StaffTold { count } => format!("{count} personnes de l’équipe sont prévenues en cas de problème."),
        Check::LanesOpen => "Aucune voie n’est arrêtée.".to_owned(),
        Check::UnderWay { issue, ended, total } => format!(
            "{} part en ce moment{NBSP}: {} sur {} ont abouti.",
            IssueName::new(issue).first(),
            french::grouped(*ended),
            french::grouped(*total)
        ),
        Check::NotComposed { rehearsal: Some(rehearsal), .. } => format!(
            "Rien n’est composé encore\u{a0}: la répétition est prévue {}. Ce qui sera lu alors, personne ne le sait.",
            at(rehearsal)
        ),
        Check::NotComposed { rehearsal: None, .. } => {
            "Rien n’est composé encore\u{a0}: l’article sera lu à l’heure de l’envoi.".to_owned()
        }
        Check::Approved { by, .. } => format!("Approuvé par {by}\u{a0}: exactement cette version partira."),
        Check::CorrectionAsked { by, why, .. } => {
            let end = if why.ends_with(['.', '!', '?', '…']) { "" } else { "." };
            format!("{by} a demandé une correction\u{a0}: {why}{end}")
        }
        Check::Rehearsed { .. } => {
            "Répété\u{a0}: part à son heure sauf si une personne l’arrête. L’article sera relu.".to_owned()
        }
        Check::Skipped { by, why, .. } if why.is_empty() => format!("{by} ne veut pas que ce numéro parte."),
        Check::Skipped { by, why, .. } => format!("{by} ne veut pas que ce numéro parte{NBSP}: {why}."),
        Check::Cancelled { .. } => "Ce numéro est annulé\u{a0}: il ne partira pas.".to_owned(),
        Check::Unplaced { count: 1, .. } => {
            "Une annonce n’a pas trouvé son jour\u{a0}: elle partira telle quelle, à la fin.".to_owned()
        }
        Check::Unplaced { count, .. } => {
            format!("{count} annonces n’ont pas trouvé leur jour{NBSP}: elles partiront telles quelles, à la fin.")
        }
        Check::Warnings { count: 1, .. } => "Une remarque a été faite à la lecture de l’article.".to_owned(),
        Check::Warnings { count, .. } => format!("{count} remarques ont été faites à la lecture de l’article."),
        Check::Corrected { corrections, .. } => format!("{}.", corrected(corrections)),
        Check::Exceptions { granted, .. } => {
            format!("Par exception{NBSP}: {}.", exceptions(granted))
        }
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
        Check::Audience { now, .. } => {
            format!("{} destinataires d’après la liste d’aujourd’hui.", french::grouped(*now))
        }
        Check::WaitsFor { before, .. } => {
            format!("Le numéro précédent ({}) n’est pas terminé\u{a0}: celui-ci attend.", IssueName::new(before))
        }
    }
}

/// What persons changed in an agenda, as a clause: `2 annonces corrigées par Claire, 1 retirée par Marc (doublon)`
pub(crate) fn corrected(corrections: &Corrections) -> String {
    let Corrections { changed, by, left_out } = corrections;
    let mut parts = Vec::new();
    if *changed > 0 {
        let s = plural(*changed as u64);
        parts.push(format!("{changed} annonce{s} corrigée{s} par {}", by.join(", ")));
    }
    // One reason after the other; several events of a line have one.
    let mut reasons: Vec<(&str, &str, usize)> = Vec::new();
    for it in left_out {
        match reasons.iter_mut().find(|(by, why, _)| (*by, *why) == (&*it.by, &*it.why)) {
            Some((_, _, n)) => *n += 1,
            None => reasons.push((&it.by, &it.why, 1)),
        }
    }
    for (by, why, n) in reasons {
        let (noun, s) =
            (if parts.is_empty() { format!("annonce{} ", plural(n as u64)) } else { String::new() }, plural(n as u64));
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        parts.push(format!("{n} {noun}retirée{s} par {by}{why}"));
    }
    parts.join(", ")
}

/// By whose exceptions an issue is as it is, as a clause: `4 événements au lieu de 5, accepté par Claire (fête annulée)`
pub(crate) fn exceptions(granted: &[Granted]) -> String {
    let one = |it: &Granted| {
        let by =
            format!("{} par {}", if matches!(it.rule, Rule::Article { .. }) { "choisi" } else { "accepté" }, it.by);
        let why = if it.why.is_empty() { String::new() } else { format!(" ({})", it.why) };
        format!("{}, {by}{why}", rule(&it.rule))
    };
    granted.iter().map(one).collect::<Vec<_>>().join("\u{a0}; ")
}

/// The rule that is set aside, with its numbers.
pub(crate) fn rule(rule: &Rule) -> String {
    match rule {
        Rule::Source { source } => format!("sans la source {source}"),
        Rule::TooFew { found, least } => format!("{} au lieu de {least}", counted(*found, "événement")),
        Rule::TooManyUnplaced { unplaced, items } => {
            format!("{} sur {items} sans jour", counted(*unplaced, "annonce"))
        }
        Rule::Article { title, .. } => format!("article «{NBSP}{title}{NBSP}»"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_told_with_their_numbers_and_by_name() {
        let granted = |rule, why: &str| Granted { rule, by: "Claire".into(), why: why.into() };
        let said = exceptions(&[
            granted(Rule::TooFew { found: 4, least: 5 }, "fête annulée"),
            granted(Rule::TooManyUnplaced { unplaced: 1, items: 4 }, ""),
            granted(Rule::Source { source: "Apidae".into() }, "en panne"),
            granted(Rule::Article { url: "https://x".into(), title: "Que faire".into() }, ""),
        ]);
        let expected = "4 événements au lieu de 5, accepté par Claire (fête annulée) ; 1 annonce sur 4 sans jour, accepté par \
                        Claire ; sans la source Apidae, accepté par Claire (en panne) ; article « Que faire », choisi par Claire";
        assert_eq!(said.replace('\u{a0}', " "), expected);
    }
    use crate::domain::{agenda::LeftOut, issue::IssueKey};

    #[test]
    fn corrections_are_counted_by_person_and_reason() {
        let left_out = |by: &str, why: &str| LeftOut { line: "bal".into(), by: by.into(), why: why.into() };
        let mut it = Corrections { changed: 2, by: vec!["Claire".into(), "Marc".into()], left_out: Vec::new() };
        assert_eq!(corrected(&it), "2 annonces corrigées par Claire, Marc");
        it.left_out = vec![left_out("Marc", "doublon"), left_out("Marc", "doublon"), left_out("Claire", "")];
        let said = "2 annonces corrigées par Claire, Marc, 2 retirées par Marc (doublon), 1 retirée par Claire";
        assert_eq!(corrected(&it), said);
        it.changed = 0;
        it.left_out.truncate(1);
        assert_eq!(corrected(&it), "1 annonce retirée par Marc (doublon)");
    }

    #[test]
    fn the_verdict_is_one_answer_and_its_numbers() {
        let now = "2027-07-09T18:00:00Z".parse().unwrap();
        let it = Departure {
            issue: IssueKey::new("agenda", "2027-W28"),
            title: "Que faire à Auch".to_owned(),
            at: "2027-07-10T06:00:00Z".parse().unwrap(),
            recipients: 1214,
            events: Some(41),
            documents: 2,
            soon: true,
        };
        let of = |level, worst, skipped| verdict(level, Some(&it), worst, skipped, now, Tz::Europe__Paris);
        let (answer, numbers) = of(Level::Good, "", None);
        assert_eq!(answer, "Vous pouvez dormir.");
        let expected = "«\u{a0}Que faire à Auch\u{a0}» part demain à 8\u{a0}h à 1\u{202f}214 partenaires\u{202f}; \
                        41\u{a0}événements, 2\u{a0}documents joints.";
        assert_eq!(numbers, expected);
        assert_eq!(of(Level::WillNotGo, "Retenu.", None).0, "Il ne partira pas en l’état.");
        let planned = planned(&it, now, Tz::Europe__Paris).replace(['\u{a0}', '\u{202f}'], " ");
        let expected_plan =
            "Au programme : « Que faire à Auch », demain à 8 h, 1 214 partenaires ; 41 événements, 2 documents joints.";
        assert_eq!(planned, expected_plan, "a mail does not say that what is held leaves");
        assert_eq!(of(Level::Look, "À voir.", None).1, format!("À voir. {expected}"));
        assert_eq!(of(Level::Good, "", Some("Claire n’en veut pas.")).1, "Claire n’en veut pas.");
    }
}
