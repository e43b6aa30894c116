//! Segments as people build them: rows of field, comparison and value in groups, and the same expression as text.

use super::Reading;
use crate::accounts::Language;
use crate::domain::{
    french::{NBSP, grouped},
    segment::{Condition, Field, Order, Segment, SegmentError},
};
use crate::store::{SegmentCount, StoreError};
use serde::Serialize;

/// Groups of the form, and rows of each.
pub const GROUPS: usize = 2;
pub const ROWS: usize = 4;
/// Between several values of a row.
const BETWEEN: char = ';';
/// Values of one field that are offered to rows.
const MOST: usize = 60;
/// The fields whose values are offered, since they have few.
pub const OFFERED: [Field; 6] =
    [Field::Category, Field::Commune, Field::Label, Field::Subscribed, Field::Function, Field::Language];

/// The fields in the order of the form.
pub const FIELDS: [&str; 15] = [
    "category",
    "commune",
    "label",
    "stars",
    "subscribed",
    "establishment",
    "postcode",
    "insee",
    "street",
    "phone",
    "website",
    "name",
    "function",
    "language",
    "address",
];
/// The comparisons; those of size are for stars.
pub const COMPARISONS: [(&str, &str); 6] =
    [("=", "is"), ("!=", "is_not"), (">=", "at_least"), ("<=", "at_most"), (">", "more"), ("<", "less")];

/// One comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    pub field: String,
    pub comparison: String,
    /// Several values have `;` between them: any of them.
    pub value: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// One of its rows is enough; otherwise all have to hold.
    pub any: bool,
    pub rows: Vec<Row>,
}

/// The form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Groups {
    /// One of the groups is enough.
    pub any: bool,
    pub groups: Vec<Group>,
}

impl Groups {
    /// `None`: the expression is more than rows in groups, or than the form has room for.
    pub fn of(segment: &Segment) -> Option<Self> {
        let condition = &segment.condition;
        let found = match (group(condition), condition) {
            (Some(one), _) => Some(Self { any: false, groups: vec![one] }),
            (None, Condition::All(parts)) => groups(false, parts),
            (None, Condition::Any(parts)) => groups(true, parts),
            (None, _) => None,
        };
        found.filter(|it| it.groups.len() <= GROUPS && it.groups.iter().all(|group| group.rows.len() <= ROWS))
    }

    /// The expression; empty if no row is filled in.
    pub fn text(&self) -> String {
        let texts: Vec<(String, bool)> = self.groups.iter().filter_map(group_text).collect();
        let several = texts.len() > 1;
        let texts = texts.into_iter().map(|(text, joined)| if several && joined { format!("({text})") } else { text });
        texts.collect::<Vec<_>>().join(if self.any { " or " } else { " and " })
    }

    /// With empty rows up to what the form has.
    #[must_use]
    pub fn filled_up(mut self) -> Self {
        self.groups.resize_with(GROUPS, Group::default);
        self.groups.iter_mut().for_each(|group| group.rows.resize_with(ROWS, Row::default));
        self
    }
}

fn groups(any: bool, parts: &[Condition]) -> Option<Groups> {
    let groups = parts.iter().map(group).collect::<Option<Vec<_>>>()?;
    Some(Groups { any, groups })
}

fn group(condition: &Condition) -> Option<Group> {
    let rows = |parts: &[Condition]| parts.iter().map(row).collect::<Option<Vec<_>>>();
    match condition {
        Condition::All(parts) => Some(Group { any: false, rows: rows(parts)? }),
        Condition::Any(parts) => Some(Group { any: true, rows: rows(parts)? }),
        one => Some(Group { any: false, rows: vec![row(one)?] }),
    }
}

fn row(condition: &Condition) -> Option<Row> {
    let made = |field: &str, comparison: &str, value| Row { field: field.into(), comparison: comparison.into(), value };
    let (comparison, condition) = match condition {
        Condition::Not(inner) => ("!=", &**inner),
        other => ("=", other),
    };
    match condition {
        Condition::Is(field, texts) if !texts.iter().any(|text| text.contains(BETWEEN) || text.trim().is_empty()) => {
            Some(made(field.as_str(), comparison, texts.join("; ")))
        }
        Condition::Stars(order, n) => {
            let comparison = match (order, comparison) {
                (Order::Equal, comparison) => comparison,
                (_, "!=") => return None,
                (Order::Less, _) => "<",
                (Order::AtMost, _) => "<=",
                (Order::More, _) => ">",
                (Order::AtLeast, _) => ">=",
            };
            Some(made("stars", comparison, n.to_string()))
        }
        _ => None,
    }
}

/// The text of a group, and whether it is of several rows; `None`: none is filled in.
fn group_text(group: &Group) -> Option<(String, bool)> {
    let rows: Vec<String> = group.rows.iter().filter_map(row_text).collect();
    let joined = rows.join(if group.any { " or " } else { " and " });
    (!rows.is_empty()).then_some((joined, rows.len() > 1))
}

fn row_text(row: &Row) -> Option<String> {
    let values: Vec<String> = row.value.split(BETWEEN).map(str::trim).filter(|it| !it.is_empty()).map(quoted).collect();
    let is_known = FIELDS.contains(&row.field.as_str());
    match (values.as_slice(), row.comparison.as_str()) {
        ([], _) => None,
        _ if !is_known => None,
        ([one], comparison) => Some(format!("{} {comparison} {one}", row.field)),
        // Of stars only the first value counts, where there is an order.
        ([one, ..], "<" | "<=" | ">" | ">=") => Some(format!("{} {} {one}", row.field, row.comparison)),
        (many, "!=") if row.field != "stars" => Some(format!("{} not in ({})", row.field, many.join(", "))),
        (many, "!=") => Some(format!("not stars in ({})", many.join(", "))),
        (many, _) => Some(format!("{} in ({})", row.field, many.join(", "))),
    }
}

/// A text within an expression.
pub fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The filters of the list: field and value, in the order of the page.
pub const FILTERS: [(&str, Field); 4] =
    [("filiere", Field::Category), ("commune", Field::Commune), ("label", Field::Label), ("envoi", Field::Subscribed)];

/// The expression that means these values of the filters, below what is asked already.
pub fn filtered<'a>(value: impl Fn(&'static str) -> Option<&'a str>, below: Option<&str>) -> Option<String> {
    let chosen = FILTERS.into_iter().filter_map(|(name, field)| {
        let value = value(name)?;
        Some(format!("{} = {}", field.as_str(), quoted(value)))
    });
    let all: Vec<String> = below.map(|text| format!("({text})")).into_iter().chain(chosen).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// The values of the filters that mean this expression, in their order; `None`: no values do.
pub fn as_filters(segment: &Segment) -> Option<[String; 4]> {
    let groups = Groups::of(segment)?;
    let [one] = groups.groups.as_slice() else { return None };
    if one.any && one.rows.len() > 1 {
        return None;
    }
    let mut values: [String; 4] = Default::default();
    for row in &one.rows {
        let at = FILTERS.iter().position(|(_, field)| field.as_str() == row.field)?;
        if row.comparison != "=" || row.value.contains(BETWEEN) || !values[at].is_empty() {
            return None;
        }
        values[at].clone_from(&row.value);
    }
    Some(values)
}

/// A value that exists, and how many have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    pub value: String,
    /// The title of a mailing; else the value.
    pub title: String,
    pub n: u64,
}

/// The values of a field, most frequent first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn offered(it: &Reading<'_>, field: Field) -> Result<Vec<Offered>, StoreError> {
    let values = it.store.values_of(field).await?.into_iter().filter(|(value, _)| !value.trim().is_empty());
    let offered = values.map(|(value, n)| Offered {
        title: if field == Field::Subscribed { it.title(&value).to_owned() } else { value.clone() },
        value,
        n,
    });
    Ok(offered.collect())
}

/// For the rows: the most frequent values of each field, each with the key of its field's name.
pub fn offered_to_rows<'a>(values: impl Fn(Field) -> &'a [Offered]) -> Vec<(&'static str, Offered)> {
    let of = |field: Field| values(field).iter().take(MOST).map(move |offered| (field.as_str(), offered.clone()));
    OFFERED.into_iter().flat_map(of).collect()
}

/// Instead of a number, where an expression is not understood.
pub fn not_counted(error: &SegmentError, language: Language) -> String {
    match language {
        Language::French => format!("Cette expression n’est pas comprise, à partir du caractère {}.", error.column),
        Language::English => format!("This expression is not understood, from character {}.", error.column),
    }
}

/// `37 contacts de 31 établissements, dont 2 qui ne reçoivent rien`
pub fn counted(count: SegmentCount, language: Language) -> String {
    let SegmentCount { contacts, partners, barred } = count;
    let n = |n: u64, one: &str, many: &str, from: u64| {
        let number = if language == Language::French { grouped(n) } else { n.to_string() };
        format!("{number}{NBSP}{}", if n < from { one } else { many })
    };
    match language {
        Language::French => {
            let all = format!(
                "{} de {}",
                n(contacts, "contact", "contacts", 2),
                n(partners, "établissement", "établissements", 2)
            );
            match barred {
                0 => all,
                1 => format!("{all}, dont 1{NBSP}qui ne reçoit rien"),
                several => format!("{all}, dont {}{NBSP}qui ne reçoivent rien", grouped(several)),
            }
        }
        Language::English => {
            let one = |k: u64| if k == 1 { 2 } else { 0 };
            let all = format!(
                "{} of {}",
                n(contacts, "contact", "contacts", one(contacts)),
                n(partners, "establishment", "establishments", one(partners))
            );
            if barred == 0 { all } else { format!("{all}, {barred} of whom receive nothing") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Option<Groups> {
        Groups::of(&Segment::parse(text).unwrap())
    }

    #[test]
    fn an_expression_of_rows_is_the_same_after_the_form() {
        for text in [
            r#"category = "hébergement""#,
            r#"category = "hébergement" and commune != "Auch""#,
            r#"commune in ("Auch", "Pavie") or label = "Accueil Vélo""#,
            r#"(commune = "Auch" or commune = "Pavie") and (stars >= "3" and name != "a \"b\" \\ c")"#,
            r#"(stars = "2" and postcode not in ("32000", "32810")) or address = "a@b.fr""#,
        ] {
            let made = groups(text).unwrap();
            let again = groups(&made.clone().filled_up().text()).unwrap();
            assert_eq!(again, made, "{text}");
            assert_eq!(made.text(), text);
        }
        for text in [
            r#"not (commune = "Auch" and stars = 3)"#,
            r#"name = """#,
            r#"name = "a;b""#,
            r#"(name = "a" and (name = "b" or (name = "c" and name = "d"))) or name = "e""#,
        ] {
            assert_eq!(groups(text), None, "{text}");
        }
        assert_eq!(Groups::default().filled_up().text(), "");
    }

    #[test]
    fn whatever_is_typed_into_a_row_is_a_value_and_nothing_else() {
        for value in ["\" or name != \"", "\\", "a\\\" or stars >= 0 or name = \"b", "« x »", "a\u{0}b", "' or '"] {
            let row = Row { field: "name".into(), comparison: "=".into(), value: value.into() };
            let text = Groups { any: false, groups: vec![Group { any: false, rows: vec![row] }] }.text();
            let expected: String = value.trim().chars().filter(|c| !c.is_control()).collect();
            assert_eq!(Segment::parse(&text).unwrap().condition, Condition::Is(Field::Name, vec![expected]));
        }
        let unknown = Row { field: "1 = 1 or name".into(), comparison: "=".into(), value: "x".into() };
        assert_eq!(Groups { any: false, groups: vec![Group { any: false, rows: vec![unknown] }] }.text(), "");
    }

    #[test]
    fn filters_are_an_expression_and_back() {
        let chosen = |name| match name {
            "filiere" => Some("hébergement"),
            "commune" => Some("L’Isle-Jourdain"),
            _ => None,
        };
        let text = filtered(chosen, None).unwrap();
        assert_eq!(text, r#"category = "hébergement" and commune = "L’Isle-Jourdain""#);
        let values = as_filters(&Segment::parse(&text).unwrap()).unwrap();
        assert_eq!(values, ["hébergement", "L’Isle-Jourdain", "", ""]);
        assert_eq!(as_filters(&Segment::parse("stars = 3").unwrap()), None);
        let both = filtered(chosen, Some("stars = 3")).unwrap();
        assert!(both.starts_with("(stars = 3) and category"), "{both}");
        assert_eq!(filtered(|_| None, None), None);
    }

    #[test]
    fn a_count_is_said_in_both_languages() {
        let count = SegmentCount { contacts: 37, partners: 31, barred: 2 };
        assert_eq!(
            counted(count, Language::French).replace(NBSP, " "),
            "37 contacts de 31 établissements, dont 2 qui ne reçoivent rien"
        );
        let one = SegmentCount { contacts: 1, partners: 1, barred: 0 };
        assert_eq!(counted(one, Language::French).replace(NBSP, " "), "1 contact de 1 établissement");
        assert_eq!(counted(one, Language::English).replace(NBSP, " "), "1 contact of 1 establishment");
        assert_eq!(
            counted(count, Language::English).replace(NBSP, " "),
            "37 contacts of 31 establishments, 2 of whom receive nothing"
        );
    }
}
