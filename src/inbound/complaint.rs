//! Abuse reports (ARF, RFC 5965).

use super::{
    fields::Fields,
    message::{Complaint, MOST_RECIPIENTS},
    report,
};
use crate::domain::email::EmailAddress;

/// What a `message/feedback-report` says, and the recipients it names: none where they are redacted. `None`: it is about something
/// else (a virus, a failed authentication).
pub(super) fn read(text: &[u8]) -> Option<(Complaint, Vec<EmailAddress>)> {
    let group = Fields::groups(text, 1).into_iter().next()?;
    let feedback = match group.get("feedback-type")?.to_ascii_lowercase().as_str() {
        "abuse" | "fraud" => Complaint::Abuse,
        "opt-out" | "opt-out-list" => Complaint::OptOut,
        "not-spam" => Complaint::NotSpam,
        _ => return None,
    };
    let named = ["original-rcpt-to", "removal-recipient"];
    let recipients = named.iter().flat_map(|name| group.all(name)).filter_map(report::address).take(MOST_RECIPIENTS);
    Some((feedback, recipients.filter(|it| !is_redacted(it)).collect()))
}

/// `redacted@hotmail.example`, `xxx@orange.example`: an address in name only.
fn is_redacted(address: &EmailAddress) -> bool {
    let key = address.key();
    let local = key.split('@').next().unwrap_or_default();
    ["redacted", "anonymous", "unknown", "undisclosed"].iter().any(|word| local.contains(word))
        || local.chars().all(|c| matches!(c, 'x' | '*' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_read_with_the_recipient_or_without() {
        let read = |text: &str| read(text.as_bytes());
        let given = read("Feedback-Type: abuse\nOriginal-Rcpt-To: <gone@partenaire.example>\n").unwrap();
        assert_eq!((given.0, given.1[0].to_string()), (Complaint::Abuse, "gone@partenaire.example".to_owned()));
        for redacted in ["", "Original-Rcpt-To: redacted\n", "Original-Rcpt-To: redacted-7f3@hotmail.example\n"] {
            let text = format!("Feedback-Type: abuse\nVersion: 1\n{redacted}");
            assert_eq!(read(&text), Some((Complaint::Abuse, Vec::new())), "{redacted}");
        }
        assert_eq!(read("Feedback-Type: Not-Spam\n").unwrap().0, Complaint::NotSpam);
        assert_eq!(read("Feedback-Type: opt-out\n").unwrap().0, Complaint::OptOut);
        for other in ["Feedback-Type: virus\n", "Feedback-Type: auth-failure\n", "Version: 1\n", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
