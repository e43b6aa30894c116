//! Splits lines into sentences and classifies them: about an event, booking, opening hours, or the article itself.
//!
//! Judges a sentence by its own words. An hour in a sentence that is not about an event never becomes an event.

use std::sync::LazyLock;

use regex::Regex;

use super::clock;
use super::hours;
use super::marks::{Meaning, marks, quotation};
use super::text::{Kind, Token, Words, folded, is_bullet, is_space};
use super::words::{PARTS_OF_DAY, is_event_noun, is_function, is_venue};

/// The subject of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Possibly an event.
    Tells,
    /// Booking, information, telephone: its day, hour and place are not the event's.
    Booking,
    /// The office, its opening hours, calls for announcements, credits: not about any event.
    Aside,
}

/// The sentences of a text as token ranges, in order, without gaps.
pub(super) fn sentences(words: &Words<'_>) -> Vec<(usize, usize)> {
    let tokens = &words.tokens;
    let mut out = Vec::new();
    let (mut from, mut at, mut depth) = (0, 0, 0usize);
    while at < tokens.len() {
        if let Some(to) = quotation(tokens, at) {
            // `« Où sont-ils ? » à 15 h` is one sentence.
            at = to;
            continue;
        }
        let token = &tokens[at];
        depth = match token.fold.as_str() {
            "(" => depth + 1,
            ")" => depth.saturating_sub(1),
            _ if token.kind == Kind::Break => 0,
            _ => depth,
        };
        at += 1;
        // A bullet between two clauses separates them; at the head of a line it belongs to it.
        let bullet = token.is("•") && at - 1 == from;
        if depth == 0 && !bullet && token.is_sentence_end() && ends_sentence(tokens, at - 1) {
            while at < tokens.len() && tokens[at].is_any(&[".", "!", "?", "…"]) {
                at += 1;
            }
            out.push((from, at));
            from = at;
        }
    }
    if from < tokens.len() {
        out.push((from, tokens.len()));
    }
    out
}

/// Whether the sign at `at` ends a sentence, and is not the dot of an abbreviation, a number or an address.
fn ends_sentence(tokens: &[Token], at: usize) -> bool {
    if !tokens[at].is(".") {
        return true;
    }
    let Some(next) = tokens.get(at + 1) else { return true };
    if at == 0 {
        return false;
    }
    let before = &tokens[at - 1];
    #[rustfmt::skip]
    const SHORT: [&str; 34] = [
        "m", "mme", "mlle", "mr", "dr", "st", "ste", "cie", "av", "bd", "pl", "tel", "rens", "resa", "env", "etc",
        "ex", "pers", "ad", "enf", "cf", "no", "n", "juil", "assoc", "conf", "insc", "inscr", "ent", "part", "med",
        "bibl", "ap", "apr",
    ];
    // `je. 16 nov. > 9 h 30`
    #[rustfmt::skip]
    const CALENDAR: [&str; 24] = [
        "lu", "ma", "me", "je", "ve", "sa", "di", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "nov", "dec",
        "janv", "fev", "fevr", "sept", "oct", "juil", "avr", "hr",
    ];
    if before.is_any(&CALENDAR) && (next.kind == Kind::Number || next.is_any(&[">", "-", ",", ":", "à", "a"])) {
        return false;
    }
    let touching = next.start == tokens[at].end;
    if before.kind == Kind::Number && next.kind == Kind::Number && touching {
        return false;
    }
    if before.is_any(&SHORT) && !before.is_any(&["etc", "pers"]) {
        return false;
    }
    // `J. Lacaze`, `S.O.S`
    if before.kind == Kind::Word && before.capital && before.end - before.start <= 2 {
        return false;
    }
    // `office.example`: an address; `Foix.De 10 heures`: a blank was forgotten.
    if touching && next.kind == Kind::Word {
        return next.capital;
    }
    next.kind != Kind::Word || next.capital || !before.is_any(&SHORT)
}

/// Classifies the sentence `from..to`.
pub(super) fn role(words: &Words<'_>, from: usize, to: usize) -> Role {
    let text = words.slice(from, to);
    let text = text.trim_start_matches(|c: char| is_bullet(c) || is_space(c) || !c.is_alphanumeric() && c != '©');
    let text = folded(text);
    if is_aside(&text) || is_loose_aside(&text) || names_helpers(words, from, to) || says_none(words, from, to) {
        return Role::Aside;
    }
    if (is_service(&text) || calls_for_announcements(words, from, to) || names_the_next_issue(words, from, to))
        && !names_an_event(words, from, to)
    {
        return Role::Aside;
    }
    if is_opening(words, from, to, &text) {
        return Role::Aside;
    }
    if is_booking(&text) && !announces(words, from, to) { Role::Booking } else { Role::Tells }
}

/// `réserver ici à 10 h, visite guidée`, `Info jeunes : forum à 14 h`: a clause begins with what takes place, and there
/// is an hour.
fn announces(words: &Words<'_>, from: usize, to: usize) -> bool {
    /// Words between `départ` and its hour.
    const NEAR: usize = 6;
    let tokens = &words.tokens[from..to];
    let begins_with_event = (1..tokens.len()).any(|at| {
        // `théâtre municipal` is where, `atelier de danse` is what.
        let what = !is_venue(&tokens[at]) || tokens.get(at + 1).is_some_and(|next| next.is_any(&["de", "d'"]));
        tokens[at - 1].is_any(&[",", ":"]) && is_event_noun(&tokens[at]) && what
    });
    // `les inscriptions auront lieu mercredi 15 de 14 h à 18 h`
    let takes_place = (1..tokens.len()).any(|at| {
        tokens[at].is("lieu") && tokens[at - 1].is_any(&["aura", "auront"])
            || tokens[at].is_any(&["tiendra", "tiendront"]) && tokens[at - 1].is("se")
    });
    // `Inscriptions dès 13 h 30, départ à 14 h 30`
    let starts = (1..tokens.len()).any(|at| {
        tokens[at - 1].is_any(&[",", ":", ";", "/", "-", "et", "puis", "("])
            && tokens[at].is_any(&["depart", "departs", "debut", "coup"])
            && (at + 1..tokens.len().min(at + NEAR)).any(|at| clock::clock(tokens, at).is_some())
    });
    (begins_with_event || takes_place || starts) && (0..tokens.len()).any(|at| clock::clock(tokens, at).is_some())
}

/// Classifies the whole line: an aside if all its sentences with content are.
pub(super) fn line_role(words: &Words<'_>) -> Role {
    if words.text.len() > super::lines::LONGEST_LINE {
        return Role::Tells;
    }
    // `PERMANENCES. — Mission locale : jeudi…`: what the first word says holds for the line, unless it names an event.
    let whole = words.tokens.len();
    if words.is(0, &["permanences"]) && words.shouts(0) && !names_an_event(words, 0, whole) {
        return Role::Aside;
    }
    // `Bureaux d'information : Pavie, 9 h – 19 h ; Jégun 9 h 30 – 12 h`
    if asks_visitors(words, 0) && !names_an_event(words, 0, whole) && super::lines::says_time(&words.tokens) {
        return Role::Aside;
    }
    // `Publicité – Jardinerie du Loir : ouvert dimanche de 9 h à 19 h !`
    let advertises = words.is(0, &["publicite", "sponsorise"]) && words.is(1, &["-", ":", "|"]);
    if advertises || presents_a_venue(words) {
        return Role::Aside;
    }
    let postscript = folded(words.text.get(..12).unwrap_or(words.text));
    if ["p.-s.", "p.s.", "ps :", "p. s."].iter().any(|start| postscript.starts_with(start))
        && !names_an_event(words, 0, whole)
    {
        return Role::Aside;
    }
    let mut out = None;
    for (from, to) in sentences(words) {
        if out == Some(Role::Aside) && !says_none(words, 0, from) && tells_nothing_new(words, from, to) {
            continue;
        }
        let says = words.tokens[from..to].iter().any(|token| matches!(token.kind, Kind::Word | Kind::Number));
        if !says {
            continue;
        }
        let role = role(words, from, to);
        if out.is_none_or(|before| before != role) {
            out = match (out, role) {
                (None, role) => Some(role),
                (Some(Role::Tells), _) | (_, Role::Tells) => return Role::Tells,
                _ => Some(Role::Aside),
            };
        }
    }
    out.unwrap_or(Role::Tells)
}

/// `Musée des Barques – 7, quai du Port. Ouvert du mardi au dimanche, 10 h – 18 h. Plein tarif 5 €.`: a venue with its address,
/// and when it is open.
fn presents_a_venue(words: &Words<'_>) -> bool {
    let all = sentences(words);
    let [(from, to), (next, _), ..] = all.as_slice() else { return false };
    let first = (*from..*to).find(|at| words.tokens[*at].kind == Kind::Word && !is_function(&words.tokens[*at]));
    #[rustfmt::skip]
    const OFFICES: &[&str] = &["communaute", "mairie", "office", "syndicat", "service", "ville", "commune", "secretariat", "bureau"];
    // `6 rue des Tanneurs - 43100 Brioude`
    #[rustfmt::skip]
    const STREETS: &[&str] = &["rue", "place", "avenue", "boulevard", "quai", "route", "cours", "chemin", "allee", "bis", "ter", ","];
    let addressed = (*from..*to).any(|at| {
        let token = &words.tokens[at];
        token.kind == Kind::Number && (token.fold.len() == 5 || words.is(at + 1, STREETS))
    });
    let office = addressed && first.is_some_and(|at| words.is(at, OFFICES));
    let venue = office || first.is_some_and(|at| is_venue(&words.tokens[at]));
    let opens = (*next..words.tokens.len()).find(|at| words.tokens[*at].kind == Kind::Word).is_some_and(|at| {
        words.is(at, &["ouvert", "ouverte", "ferme", "fermee", "ouverture"])
            || office && words.is(at, &["accueil", "horaires", "tel", "telephone"])
    });
    let opens = opens
        || office
            && all.get(1).is_some_and(|(from, to)| is_opening(words, *from, *to, &folded(words.slice(*from, *to))));
    let quiet = !super::lines::says_time(&words.tokens[*from..*to])
        && !(*from..*to).any(|at| super::days::date(&words.tokens, at).is_some() || words.is(at, &["«", "\"", ":"]));
    let told = all
        .iter()
        .skip(1)
        .any(|(from, to)| names_an_event(words, *from, *to) && role(words, *from, *to) == Role::Tells);
    venue && opens && quiet && !told && super::lines::says_time(&words.tokens)
}

/// `Bureaux d'information`, `Point d'accueil`: where visitors ask.
fn asks_visitors(words: &Words<'_>, at: usize) -> bool {
    words.is(at, &["bureau", "bureaux", "point", "points", "accueil", "offices"])
        && words.is(at + 1, &["d'", "de"])
        && words.is(at + 2, &["information", "informations", "accueil", "tourisme", "info", "l'"])
        // `Point d'information sur la fibre` is a meeting.
        && !words.is(at + 3, &["sur"])
}

/// `Bus gratuits ce soir. Celui qui conduit, c'est celui qui ne boit pas !`: behind a sentence that is not about an event,
/// one that names neither an event nor a person, and no hour.
fn tells_nothing_new(words: &Words<'_>, from: usize, to: usize) -> bool {
    let tokens = &words.tokens[from..to];
    let says_when =
        super::lines::says_time(tokens) || (0..tokens.len()).any(|at| super::days::date(tokens, at).is_some());
    let calm = || {
        !tokens.iter().enumerate().any(|(at, token)| {
            token.is_any(&["«", "\""]) || is_event_noun(token) || at > 0 && token.capital && token.kind == Kind::Word
        })
    };
    // `Place Salva – 05600 Guillestre.`, `Facebook : Guillestrois Tourisme`: where the office is.
    let address = || {
        let code = tokens.iter().any(|token| token.kind == Kind::Number && token.fold.len() == 5);
        let network = tokens.iter().take(2).any(|token| token.is_any(&["facebook", "instagram", "site", "www", "tel"]));
        (code || network)
            && !tokens.iter().any(|token| token.is_any(&["«", "\""]) || is_event_noun(token) && !is_venue(token))
    };
    if says_when {
        only_where_and_when(words, from, to) && !super::lines::says_time(tokens)
    } else {
        calm() || address()
    }
}

/// `Rien de prévu… Reposez-vous !`: the text says that nothing takes place, and tells of nothing else.
pub(super) fn tells_of_nothing(text: &str) -> bool {
    if text.len() > super::lines::LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    let all = sentences(&words);
    let [(from, to), rest @ ..] = all.as_slice() else { return false };
    let quiet = |(from, to): &(usize, usize)| {
        !names_an_event(&words, *from, *to) && !super::lines::says_time(&words.tokens[*from..*to])
    };
    says_none(&words, *from, *to) && rest.iter().all(quiet)
}

/// Calls for announcements, credits, disclaimers, sponsors: what an article says of itself and of its office.
fn is_aside(text: &str) -> bool {
    #[rustfmt::skip]
    const BEGINS: &[&str] = &[
        "photo :", "photos :", "photo ", "credit", "credits", "©", "source :", "sources :", "mise a jour", "mis a jour",
        "publie par", "mis en ligne", "donnees fournies", "informations donnees", "infos donnees",
        "cette liste", "programme susceptible", "programme sous reserve", "programme donne",
        "sous reserve", "pour figurer", "pour paraitre", "pour annoncer", "vos annonces", "vos rendez-vous",
        "faites paraitre", "faites connaitre", "envoyez", "ecrivez-nous", "transmettez", "signalez",
        "ecoutez", "retrouvez-nous", "inscrivez-vous a la newsletter",
        "inscrivez-vous a notre newsletter", "telechargez", "telecharger", "les horaires peuvent", "horaires et tarifs sous",
        "horaires susceptibles", "attention, les horaires", "en raison de la vigilance", "avec le soutien",
        "avec la participation financiere", "nos partenaires", "merci a nos", "l'agenda vous est offert",
        "des questions", "vous organisez", "vous preparez",
        "vous etes organisat", "vous souhaitez annoncer", "vous voulez annoncer", "organisateurs", "tous les evenements", "plus d'idees",
        "pour plus d'info", "plus d'info", "plus d'information", "tout le programme", "le programme complet",
        "toute l'actualite", "les billets des spectacles", "prochain numero", "prochainement",
        "a reecouter", "retrouvez « l'agenda", "soumis par", "ecrit par", "poste par", "redige par", "p.-s.", "p.s.",
        "post-scriptum", "ne pas jeter", "taguez", "likez", "j'aimecommenter", "j'aimecommenterpartager",
        "pour ne plus recevoir", "pour vous desinscrire", "pour vous desabonner",
        "prochaine mise a jour", "prochaine parution", "imprime le",
        "retrouvez nos idees", "suivez toute l'actualite",
        "presente par notre partenaire", "agenda arrete", "sauf erreur", "reproduction interdite",
        "prochain programme", "a lire", "voir aussi", "a voir aussi sur", "open every day", "open daily",
        "heures d'ouverture", "imprime par", "retour en haut", "haut de page", "rien d'annonce", "grille arretee",
        "publicite —", "vous recevez", "a lundi", "a la semaine prochaine",
        "bonjour a", "correspondant", "correspondants", "aucune manifestation", "voir tout",
        "prochaine edition de", "rendez-vous la semaine prochaine", "bonne lecture", "bon week-end",
        "belle semaine", "bon dimanche", "bonnes fetes", "joyeuses fetes", "nos bureaux", "notre equipe", "notre bureau",
        "nos horaires", "horaires d'ouverture",
        "horaires de l'office", "horaires du bureau", "permanence telephonique", "le comite remercie",
        "la municipalite remercie", "rappel des resultats", "resultats :", "resultats du", "resultats de",
    ];
    #[rustfmt::skip]
    const HOLDS: &[&str] = &[
        "votre manifestation", "vos manifestations", "votre evenement", "vos evenements", "ne figure pas",
        "vous organisez un", "a la redaction", "ces annonces", "sans en verifier", "envoyez vos", "envoyez-nous",
        "adressez vos", "proposez vos", "proposer un evenement", "vos infos", "susceptible d'etre modifi",
        "susceptibles d'etre modifi", "sauf mention contraire", "sauf indication contraire", "sauf avis contraire", "a titre indicatif", "ne saurait etre tenu", "ne sauraient etre tenu", "sous reserve de modification", "sous reserve de changement",
        "n'est pas exhaustive", "non exhaustive", "dans votre journal", "a reecouter en podcast", "en reecoute", "seront rembourses", "avant de vous deplacer",
        "agenda vous est propose", "programme vous est propose", "selection vous est proposee", "agenda est propose par",
        "remercie ses partenaires", "remercie ses sponsors", "vous est offert par", "vous est offerte par",
        "droits reserves", "reecoutez", "suivez-nous", "tout l'agenda", "agenda complet",
        "agenda en ligne", "abonnez-vous", "votre annonce", "paraitre dans cette rubrique",
        "figurer dans cette rubrique", "figurer dans l'agenda", "dans notre emission", "annonces a deposer",
        "a deposer a l'accueil", "vos communiques", "nous parvenir", "publie le", "mis a jour le", "bonne semaine",
        "bon week-end a", "lire la suite", "lire aussi", "se desinscrire", "communique du", "pas d'animation",
        "aucune animation", "imprime par", "donnees sous reserve", "sous la responsabilite des",
        "minutes avant la seance", "minutes avant chaque seance", "min avant la seance", "min avant chaque seance",
    ];
    static HELD: LazyLock<Regex> = LazyLock::new(|| any_of(HOLDS));
    // `Concert à 21 h, programme susceptible d'être modifié`: the event stands before what is said of the article.
    let held = || HELD.find(text).is_some_and(|found| !tells_when(&text[..found.start()]));
    // `Page 2/2`
    let numbered = text.strip_prefix("page ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    numbered || begins_with_any(text, BEGINS) || held()
}

/// `Imprimé par nos soins`, `Ne pas jeter sur la voie publique`, `J'aime · Commenter`: words about the article where they tell
/// of no event and its hour, as `Repas préparé par nos soins à 12 h 30` does.
fn is_loose_aside(text: &str) -> bool {
    const BEGINS: &[&str] = &["j'aime", "toutes ces infos", "ces infos", "ces informations"];
    const HOLDS: &[&str] = &["par nos soins", "sous reserve de", "voie publique"];
    static HELD: LazyLock<Regex> = LazyLock::new(|| any_of(HOLDS));
    (begins_with_any(text, BEGINS) || HELD.is_match(text)) && !tells_when(text)
}

/// `Avec le concours de la communauté de communes`: who helped, where the sentence names nothing else that one attends, no day and
/// no hour.
fn names_helpers(words: &Words<'_>, from: usize, to: usize) -> bool {
    let Some(first) = (from..to).find(|at| words.tokens[*at].kind == Kind::Word) else { return false };
    let help = first + 2;
    let tokens = &words.tokens[first..to];
    words.is(first, &["avec"])
        && words.is(first + 1, &["le", "l'"])
        && words.is(help, &["concours", "aide", "appui", "partenariat", "parrainage"])
        && !tokens.iter().any(|token| token.is_any(&["«", "\""]))
        && !tokens.iter().skip(3).any(|token| is_event_noun(token) && !is_venue(token))
        && !super::lines::says_time(tokens)
        && !(0..tokens.len()).any(|at| super::days::date(tokens, at).is_some())
}

/// `Associations, pour paraître dans le prochain agenda, écrivez avant jeudi à …`
fn calls_for_announcements(words: &Words<'_>, from: usize, to: usize) -> bool {
    #[rustfmt::skip]
    const SENDS: &[&str] = &[
        "ecrivez", "ecrire", "envoyez", "envoyer", "transmettez", "transmettre", "adressez", "adresser", "communiquez",
        "communiquer", "deposez", "parvenir", "signalez", "signaler",
    ];
    #[rustfmt::skip]
    const PRINTED: &[&str] = &[
        "agenda", "annonce", "annonces", "annoncer", "paraitre", "parution", "bulletin", "rubrique", "publication",
        "redaction",
    ];
    let holds = |list: &[&str]| words.tokens[from..to].iter().any(|token| token.is_any(list));
    holds(SENDS) && holds(PRINTED)
}

/// `Prochain agenda le jeudi 20 août.`, `Rendez-vous le 6 janvier pour la prochaine Gazette`: when the article has its next.
fn names_the_next_issue(words: &Words<'_>, from: usize, to: usize) -> bool {
    #[rustfmt::skip]
    const ISSUES: &[&str] = &[
        "agenda", "lettre", "bulletin", "numero", "programme", "parution", "edition", "feuille", "gazette", "newsletter",
        "selection", "post", "publication",
    ];
    let next = |at: usize| words.is(at, &["prochain", "prochaine"]);
    let Some(first) = (from..to).find(|at| words.tokens[*at].kind == Kind::Word) else { return false };
    let said = next(first) && words.is(first + 1, ISSUES);
    let meets = words.is(first, &["rendez-vous", "rdv"])
        && (first + 1..to).any(|at| words.is(at, &["pour"]) && (at + 1..to.min(at + 3)).any(next))
        && !(first..to).any(|at| clock::clock(&words.tokens, at).is_some());
    let returns = words.is(first, &["on"])
        && words.is(first + 1, &["se"])
        && words.is(first + 2, &["retrouve"])
        && (first + 3..to).any(next)
        && !words.tokens[from..to].iter().any(is_event_noun);
    said || meets || returns
}

/// Roads, refuse, tides, chemists on duty: what a town hall or a newspaper says beside its events.
fn is_service(text: &str) -> bool {
    #[rustfmt::skip]
    const BEGINS: &[&str] = &[
        "un doute", "une question", "une erreur", "un oubli", "entree interdite", "emission :", "podcast", "evitez",
        "mission locale", "conciliateur de justice", "numero vert", "cherche :", "recherche :", "horaires :",
        "ouverture de la boutique", "ouverture au public", "nous fermons", "pharmacie de garde",
        "pharmacies de garde", "medecin de garde", "pleine mer", "pleines mers", "basse mer", "basses mers",
        "coucher du soleil", "lever du soleil", "permanences", "parking gratuit", "parkings gratuits", "stationnement",
        "bulletin neige", "bulletin d'enneigement", "domaine skiable", "bus gratuit", "bus gratuits", "navette gratuite",
        "navettes gratuites", "rappel :", "dernier delai", "date limite", "vos resultats", "ouverture des reservations",
        "ouverture des inscriptions", "ouverture de la billetterie", "mise en vente",
        "bonnes vacances", "bonne rentree", "bonne annee", "bel ete", "bon ete", "tres bonne semaine",
    ];
    #[rustfmt::skip]
    const HOLDS: &[&str] = &[
        "passage a l'heure", "on avance sa montre", "on recule sa montre", "numero vert", "circulation alternee",
        "fermee a la circulation", "ferme a la circulation", "fermees a la circulation",
        "interdite a la circulation", "interdit a la circulation", "circulation interdite",
        "stationnement interdit", "route barree", "rue barree", "dechets verts", "dechets menagers",
        "collecte des encombrants", "collecte des ordures", "collecte du tri", "bacs jaunes", "ordures menageres", "coupure d'eau", "coupure d'electricite",
        "coupure de courant", "ne circule pas", "ne circulent pas", "ne circulera pas", "ne circuleront pas", "licences 1-", "licence 1-",
        "licences n", "licence n°",
    ];
    static HELD: LazyLock<Regex> = LazyLock::new(|| any_of(HOLDS));
    begins_with_any(text, BEGINS) || HELD.is_match(text)
}

/// A single pattern for all of them.
fn any_of(parts: &[&str]) -> Regex {
    #[expect(clippy::expect_used, reason = "a pattern of plain words; a test reads it")]
    Regex::new(&parts.iter().map(|part| regex::escape(part)).collect::<Vec<_>>().join("|")).expect("valid")
}

/// Whether the text names a thing one attends and an hour.
fn tells_when(text: &str) -> bool {
    let words = Words::of(text);
    let known = marks(&words);
    let timed = known.iter().any(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()));
    timed && names_an_event(&words, 0, words.tokens.len())
}

/// Whether the words `from..to` name a thing one attends, and not only a street or venue called so or a reason:
/// `Atelier compost et déchets verts`, but `place du Marché`, `promenade Claude-Desbons`, `en raison de la course`.
fn names_an_event(words: &Words<'_>, from: usize, to: usize) -> bool {
    const FAR: usize = 4;
    #[rustfmt::skip]
    const SAYS_LITTLE: &[&str] = &[
        "collecte", "collectes", "grand", "grande", "grands", "grandes", "petit", "petite", "petits", "journee",
        "journees", "nuit", "nuits", "portes", "don", "tour", "cours", "depot",
    ];
    #[rustfmt::skip]
    const REASONS: &[&str] = &[
        "raison", "cause", "occasion", "pendant", "durant", "pour", "lors", "cadre", "avant", "apres", "sauf",
    ];
    let tokens = &words.tokens;
    let is_thing = |at: usize| {
        let token = &tokens[at];
        if !is_event_noun(token) || token.is_any(SAYS_LITTLE) {
            return false;
        }
        let before = (from..at).rev().take(FAR).take_while(|at| tokens[*at].kind == Kind::Word);
        let reason = before.clone().any(|at| tokens[at].is_any(REASONS));
        // `rue du Marché`, `salle des fêtes`
        let noun = before.clone().find(|at| !is_function(&tokens[*at]));
        let of = words.is(at.wrapping_sub(1), &["de", "du", "des", "d'", "la", "l'", "le", "aux", "au"]);
        let called = of && noun.is_some_and(|at| is_venue(&tokens[at]));
        // `La promenade Claude-Desbons sera fermée`
        let named_place = is_venue(token)
            && !token.is_any(&["atelier", "ateliers"])
            && (of || tokens.get(at + 1).is_some_and(|next| next.capital));
        !reason && !called && !named_place
    };
    (from..to).any(is_thing)
}

/// `Dimanche : pas de marché`, `Pas de messe à 9 h`: the text says that the event does not take place. `Pas de deux, ballet` is a title.
fn says_none(words: &Words<'_>, from: usize, to: usize) -> bool {
    let said = |at: &usize| {
        let token = &words.tokens[*at];
        matches!(token.kind, Kind::Word | Kind::Number) && super::days::weekday(token).is_none()
    };
    // `Lundi 12 juillet : rien de prévu`
    let dated = (from..to).find(|at| words.tokens[*at].kind == Kind::Word);
    let dated = dated.and_then(|at| super::days::date(&words.tokens, at)).map_or(from, |date| date.to.min(to));
    let Some(first) = (dated..to).find(said) else { return false };
    let of = words.is(first, &["pas"]) && words.is(first + 1, &["de", "d'"]);
    let none = words.is(first, &["aucun", "aucune"]);
    let what = first + 1 + usize::from(of);
    let dance = words.is(what, &["deux", "trois", "quatre"]);
    let alone = !dance && (what + 1..to).all(|at| words.tokens[at].kind == Kind::Sign);
    let nothing = words.is(first, &["ras", "neant", "relache"])
        && !names_an_event(words, first + 1, to)
        && !super::lines::says_time(&words.tokens[first..to]);
    // `Rien de prévu`, `Rien au programme`
    let empty = words.is(first, &["rien"])
        && words.is(first + 1, &["de", "d'", "au", "a", "ce", "cette"])
        && !names_an_event(words, first, to);
    nothing || empty || (of || none) && what < to && (alone || is_event_noun(&words.tokens[what]))
}

fn begins_with_any(text: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| begins_with(text, start))
}

fn begins_with(text: &str, start: &str) -> bool {
    // The first letter decides nearly always.
    text.as_bytes().first() == start.as_bytes().first()
        && text.strip_prefix(start).is_some_and(|rest| {
            !start.ends_with(char::is_alphanumeric) || !rest.starts_with(char::is_alphanumeric) || start.ends_with("at")
        })
}

/// `L’office est ouvert du lundi au samedi de 9 h à 18 h`: opening hours of a place that opens every week.
fn is_opening(words: &Words<'_>, from: usize, to: usize, text: &str) -> bool {
    #[rustfmt::skip]
    const WHO: &[&str] = &[
        "office", "offices", "bureau", "bureaux", "mairie", "accueil", "equipe", "boutique", "secretariat", "permanence",
        "standard", "mediatheque", "bibliotheque", "billetterie", "guichet", "dechetterie", "dechetteries", "bar",
        "camping", "service", "services", "france", "poste", "agence", "epicerie", "restaurant", "boulangerie",
        "meubles", "piscine", "musee", "pharmacie", "caisse", "caisses", "guichets", "cuisine", "cuisines",
        "presbytere",
    ];
    #[rustfmt::skip]
    const DOES: &[&str] = &[
        "ouvert", "ouverte", "ouverts", "ouvertes", "fermee", "ferme", "fermes", "fermees", "accueille", "repond",
        "recoit", "renseigne", "renseignent", "joignable", "sera", "seront", "ferment", "fermera", "fermeront", "rouvre", "rouvrira", "ouvrira",
        "ouvriront",
    ];
    let tokens = &words.tokens[from..to];
    let who = tokens.iter().position(|token| token.is_any(WHO));
    let does = tokens.iter().position(|token| token.is_any(DOES));
    let event = tokens.iter().enumerate().any(|(at, token)| {
        // `ferme ses portes`
        let doors = at > 0 && token.is("portes") && tokens[at - 1].is_any(&["ses", "leurs", "des", "les"]);
        is_event_noun(token) && !token.is_any(WHO) && !doors
    });
    // Only a sentence about days or hours can be about opening.
    let weekdays: Vec<_> = tokens.iter().filter_map(super::days::weekday).collect();
    let different = weekdays.iter().collect::<std::collections::HashSet<_>>().len();
    let every_day = tokens.iter().any(|token| token.is_any(&["jours", "chaque", "tous"]));
    let ranges = || {
        let (mut at, mut count) = (0, 0);
        while at < tokens.len() {
            let time = hours::time(tokens, at);
            count +=
                usize::from(time.as_ref().is_some_and(|time| time.what.slots.iter().any(|slot| slot.end.is_some())));
            at = time.map_or(at, |time| time.to).max(at + 1);
        }
        count
    };
    // `Bibliothèque : mardi 14 h – 18 h, mercredi 10 h – 18 h, samedi 10 h – 17 h`: a week's opening hours. Behind another
    // name they may be those of something one attends.
    let said_so =
        who.is_some() || ["horaires ", "heures d'ouverture", "ouvert"].iter().any(|start| text.starts_with(start));
    if !event && different >= 3 && ranges() >= 3 && (said_so || only_where_and_when(words, from, to)) {
        return true;
    }
    // `du lundi au samedi, 9 h 30 – 18 h 30`, alone or behind the name of a place: opening hours, of nothing one attends.
    let recurs = || (0..tokens.len()).any(|at| super::days::recurrence(tokens, at).is_some());
    if (!weekdays.is_empty() || every_day)
        && !event
        && recurs()
        && ranges() >= 1
        && only_where_and_when(words, from, to)
    {
        return true;
    }
    // `Vacances scolaires : tous les jours sauf dimanche, 10 h – 12 h 30`
    #[rustfmt::skip]
    const SEASONS: &[&str] = &[
        "vacances", "hors vacances", "pendant les vacances", "en saison", "hors saison", "haute saison", "basse saison",
        "periode scolaire", "en periode",
    ];
    let of_season = || {
        let colon = (from..to.min(from + 8)).find(|at| words.is(*at, &[":"]));
        colon.is_some_and(|colon| only_where_and_when(words, colon + 1, to))
    };
    if !event && begins_with_any(text, SEASONS) && (!weekdays.is_empty() || every_day) && ranges() >= 1 && of_season() {
        return true;
    }
    let named_first = who.is_some_and(|who| who <= 4);
    let opens = does.is_some_and(|does| who.is_some_and(|who| does > who && does - who <= 10));
    // `fermeture exceptionnelle de l'office`: on the day of its heading.
    if !event
        && ["fermeture ", "ouverture "].iter().any(|start| text.starts_with(start))
        && who.is_some_and(|who| who <= 5)
    {
        return true;
    }
    // `Déchetterie : lundi et samedi de 9 h à 12 h`, `Mairie : fermée vendredi`
    #[rustfmt::skip]
    const COUNTERS: &[&str] = &[
        "office", "offices", "bureau", "bureaux", "mairie", "secretariat", "standard", "billetterie", "guichet", "dechetterie",
        "dechetteries", "poste", "agence", "boutique", "pharmacie", "presbytere", "accueil",
    ];
    const LONGEST_NAME: usize = 14;
    let first_word = (from..to).find(|at| words.tokens[*at].kind == Kind::Word && !is_function(&words.tokens[*at]));
    let counter = first_word.is_some_and(|at| words.tokens[at].is_any(COUNTERS));
    let colon = first_word.and_then(|at| (at..to.min(at + LONGEST_NAME)).find(|at| words.is(*at, &[":"])));
    let when_only = || colon.is_some_and(|colon| only_where_and_when(words, colon + 1, to));
    if !event && counter && (!weekdays.is_empty() || every_day) && ranges() >= 1 && when_only() {
        return true;
    }
    // `Office de tourisme, 3 avenue Jean-Moulin, 05…, fermé le mardi 8 mai`
    let closed_on = |at: usize| {
        tokens[at].is_any(&["ferme", "fermee", "fermes", "fermees"])
            && tokens.get(at + 1).is_some_and(|next| {
                next.is_any(&["le", "les", "ce", "exceptionnellement"]) || super::days::weekday(next).is_some()
            })
    };
    if !event && counter && (0..tokens.len()).any(closed_on) {
        return true;
    }
    // `Office de tourisme, 3 avenue Jean-Moulin, ouvert 9 h 30-13 h et 14 h-18 h`
    let opened_at = |at: usize| {
        tokens[at].is_any(&["ouvert", "ouverte", "ouverts", "ouvertes"])
            && (hours::time(tokens, at + 1).is_some() || super::days::recurrence(tokens, at + 1).is_some())
    };
    if !event && counter && (0..tokens.len()).any(opened_at) {
        return true;
    }
    // `Permanence au presbytère : du mardi au vendredi, de 10 h à 12 h`
    if !event
        && ["permanence", "secretariat", "accueil"].iter().any(|start| text.starts_with(start))
        && recurs()
        && ranges() >= 1
    {
        return true;
    }
    // `Bureaux d'information : Pavie, 9 h – 19 h ; Jégun, 9 h 30 – 12 h`
    let of_visitors = first_word.is_some_and(|at| asks_visitors(words, at));
    if !event && of_visitors && ranges() >= 1 {
        return true;
    }
    // `Attention : le parking de la citadelle est fermé lundi à partir de 17 h`
    let parked = tokens.iter().any(|token| token.is_any(&["parking", "parkings", "rue", "route", "pont", "tunnel"]));
    let shut = (1..tokens.len()).any(|at| {
        tokens[at].is_any(&["ferme", "fermee", "fermes", "fermees"])
            && tokens[at - 1].is_any(&["est", "sera", "sont", "seront", "reste", "restera"])
    });
    if !event && parked && shut {
        return true;
    }
    // `fermé dimanche et lundi`, but not `ferme de Larrieu`
    let first = (from..to).find(|at| words.tokens[*at].kind == Kind::Word).unwrap_or(from);
    let closed_when = |token: &Token| {
        super::days::weekday(token).is_some()
            || token.is_any(&["le", "les", "ce", "jusqu'", "exceptionnellement", "pour", "(", "."])
    };
    let is_closed = !event
        && words.is(first, &["ferme", "fermee", "fermes"])
        && words.tokens.get(first + 1).is_some_and(closed_when);
    let bare = text.starts_with("ouvert ")
        || text.starts_with("ouverte ")
        || text.starts_with("fermeture ")
        || text.starts_with("reouverture ")
        || is_closed;
    if is_closed && tokens.len() <= 8 {
        return true;
    }
    let says_when = || {
        let timed = |at: usize| hours::time(tokens, at).is_some() || super::days::recurrence(tokens, at).is_some();
        let all_week = || tokens.windows(2).any(|pair| pair[0].is("la") && pair[1].is("semaine"));
        !weekdays.is_empty() || (0..tokens.len()).any(timed) || all_week()
    };
    !event && (named_first && opens || bare) && says_when()
}

/// Whether a sentence holds nothing but days, hours and places.
pub(super) fn only_where_and_when(words: &Words<'_>, from: usize, to: usize) -> bool {
    let known = marks(words);
    let mut at = from;
    while at < to {
        if let Some(mark) = known.iter().find(|mark| mark.from <= at && at < mark.to) {
            at = mark.to;
            continue;
        }
        let reader = super::places::Reader { words, end: to, titled: true, after_mark: true, in_commune: false };
        if let Some(place) = reader.place(at).filter(|place| place.to > at) {
            at = place.to;
            continue;
        }
        if let Some((_, to)) = super::communes::written(words, at) {
            at = to;
            continue;
        }
        let token = &words.tokens[at];
        let says = token.kind == Kind::Word
            && !is_function(token)
            && super::days::weekday(token).is_none()
            && !token.is_any(PARTS_OF_DAY)
            && !is_venue(token)
            && !token.is_any(&[
                "horaires", "ouvert", "ouverte", "sauf", "jours", "feries", "non-stop", "dimanche", "standard",
                "pendant", "durant", "vacances", "saison",
            ]);
        if says {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether the sentence is about booking, prices or whom to call.
fn is_booking(text: &str) -> bool {
    #[rustfmt::skip]
    const BEGINS: &[&str] = &[
        "rens", "reservation", "reservez", "reserver", "resa", "inscription", "inscrivez",
        "s'inscrire", "sur inscription", "sur reservation", "billetterie", "billets", "billet ", "tel.",
        "tel ", "telephone", "contact", "infos", "info ", "informations", "pensez a",
        "penser a", "places limitees", "nombre de places", "pour tout renseignement", "pour reserver",
        "pour s'inscrire", "plus d'infos", "il est conseille", "il est prudent", "preventes", "prevente", "tickets",
        "date limite", "en cas de pluie", "en cas d'orage", "en cas d'intemperies", "en cas de mauvais", "repli ",
        "s'adresser", "se renseigner", "appelez", "les inscriptions", "les reservations", "merci de reserver",
        "exposants", "installation des exposants", "accueil des exposants", "arrivee des exposants", "fin des inscriptions", "cloture des inscriptions", "limite d'inscription", "pass ", "plein tarif",
        "tarif plein", "forfait ", "abonnement",
        "merci de vous inscrire", "pre-inscription", "preinscription",
    ];
    BEGINS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_at_its_sign_and_not_at_an_abbreviation() {
        let cut = |text: &str| -> Vec<String> {
            let words = Words::of(text);
            sentences(&words).into_iter().map(|(from, to)| words.slice(from, to).to_owned()).collect()
        };
        assert_eq!(cut("Bal. Loto à 15 h ; repas."), ["Bal.", "Loto à 15 h ;", "repas."]);
        assert_eq!(cut("Récital de M. Lacaze au 05.36.49.20.05"), ["Récital de M. Lacaze au 05.36.49.20.05"]);
        assert_eq!(cut("« Où es-tu ? » à 15 h"), ["« Où es-tu ? » à 15 h"]);
        assert_eq!(cut("Foix.De 10 heures"), ["Foix.", "De 10 heures"]);
    }

    #[test]
    fn sentences_that_are_not_about_an_event_are_recognised() {
        let of = |text: &str| line_role(&Words::of(text));
        for text in [
            "Vous préparez une fête ? Écrivez-nous avant le mercredi midi à agenda@ternoux.example.",
            "Notre équipe vous accueille du lundi au samedi de 9h30 à 18h.",
            "La mairie sera fermée lundi 12 juin de 9h à 12h.",
            "Dimanche : pas de marché",
            "Pas d’activité",
            "RAS",
            "Ouverture de l’office samedi de 9h à 12h.",
            "Les caisses du château ferment à 18 h.",
            "La piscine municipale ferme ses portes dimanche 19 à 19 h",
            "Réouverture à 14 h le 4 octobre",
            "Permanence au presbytère : du mardi au vendredi, de 10 h à 12 h.",
            "Attention : la rue Raynal sera fermée à la circulation mardi 14 de 8 h à 17 h.",
            "La promenade Claude-Desbons sera interdite à la circulation mardi 14 de 8 h à 17 h.",
            "En raison de la course cycliste, rue barrée de 8 h à 17 h place du Marché.",
            "Collecte des déchets verts mardi à 8 h.",
            "Collecte des encombrants : mercredi à partir de 6 h",
            "Numéro vert : 9 h à 17 h du lundi au vendredi",
            "PERMANENCES. — Mission locale : jeudi de 9 h à 12 h. Impôts : salle des fêtes, vendredi de 9 h à 12 h.",
            "Fermé dimanche et lundi.",
            "Fermeture des deux sites le dimanche.",
            "Faites paraître vos annonces : envoyez vos textes avant jeudi 17 heures à la rédaction.",
        ] {
            assert_eq!(of(text), Role::Aside, "{text}");
        }
        for text in [
            "Réserver ici à 10 h, visite guidée à Ternoux",
            "Info jeunes : forum des métiers à 14 h à Ternoux",
            "Infos ados : concert à 18 h",
            "Pas de deux",
            "Ouverture du musée : visite à 10 h",
            "Réouverture du musée : visite à 11 h",
            "Le site de Séviac ouvrira ses portes de 10 h à 18 h",
            "Ouverture du château de Terraube de 10 h à 18 h",
            "Ouvert à tous, concert à 21 h",
            "Marché gourmand à 19 h, rue de l’Église interdite à la circulation",
            "Rue barrée, braderie de 9 h à 18 h",
            "Atelier compost et déchets verts à 14 h, Pavie",
            "Collecte des déchets au bord du Gers, 10 h",
            "Numéro vert, comédie à 21 h",
            "Pharmacie de garde, pièce de Roger Dubois à 21 h",
            "Coucher du soleil au belvédère : balade à 20 h",
            "Podcast : atelier à 14 h",
            "Concert à 21 h, programme susceptible d’être modifié",
            "PERMANENCES. — Mission locale : jeudi de 9 h à 12 h. Concert de clôture à 21 h.",
            "Ferme de Larrieu, Roquebrune",
            "Les inscriptions auront lieu mercredi 15 de 14 h à 18 h au dojo",
            "Le château ouvrira ses combles : visites à 10 h et 11 h",
            "Permanence du conseiller numérique, mardi 14 à 10 h",
            "Pas d’histoires sans musique à 18 h",
            "Contact improvisation : atelier de danse à 19 h",
            "Associations, forum à la halle de Ternoux à 10 h",
        ] {
            assert_eq!(of(text), Role::Tells, "{text}");
        }
        assert_eq!(of("Renseignements pratiques : 05 36 49 00 01"), Role::Booking);
        for text in ["L’office propose une visite à 10 h", "Bal à 21 h. Réservation au 05 36 49 00 01."] {
            assert_eq!(of(text), Role::Tells, "{text}");
        }
    }
}
