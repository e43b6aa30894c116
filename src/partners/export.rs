//! What is known of partners, written again: CSV that no spreadsheet takes for a formula, XLSX, and one person's data.

use crate::domain::partner::{Contact, Dossier, Partner};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::{Value, json};

/// The headers of an exported list: the import reads them.
pub const HEADER: [&str; 15] = [
    "Email",
    "Nom",
    "Fonction",
    "Langue",
    "Établissement",
    "Catégorie",
    "Adresse",
    "Commune",
    "Code INSEE",
    "Labels",
    "Étoiles",
    "Site web",
    "Latitude",
    "Longitude",
    "Abonnements",
];

fn cells(contact: &Contact) -> [String; HEADER.len()] {
    let Partner { name, category, commune, insee, street, labels, stars, website, position } = &contact.partner;
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
        commune.clone(),
        insee.clone(),
        labels.join(", "),
        stars,
        website.clone(),
        latitude.to_owned(),
        longitude.to_owned(),
        contact.subscriptions.join(", "),
    ]
}

/// With `;` and a BOM, as French Excel opens it. A cell that a spreadsheet would calculate begins with an apostrophe.
///
/// # Errors
/// None that a buffer in memory gives.
pub fn csv(contacts: &[Contact]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(HEADER)?;
    for contact in contacts {
        writer.write_record(cells(contact).map(harmless))?;
    }
    writer.into_inner().map_err(|why| csv::Error::from(why.into_error()))
}

/// OWASP: what begins with one of these is calculated. Degrees south and west are numbers, and stay so.
fn harmless(text: String) -> String {
    let calculated = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if calculated { format!("'{text}") } else { text }
}

/// Every cell is a text, which no spreadsheet calculates.
///
/// # Errors
/// When there are more rows than a sheet holds.
pub fn xlsx(contacts: &[Contact]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Partenaires")?.set_freeze_panes(1, 0)?;
    for (column, name) in (0_u16..).zip(HEADER) {
        sheet.write_string_with_format(0, column, name, &bold)?.set_column_width(column, 22)?;
    }
    for (row, contact) in (1_u32..).zip(contacts) {
        for (column, text) in (0_u16..).zip(cells(contact)) {
            if !text.is_empty() {
                sheet.write_string(row, column, text)?;
            }
        }
    }
    workbook.save_to_buffer()
}

/// A contact in a list, for programs.
pub fn listed(contact: &Contact) -> Value {
    json!({
        "email": contact.address.to_string(),
        "name": contact.name,
        "function": contact.function,
        "establishment": contact.partner.name,
        "category": contact.partner.category,
        "commune": contact.partner.commune,
        "labels": contact.partner.labels,
        "subscriptions": contact.subscriptions,
    })
}

/// All that is kept of one person; `deliveries` and `orders` as the log and the list of orders show them.
pub fn person(address: &str, dossier: &Dossier, deliveries: &Value, orders: &Value) -> Value {
    let contact = dossier.contact.as_ref().map(|contact| {
        json!({
            "name": contact.name,
            "function": contact.function,
            "language": contact.language,
            "since": contact.since,
            "partner": contact.partner,
            "subscriptions": contact.subscriptions,
        })
    });
    let suppressions: Vec<_> = dossier
        .suppressions
        .iter()
        .map(|(scope, reason, since)| json!({ "scope": scope, "reason": reason, "since": since }))
        .collect();
    json!({
        "address": address,
        "contact": contact,
        "history": dossier.history,
        "suppressions": suppressions,
        "deliveries": deliveries,
        "orders": orders,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::partner::Field;
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
                ..Partner::default()
            },
            subscriptions: vec!["agenda".to_owned()],
            since: "2026-07-04T06:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_is_exported_is_imported_again_and_no_cell_is_a_formula() {
        let (csv, xlsx) = (csv(&[contact()]).unwrap(), xlsx(&[contact()]).unwrap());
        let said = String::from_utf8(csv.clone()).unwrap();
        assert!(said.contains(";'=cmd|"), "{said}");
        let (a, b) = (import::parse(&csv).unwrap(), import::parse(&xlsx).unwrap());
        a.sound().unwrap();
        assert_eq!(a.lines, b.lines);
        assert_eq!(a.lines[0].fields.get(Field::Name), Some("=cmd|' /C calc'!A0"));
        assert_eq!(a.lines[0].fields.get(Field::Position), Some("-43.6,0.58"));
        assert_eq!(a.lines[0].fields.get(Field::Insee), Some("01004"));
    }
}
