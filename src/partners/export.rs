//! Exports of partners: CSV that is safe in spreadsheets, XLSX, and one person's data.

use crate::domain::french;
use crate::domain::partner::{Barred, Contact, Dossier, Partner};
use chrono_tz::Europe::Paris;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::{Value, json};

/// The headers of an exported list: the import reads them.
pub const HEADER: [&str; 18] = [
    "Email",
    "Nom",
    "Fonction",
    "Langue",
    "Établissement",
    "Catégorie",
    "Adresse",
    "Code postal",
    "Commune",
    "Code INSEE",
    "Labels",
    "Étoiles",
    "Site web",
    "Téléphone",
    "Latitude",
    "Longitude",
    "Abonnements",
    "Désabonnements",
];

/// One line per establishment of the contact; the import merges them again.
fn lines(contact: &Contact) -> impl Iterator<Item = [String; HEADER.len()]> {
    std::iter::once(&contact.partner).chain(&contact.others).map(|partner| cells(contact, partner))
}

/// `agenda (le 3 juillet 2027, par la personne)`
pub fn barred_in_french(contact: &Contact) -> String {
    let said = contact.barred.iter().map(|Barred { scope, reason, since, .. }| {
        let what = if scope == "*" { "tout" } else { scope };
        format!("{what} (le {}, {})", french::date(since.with_timezone(&Paris).date_naive()), reason.by_in_french())
    });
    said.collect::<Vec<_>>().join(", ")
}

fn cells(contact: &Contact, partner: &Partner) -> [String; HEADER.len()] {
    let Partner { name, category, commune, insee, street, labels, stars, website, phone, postcode, position } = partner;
    let (latitude, longitude) = position.split_once(',').unwrap_or_default();
    let stars = if *stars == 0 { String::new() } else { stars.to_string() };
    [
        contact.address.to_string(),
        contact.name.clone(),
        contact.function.clone(),
        contact.language.clone(),
        name.clone(),
        category.clone(),
        street.clone(),
        postcode.clone(),
        commune.clone(),
        insee.clone(),
        labels.join(", "),
        stars,
        website.clone(),
        phone.clone(),
        latitude.to_owned(),
        longitude.to_owned(),
        contact.subscriptions.join(", "),
        barred_in_french(contact),
    ]
}

/// Lines of a list as CSV, with `;`; `first`: below a BOM, for French Excel, and the header. A cell that a spreadsheet would
/// evaluate gets a leading apostrophe.
///
/// # Errors
/// None in practice: the buffer is in memory.
pub fn csv(contacts: &[Contact], first: bool) -> Result<Vec<u8>, csv::Error> {
    let start = if first { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(start);
    if first {
        writer.write_record(HEADER)?;
    }
    for line in contacts.iter().flat_map(lines) {
        writer.write_record(line.map(harmless))?;
    }
    writer.into_inner().map_err(|why| csv::Error::from(why.into_error()))
}

/// OWASP: cells that begin with one of these are evaluated, also in full width. Negative coordinates are numbers and stay.
pub fn harmless(text: String) -> String {
    let calculated = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠'])
        && text.parse::<f64>().is_err();
    if calculated { format!("'{text}") } else { text }
}

/// A workbook that is filled page by page. Every cell is written as text, which spreadsheets do not evaluate.
pub struct Xlsx {
    workbook: Workbook,
    row: u32,
}

impl Xlsx {
    /// # Errors
    /// None in practice: the names are constant.
    pub fn new() -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let bold = Format::new().set_bold();
        let sheet = workbook.add_worksheet();
        sheet.set_name("Partenaires")?.set_freeze_panes(1, 0)?;
        for (column, name) in (0_u16..).zip(HEADER) {
            sheet.write_string_with_format(0, column, name, &bold)?.set_column_width(column, 22)?;
        }
        Ok(Self { workbook, row: 0 })
    }

    /// # Errors
    /// When there are more rows than a sheet holds.
    pub fn add(&mut self, contacts: &[Contact]) -> Result<(), XlsxError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        for line in contacts.iter().flat_map(lines) {
            self.row += 1;
            for (column, text) in (0_u16..).zip(line) {
                if !text.is_empty() {
                    sheet.write_string(self.row, column, text)?;
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// When it cannot be written as a file.
    pub fn bytes(mut self) -> Result<Vec<u8>, XlsxError> {
        self.workbook.save_to_buffer()
    }
}

/// A contact in a list, as JSON.
pub fn listed(contact: &Contact) -> Value {
    json!({
        "email": contact.address.to_string(),
        "name": contact.name,
        "function": contact.function,
        "establishment": contact.partner.name,
        "category": contact.partner.category,
        "commune": contact.partner.commune,
        "labels": contact.partner.labels,
        "postcode": contact.partner.postcode,
        "phone": contact.partner.phone,
        "other_establishments": contact.others.iter().map(|partner| &partner.name).collect::<Vec<_>>(),
        "subscriptions": contact.subscriptions,
        "barred": contact.barred,
    })
}

/// All data about one person; `deliveries` and `orders` as the log and the list of orders show them.
pub fn person(address: &str, dossier: &Dossier, deliveries: &Value, orders: &Value) -> Value {
    let contact = dossier.contact.as_ref().map(|contact| {
        json!({
            "name": contact.name,
            "function": contact.function,
            "language": contact.language,
            "since": contact.since,
            "partner": contact.partner,
            "other_partners": contact.others,
            "subscriptions": contact.subscriptions,
        })
    });
    json!({
        "address": address,
        "contact": contact,
        "history": dossier.history,
        "suppressions": dossier.suppressions,
        "deliveries": deliveries,
        "orders": orders,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::partner::{Field, SuppressionReason};
    use crate::partners::import;

    fn contact() -> Contact {
        Contact {
            id: "1".to_owned(),
            address: "contact@gite.example".parse().unwrap(),
            name: "=cmd|' /C calc'!A0".to_owned(),
            function: "Gérante".to_owned(),
            language: "fr".to_owned(),
            partner: Partner {
                name: "Gîte « du Pré »".to_owned(),
                labels: vec!["Accueil Vélo".to_owned(), "Terra Gers".to_owned()],
                stars: 3,
                insee: "01004".to_owned(),
                position: "-43.6,0.58".to_owned(),
                phone: "05 62 00 00 00".to_owned(),
                postcode: "32000".to_owned(),
                ..Partner::default()
            },
            others: vec![Partner { name: "Table « du Pré »".to_owned(), ..Partner::default() }],
            subscriptions: vec!["agenda".to_owned()],
            barred: vec![Barred {
                scope: "newsletter".to_owned(),
                reason: SuppressionReason::OptOut,
                since: "2027-07-03T06:00:00Z".parse().unwrap(),
                why: String::new(),
            }],
            since: "2026-07-04T06:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_is_exported_is_imported_again_and_no_cell_is_a_formula() {
        let mut workbook = Xlsx::new().unwrap();
        workbook.add(&[contact()]).unwrap();
        let (csv, xlsx) = (csv(&[contact()], true).unwrap(), workbook.bytes().unwrap());
        let said = String::from_utf8(csv.clone()).unwrap();
        assert!(said.contains(";'=cmd|"), "{said}");
        let (a, b) = (import::parse(&csv).unwrap(), import::parse(&xlsx).unwrap());
        assert!(said.contains("newsletter (le 3 juillet 2027, par la personne)"), "{said}");
        a.sound().unwrap();
        assert_eq!((a.lines.len(), a.lines[0].also.len(), &a.unread), (1, 1, &vec![]), "one contact of two houses");
        assert_eq!(a.lines[0].fields.get(Field::Phone), Some("05 62 00 00 00"));
        assert_eq!(a.lines, b.lines);
        assert_eq!(a.lines[0].fields.get(Field::Name), Some("=cmd|' /C calc'!A0"));
        assert_eq!(a.lines[0].fields.get(Field::Position), Some("-43.6,0.58"));
        assert_eq!(a.lines[0].fields.get(Field::Insee), Some("01004"));
    }

    /// OWASP, « CSV Injection »: a cell is evaluated also when it begins with one of these in full width.
    #[test]
    fn l12_no_cell_of_a_csv_is_evaluated_by_a_spreadsheet() {
        for text in
            ["=1+1", "+33 5 62", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "＝1+1", "＋33", "－cmd", "＠SUM(A1)"]
        {
            assert_eq!(harmless(text.to_owned()), format!("'{text}"));
            let mut evil = contact();
            evil.name = text.to_owned();
            evil.partner.commune = text.to_owned();
            let bytes = csv(&[evil], true).unwrap();
            let mut rows = ::csv::ReaderBuilder::new().delimiter(b';').from_reader(&*bytes);
            let evaluated = |cell: &str| cell.starts_with(['=', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠']);
            for row in rows.records().map(Result::unwrap) {
                assert!(!row.iter().any(evaluated), "{row:?}");
            }
        }
        for text in ["-43.6", "Gîte", "05 62 00 00 00", ""] {
            assert_eq!(harmless(text.to_owned()), text, "nothing that a spreadsheet evaluates");
        }
        assert_eq!(harmless("-43.6,0.58".to_owned()), "'-43.6,0.58", "not a number");
    }
}
