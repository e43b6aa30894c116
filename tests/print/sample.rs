//! Agendas to print: a summer week in Gascony, of any size, and one that no layout should survive.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use semainier::{
    compose::print::{Format, Logo, Look, Sheet, Theme},
    domain::{
        agenda::{Agenda, DailyItem, Day, Event, Item, Status, Week},
        office::Office,
    },
};

pub const TITLE: &str = "Que faire à Auch cette semaine";
pub const URL: &str = "https://www.office-gascogne.example/agenda-de-la-semaine/";

/// Weekday, time, title, place, price, phone. Times: `20:30`, `>18:30` (from), `10:00-12:00`, `matin`, or nothing.
const EVENTS: [(usize, &str, &str, &str, &str, &str); 56] = [
    (
        0,
        "09:30",
        "Visite guidée de la cathédrale et de ses stalles sculptées",
        "Auch, parvis de la cathédrale",
        "7 €",
        "05 62 00 11 22",
    ),
    (0, "14:00-17:00", "Atelier de poterie pour petits et grands", "Pavie, maison des associations", "12 €", ""),
    (0, "17:00", "Contes gascons sous le tilleul", "Montaut-les-Créneaux", "", ""),
    (0, ">18:30", "Apéro-concert des vignerons", "Auch, halle aux herbes", "entrée libre", ""),
    (0, "21:00", "Cinéma en plein air : courts métrages du Sud-Ouest", "Duran, place du village", "gratuit", ""),
    (0, "20:30", "Concert d’orgue à quatre mains", "Auch, cathédrale Sainte-Marie", "10 € ; 5 €, moins de 26 ans", ""),
    (1, "matin", "Marché aux produits fermiers", "Preignan, sous la halle", "", ""),
    (1, "10:00-12:00", "Initiation au canoë sur le Gers", "Auch, base de loisirs", "15 €", "05 62 00 33 44"),
    (
        1,
        "15:00",
        "Jeu de piste dans les pousterles : sur les traces de d’Artagnan",
        "Auch, office de tourisme",
        "5 €",
        "05 62 00 11 22",
    ),
    (
        1,
        "18:00",
        "Dégustation commentée de floc de Gascogne",
        "Castin, domaine des Trois Chênes",
        "8 €",
        "05 62 00 55 66",
    ),
    (1, ">19:00", "Marché de nuit, grillades et bandas", "Castéra-Verduzan, allée des Platanes", "", ""),
    (1, "21:30", "Lecture aux chandelles : lettres de poilus gersois", "Lavardens, château", "6 €", ""),
    (1, "14:30", "Partie de pétanque ouverte à tous", "Auch, promenade Claude-Desbons", "", ""),
    (2, "08:00-13:00", "Grand marché de plein vent", "Auch, avenue d’Alsace", "", ""),
    (
        2,
        "10:30",
        "Visite d’une ferme à canards, suivie d’une dégustation",
        "Biran, ferme de Herrebouc",
        "4 €",
        "05 62 00 77 88",
    ),
    (2, "15:00", "Atelier vitrail pour les enfants (dès 8 ans)", "Auch, musée des Amériques", "6 €", "05 62 00 99 00"),
    (2, "17:30", "Balade botanique au bord de l’Arçon", "Pavie, parking du stade", "gratuit", ""),
    (2, ">20:00", "Soirée tapas et flamenco", "Jégun, place de la Mairie", "", ""),
    (2, "21:00", "Ciné-débat « Nos rivières »", "Auch, Ciné 32", "5,50 €", ""),
    (
        2,
        "22:30",
        "Observation des étoiles avec le club d’astronomie",
        "Saint-Jean-le-Comtal, la Ferme des Étoiles",
        "12 € ; 8 €",
        "05 62 00 12 12",
    ),
    (2, "18:00", "Conférence : Œuvres et œillets, le pastel en Gascogne", "Auch, bibliothèque", "entrée libre", ""),
    (3, "matin", "Marché traditionnel sous les arcades", "Vic-Fezensac", "", ""),
    (3, "10:00", "Escape game « Le secret du chanoine »", "Auch, escalier monumental", "18 €", "05 62 00 11 22"),
    (3, "14:00", "Tournoi d’échecs en extérieur", "Auch, place de la Libération", "3 €", ""),
    (3, "16:00-18:00", "Goûter à la ferme et traite des chèvres", "Barran, chèvrerie du Bosc", "5 €", "05 62 00 45 45"),
    (3, ">19:00", "Repas de village, sardines et melon", "Roquelaure, salle des fêtes", "14 €", "05 62 00 23 23"),
    (3, "20:30", "Théâtre d’improvisation : la ligue contre l’équipe d’Agen", "Auch, Dôme de Gascogne", "9 €", ""),
    (3, "21:00", "Bal trad’ avec Los de la Plana", "Mirande, halle", "", ""),
    (3, "18:30", "Visite nocturne de la tour d’Armagnac", "Auch, place Salinis", "7 €", "05 62 00 11 22"),
    (4, "09:00-12:00", "Brocante et vide-grenier", "Gimont, promenade", "", ""),
    (4, "10:30", "Lecture musicale pour les tout-petits", "Auch, médiathèque", "gratuit", ""),
    (4, "15:00", "Visite du jardin des plantes médicinales", "Simorre", "4 €", ""),
    (4, "17:00", "Régates de voiliers miniatures", "Samatan, lac", "", ""),
    (
        4,
        ">18:00",
        "Marché gourmand, restauration sur place, animation musicale",
        "L’Isle-Jourdain, place de l’Hôtel-de-Ville",
        "",
        "",
    ),
    (4, "20:00", "Rugby à toucher : match de gala", "Auch, stade du Moulias", "5 €", ""),
    (4, "21:00", "Jazz manouche au bord de l’eau", "Auch, berges du Gers", "participation libre", ""),
    (4, "22:00", "Spectacle pyrotechnique et mapping sur la cathédrale", "Auch, escalier monumental", "gratuit", ""),
    (4, "19:30", "Dîner-spectacle « Cyrano, le retour »", "Marciac, chapiteau", "32 €", "05 62 00 67 67"),
    (5, "08:30", "Randonnée des crêtes, 14 km", "Lectoure, départ de la halle", "2 €", ""),
    (5, "matin", "Marché au gras et aux légumes", "Auch, place de la Cathédrale", "", ""),
    (5, "10:00-19:00", "Salon du livre jeunesse", "Auch, salle des Cordeliers", "entrée libre", ""),
    (5, "14:30", "Course landaise, qualification du trophée des Jeunes", "Nogaro, arènes", "10 €", ""),
    (5, "16:00", "Fanfares de rue : Les Pavés Swing", "Auch, rue Dessoles", "", ""),
    (5, "18:00", "Vernissage en présence des artistes", "Condom, cloître", "", ""),
    (5, ">19:30", "Grande paella et concours de bandas", "Eauze, arènes", "16 €", "05 62 00 89 89"),
    (5, "21:00", "Concert Ora Gascona, polyphonies de Gascogne", "Saint-Clar, église", "8 €", ""),
    (5, "22:00-02:00", "Bal populaire avec l’orchestre Atlanta", "Fleurance, sous la halle", "", ""),
    (5, "20:30", "Tango argentin : initiation puis milonga", "Auch, maison de Gascogne", "5 €", ""),
    (6, "09:00", "Cyclotouriste : la boucle des bastides (60 km)", "Auch, allées d’Étigny", "", ""),
    (6, "matin", "Vide-grenier des pompiers", "Seissan, bord du lac", "", ""),
    (6, "11:00", "Messe en gascon, puis apéritif", "Mirepoix, église", "", ""),
    (6, "12:00", "Pique-nique républicain", "Auch, jardin Ortholan", "", ""),
    (6, "15:00", "Concert de l’harmonie municipale", "Auch, kiosque", "gratuit", ""),
    (6, "16:30", "Visite théâtralisée du château", "Lavardens", "9 € ; 5 €, de 6 à 12 ans", "05 62 00 10 10"),
    (6, "18:00", "Finale du tournoi de pelote", "Auch, fronton", "", ""),
    (6, "21:00", "Cinéma sous les étoiles : « Le Château de ma mère »", "Cologne, halle", "4 €", ""),
];

pub fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 6).unwrap()
}

pub fn created() -> DateTime<Utc> {
    DateTime::from_timestamp(1_783_152_000, 0).unwrap()
}

pub fn office() -> Office {
    Office {
        name: "Office de tourisme Grand Auch Cœur de Gascogne".into(),
        address: Some("3 place de la République, 32000 Auch".into()),
        phone: Some("05 62 00 11 22".into()),
        email: Some("contact@office-gascogne.example".into()),
        website: Some("www.office-gascogne.example".into()),
        opening_hours: Some("Du lundi au samedi de 9 h 30 à 18 h 30, le dimanche de 10 h à 13 h".into()),
    }
}

pub fn sheet<'a>(agenda: &'a Agenda, office: &'a Office, look: &'a Look) -> Sheet<'a> {
    Sheet {
        agenda,
        week: Week::of(monday()),
        office,
        title: TITLE,
        online_url: Some(URL),
        created: created(),
        look,
        format: Format::A4,
    }
}

/// Black and white, with a logo and practical information.
pub fn dressed() -> Look {
    let information = [
        "Taxi : 05 62 00 22 44",
        "Pharmacie de garde : composez le 32 37",
        "Le marché de plein vent a lieu le samedi.",
    ];
    Look {
        theme: Theme::INK,
        logo: Logo::parse(include_bytes!("logo.png")).ok(),
        information: information.map(str::to_owned).to_vec(),
        ..Look::default()
    }
}

/// `count` rows in all. From ten on, some are daily, exhibitions, or stand under no day.
pub fn agenda(count: usize) -> Agenda {
    let week = Week::of(monday());
    let asides = if count >= 10 { (count / 12).min(4) } else { 0 };
    let dated = count - asides;
    let mut days: Vec<Day> = week.days().map(|date| Day { date, items: Vec::new() }).collect();
    for n in 0..dated {
        // Spread over the week however few there are.
        let index = if dated >= EVENTS.len() { n % EVENTS.len() } else { n * EVENTS.len() / dated };
        let (weekday, time, title, place, price, phone) = EVENTS[index];
        let title = match n / EVENTS.len() {
            0 => title.to_owned(),
            again => format!("{title}, {}e rendez-vous", again + 1),
        };
        let mut event = event(time, &title, place, price, phone);
        if n % 7 == 3 {
            event.link = Some(format!("https://www.office-gascogne.example/agenda/fiche-{n}/"));
        }
        event.status = match n % 23 {
            4 if count > 15 => Status::Cancelled,
            11 if count > 15 => Status::SoldOut,
            17 if count > 15 => Status::Postponed,
            _ => Status::Scheduled,
        };
        days[weekday].items.push(item(event));
    }
    for day in &mut days {
        day.items.sort_by_key(|item| item.events[0].start);
    }
    days.retain(|day| !day.items.is_empty());
    let mut agenda = Agenda { week: Some(week), days, ..Agenda::default() };
    let mut aside = 0..asides;
    if aside.next().is_some() {
        let mut show = event("", "« Terres d’ocre », peintures d’Inès Castaño", "Auch, musée des Amériques", "6 €", "");
        show.until = NaiveDate::from_ymd_opt(2026, 8, 31);
        agenda.exhibitions.push(item(show));
    }
    if aside.next().is_some() {
        let tour = event("10:00-18:00", "Petit train touristique", "Auch, départ place Salinis", "6 € ; 4 €", "");
        agenda.daily.push(DailyItem { item: item(tour), days: week.days().skip(1).collect() });
    }
    if aside.next().is_some() {
        let text = "Le bac de Beaucaire est fermé pour travaux : pensez au covoiturage pour les soirées du festival !";
        agenda.unplaced.push(Item { text: text.into(), ..Item::default() });
    }
    if aside.next().is_some() {
        let mut show =
            event("", "Photographies de la vigne, un siècle de vendanges", "Condom, musée de l’Armagnac", "", "");
        show.until_text = Some("fin août".into());
        agenda.exhibitions.push(item(show));
    }
    agenda
}

/// Long words and addresses, capitals, decomposed accents, marks of direction, emoji, titles without end, a day of
/// forty events.
pub fn hostile() -> Agenda {
    let week = Week::of(monday());
    let long_title = "Grande fête annuelle des vignerons indépendants et des producteurs de la vallée ".repeat(4);
    let titles = [
        "Anticonstitutionnellement-hexakosioihexekontahexaphobiquement-vôtre-et-sans-aucune-espace",
        "https://www.office-gascogne.example/agenda/2026/07/une-adresse-tres-longue?avec=des&parametres=sans&fin=1",
        "GRAND LOTO DES ANCIENS COMBATTANTS DE LA COMMUNE DE SAINT-JEAN-POUTGE ET DE SES ENVIRONS",
        "Fe\u{302}te de l’e\u{301}te\u{301} a\u{300} la campagne",
        "Ligne\u{2028}coupée\u{2029}en\u{b}trois",
        "\u{200f}Concert\u{200e} \u{202e}inversé\u{202c} \u{2066}isolé\u{2069}",
        "🎉🎊 Fête de la musique 🎶👨\u{200d}👩\u{200d}👧 ♥\u{fe0f}",
        "𝗦𝗼𝗶𝗿𝗲́𝗲 𝐠𝐫𝐚𝐬 et ｆｕｌｌ ｗｉｄｔｈ № ①",
        &long_title,
        "Ñandú, Dvořák, Kārlis, Ελλάδα, Москва, Þór, ffi ﬃ ﬁn",
        "\u{301}\u{301}accents orphelins e\u{301}\u{302}\u{303}\u{304}",
        "« Citation » : « imbriquée » ; vraiment ? oui ! 100 % · 5 € – fin",
    ];
    let mut days: Vec<Day> = week.days().map(|date| Day { date, items: Vec::new() }).collect();
    for (n, title) in titles.iter().enumerate() {
        let mut event = event("20:30", title, title, "9 €", "05 62 00 11 22");
        event.status = [Status::Scheduled, Status::Cancelled, Status::SoldOut][n % 3];
        event.link = (n % 2 == 0).then(|| format!("https://exemple.example/é?q=«{n}»&x=(1)"));
        days[0].items.push(item(event));
    }
    for n in 0..40 {
        days[2].items.push(item(event("10:00-12:00", &format!("Rendez-vous numéro {n}"), "Auch", "", "")));
    }
    let mut slots = event("10:00", "Ouverture exceptionnelle", "Auch", "", "");
    slots.slots =
        [(10, 12), (14, 18), (20, 22)].map(|(a, b)| (time(&format!("{a}:00")), time(&format!("{b}:00")))).to_vec();
    days[3].items.push(item(slots));
    days[4].items.push(Item { text: "mot ".repeat(1500), ..Item::default() });
    days[5].items.push(Item { text: "🎉".into(), ..Item::default() });
    days[5].items.push(Item { events: vec![Event::default()], ..Item::default() });
    let unplaced = vec![Item { text: "A".repeat(900), ..Item::default() }];
    Agenda { week: Some(week), days, unplaced, ..Agenda::default() }
}

fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap()
}

fn event(when: &str, title: &str, place: &str, price: &str, phone: &str) -> Event {
    use semainier::domain::agenda::PartOfDay;
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut event =
        Event { title: title.into(), place: told(place), price: told(price), phone: told(phone), ..Event::default() };
    match when {
        "" => {}
        "matin" => event.part_of_day = Some(PartOfDay::Morning),
        when => {
            let (start, end) = when.split_once('-').unwrap_or((when, ""));
            event.from = start.starts_with('>');
            event.start = Some(time(start.trim_start_matches('>')));
            event.end = told(end).map(|end| time(&end));
        }
    }
    event
}

/// The article's words for an event that was fully understood.
fn item(event: Event) -> Item {
    let parts = [Some(event.title.clone()), event.place.clone(), event.price.clone(), event.phone.clone()];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Item { text, events: vec![event], ..Item::default() }
}
