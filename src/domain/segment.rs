//! Segments: filter expressions for contacts.
//!
//! ```text
//! category in ("hébergement", "restauration") and label = "Accueil Vélo" and not (commune = "Auch" or stars < 3)
//! ```
//!
//! Parsed once; errors point at the column. Two interpretations of the tree must agree: [`Segment::matches`] here, and
//! the SQL condition in the store. Texts are compared folded: accents, case, punctuation and the plural s are ignored.
//! Every comparison is true or false: a missing field is the empty text, no stars are 0. A contact with several
//! establishments matches if the whole expression matches for one of them.

use super::{
    french,
    partner::{Contact, Partner},
};
use std::fmt;

/// Maximum length of a text and depth of parentheses: both interpretations are recursive.
const LONGEST: usize = 4_000;
const DEEPEST: usize = 40;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    text: String,
    pub condition: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The field is one of the texts; for a field with several values (label, subscribed), any of them is.
    Is(Field, Vec<String>),
    Stars(Order, u8),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// The text fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Function,
    Language,
    /// The contact's address in lower case.
    Address,
    Establishment,
    Category,
    Commune,
    Insee,
    Street,
    Website,
    Phone,
    Postcode,
    /// Any label of the partner.
    Label,
    /// Any mailing the contact receives.
    Subscribed,
}

impl Field {
    /// With their names in expressions.
    pub const ALL: [(&'static str, Field); 14] = [
        ("name", Field::Name),
        ("function", Field::Function),
        ("language", Field::Language),
        ("address", Field::Address),
        ("establishment", Field::Establishment),
        ("category", Field::Category),
        ("commune", Field::Commune),
        ("insee", Field::Insee),
        ("street", Field::Street),
        ("website", Field::Website),
        ("phone", Field::Phone),
        ("postcode", Field::Postcode),
        ("label", Field::Label),
        ("subscribed", Field::Subscribed),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// An error and its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct SegmentError {
    /// In characters, from 1.
    pub column: usize,
    pub message: String,
}

impl Segment {
    /// # Errors
    /// The position where parsing failed, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, SegmentError> {
        if text.chars().count() > LONGEST {
            return Err(wrong(LONGEST + 1, format!("longer than {LONGEST} characters")));
        }
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let condition = parser.any(0)?;
        match parser.next() {
            (_, Token::End) => Ok(Self { text: text.to_owned(), condition }),
            (column, token) => Err(wrong(column, format!("expected and, or, or the end, found {token}"))),
        }
    }

    /// The contacts that match both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let text = format!("({self}) and ({other})");
        Self { text, condition: Condition::All(vec![self.condition, other.condition]) }
    }

    /// Whether the contact matches.
    pub fn matches(&self, contact: &Contact) -> bool {
        std::iter::once(&contact.partner).chain(&contact.others).any(|partner| self.condition.holds(contact, partner))
    }

    /// The fields of the expression that are compared folded, without duplicates.
    pub fn folded_fields(&self) -> Vec<Field> {
        self.fields().into_iter().filter(|field| field.is_folded()).collect()
    }

    /// The text fields of the expression, without duplicates.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.condition.gather(&mut fields);
        fields
    }

    /// The same expression, with each text replaced by the known values that match it.
    #[must_use]
    pub fn with_values(&self, known: &[(Field, Vec<String>)]) -> Self {
        Self { text: self.text.clone(), condition: self.condition.with_values(known) }
    }
}

/// As it was written.
impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    fn holds(&self, contact: &Contact, partner: &Partner) -> bool {
        match self {
            Condition::Is(field, texts) => {
                let wanted: Vec<String> = texts.iter().map(|text| field.alike(text)).collect();
                field.values(contact, partner).iter().any(|value| wanted.contains(&field.alike(value)))
            }
            Condition::Stars(order, n) => order.holds(partner.stars, *n),
            Condition::All(all) => all.iter().all(|it| it.holds(contact, partner)),
            Condition::Any(any) => any.iter().any(|it| it.holds(contact, partner)),
            Condition::Not(it) => !it.holds(contact, partner),
        }
    }

    fn gather(&self, fields: &mut Vec<Field>) {
        match self {
            Condition::Is(field, _) if !fields.contains(field) => fields.push(*field),
            Condition::Is(..) | Condition::Stars(..) => {}
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.gather(fields)),
            Condition::Not(it) => it.gather(fields),
        }
    }

    fn with_values(&self, known: &[(Field, Vec<String>)]) -> Self {
        let all = |parts: &[Condition]| parts.iter().map(|part| part.with_values(known)).collect();
        match self {
            Condition::Is(field, texts) => {
                let Some((_, values)) = known.iter().find(|(other, _)| other == field) else { return self.clone() };
                let wanted: Vec<String> = texts.iter().map(|text| field.alike(text)).collect();
                let is_meant = |value: &&String| wanted.contains(&field.alike(value));
                let meant: Vec<String> = values.iter().filter(is_meant).cloned().collect();
                // No known value matches: then no contact does.
                Condition::Is(*field, if meant.is_empty() { texts.clone() } else { meant })
            }
            Condition::Stars(..) => self.clone(),
            Condition::All(parts) => Condition::All(all(parts)),
            Condition::Any(parts) => Condition::Any(all(parts)),
            Condition::Not(it) => not(it.with_values(known)),
        }
    }
}

impl Field {
    /// The name in expressions.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// Names and words, but not addresses or numbers.
    pub fn is_folded(self) -> bool {
        matches!(
            self,
            Field::Name
                | Field::Function
                | Field::Establishment
                | Field::Category
                | Field::Commune
                | Field::Street
                | Field::Label
        )
    }

    /// A text in the form that is compared.
    fn alike(self, text: &str) -> String {
        if !self.is_folded() {
            return text.to_owned();
        }
        let singular = |word: &str| match word.strip_suffix(['s', 'x']) {
            Some(stem) if stem.len() > 2 => stem.to_owned(),
            _ => word.to_owned(),
        };
        let folded = french::folded(text);
        match folded.is_empty() {
            // A text of punctuation only is compared as it is.
            true => text.trim().to_owned(),
            false => folded.split(' ').map(singular).collect::<Vec<_>>().join(" "),
        }
    }

    fn values(self, contact: &Contact, partner: &Partner) -> Vec<String> {
        let one = |text: &String| vec![text.clone()];
        match self {
            Field::Name => one(&contact.name),
            Field::Function => one(&contact.function),
            Field::Language => one(&contact.language),
            Field::Address => vec![contact.address.key()],
            Field::Establishment => one(&partner.name),
            Field::Category => one(&partner.category),
            Field::Commune => one(&partner.commune),
            Field::Insee => one(&partner.insee),
            Field::Street => one(&partner.street),
            Field::Website => one(&partner.website),
            Field::Phone => one(&partner.phone),
            Field::Postcode => one(&partner.postcode),
            Field::Label => partner.labels.clone(),
            Field::Subscribed => contact.subscriptions.clone(),
        }
    }
}

impl Order {
    fn holds(self, left: u8, right: u8) -> bool {
        match self {
            Order::Equal => left == right,
            Order::Less => left < right,
            Order::AtMost => left <= right,
            Order::More => left > right,
            Order::AtLeast => left >= right,
        }
    }
}

fn wrong(column: usize, message: impl Into<String>) -> SegmentError {
    SegmentError { column, message: message.into() }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`, `,`
    Sign(&'static str),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) | Token::Number(word) => f.write_str(word),
            Token::Text(text) => write!(f, "{text:?}"),
            Token::Sign(sign) => write!(f, "{sign:?}"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// Longest first.
const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// Each with its column; the last one is the end.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, SegmentError> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&c) = letters.get(at) {
        let start = at;
        let run = |test: fn(char) -> bool| letters[start..].iter().take_while(|c| test(**c)).collect::<String>();
        let token = if c.is_whitespace() {
            at += 1;
            continue;
        } else if c == '"' || c == '\'' {
            let text = quoted(&letters, &mut at)?;
            Token::Text(text)
        } else if c.is_ascii_digit() {
            let digits = run(|c| c.is_ascii_digit());
            at += digits.chars().count();
            Token::Number(digits)
        } else if c.is_alphabetic() || c == '_' {
            let word = run(|c| c.is_alphanumeric() || c == '_');
            at += word.chars().count();
            Token::Word(word)
        } else {
            let rest: String = letters[at..].iter().take(2).collect();
            let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
                let hint =
                    if matches!(c, '«' | '“' | '’' | '‘' | '”') { "; texts stand in \"…\"" } else { "" };
                return Err(wrong(at + 1, format!("{c:?} has no meaning here{hint}")));
            };
            at += sign.len();
            Token::Sign(sign)
        };
        found.push((start + 1, token));
    }
    found.push((letters.len() + 1, Token::End));
    Ok(found)
}

/// From the opening quotation mark to the closing one; `\` escapes the next character.
fn quoted(letters: &[char], at: &mut usize) -> Result<String, SegmentError> {
    let start = *at;
    let mut text = String::new();
    let mut rest = letters[start + 1..].iter();
    while let Some(&c) = rest.next() {
        match c {
            c if c == letters[start] => {
                *at = letters.len() - rest.len();
                return Ok(text);
            }
            '\\' => text.extend(rest.next()),
            c if c.is_control() => {
                return Err(wrong(letters.len() - rest.len(), "a control character within a text"));
            }
            c => text.push(c),
        }
    }
    Err(wrong(start + 1, "a text is opened here and never closed"))
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> (usize, Token) {
        self.tokens.get(self.at).or(self.tokens.last()).cloned().unwrap_or((1, Token::End))
    }

    fn next(&mut self) -> (usize, Token) {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Consumes the keyword if it is next.
    fn take(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek().1, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek().1, Token::Sign(it) if it == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), SegmentError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        let (column, found) = self.peek();
        Err(wrong(column, format!("expected {sign}, found {found}")))
    }

    fn any(&mut self, depth: usize) -> Result<Condition, SegmentError> {
        let mut parts = vec![self.all(depth)?];
        while self.take("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, SegmentError> {
        let mut parts = vec![self.not(depth)?];
        while self.take("and") {
            parts.push(self.not(depth)?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn not(&mut self, depth: usize) -> Result<Condition, SegmentError> {
        if depth > DEEPEST {
            return Err(wrong(self.peek().0, format!("nested more than {DEEPEST} deep")));
        }
        if self.take("not") {
            return Ok(Condition::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take_sign("(") {
            let inner = self.any(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, SegmentError> {
        let (column, token) = self.next();
        let Token::Word(word) = token else {
            return Err(wrong(column, format!("expected a field such as category, found {token}")));
        };
        let word = word.to_lowercase();
        if word == "stars" {
            return self.stars();
        }
        let alias = if word == "email" { "address" } else { &word };
        let Some((_, field)) = Field::ALL.into_iter().find(|(name, _)| *name == alias) else {
            let names: Vec<_> = Field::ALL.iter().map(|(name, _)| *name).collect();
            return Err(wrong(column, format!("there is no field {word}; the fields are {}, stars", names.join(", "))));
        };
        let (column, operator) = self.next();
        let negated = match &operator {
            Token::Sign("=") => return Ok(Condition::Is(field, vec![self.text(field)?])),
            Token::Sign("!=") => return Ok(not(Condition::Is(field, vec![self.text(field)?]))),
            Token::Word(word) if word.eq_ignore_ascii_case("in") => false,
            Token::Word(word) if word.eq_ignore_ascii_case("not") && self.take("in") => true,
            found => return Err(wrong(column, format!("expected =, !=, in or not in after {word}, found {found}"))),
        };
        let condition = Condition::Is(field, self.list(|parser| parser.text(field))?);
        Ok(if negated { not(condition) } else { condition })
    }

    fn stars(&mut self) -> Result<Condition, SegmentError> {
        let (column, operator) = self.next();
        let order = match &operator {
            Token::Sign("=") => Order::Equal,
            Token::Sign("!=") => return Ok(not(Condition::Stars(Order::Equal, self.number()?))),
            Token::Sign("<") => Order::Less,
            Token::Sign("<=") => Order::AtMost,
            Token::Sign(">") => Order::More,
            Token::Sign(">=") => Order::AtLeast,
            Token::Word(word) if word.eq_ignore_ascii_case("in") => {
                let numbers = self.list(Self::number)?;
                let each = numbers.into_iter().map(|n| Condition::Stars(Order::Equal, n)).collect();
                return Ok(one_or(each, Condition::Any));
            }
            found => {
                return Err(wrong(column, format!("expected =, !=, <, <=, >, >= or in after stars, found {found}")));
            }
        };
        Ok(Condition::Stars(order, self.number()?))
    }

    /// `( a, b )`
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, SegmentError>) -> Result<Vec<T>, SegmentError> {
        self.expect("(")?;
        let mut items = vec![item(self)?];
        while self.take_sign(",") {
            items.push(item(self)?);
        }
        self.expect(")")?;
        Ok(items)
    }

    fn text(&mut self, field: Field) -> Result<String, SegmentError> {
        match self.next() {
            (_, Token::Text(text)) => Ok(match field {
                Field::Address | Field::Language => text.to_lowercase(),
                _ => text,
            }),
            // `insee = 32013`
            (_, Token::Number(digits)) => Ok(digits),
            (column, found) => Err(wrong(column, format!("expected a text in \"…\", found {found}"))),
        }
    }

    fn number(&mut self) -> Result<u8, SegmentError> {
        let (column, token) = self.next();
        let number = match &token {
            Token::Number(digits) | Token::Text(digits) => digits.parse().ok().filter(|n| *n <= 5),
            _ => None,
        };
        number.ok_or_else(|| wrong(column, format!("expected a number of stars, 0 to 5, found {token}")))
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn one_or(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => many(parts.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_not_then_and_then_or() {
        let is = |field, text: &str| Condition::Is(field, vec![text.to_owned()]);
        let parsed = Segment::parse(r#"not commune="Auch" and label != 'Accueil Vélo' OR stars >= 3"#).unwrap();
        let both = Condition::All(vec![not(is(Field::Commune, "Auch")), not(is(Field::Label, "Accueil Vélo"))]);
        assert_eq!(parsed.condition, Condition::Any(vec![both, Condition::Stars(Order::AtLeast, 3)]));
        let parsed = Segment::parse(r#"email not in ("A@b.fr", "d\"e") and (insee = 32013)"#).unwrap();
        let texts = vec!["a@b.fr".to_owned(), "d\"e".to_owned()];
        let insee = is(Field::Insee, "32013");
        assert_eq!(parsed.condition, Condition::All(vec![not(Condition::Is(Field::Address, texts)), insee]));
    }

    #[test]
    fn an_error_points_at_the_column_and_says_what_was_expected() {
        for (text, column, part) in [
            ("", 1, "expected a field such as category, found the end"),
            ("ville = \"Auch\"", 1, "there is no field ville; the fields are name, function"),
            ("commune \"Auch\"", 9, "expected =, !=, in or not in after commune, found \"Auch\""),
            ("commune = Auch", 11, "expected a text in \"…\", found Auch"),
            ("commune = \"Auch", 11, "opened here and never closed"),
            ("commune = «Auch»", 11, "'«' has no meaning here; texts stand in \"…\""),
            ("métier = 1 and", 1, "there is no field métier"),
            ("stars = 6", 9, "a number of stars, 0 to 5, found 6"),
            ("stars = 999999999999999999999", 9, "a number of stars"),
            ("(stars = 3", 11, "expected ), found the end"),
            ("stars = 3)", 10, "expected and, or, or the end, found \")\""),
            ("label in ()", 11, "expected a text"),
            ("label = \"a\u{0}\"", 11, "a control character"),
        ] {
            let error = Segment::parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn trial_f09_words_match_regardless_of_accents_case_and_number() {
        for (a, b) in [
            ("Hébergement", "hébergements"),
            ("Hôtels", "HOTEL"),
            ("Chambre d’hôtes", "chambres d'hôte"),
            ("L'Isle-Jourdain", "l’isle jourdain"),
        ] {
            assert_eq!(Field::Category.alike(a), Field::Category.alike(b), "{a} {b}");
        }
        for (a, b) in [("bus", "bu"), ("%", ""), ("gîte", "gite rural")] {
            assert_ne!(Field::Category.alike(a), Field::Category.alike(b), "{a} {b}");
        }
        assert_ne!(Field::Website.alike("https://A"), Field::Website.alike("https://a"));
    }

    #[test]
    fn too_deep_an_expression_is_refused() {
        assert!(Segment::parse(&"(".repeat(1_000)).unwrap_err().message.contains("deep"));
        assert!(Segment::parse(&"not ".repeat(900)).unwrap_err().message.contains("deep"));
        assert!(Segment::parse(&" ".repeat(5_000)).unwrap_err().message.contains("longer"));
    }
}
