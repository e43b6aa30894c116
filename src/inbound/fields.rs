//! Header fields (RFC 5322 2.2), also those within a report (RFC 3464 2.1, RFC 5965 3): unfolded, in order, bounded.

/// Maximum number of fields of one block.
const MOST: usize = 500;
/// Maximum characters of one field's value that are kept.
const LONGEST: usize = 4_000;

/// A block of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads fields up to the first empty line, and returns what follows it. A line that is no field is skipped.
    pub fn read(text: &[u8]) -> (Self, &[u8]) {
        let (mut fields, mut rest) = (Vec::<(String, String)>::new(), text);
        let mut goes_on = false;
        while !rest.is_empty() {
            let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches(['\r', '\n']);
            rest = after;
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut().filter(|(_, value)| goes_on && value.len() < LONGEST) {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            let field = line.split_once(':').filter(|(name, _)| is_name(name.trim_end()));
            goes_on = field.is_some() && fields.len() < MOST;
            if let Some((name, value)) = field.filter(|_| goes_on) {
                fields.push((name.trim_end().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        for (_, value) in &mut fields {
            if let Some((end, _)) = value.char_indices().nth(LONGEST) {
                value.truncate(end);
            }
        }
        (Self(fields), rest)
    }

    /// The blocks of a report: separated by empty lines, `most` of them at the most. Empty ones are left out.
    pub fn groups(mut text: &[u8], most: usize) -> Vec<Self> {
        let mut groups = Vec::new();
        while !text.is_empty() && groups.len() < most {
            let (fields, rest) = Self::read(text);
            if !fields.0.is_empty() {
                groups.push(fields);
            }
            text = rest;
        }
        groups
    }

    /// The first value of the field; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// RFC 5322 2.2: printable characters but the colon.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| (33..=126).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_groups_are_separated_by_empty_lines() {
        let text = b"Reporting-MTA: dns; mx.example\r\n\r\n\r\nFinal-Recipient: rfc822;\r\n\ta@b.example\r\nno field\r\n folded\r\nAction : failed\r\n\r\nAction: delayed";
        let groups = Fields::groups(text, 10);
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[1].get("final-recipient"), Some("rfc822; a@b.example"));
        assert_eq!(groups[1].get("action"), Some("failed"));
        assert_eq!(groups[2].get("action"), Some("delayed"));
        assert_eq!(Fields::groups(text, 2).len(), 2);
    }

    #[test]
    fn what_is_read_is_bounded() {
        let many = "a: b\n".repeat(MOST * 2);
        assert_eq!(Fields::read(many.as_bytes()).0.0.len(), MOST);
        let long = format!("a: {}\n {}\nb: c\n", "x".repeat(LONGEST * 2), "y".repeat(100));
        let (fields, _) = Fields::read(long.as_bytes());
        assert_eq!((fields.get("a").unwrap().len(), fields.get("b")), (LONGEST, Some("c")));
    }
}
