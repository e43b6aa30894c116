//! Parses the lines of an iCalendar file (RFC 5545, section 3.1): unfolds them, with parameters, by component.
//!
//! Independent of events. A truncated file is an error: half a calendar must not count as a whole one. Not recursive, so
//! that deep nesting cannot exhaust the stack.

use super::charset;
use super::collect_error::Missed;
use std::borrow::Cow;

/// Components within each other; a real one has four at the most.
const DEEPEST: usize = 16;

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

/// A calendar: its own lines, its events, and the rules of its time zones.
#[derive(Debug, Default)]
pub struct Calendar {
    pub lines: Component,
    pub events: Vec<Component>,
    pub zones: Vec<ZoneLines>,
}

/// A VTIMEZONE: its own lines, and those of each of its STANDARD and DAYLIGHT.
#[derive(Debug, Default)]
pub struct ZoneLines {
    pub lines: Component,
    pub parts: Vec<Component>,
}

impl ContentLine {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a text property, its escapes undone: those of the older vCalendar too.
    pub fn text(&self) -> String {
        let value = if self.is_quoted_printable() { Cow::Owned(self.decoded()) } else { Cow::Borrowed(&self.value) };
        let mut text = String::with_capacity(value.len());
        let mut chars = value.chars();
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

    fn is_quoted_printable(&self) -> bool {
        let is = |text: &str| text.eq_ignore_ascii_case("QUOTED-PRINTABLE");
        self.params.iter().any(|(name, value)| (name == "ENCODING" && is(value)) || (value.is_empty() && is(name)))
    }

    fn decoded(&self) -> String {
        let (mut bytes, mut rest) = (Vec::with_capacity(self.value.len()), self.value.as_bytes());
        while let Some((first, after)) = rest.split_first() {
            let hex = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
            match (first, hex(0), hex(1)) {
                (b'=', Some(high), Some(low)) => {
                    bytes.extend(u8::try_from(high * 16 + low));
                    rest = &after[2..];
                }
                _ => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        let text = charset::decode(&bytes, self.param("CHARSET")).unwrap_or_else(|_| self.value.clone());
        text.replace("\r\n", "\n")
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

/// Text before and after a calendar is ignored, and so is an END without a BEGIN; several calendars in one
/// file are one.
///
/// # Errors
/// When it is not a calendar, or a truncated one.
pub fn read(text: &str) -> Result<Calendar, Missed> {
    let mut calendar = Calendar::default();
    // The names of the components we are in; only their number and the first three matter.
    let mut open: Vec<String> = Vec::new();
    let mut ended = false;
    for line in unfolded(text).iter().filter_map(|line| parse(line)) {
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.trim().to_ascii_uppercase();
                if open.is_empty() && name != "VCALENDAR" {
                    continue;
                }
                // An event within an event is one whose END was forgotten.
                if name == "VEVENT" && open.get(1).is_some_and(|outer| outer == "VEVENT") {
                    open.truncate(1);
                }
                match (open.len(), name.as_str(), open.get(1).map(String::as_str)) {
                    (1, "VEVENT", _) => calendar.events.push(Component::new()),
                    (1, "VTIMEZONE", _) => calendar.zones.push(ZoneLines::default()),
                    (2, "STANDARD" | "DAYLIGHT", Some("VTIMEZONE")) => {
                        calendar.zones.last_mut().into_iter().for_each(|zone| zone.parts.push(Component::new()));
                    }
                    _ => {}
                }
                open.push(name);
            }
            "END" => {
                let name = line.value.trim();
                // Searched from the end, so that deep nesting stays cheap.
                let near = open.iter().rev().take(DEEPEST).position(|it| it.eq_ignore_ascii_case(name));
                if let Some(at) = near {
                    open.truncate(open.len() - 1 - at);
                    ended |= open.is_empty();
                }
            }
            _ => match (open.len(), open.get(1).map(String::as_str), open.get(2).map(String::as_str)) {
                (1, ..) => calendar.lines.push(line),
                (2, Some("VEVENT"), _) => {
                    calendar.events.last_mut().into_iter().for_each(|event| event.push(line.clone()))
                }
                (2, Some("VTIMEZONE"), _) => {
                    calendar.zones.last_mut().into_iter().for_each(|zone| zone.lines.push(line.clone()));
                }
                (3, Some("VTIMEZONE"), Some("STANDARD" | "DAYLIGHT")) => {
                    let part = calendar.zones.last_mut().and_then(|zone| zone.parts.last_mut());
                    part.into_iter().for_each(|part| part.push(line.clone()));
                }
                _ => {}
            },
        }
    }
    match (open.is_empty(), ended) {
        (true, true) => Ok(calendar),
        (false, _) => Err(Missed::CutCalendar),
        (true, false) => Err(Missed::NotCalendar),
    }
}

/// A line that begins with a blank belongs to the one before; in vCalendar so does the one after a line that ends with `=`.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (_, Some(before)) if goes_on => {
                before.pop();
                before.push_str(line.trim_start());
            }
            (Some(rest), Some(before)) => before.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
        // Of a long text only the end and the head are looked at.
        let head = |line: &String| {
            let head = line.split(':').next().unwrap_or_default();
            head.len() < 200 && head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
        };
        goes_on = line.ends_with('=') && lines.last().is_some_and(head);
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
    let params = cuts.windows(2).map(|pair| {
        let param = &line[pair[0] + 1..pair[1]];
        let (key, value) = param.split_once('=').unwrap_or((param, ""));
        (key.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned())
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
    fn folded_lines_are_joined_and_escapes_decoded() {
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
    fn properties_of_an_alarm_are_not_those_of_the_event() {
        let event = only("SUMMARY:a\r\nBEGIN:VALARM\r\nSUMMARY:b\r\nEND:VALARM\r\nUID:c");
        assert_eq!(event.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["SUMMARY", "UID"]);
    }

    #[test]
    fn fr56_a_text_of_vcalendar_is_decoded() {
        let event = only(
            "SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:F=C3=AAte de l=\r\n=E2=80=99eau=0D=0Aet du vin\r\nUID:a",
        );
        assert_eq!((event[0].text().as_str(), event.len()), ("Fête de l’eau\net du vin", 2));
        let event = only("SUMMARY;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:F=EAte =\r\n  du lac");
        assert_eq!(event[0].text(), "Fête du lac");
        assert_eq!(only("SUMMARY:1+1=3D=")[0].text(), "1+1=3D=");
    }

    #[test]
    fn fr20_text_around_calendars_is_ignored() {
        let two = format!("Warning: file_get_contents()\r\n{0}{0}X:y", calendar("SUMMARY:a"));
        assert_eq!(read(&two).unwrap().events.len(), 2);
        let unended = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\nBEGIN:VEVENT\nSUMMARY:b\nEND:VEVENT\nEND:VALARM\nEND:VCALENDAR\n";
        let events = read(unended).unwrap().events;
        assert_eq!(events.iter().map(|event| event[0].text()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn e07_a_truncated_calendar_is_rejected() {
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
