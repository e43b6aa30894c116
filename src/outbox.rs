//! Builds messages from frozen content, so that a later resend has the same bytes.

use crate::compose::context;
use crate::compose::mime::{Mime, To};
use crate::deliver::{MessageError, Outbox};
use crate::domain::{delivery::Claim, issue::IssueKey, message::Message};
use crate::signing::Keys;
use crate::store::Store;
use crate::tokens::Tokens;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Builds the messages of frozen issues.
pub struct FrozenOutbox {
    store: Arc<dyn Store>,
    tokens: Tokens,
    keys: Keys,
    /// Encoded once for all recipients of an issue; the few most recent issues stay in memory.
    issues: Mutex<Vec<(IssueKey, Arc<Mime>)>>,
    /// Held while an issue is encoded.
    making: tokio::sync::Mutex<()>,
}

/// More issues are seldom in flight at once; an older one is encoded again when needed.
const ISSUES_KEPT: usize = 4;

impl FrozenOutbox {
    pub fn new(store: Arc<dyn Store>, tokens: Tokens, keys: Keys) -> Self {
        Self { store, tokens, keys, issues: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    async fn mime(&self, key: &IssueKey) -> Result<Arc<Mime>, MessageError> {
        if let Some(mime) = self.known(key) {
            return Ok(mime);
        }
        // Other connections wait for the first: a large issue must be in memory only once (F12).
        let _alone = self.making.lock().await;
        if let Some(mime) = self.known(key) {
            return Ok(mime);
        }
        let content = self.store.content(key).await.map_err(MessageError::Store)?;
        let mut content = content.ok_or_else(|| MessageError::Compose("the issue has no frozen content".to_owned()))?;
        let public_url = content.envelope.public_url.parse().map_err(broken)?;
        let view_url = self.tokens.view_url(&public_url, key);
        context::fill_view(&mut content, &view_url);
        let mime = Arc::new(Mime::new(content).map_err(broken)?);
        let mut kept = self.kept();
        kept.truncate(ISSUES_KEPT - 1);
        kept.insert(0, (key.clone(), Arc::clone(&mime)));
        Ok(mime)
    }

    fn known(&self, key: &IssueKey) -> Option<Arc<Mime>> {
        self.kept().iter().find(|(kept, _)| kept == key).map(|(_, mime)| Arc::clone(mime))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(IssueKey, Arc<Mime>)>> {
        self.issues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broken(error: impl std::fmt::Display) -> MessageError {
    MessageError::Compose(error.to_string())
}

#[async_trait::async_trait]
impl Outbox for FrozenOutbox {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError> {
        let mime = self.mime(&claim.issue).await?;
        let recipient = &claim.recipient;
        let public_url = mime.public_url().map_err(broken)?;
        let unsubscribe_url = self.tokens.unsubscribe_url(&public_url, &recipient.contact_id, claim.issue.mailing());
        let order_url = mime.edition().map(|it| self.tokens.order_url(&public_url, &recipient.contact_id, it));
        let to = To {
            address: &recipient.address,
            name: &recipient.name,
            establishment: &recipient.establishment,
            message_id: &claim.message_id,
            unsubscribe_url: &unsubscribe_url,
            order_url: order_url.as_deref().unwrap_or_default(),
        };
        let mut message = mime.message(to).map_err(broken)?;
        message.sender = mime.return_path().map_err(broken)?.of(&self.tokens.return_token(&claim.id));
        self.keys.sign(message, mime.signing_keys()).map_err(broken)
    }
}
