//! POST of JSON, signed according to Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, and in `webhook-signature` the
//! HMAC-SHA-256 of `ID.TIMESTAMP.BODY`. The receiver is
//! the operator's, so its address may be private. Redirects are not followed.

use super::NotDelivered;
use crate::collect::fetch::install_crypto_provider;
use crate::domain::Timestamp;
use crate::watch;
use crate::webhooks::sign;
use anyhow::anyhow;
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use secrecy::{ExposeSecret, SecretSlice};
use std::time::Duration;
use url::Url;

pub(super) struct Webhook {
    url: Url,
    key: SecretSlice<u8>,
    client: Client,
}

impl Webhook {
    pub(super) fn new(settings: &watch::Webhook, timeout: Duration) -> anyhow::Result<Self> {
        let key = settings.key().map_err(|why| anyhow!("alert.webhook_secret_file: {why}"))?;
        install_crypto_provider();
        let client = Client::builder()
            .user_agent(concat!("semainier/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .redirect(Policy::none())
            .referer(false)
            .build()?;
        Ok(Self { url: settings.url.clone(), key, client })
    }

    /// Delivered if the answer is 2xx.
    pub(super) async fn post(&self, id: &str, body: &str, now: Timestamp) -> Result<(), NotDelivered> {
        let timestamp = now.timestamp().to_string();
        let signature = sign(self.key.expose_secret(), id, &timestamp, body);
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let request = request
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body.to_owned());
        let answer = request.send().await.map_err(|error| NotDelivered(chain(&error.without_url())))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(NotDelivered(format!("the receiver answered {}", status.as_u16()))),
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |it| it.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
