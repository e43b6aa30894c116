//! The lines of an iCalendar file (RFC 5545, section 3.1): unfolded, with their parameters, component by component.
//!
//! Knows no event. A file that stops before its end is an error: half a calendar must not pass for a whole one. Reads
//! line by line, so that nesting made to exhaust the stack costs nothing.

use super::collect_error::Missed;

/// `DTSTART;TZID=Europe/Paris:20270713T210000`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLine {
    /// In capitals.
    pub name: String,
    /// Names in capitals, quotes removed.
    pub params: Vec<(String, String)>,
    /// As written: escapes are undone by [`ContentLine::text`], because only texts have them.
    pub value: String,
}

/// The lines of one VEVENT, those of components within it (alarms) left out.
pub type Component = Vec<ContentLine>;

/// A calendar: its own lines, and its events.
#[derive(Debug, Default)]
pub struct Calendar {
    pub lines: Component,
    pub events: Vec<Component>,
}

impl ContentLine {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a text property, its escapes undone.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, true) => match chars.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => {}
                },
                (c, false) => text.push(c),
            }
        }
        text
    }

    /// The texts of a list property: parted by commas that are not escaped.
    pub fn texts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in self.value.chars() {
            match (c, parts.last_mut()) {
                (',', _) if !escaped => parts.push(String::new()),
                (c, Some(part)) => part.push(c),
                _ => {}
            }
            escaped = c == '\\' && !escaped;
        }
        parts.into_iter().map(|value| Self { value, ..self.clone() }.text().trim().to_owned()).collect()
    }
}

/// # Errors
/// When it is no calendar, or not a whole one.
pub fn read(text: &str) -> Result<Calendar, Missed> {
    let mut calendar = Calendar::default();
    // The names of the components we are in; only their number and the innermost matter.
    let mut open: Vec<String> = Vec::new();
    let mut ended = false;
    for line in unfolded(text).iter().filter_map(|line| parse(line)) {
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.trim().to_ascii_uppercase();
                if open.is_empty() && name != "VCALENDAR" {
                    return Err(Missed::NotCalendar);
                }
                if name == "VEVENT" && open.len() == 1 {
                    calendar.events.push(Component::new());
                }
                open.push(name);
            }
            "END" => {
                if open.pop().is_none_or(|name| !name.eq_ignore_ascii_case(line.value.trim())) {
                    return Err(Missed::CutCalendar);
                }
                ended |= open.is_empty();
            }
            _ if open.is_empty() => return Err(Missed::NotCalendar),
            _ if open.len() == 1 => calendar.lines.push(line),
            _ if open.len() == 2 && open[1] == "VEVENT" => {
                if let Some(event) = calendar.events.last_mut() {
                    event.push(line);
                }
            }
            _ => {}
        }
    }
    match (open.is_empty(), ended) {
        (true, true) => Ok(calendar),
        (false, _) => Err(Missed::CutCalendar),
        (true, false) => Err(Missed::NotCalendar),
    }
}

/// A line that begins with a blank belongs to the one before.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(before)) => before.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `None` of a line that has no value: what an export that forgot to escape a line break leaves.
fn parse(line: &str) -> Option<ContentLine> {
    let line = line.trim_start_matches('\u{feff}');
    let mut quoted = false;
    let mut cuts = Vec::new();
    let mut colon = None;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => cuts.push(at),
            ':' if !quoted => {
                colon = Some(at);
                break;
            }
            _ => {}
        }
    }
    let colon = colon?;
    cuts.push(colon);
    let name = &line[..cuts[0]];
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return None;
    }
    let params = cuts.windows(2).filter_map(|pair| {
        let (key, value) = line[pair[0] + 1..pair[1]].split_once('=')?;
        Some((key.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
    });
    Some(ContentLine { name: name.to_ascii_uppercase(), params: params.collect(), value: line[colon + 1..].to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    fn only(lines: &str) -> Component {
        read(&calendar(lines)).unwrap().events.remove(0)
    }

    #[test]
    fn folded_lines_are_one_and_escapes_are_undone() {
        let event = only("SUMMARY:Concert\\, sous la\r\n  halle \\; entrée\\nlibre : ici\r\nX:1");
        assert_eq!(event[0].text(), "Concert, sous la halle ; entrée\nlibre : ici");
        assert_eq!(event[1].name, "X");
        let categories = only("CATEGORIES:Concert,Arts\\, spectacles");
        assert_eq!(categories[0].texts(), ["Concert", "Arts, spectacles"]);
    }

    #[test]
    fn parameters_may_be_quoted_and_hold_a_colon() {
        let event = only("organizer;cn=\"Asso; de : démo\";X=y:MAILTO:a@b.example");
        assert_eq!(event[0].param("CN"), Some("Asso; de : démo"));
        assert_eq!((event[0].param("X"), event[0].value.as_str()), (Some("y"), "MAILTO:a@b.example"));
    }

    #[test]
    fn what_stands_in_an_alarm_is_not_the_events() {
        let event = only("SUMMARY:a\r\nBEGIN:VALARM\r\nSUMMARY:b\r\nEND:VALARM\r\nUID:c");
        assert_eq!(event.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["SUMMARY", "UID"]);
    }

    #[test]
    fn e07_half_a_calendar_is_none() {
        let whole = calendar("SUMMARY:a");
        for end in ["END:VCALENDAR\r\n", "END:VEVENT\r\nEND:VCALENDAR\r\n", "VCALENDAR\r\n"] {
            assert!(matches!(read(whole.strip_suffix(end).unwrap()), Err(Missed::CutCalendar)), "{end}");
        }
        for text in ["", "<!DOCTYPE html>", "BEGIN:VCARD\nEND:VCARD", "SUMMARY:a"] {
            assert!(matches!(read(text), Err(Missed::NotCalendar)), "{text}");
        }
        assert!(matches!(read(&"BEGIN:VCALENDAR\n".repeat(300_000)), Err(Missed::CutCalendar)));
    }

    #[test]
    fn a_line_without_a_value_is_left_out() {
        assert_eq!(only("DESCRIPTION:Une ligne\r\nqu’on a oublié d’échapper\r\nUID:c").len(), 2);
    }
}
