//! Lists of values from which a segment is chosen: above the list of partners, and before an announcement.

use super::super::cached::Values;
use crate::domain::segment::{Field, Segment};
use crate::views::console::segment::{self, FILTERS, Offered};
use serde::Serialize;

/// One list.
#[derive(Debug, Serialize)]
struct Filter {
    name: &'static str,
    chosen: String,
    offered: Vec<Offered>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Filters {
    lists: Vec<Filter>,
    /// No values of the lists mean the segment: the form carries it along as text.
    carried: bool,
}

impl Filters {
    /// The lists of `fields`, as they are chosen in the segment.
    pub fn new(values: &Values, fields: &[Field], segment: Option<&Segment>) -> Self {
        let chosen = match segment {
            None => Some(Default::default()),
            Some(segment) => segment::as_filters(segment),
        };
        let shown = |field: Field| fields.contains(&field);
        let chosen = chosen
            .filter(|values| FILTERS.iter().zip(values).all(|((_, field), value)| shown(*field) || value.is_empty()));
        let carried = chosen.is_none();
        let chosen: [String; 4] = chosen.unwrap_or_default();
        let lists = FILTERS.into_iter().zip(chosen).filter(|((_, field), _)| shown(*field));
        let list = |((name, field), chosen): ((&'static str, Field), String)| {
            let mut offered = values.of(field).to_vec();
            if !chosen.is_empty() && !offered.iter().any(|it| it.value == chosen) {
                offered.insert(0, Offered { value: chosen.clone(), title: chosen.clone(), n: 0 });
            }
            Filter { name, chosen, offered }
        };
        Self { lists: lists.map(list).collect(), carried }
    }
}
