//! Delivery status notifications (RFC 3464): the fields of each recipient.

use super::{
    fields::Fields,
    message::{Action, MOST_RECIPIENTS, RecipientReport},
};
use crate::domain::{
    delivery::{Reply, enhanced_status, keep},
    email::EmailAddress,
};

/// The recipients of a `message/delivery-status`: those with an action that RFC 3464 knows.
pub(super) fn recipients(text: &[u8]) -> Vec<RecipientReport> {
    // The first group is about the message; some servers leave it out.
    let groups = Fields::groups(text, MOST_RECIPIENTS + 1);
    groups.iter().filter_map(recipient).take(MOST_RECIPIENTS).collect()
}

fn recipient(group: &Fields) -> Option<RecipientReport> {
    let first_word = |text: &str| text.split([' ', '(', ';']).find(|it| !it.is_empty()).map(str::to_ascii_lowercase);
    let action = match first_word(group.get("action")?)?.as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" | "relayed" | "expanded" => Action::Delivered,
        _ => return None,
    };
    let addresses = ["original-recipient", "final-recipient", "x-actual-recipient"];
    let mut addresses: Vec<_> = addresses.iter().filter_map(|name| address(group.get(name)?)).collect();
    addresses.dedup();
    let status = group.get("status").and_then(first_word).unwrap_or_default();
    let said = said(&status, group.get("diagnostic-code").unwrap_or_default(), action);
    Some(RecipientReport { addresses, action, said })
}

/// `rfc822; gone@partner.example`; the type is sometimes left out.
pub(super) fn address(field: &str) -> Option<EmailAddress> {
    let text = field.split_once(';').map_or(field, |(_, address)| address);
    EmailAddress::parse(text.trim().trim_matches(['<', '>'])).ok()
}

/// The reply in a diagnostic (`smtp; 550 5.1.1 user unknown`), completed by the status where it has none of its own. Without any of
/// them it is the most general one of the action.
fn said(status: &str, diagnostic: &str, action: Action) -> Reply {
    let text = match diagnostic.split_once(';') {
        Some((kind, text)) if !kind.trim().contains(' ') => text,
        _ => diagnostic,
    };
    let text = text.trim();
    if let Some(reply) = reply_in(text) {
        let enhanced = reply.enhanced.clone().or_else(|| enhanced_status(reply.code.unwrap_or(0), status));
        return Reply { enhanced, ..reply };
    }
    let code = match (status.as_bytes().first(), action) {
        (Some(b'5'), _) | (None, Action::Failed) => 550,
        (Some(b'4'), _) | (None, Action::Delayed) => 450,
        (Some(b'2'), _) | (None, Action::Delivered) => 250,
        // No status at all in spite of the field.
        (_, Action::Failed) => 550,
        _ => 450,
    };
    Reply { code: Some(code), enhanced: enhanced_status(code, status), text: keep(text) }
}

/// `550 5.1.1 user unknown`, `550-5.1.1 …`, `#550 5.1.1 …#`: a reply at the start of a text.
pub(super) fn reply_in(text: &str) -> Option<Reply> {
    let text = text.trim_start_matches(['#', '<', ' ']);
    let code: u16 = text.get(..3)?.parse().ok().filter(|code| (200..600).contains(code))?;
    let rest = &text[3..];
    let rest = match rest.chars().next() {
        None => "",
        Some(' ' | '-' | '#' | ':') => rest[1..].trim_start_matches([' ', '#']),
        Some(_) => return None,
    };
    // Where it stands in the middle of a line or is broken over several, each begins with the status: `5.1.1 no 550 5.1.1 such`.
    Some(Reply::new(code, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> RecipientReport {
        let text = format!("Reporting-MTA: dns; mx.example\n\n{text}");
        let found = recipients(text.as_bytes());
        assert_eq!(found.len(), 1, "{text}");
        found[0].clone()
    }

    #[test]
    fn the_reply_of_a_recipient_is_that_of_its_diagnostic_or_its_status() {
        for (fields, code, enhanced, text) in [
            ("Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user", 550, Some("5.1.1"), "5.1.1 no such user"),
            ("Status: 5.1.1\nDiagnostic-Code: X-Postfix; user unknown", 550, Some("5.1.1"), "user unknown"),
            ("Status: 5.0.0 (permanent)\nDiagnostic-Code: smtp;552 5.2.2 full", 552, Some("5.2.2"), "5.2.2 full"),
            ("Status: 5.1.1\nDiagnostic-Code: smtp; 550 unknown", 550, Some("5.1.1"), "unknown"),
            ("Status: 4.4.7", 450, Some("4.4.7"), ""),
            ("Diagnostic-Code: smtp; nothing", 550, None, "nothing"),
            ("Status: five", 550, None, ""),
            (
                "Status: 5.1.10\nDiagnostic-Code: smtp;550-5.1.10 RESOLVER.ADR.RecipientNotFound; none",
                550,
                Some("5.1.10"),
                "5.1.10 RESOLVER.ADR.RecipientNotFound; none",
            ),
        ] {
            let said = one(&format!("Final-Recipient: rfc822; a@b.example\nAction: failed\n{fields}")).said;
            assert_eq!(
                (said.code, said.enhanced.as_deref(), said.text.as_str()),
                (Some(code), enhanced, text),
                "{fields}"
            );
        }
    }

    #[test]
    fn every_recipient_and_every_action_is_read() {
        let text = "Final-Recipient: rfc822; a@b.example\nAction: failed\n\nFinal-Recipient: RFC822;<c@d.example>\n\
            Action: Relayed (to non-DSN-aware mailer)\n\nOriginal-Recipient: rfc822;e@f.example\nFinal-Recipient: rfc822;g@h.example\n\
            Action: expanded\n\nAction: strange\n\nFinal-Recipient: i@j.example\nAction: delayed\n";
        let found: Vec<_> = recipients(text.as_bytes())
            .iter()
            .map(|it| (it.action, it.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))
            .collect();
        let expected = [
            (Action::Failed, "a@b.example"),
            (Action::Delivered, "c@d.example"),
            (Action::Delivered, "e@f.example g@h.example"),
            (Action::Delayed, "i@j.example"),
        ];
        assert_eq!(found, expected.map(|(action, addresses)| (action, addresses.to_owned())));
        let many = "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n".repeat(1_000);
        assert_eq!(recipients(many.as_bytes()).len(), MOST_RECIPIENTS);
    }
}
