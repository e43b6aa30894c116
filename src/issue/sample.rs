//! A message of an issue as a recipient would get it, before there is one: for previews, and for the gate of the message.

use crate::compose::context;
use crate::compose::mime::{Mime, MimeError, To};
use crate::domain::{
    edition::Edition,
    email::EmailAddress,
    issue::{Content, IssueKey},
    message::Message,
};
use crate::notices::wording::SAMPLE_ESTABLISHMENT;
use crate::tokens::Tokens;
use url::Url;

/// Reserved for examples (RFC 2606).
const ADDRESS: &str = "partenaire@example.org";

/// Personal links that look right, but whose signature is not valid.
#[derive(Debug, Clone)]
pub struct Links {
    pub unsubscribe: String,
    pub order: String,
    /// Of the issue's online version.
    pub view: String,
}

impl Links {
    pub fn new(public_url: &Url, key: &IssueKey) -> Self {
        let nobody = Tokens::new("preview".to_owned().into());
        Self {
            unsubscribe: nobody.unsubscribe_url(public_url, "preview", key.mailing()),
            order: nobody.order_url(public_url, "preview", Edition::slug_of(key)),
            view: nobody.view_url(public_url, key),
        }
    }
}

/// The whole message, for a recipient who does not exist.
///
/// # Errors
/// If a name or an address of the content is not valid in a header.
pub fn message(content: &Content, key: &IssueKey, links: &Links) -> Result<Message, MimeError> {
    let invalid = |why: String| MimeError::Header { what: "the sample address", why };
    let address = EmailAddress::parse(ADDRESS).map_err(|why| invalid(why.to_string()))?;
    let mut content = content.clone();
    context::fill_view(&mut content, &links.view);
    let message_id = format!("preview.{}@{}", key.slug(), content.envelope.domain);
    Mime::new(content)?.message(To {
        address: &address,
        name: "",
        establishment: SAMPLE_ESTABLISHMENT,
        message_id: &message_id,
        unsubscribe_url: &links.unsubscribe,
        order_url: &links.order,
    })
}
