//! Recognises finite verbs: a run of words with one is a sentence, not a title.
//!
//! Forms are generated from infinitives in the persons that articles use. A form that is also a noun (`visite`, `danse`)
//! counts only after a pronoun.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::text::{Kind, Words};

/// First group, as infinitives without `er`.
#[rustfmt::skip]
const FIRST: &[&str] = &[
    "accompagn", "achev", "admir", "affich", "affront", "aid", "aim", "ajout", "allum", "alli", "amen", "amus", "anim", "annonc",
    "apport", "arpent", "arriv", "assist", "attir", "attend", "baign", "balad", "bat", "bouge", "boug", "brill", "bross", "cach", "casse", "célèbr", "celebr", "chang",
    "chant", "charg", "chauff", "cherch", "clotur", "coll", "commenc", "compos", "compt", "concoct", "conjugu", "consacr", "continu",
    "contempl", "convi", "coup", "croqu", "croque", "cuisin", "cultiv", "debarqu", "debut", "decern", "declar", "declin", "decor", "dedi", "dedicac",
    "defil", "degust", "deambul", "demarr", "demontr", "deploy", "deploi", "depos", "deroul", "desaltèr", "dessin", "devoil", "dévoil", "dialogu",
    "dirig", "distribu", "divert", "donn", "dress", "dur", "echang", "eclair", "ecout", "embarqu", "embras", "emerveill", "emmen", "emport", "enchain",
    "enflamm", "enseign", "entam", "entonn", "entrain", "envoy", "evoqu", "examin", "expliqu", "explor", "expos", "fabriqu", "ferm", "festoi", "ficel", "figur",
    "flân", "flan", "form", "franch", "fredonn", "gagn", "gliss", "gout", "grimp", "habit", "illumin", "imagin", "improvis", "inaugur", "initi", "install",
    "interpret", "intervien", "intervi", "invit", "invest", "jou", "lanc", "laiss", "lev", "livr", "log", "mang", "manqu", "march", "men",
    "mêl", "mel", "mettr", "mijot", "mont", "montr", "murmur", "narr", "nettoy", "observ", "occup", "organis", "oubli", "parl", "partag", "particip",
    "pass", "peaufin", "pens", "perch", "pilot", "plac", "plong", "port", "pos", "pouss", "prepar", "present", "prêt", "pret", "prolong", "promen",
    "proclam", "profit", "projett", "propos", "raccont", "racont", "ramen", "rassembl", "rât", "rat", "ravi", "réalis", "realis", "recherch", "récit", "recit", "refer", "reform",
    "regal", "régal", "regard", "rejoign", "relat", "remont", "remport", "rencontr", "rendr", "repar", "repet", "repos", "represent", "reserv", "résonn",
    "resonn", "respir", "rest", "retomb", "retourn", "retrac", "retrouv", "réun", "reveill", "revel", "revisit", "rêv", "rev", "rivalis", "rythm", "s'installe",
    "saut", "savour", "sembl", "signe", "sillonn", "sonn", "souffl", "soutien", "squatt", "succed", "termin", "test", "tir", "tomb", "tourn", "trac", "transform",
    "travers", "trinqu", "trouv", "vibr", "viv", "visit", "voguer", "vogu", "voyag", "mélang", "melang", "déjeun", "dejeun", "dîn", "din", "soup", "pirouett",
    "rallum", "referm", "soign", "align", "aménag", "aménag", "amorc", "arbor", "assur", "avanc", "bris", "campe", "camp", "clôtur", "concour", "convoqu", "croiss", "débat", "déball", "deball", "débit", "décroch", "decroch", "dégain", "délivr", "démén", "dénich", "depart", "déambul",
    "dialogue", "dispens", "disput", "dispute", "éclat", "eclat", "élabor", "embarrass", "embellis", "empoign", "encadr", "endoss", "engag", "enregistr", "entraîn", "envahiss", "épat", "épingl", "escalad", "étal", "etal", "étrenn", "étudi", "etudi", "exhib", "extrai", "fêt", "fet", "fidélis", "fourmill", "frapp", "frémiss",
    "frott", "fus", "gard", "gratin", "guid", "honor", "honorer", "hum", "impos", "incarn", "inond", "insist", "jet", "jongl", "lach", "lâch", "légu", "libér", "lorgn", "lou", "maîtris", "marqu", "martel", "mérit", "merit", "milit", "mis", "mobilis", "modér", "mouill", "multipli", "nag", "nich", "oblig", "oppos", "ordonn", "orn", "panach",
    "parad", "parrain", "patient", "patin", "pédal", "pedal", "péross", "plant", "précéd", "preced", "prêch", "prim", "privilégi", "prôn", "pimen", "pos", "publi", "raffol", "ralli", "ramass", "rappell", "rassur", "ravitaill", "récompens", "recompens", "redonn", "régl", "regroup", "relev", "remball", "renou", "renouvell", "replong", "report", "respect", "rest", "résum", "ressuscit", "retent", "révis",
    "rigol", "rong", "roul", "sacr", "salu", "secou", "sédui", "sillon", "simul", "soulign", "stationn", "suspend", "tap", "tent", "tiss", "touch", "tranch", "trembl", "tress", "tutoi", "vali", "vant", "veill", "vérifi", "vers", "vend", "vol", "vot", "embarqu", "joint", "dévoil", "investiss", "mitonn", "concoct", "régalad", "grill", "célèbr", "anim", "rapatri", "propuls", "entour", "escort", "ouvr", "offr", "accueill", "cueill", "découvr", "decouvr", "couvr", "souffr",
];

/// Forms of other verbs, and of those above that are irregular. Folded.
#[rustfmt::skip]
const FORMS: &[&str] = &[
    "est", "sont", "sera", "seront", "etait", "etaient", "serait", "soit", "ont", "aura", "auront", "avait", "avons", "avez", "sommes", "etes",
    "va", "vont", "ira", "iront", "allons", "allez", "fait", "font", "fera", "feront", "faites", "faisons", "peut", "peuvent", "pourra", "pourront", "pouvez",
    "pourrez", "doit", "doivent", "devra", "veut", "veulent", "voulez", "vient", "viennent", "viendra", "viendront", "venez", "tient", "tiennent", "tiendra",
    "prend", "prennent", "prendra", "prenez", "rend", "rendent", "rendez", "attend", "attendent", "attendra", "attendez", "entend", "descend", "descendent",
    "promet", "promettent", "met", "mettent", "mettra", "mettez", "permet", "bat", "battent", "part", "partent", "partira", "partez", "sort", "sortent", "sortez",
    "recoit", "recoivent", "recevra", "voit", "voient", "verra", "voyez", "dit", "disent", "lit", "lisent", "lira", "ecrit", "vit", "vivent", "suit", "suivra", "suivront", "suivez",
    "produit", "produisent", "produira", "conduit", "conduisent", "court", "courent", "courez", "finit", "finissent", "reunit", "reunissent", "reunira", "investit",
    "investissent", "fleurit", "fleurissent", "remplit", "choisit", "choisissez", "grandit", "accueillent", "accueille", "accueillera", "accueilleront", "accueillez", "faut", "faudra",
    "ouvre", "ouvrent", "ouvrira", "ouvriront", "ouvrez", "offre", "offrent", "offrira", "decouvrez", "decouvre", "decouvrent", "decouvrir", "rejoint", "rejoignez", "rejoignent", "joint",
    "poursuit", "poursuivent", "poursuivra", "reprend", "reprennent", "reprendra", "remplace", "resonne", "refait", "redevient", "debute", "debutent", "debutera", "demarre", "demarrent", "demarrera", "tenait", "fetera", "fetent", "assiste", "mise", "misent", "vendent", "vend", "tend", "perd", "pretend", "depend", "repand", "fond", "mord", "tord", "repose", "assied", "rompt", "interrompt", "corrompt", "contient", "maintient", "abstient", "parvient", "intervient", "survient", "provient", "previent", "souvient", "atteint", "peint", "craint", "plaint", "eteint", "concoit", "apercoit", "emeut", "meurt", "vaut", "equivaut", "prevaut", "sait", "savez", "connait", "connaissez", "revient", "reviennent", "reviendra", "devient", "devis", "convient", "appelle", "appellent", "jette", "projette", "projettent", "projettera",
    "joue", "jouent", "jouera", "joueront", "emmene", "emmenent", "promene", "leve", "mene", "acheve", "celebre", "interprete", "repete", "complete", "succede", "defend", "defendent",
    "rit", "rient", "conclut", "concluent", "surprend", "apprend", "apprenez", "comprend", "repond", "repondent", "sert", "servent", "dort", "sent", "croit", "boit", "buvez", "plait",
    "parait", "parcourt", "parcourez", "concourt", "transmet", "remet", "remettra", "soutient", "entretient", "obtient", "retient", "appartient", "figurent", "oubliez",
];

/// Forms that are nouns or adjectives as well: verbs only behind a pronoun.
#[rustfmt::skip]
const ALSO_NOUNS: &[&str] = &[
    "marche", "marches", "danse", "visite", "visites", "rencontre", "livre", "montre", "place", "forme", "porte", "portes", "conte", "goute", "gouter", "chasse", "peche", "note",
    "cuisine", "course", "lance", "trace", "entre", "reste", "figure", "charge", "change", "pose", "ferme", "reserve", "compte", "coupe", "brosse", "colle", "casse", "voyage",
    "partage", "melange", "signe", "test", "soupe", "soupes", "fabrique", "echange", "aide", "rat", "garde", "loge", "balade", "reve", "rythme", "pilote", "recherche", "projet",
    "court", "part", "pret", "offre", "produit", "devis", "complete", "souffle", "manque", "tombe", "tire", "pretes", "monte", "dure", "joint", "sort", "met", "sert", "passe", "cote",
    "marchent", "dit", "fait", "ecrit", "lit", "suit", "vit", "bat", "rit", "soit", "livres", "murmure", "cache", "tourne", "gagne", "glisse", "mele",
];

static FINITE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut out: HashSet<String> = FORMS.iter().map(|form| (*form).to_owned()).collect();
    for stem in FIRST {
        let stem = super::text::folded(stem);
        for end in ["e", "ent", "era", "eront", "ez", "ait", "aient", "ons", "erez", "erait"] {
            let glide = if stem.ends_with('g') && end.starts_with(['a', 'o']) { "e" } else { "" };
            out.insert(format!("{stem}{glide}{end}"));
        }
    }
    out
});

/// Whether the word at `at` is a verb in a finite form.
pub(super) fn is_finite(words: &Words<'_>, at: usize) -> bool {
    let Some(token) = words.tokens.get(at).filter(|token| token.kind == Kind::Word) else { return false };
    let word = token.fold.as_str();
    // `le trio l'anime en chansons`
    let elided_object =
        at > 1 && words.is(at - 1, &["l'"]) && words.tokens[at - 2].kind == Kind::Word && words.tokens[at - 2].capital;
    let behind_pronoun = elided_object
        || at > 0
            && words.is(
                at - 1,
                &[
                    "se", "s'", "on", "il", "elle", "ils", "elles", "qui", "nous", "vous", "ne", "n'", "y", "j'", "je",
                    "l'on", "c'", "ca", "tu",
                ],
            );
    // `Le Bal des Offre` is a name; a verb has a small letter unless it begins the sentence.
    let name = token.capital && at > 0 && !words.tokens[at - 1].is_sentence_end() && !words.shouts(at);
    // `Lombez`, `Rodez` at the head of a line are towns.
    let town = || token.capital && word.ends_with("ez") && super::communes::known(&words.tokens, at).is_some();
    if name || word.len() < 2 || town() {
        return false;
    }
    // Behind an article or a preposition stands a noun: `mur d'escalade`.
    let noun_position = at > 0
        && !elided_object
        && words.is(
            at - 1,
            &[
                "de", "d'", "du", "des", "la", "le", "l'", "les", "un", "une", "au", "aux", "sans", "par", "cette",
                "ce", "son", "sa", "leur", "sur", "sous",
            ],
        );
    if noun_position {
        return false;
    }
    let imperative = word.len() > 4 && word.ends_with("ez") && !words.is(at, &["assez", "chez"]) && !word.contains('-');
    let found = FINITE.contains(word) || imperative;
    if !found {
        return false;
    }
    // `présente` and `présenté` fold alike: an accent makes it a participle.
    let written = &words.text[token.start..token.end];
    if word.ends_with('e') && written.ends_with(['é', 'É']) {
        return false;
    }
    if behind_pronoun {
        return true;
    }
    // `fête`, `dédicace`, `clôture`: what one attends before what somebody does.
    if super::words::is_event_noun(token) || word == "cloture" {
        return false;
    }
    if !ALSO_NOUNS.contains(&word) {
        return true;
    }
    // `la troupe fait danser`, `la compagnie lit « … »`: a subject before it, an object behind it.
    let subject_before = at > 0
        && words.tokens[at - 1].kind == Kind::Word
        && !words.is(
            at - 1,
            &[
                "le", "la", "les", "l'", "un", "une", "des", "de", "du", "d'", "a", "au", "aux", "en", "et", "par",
                "pour", "sur", "avec", "ou", "cette", "ce", "son", "sa", "sans", "sous",
            ],
        );
    const VERBS_FIRST: [&str; 20] = [
        "fait", "part", "sort", "met", "lit", "monte", "passe", "ferme", "dit", "suit", "sert", "offre", "ecrit",
        "vit", "bat", "tire", "mele", "tourne", "joint", "livre",
    ];
    subject_before && (word == "fait" || VERBS_FIRST.contains(&word) && object_after(words, at))
}

/// Whether what follows is an object: an article, a quotation, an hour.
fn object_after(words: &Words<'_>, at: usize) -> bool {
    words.tokens.get(at + 1).is_some_and(|next| {
        next.is_any(&[
            "le", "la", "les", "l'", "un", "une", "des", "son", "sa", "ses", "leur", "leurs", "«", "\"", "a", "au",
            "deux", "trois", "sur", "en", "dans", "du",
        ]) || next.kind == Kind::Number
    })
}

/// Whether the sentence goes on with a verb that says that the thing takes place on the day named before, or does not:
/// `se tiendra`, `est avancé à`, `est annulée`.
pub(super) fn takes_place(words: &Words<'_>, at: usize) -> bool {
    const FAR: usize = 16;
    const LASTING: [&str; 10] =
        ["tient", "tiendra", "deroule", "deroulera", "debute", "debutera", "commence", "commencera", "aura", "auront"];
    #[rustfmt::skip]
    const STATES: [&str; 12] = [
        "avance", "avancee", "annule", "annulee", "annules", "annulees", "reporte", "reportee", "maintenu", "maintenue", "deplace", "deplacee",
    ];
    let end = (at..words.tokens.len().min(at + FAR)).find(|at| words.tokens[*at].is_sentence_end());
    let words_after = at..end.unwrap_or(words.tokens.len().min(at + FAR));
    let is = words_after.clone().find(|at| words.is(*at, &["est", "sera", "sont", "seront"]));
    words_after.clone().any(|at| {
        let lasts = words.is(at, &LASTING) && (!words.is(at, &["aura", "auront"]) || words.is(at + 1, &["lieu"]));
        lasts || words.is(at, &STATES) && is.is_some_and(|is| is < at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_distinguished_from_nouns_and_names() {
        let finite = |text: &str, word: &str| {
            let words = Words::of(text);
            let at = words.tokens.iter().position(|token| token.fold == word).unwrap();
            is_finite(&words, at)
        };
        for (text, word) in [
            ("L'église accueille un concert", "accueille"),
            ("la compagnie présente « Nuit d'encre »", "presente"),
            ("c'est soirée karaoké", "est"),
            ("venez chiner au vide-grenier", "venez"),
            ("le cinéma s'invite en plein air", "invite"),
            ("poussez la porte", "poussez"),
        ] {
            assert!(finite(text, word), "{text}");
        }
        for (text, word) in [
            ("visite guidée des venelles", "visite"),
            ("Grand marché de Noël", "marche"),
            ("concert présenté par la chorale", "presente"),
            ("la pièce chez nous", "chez"),
            ("soirée danse", "danse"),
        ] {
            assert!(!finite(text, word), "{text}");
        }
    }
}
