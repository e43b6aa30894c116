//! Writes `tests/partners/partners.xlsx`, a list of 400 invented partners as an office would send it:
//! `cargo run --example partners_sample -- tests/partners/partners.xlsx`. The same bytes' worth of content every time.

use rust_xlsxwriter::{Workbook, XlsxError};

const COMMUNES: [(&str, &str); 8] = [
    ("Auch", "32013"),
    ("Pavie", "32307"),
    ("Preignan", "32331"),
    ("Montaut-les-Créneaux", "32279"),
    ("Castelnau-Barbarens", "32076"),
    ("Jégun", "32162"),
    ("Biran", "32054"),
    ("Lavardens", "32204"),
];
const KINDS: [(&str, &str); 8] = [
    ("Gîte", "Hébergement"),
    ("Hôtel", "Hébergement"),
    ("Camping", "Hébergement"),
    ("Chambres d’hôtes", "Hébergement"),
    ("Restaurant", "Restauration"),
    ("Auberge", "Restauration"),
    ("Domaine", "Viticulture"),
    ("Musée", "Loisirs et culture"),
];
const PLACES: [&str; 10] = [
    "du Pré",
    "des Coteaux",
    "de l’Aïeul",
    "du Vieux Pont",
    "de la Tour",
    "des Chênes",
    "du Moulin",
    "de Gascogne",
    "des Cœurs Vaillants",
    "du Pigeonnier",
];
const FIRST: [&str; 9] = ["Éloïse", "Benoît", "Zoé", "Jean-Noël", "Maïté", "Anaïs", "Loïc", "Sébastien", "Françoise"];
const LAST: [&str; 7] = ["Lacoste", "Cœuret", "D’Artigues", "Labarthe", "Bégué", "Saint-Martin", "Noël"];
const LABELS: [&str; 7] = [
    "Accueil Vélo",
    "Famille Plus",
    "Terra Gers",
    "Gîtes de France",
    "Clévacances",
    "Bienvenue à la Ferme",
    "Vignobles & Découvertes",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "tests/partners/partners.xlsx".to_owned());
    std::fs::write(path, workbook()?)?;
    Ok(())
}

fn workbook() -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Adhérents 2026")?;
    let header = [
        "Raison sociale",
        "Filière",
        "Prénom",
        "Nom",
        "Fonction",
        "Adresse e-mail",
        "Téléphone",
        "Adresse",
        "Ville",
        "Code INSEE",
        "Labels",
        "Classement",
        "Site internet",
        "Latitude",
        "Longitude",
    ];
    for (column, name) in (0..).zip(header) {
        sheet.write_string(0, column, name)?;
    }
    for n in 0..400_usize {
        let row = u32::try_from(n).unwrap_or_default() + 1;
        let (kind, category) = KINDS[n % KINDS.len()];
        let (commune, insee) = COMMUNES[n / 5 % COMMUNES.len()];
        let name = format!("{kind} {} n° {}", PLACES[n / 8 % PLACES.len()], n + 1);
        let lodging = category == "Hébergement";
        // A third of them have a desk instead of a person.
        let (first, last, function) = match n % 3 {
            0 => ("", "", "Accueil"),
            1 => (FIRST[n % FIRST.len()], LAST[n % LAST.len()], "Gérante"),
            _ => (FIRST[n % FIRST.len()], LAST[n % LAST.len()], "Propriétaire"),
        };
        let labels: Vec<_> =
            LABELS.iter().enumerate().filter(|(k, _)| n % (k + 4) == 1).map(|(_, label)| *label).collect();
        let stars = if lodging && n % 5 > 0 { format!("{} étoiles", n % 5) } else { String::new() };
        let texts = [
            name,
            category.to_owned(),
            first.to_owned(),
            last.to_owned(),
            function.to_owned(),
            format!("contact@partenaire-{:03}.example", n + 1),
            format!("05 62 00 {:02} {:02}", n / 100, n % 100),
            format!("{} rue des Exemples", n + 1),
            commune.to_owned(),
            insee.to_owned(),
            labels.join(", "),
            stars,
            format!("www.partenaire-{:03}.example", n + 1),
        ];
        for (column, text) in (0..).zip(texts) {
            sheet.write_string(row, column, text)?;
        }
        // Whole numbers and fractions, as spreadsheets keep them.
        #[expect(clippy::cast_precision_loss, reason = "n is small")]
        let shift = n as f64 / 10_000.0;
        sheet.write_number(row, 9, insee.parse::<f64>().unwrap_or_default())?;
        sheet.write_number(row, 13, 43.6 + shift)?.write_number(row, 14, 0.55 + shift)?;
    }
    workbook.save_to_buffer()
}
