//! A segment as a condition in SQL, the same text for both databases but for the opening of a list of labels.
//!
//! Whatever a person wrote is a value, never text of the statement. Agrees with [`Segment::matches`], always.

use super::backend::{Backend, Value, values};
use crate::domain::segment::{Condition, Field, Order, Segment};
use std::fmt::Write;

/// On a contact `c` and its partner `p`; the values begin at `$first`.
pub(super) fn condition<B: Backend>(segment: &Segment, first: usize) -> (String, Vec<Value>) {
    let mut sql = Sql { text: String::new(), values: values![], first, labels: B::SQL.each_label };
    sql.condition(&segment.condition);
    (sql.text, sql.values)
}

struct Sql {
    text: String,
    values: Vec<Value>,
    first: usize,
    labels: &'static str,
}

impl Sql {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Is(Field::Label, texts) => {
                self.push("EXISTS (SELECT 1 FROM ");
                self.push(self.labels);
                self.push(" WHERE label.value");
                self.among(texts);
                self.push(")");
            }
            Condition::Is(Field::Subscribed, texts) => {
                self.push("EXISTS (SELECT 1 FROM subscriptions v WHERE v.contact = c.id AND v.ended_at IS NULL");
                self.push(" AND v.mailing");
                self.among(texts);
                self.push(")");
            }
            Condition::Is(field, texts) => {
                self.push(column(*field));
                self.among(texts);
            }
            Condition::Stars(order, n) => {
                self.push("p.stars ");
                self.push(match order {
                    Order::Equal => "=",
                    Order::Less => "<",
                    Order::AtMost => "<=",
                    Order::More => ">",
                    Order::AtLeast => ">=",
                });
                self.push(" ");
                self.value(i64::from(*n).into());
            }
            Condition::All(all) => self.joined(all, " AND "),
            Condition::Any(any) => self.joined(any, " OR "),
            Condition::Not(it) => {
                self.push("NOT (");
                self.condition(it);
                self.push(")");
            }
        }
    }

    fn joined(&mut self, conditions: &[Condition], word: &str) {
        for (n, condition) in conditions.iter().enumerate() {
            self.push(if n == 0 { "(" } else { word });
            self.condition(condition);
        }
        self.push(")");
    }

    fn among(&mut self, texts: &[String]) {
        for (n, text) in texts.iter().enumerate() {
            self.push(if n == 0 { " IN (" } else { ", " });
            self.value(text.as_str().into());
        }
        self.push(")");
    }

    fn value(&mut self, value: Value) {
        // Writing to a String does not fail.
        let _ = write!(self.text, "${}", self.first + self.values.len());
        self.values.push(value);
    }
}

fn column(field: Field) -> &'static str {
    match field {
        Field::Name => "c.name",
        Field::Function => "c.function",
        Field::Language => "c.language",
        Field::Address => "c.email_key",
        Field::Establishment => "p.name",
        Field::Category => "p.category",
        Field::Commune => "p.commune",
        Field::Insee => "p.insee",
        Field::Street => "p.street",
        Field::Website => "p.website",
        // Lists; they have conditions of their own above.
        Field::Label => "p.labels",
        Field::Subscribed => "u.mailing",
    }
}
