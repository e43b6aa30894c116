//! The word lists of the grammar, in folded form (lower case, no accents).
//!
//! Data only. A missing word costs a field, never a line: unknown words stay in the note or are printed as written.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::text::Token;

/// Function words: a run of only these is not worth a note.
pub(super) const FUNCTION: &[&str] = &[
    "a", "au", "aux", "le", "la", "les", "l'", "un", "une", "des", "de", "du", "d'", "et", "ou", "puis", "en",
    "dans", "sur", "sous", "par", "pour", "avec", "ce", "cet", "cette", "ces", "qui", "que", "qu'", "est", "sont",
    "sera", "seront", "suivi", "suivie", "suivis", "suivies", "ensuite", "enfin", "egalement", "aussi", "encore", "toujours",
    "il", "y", "se", "s'", "ont", "lieu", "partir", "chez", "devant", "jusqu'", "jusque", "vers", "autour", "entre",
    "lendemain", "surlendemain", "veille", "avant-veille",
    "plus", "tel", "tarif", "tarifs", "prix", "rdv", "rv", "horaires", "horaire", "er", "durant", "pendant", "lors",
];

/// What joins one event to the one before it in a sentence.
pub(super) const JOINTS: &[&str] =
    &["et", "puis", "ensuite", "enfin", "egalement", "aussi", "suivi", "suivie", "suivis", "suivies", "ou", "&"];

/// First words of a clause that tells about an event and is none: `départ à 8 h 30`, `ouverture des portes à 20 h`.
pub(super) const AUXILIARY: &[&str] = &[
    "depart", "departs", "ouverture", "inscription", "inscriptions", "accueil", "rendez-vous", "rdv", "rv", "fin",
    "retour", "arrivee", "cloture", "remise", "reservation", "reservations", "billetterie", "top", "restauration",
    "buvette", "seance", "seances", "portes", "fermeture", "dossards", "dossard", "ouvertures", "retrait", "retraits",
    "debut",
];

/// What there is beside an event: its hour is not the event's.
pub(super) const SERVICES: &[&str] =
    &["billetterie", "guichet", "guichets", "caisse", "caisses", "navette", "navettes", "parking"];

/// Words that fields express already: hours, days, names of fields, connectors.
pub(super) const SAID_OTHERWISE: &[&str] = &[
    "quand", "combien", "toujours", "dans", "sur", "sous", "les", "des", "une", "par", "pour", "avec", "cet", "cette", "ces", "qui", "que",
    "est", "sont", "suivi", "suivie", "ensuite", "enfin", "egalement", "aussi", "puis", "chez", "devant",
    "jusqu", "vers", "autour", "entre", "heures", "heure", "midi", "minuit", "partir", "matin", "matinee",
    "apres", "soir", "soiree", "nuit", "tombee", "toute", "tout", "journee", "tel", "tarif", "tarifs", "prix",
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "mardis", "tous", "jours",
    "sauf", "juin", "juillet", "aout", "septembre", "fin", "annule", "reporte", "complet", "rendez", "vous", "rdv",
    "aux", "part", "depart", "sera", "lieu", "reservation", "reservations", "lun", "mar", "mer", "jeu", "ven", "sam", "dim",
    "janvier", "fevrier", "mars", "avril", "mai", "octobre", "novembre", "decembre", "janv", "fevr", "avr", "juil", "sept", "oct",
    "nov", "dec",
];

/// Nouns of things one attends. Used to know a sentence's capital from a name's, and an article from a title's.
pub(super) const EVENT_NOUNS: &[&str] = &[
    "animation", "animations", "aperitif", "apero", "atelier", "ateliers", "audition", "bal", "balade", "balades",
    "banquet", "battle", "bourse", "braderie", "brocante", "brocantes", "carnaval", "ceremonie", "chasse",
    "chorale", "choeur", "cine", "cinema", "cine-concert", "cirque", "commemoration", "competition", "concert",
    "concerts", "concours", "conference", "conferences", "conte", "contes", "corrida", "course", "cours",
    "creation", "danse", "debat", "decouverte", "defile", "degustation", "degustations", "demonstration",
    "dejeuner", "diner", "discussion", "ecoute", "enquete", "excursion", "exposition", "expo", "festival", "fete",
    "fetes", "feu", "feux", "film", "foire", "forum", "gala", "gouter", "grande", "grand", "improvisation",
    "initiation", "inauguration", "jeu", "jeux", "jam", "journee", "karaoke", "lecture", "lectures", "loto",
    "lotos", "marche", "marches", "match", "messe", "nocturne", "nocturnes", "nuit", "olympiades", "opera",
    "parade", "peintures", "petit", "petite", "petits", "photographies", "photos", "piece", "pique-nique", "portes",
    "projection", "promenade", "puces", "quiz", "randonnee", "randonnees", "rencontre", "rencontres", "repas",
    "salon", "sculptures", "seance", "sortie", "soiree", "spectacle", "spectacles", "stage", "theatre", "tournoi",
    "tour", "vente", "vernissage", "veillee",
];

const MORE_EVENT_NOUNS: &[&str] = &[
    "vide-grenier", "vide-greniers", "vide-dressing", "visite", "visites", "zumba", "yoga", "thes", "the", "groupe",
    "duo", "trio", "quatuor", "orchestre",
];


/// Further nouns of things one attends, from every kind of article read so far.
const STILL_MORE_EVENT_NOUNS: &[&str] = &[
    "accordeon", "aquagym", "apero-concert", "apero-tricot", "apero-lecture", "aperitif-concert", "aperitifs", "aperos", "assemblee",
    "aubade", "aubades", "avant-premiere", "bandas", "banda", "bapteme", "baptemes", "barbecue", "batucada", "belote", "benediction", "bingo", "blind-test",
    "bodega", "boeuf", "boum", "bourses", "brunch", "cabaret", "cafe-concert", "cafe-debat", "cafe-philo", "cafe-lecture", "castelet", "causerie", "cavalcade",
    "celebration", "ceremonies", "challenge", "championnat", "chants", "chant", "charivari", "chandeleur", "chars", "cine-club", "cine-debat", "cine-gouter", "cinema-debat",
    "collecte", "collectes", "don", "defi", "troc", "comedie", "concert-degustation", "contes", "corso", "courses", "coupe", "cross", "croisiere", "croisieres", "crepes", "cyclo-cross", "danses", "dedicace", "dedicaces",
    "defiles", "degustations", "dejeuners", "demonstrations", "depot", "derby", "descente", "diner-concert", "diner-debat", "diner-spectacle", "diners", "dictee", "duo", "echecs", "embrasement", "encierro",
    "escape", "escape-game", "eveil", "eucharistie", "expositions", "expos", "expo-vente", "fanfare", "fanfares", "farandole", "ferias", "feria", "festivites", "fete-dieu", "film", "films", "finale", "finales", "fiesta", "flashmob", "flamenco", "flamme", "footing",
    "foulee", "foulees", "foires", "friperie", "galette", "galettes", "garden-party", "gospel", "gouters", "gouter-concert", "gouter-lecture", "gouter-spectacle", "grands", "grandes", "grillades", "guinguette", "gymkhana", "gym", "harmonie", "hommage", "intronisation", "jardinage",
    "journees", "judo", "kermesse", "kermesses", "kart", "karting", "laser", "lecture-spectacle", "lectures", "legendes", "lotos", "magie", "magicien", "maraude", "marathon", "marches", "mascarade", "masterclass", "matchs", "matches", "meeting", "mechoui", "meditation",
    "messes", "mini-golf", "mounjetade", "murder", "musique", "musiques", "noces", "nuits", "observation", "omelette", "oratorio", "orgue", "paella", "pastorale", "parcours", "pelerinage", "petanque", "peche", "performance", "petit-dejeuner",
    "philo", "pieces", "pilates", "pique-niques", "plantation", "polka", "portes-ouvertes", "pot", "presentation", "procession", "projections", "promenades", "quine", "quines", "quiz", "rallye", "rampeau", "rando", "randos", "randonnee-decouverte",
    "reception", "recital", "recitals", "regate", "relais", "repair", "repas-concert", "repas-spectacle", "repetition", "representation", "restitution", "retraite", "retransmission", "retrospective", "reunion", "reveillon", "ronde", "salsa", "scrabble", "seances", "semi-marathon", "serenade",
    "session", "siestes", "sieste", "slam", "soirees", "soiree-debat", "soupe", "sophrologie", "souper", "spectacles", "stages", "stand-up", "stretching", "super-loto", "swing", "tablee", "tango", "tapas", "taureaux", "tauromachie", "telethon", "theatre-forum",
    "tombola", "tournois", "trail", "trails", "transhumance", "tremplin", "troc", "troc-plantes", "tyrolienne", "vaches", "veillees", "vendanges", "vente-dedicace", "ventes", "vernissages", "vepres", "vide-maison", "vide-jardin", "vide-dressings", "vide-armoires", "videgrenier", "vin", "voeux", "vtt", "yoga", "zumba",
    "fest-noz", "fest-deiz", "hippisme", "galas", "marionnettes", "marionnette", "motocross", "moto-cross", "baignade", "bals", "ateliers", "portes", "initiations", "conferences", "rencontre-dedicace", "decoration", "tir", "jeux", "tournee", "baptemes", "exercice", "exercices", "hockey", "course-relais", "lecture", "vide-atelier", "puces", "marche", "sardinade", "moules-frites",
    "cochonnade", "garburade", "bouvines", "novillada", "becerrada", "abrivado", "course-landaise", "landaise", "rassemblement", "concentration", "exhibition", "bourse-expo", "salons", "congres", "colloque", "seminaire", "table-ronde", "debats", "forums", "rendez-vous-lecture", "bebes-lecteurs", "raconte-tapis", "racontines", "heure-du-conte", "lectures-plaisir", "coinche", "tarot",
    "speleo", "speleologie", "canyoning", "rafting", "via-ferrata",
];

/// What a title does not end with: a preposition or an article whose words another field has.
pub(super) const TRAILING: &[&str] = &[
    "a", "au", "aux", "le", "la", "les", "l'", "un", "une", "des", "de", "du", "d'", "et", "ou", "puis", "en",
    "dans", "sur", "sous", "par", "pour", "avec", "chez", "devant", "vers", "qui", "que", "qu'", "est", "sont",
    "suivi", "suivie", "entre",
];

/// Kinds of thing that a line names before the thing itself: `Rugby. RC Auch – …`, `Théâtre : « … »`.
pub(super) const GENRES: &[&str] = &[
    "animation", "atelier", "basket", "bien-etre", "cinema", "cirque", "concert", "conference", "culture", "danse",
    "enfants", "environnement", "football", "foot", "gastronomie", "handball", "jeunesse", "lecture", "loisirs",
    "loto", "musique", "nature", "patrimoine", "petanque", "randonnee", "rugby", "sante", "solidarite", "spectacle",
    "sport", "tennis", "theatre", "visite", "volley",
];

/// What a group plays is a concert.
pub(super) const BANDS: &[&str] = &["groupe", "duo", "trio"];

/// When something is, where no hour is said.
pub(super) const PARTS_OF_DAY: &[&str] =
    &["matin", "matinee", "midi", "apres-midi", "soir", "soiree", "journee", "nuit"];

/// Nouns of places, after a preposition: `à la cathédrale`, `sur les berges`.
pub(super) const VENUES: &[&str] = &[
    "abbaye", "aerodrome", "allee", "allees", "amphitheatre", "arboretum", "arcades", "archives", "arenes",
    "atelier", "auberge", "auditorium", "avenue", "bar", "base", "basilique", "bastide", "berges", "bibliotheque", "bistrot", "foirail", "taverne", "pub", "caveau", "verriere",
    "bois", "bords", "bord", "boulevard", "boulodrome", "bourg", "boutique", "brasserie", "cafe", "camping",
    "carrefour", "casino", "caserne", "cathedrale", "cave", "caves", "centre", "centre-ville", "chai", "chais",
    "chapelle", "chapiteau", "chateau", "cimetiere", "cine", "cinema", "circuit", "cloitre", "club", "club-house",
    "coeur", "college", "collegiale", "complexe", "conservatoire", "couvent", "cour", "departement", "dojo",
    "domaine", "dome", "donjon", "ecluse", "ecole", "ecomusee", "eglise", "ehpad", "escalier", "espace",
    "esplanade", "etang", "fontaine", "foret", "fronton", "poste", "foyer", "galerie", "gare", "golf", "grange",
    "guinguette", "gymnase", "hall", "halle", "halles", "hameau", "haras", "hippodrome", "hopital", "hotel",
    "jardin", "jardins", "kiosque", "lac", "lavoir", "librairie", "lieu-dit", "ludotheque", "lycee", "mairie",
    "maison", "manoir", "mediatheque", "micro-folie", "monument", "moulin", "musee", "museum", "observatoire",
    "office", "palais", "parc", "parking", "parvis", "patinoire", "piscine", "place", "placette", "planetarium",
    "pont", "port", "potager", "preau", "prieure", "promenade", "quai", "quartier", "remparts", "residence",
    "restaurant", "rives", "rue", "rues", "salle", "skate-park", "square", "stade", "studio",
];

/// Venues that are also what takes place: `Atelier d'écriture`, `Théâtre de rue`.
pub(super) const WHAT_AND_WHERE: &[&str] = &["atelier", "ateliers", "club", "theatre", "cinema", "cine"];

const MORE_VENUES: &[&str] = &[
    "pavillon", "telesiege", "telecabine", "embarcadere", "clocher", "necropole", "trinquet", "abbatiale", "verrerie", "capitainerie", "calvaire", "biscuiterie", "cornieres", "couverts", "ludotheque", "kiosque", "recyclerie", "tiers-lieu", "bibliotheque", "cinema", "escape", "voliere", "commanderie", "temple", "oratoire", "sanctuaire", "hospice", "haras", "manege", "sablons", "bergerie", "fournil", "pressoir", "four", "forge", "atelier-galerie", "chaumiere", "carrelet", "belvedere", "plage", "marina", "marais", "reserve", "ermitage", "thermes", "cornes", "corniere", "sentier", "chemin", "route", "bastion", "rempart", "tours", "palombiere", "terrain", "terrasse", "theatre", "thermes", "tiers-lieu", "tour", "tribunal", "velodrome", "verger",
    "vignoble", "villa", "village", "ville", "voie", "office", "presbytere", "pigeonnier", "prefecture", "camp",
    "hall", "grotte", "grottes", "gouffre", "aven", "falaise",
];

/// Places that can stand without a preposition, as an address: `…, place de la mairie`.
pub(super) const ADDRESSES: &[&str] = &[
    "abbaye", "allee", "allees", "arenes", "auditorium", "avenue", "boulevard", "boulodrome", "camping",
    "cathedrale", "centre", "centre-ville", "chapelle", "chateau", "cinema", "cine", "collegiale", "complexe",
    "cour", "domaine", "ecole", "eglise", "espace", "esplanade", "foyer", "gare", "gymnase", "hall", "halle",
    "halles", "hippodrome", "jardin", "jardins", "lac", "lieu-dit", "mairie", "maison", "mediatheque", "moulin",
    "musee", "parc", "parking", "parvis", "piscine", "place", "placette", "port", "preau", "quai", "quartier",
    "rue", "salle", "square", "stade", "terrain", "theatre", "pavillon", "telesiege", "telecabine", "embarcadere", "bibliotheque", "basilique", "base", "caserne", "lavoir", "kiosque", "bastide", "gymnase", "chai", "cave", "restaurant",
    "brasserie", "librairie", "ludotheque", "galerie", "clocher", "cafe", "bar", "bistrot", "auberge", "temple", "tiers-lieu", "esplanade", "promenade", "cloitre", "arcades", "foirail", "dojo", "patinoire", "velodrome",
];

/// Places every commune has one of: `mairie de X` tells the commune even where X is in no list.
pub(super) const MUNICIPAL: &[&str] = &[
    "mairie", "salle", "halle", "halles", "eglise", "village", "bourg", "ecole", "foyer", "mediatheque",
    "bibliotheque", "gare", "stade", "arcades", "boulodrome", "arenes",
];

/// Landmarks that tell the place of a visit to them: `visite du trésor de la cathédrale`.
pub(super) const LANDMARKS: &[&str] = &[
    "cathedrale", "musee", "chateau", "abbaye", "basilique", "collegiale", "cloitre", "eglise", "chapelle", "tour",
    "halle", "moulin", "donjon", "domaine",
];

/// Adjectives before the noun of a place: `la grande salle`, `en basse ville`.
pub(super) const BEFORE_VENUE: &[&str] = &[
    "grand", "grande", "petit", "petite", "vieux", "vieille", "ancien", "ancienne", "nouveau", "nouvelle", "basse",
    "haute", "belle", "beau", "nouvel",
];

/// Adjectives after it: `salle polyvalente`.
pub(super) const AFTER_VENUE: &[&str] = &[
    "polyvalente", "polyvalent", "municipal", "municipale", "communal", "communale", "intercommunal",
    "intercommunale", "culturel", "culturelle", "paroissial", "paroissiale", "sportif", "sportive", "omnisports",
    "aquatique", "ancien", "ancienne", "central", "centrale", "couvert", "couverte", "vert", "verte", "commercial",
    "equestre", "rural", "rurale", "social", "associatif", "associative", "eveche", "routiere", "historique",
    "public", "ville", "monumental",
];

/// Headings of themes: they sort the article, they are no events.
pub(super) const THEMES: &[&str] = &[
    "animation", "animations", "atelier", "ateliers", "balade", "balades", "brocante", "brocantes", "cinema",
    "concert", "concerts", "conference", "conferences", "culture", "danse", "decouverte", "detente", "divers",
    "enfants", "expo", "famille", "festival", "festivals", "fete", "fetes", "foires", "gastronomie", "jeunesse",
    "jeune", "public", "loisirs", "marche", "marches", "musique", "musiques", "nature", "patrimoine", "plein",
    "air", "randonnee", "randonnees", "rencontres", "salons", "sorties", "spectacle", "spectacles", "sport",
    "sports", "theatre", "vide-greniers", "visite", "visites", "guidees", "producteurs", "expositions", "jeux",
    "stages", "bien-etre", "lectures", "terroir", "arts", "art", "vie", "locale", "ville", "village", "villages",
];

/// Labels of details: a line that begins with one belongs to the item before it.
pub(super) const DETAILS: &[&str] = &[
    "tarif", "tarifs", "prix", "entree", "entrees", "participation", "gratuit", "gratuite", "payant",
    "renseignement", "renseignements", "rens", "reservation", "reservations", "resa", "inscription", "inscriptions",
    "tel", "telephone", "contact", "contacts", "info", "infos", "informations", "lieu", "rdv", "rv", "rendez-vous",
    "organise", "organisee", "billetterie", "billets", "acces", "duree", "site", "mail", "horaires",
];

/// Names before a colon, of what a meal holds or costs.
pub(super) const MENU_LABELS: &[&str] = &[
    "menu", "menus", "entree", "entrees", "plat", "plats", "dessert", "desserts", "fromage", "fromages", "boisson", "boissons",
    "adulte", "adultes", "enfant", "enfants", "repas", "formule", "formules", "aperitif",
];

/// Things one eats or drinks.
pub(super) const DISHES: &[&str] = &[
    "melon", "salade", "salades", "soupe", "potage", "veloute", "terrine", "pate", "charcuterie", "jambon", "saumon", "foie",
    "crudites", "garbure", "daube", "mechoui", "cassoulet", "paella", "poulet", "canard", "magret", "confit", "cuisse", "roti",
    "grillades", "saucisse", "saucisses", "boeuf", "veau", "porc", "agneau", "cochon", "sanglier", "poisson", "moules", "frites", "aligot", "truffade",
    "haricots", "pommes", "riz", "legumes", "gratin", "pates", "fromage", "fromages", "cabecou", "brebis", "tarte", "tartes", "croustade", "pastis", "flan",
    "gateau", "gateaux", "glace", "glaces", "sorbet", "mousse", "fruits", "cafe", "vin", "armagnac", "pain", "boissons",
];

/// Things one sits down to.
pub(super) const MEALS: &[&str] = &[
    "repas", "diner", "dejeuner", "souper", "banquet", "buffet", "brunch", "mechoui", "paella", "moules-frites", "cassoulet",
    "grillades", "garbure", "aligot", "soiree", "tapas", "menu",
];

/// A joint; `où` is none, though it folds like `ou`.
pub(super) fn is_joint(words: &super::text::Words<'_>, at: usize) -> bool {
    words.is(at, JOINTS) && !words.tokens.get(at).is_some_and(|token| words.text[token.start..token.end].contains(['ù', 'Ù']))
}

pub(super) fn is_function(token: &Token) -> bool {
    FUNCTION.contains(&token.fold.as_str())
}

static EVENTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    EVENT_NOUNS.iter().chain(MORE_EVENT_NOUNS).chain(STILL_MORE_EVENT_NOUNS).copied().collect()
});

pub(super) fn is_event_noun(token: &Token) -> bool {
    let word = token.fold.as_str();
    EVENTS.contains(word) || word.split_once('-').is_some_and(|(head, _)| EVENTS.contains(head) && head.len() > 3)
}

pub(super) fn is_venue(token: &Token) -> bool {
    VENUES.contains(&token.fold.as_str()) || MORE_VENUES.contains(&token.fold.as_str())
}
