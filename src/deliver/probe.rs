//! What a relay offers, for a person who wants to know whether mail will leave: a conversation up to the login, without a message.

use super::{RelayTrouble, Timeouts, relay::SmtpRelay, reply::no_reply, session::Session, smtp::ConnectError};
use crate::deliver::Relay;
use crate::domain::{Timestamp, delivery::Phase};
use crate::trust::{self, Authorities};
use chrono::{NaiveDate, NaiveDateTime};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio_rustls::{TlsConnector, rustls};

/// The state of an open connection to the relay, logged in where a login is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The address that answered.
    pub peer: Option<IpAddr>,
    pub encrypted: bool,
    /// When the certificate that it presented ends.
    pub certificate_ends: Option<Timestamp>,
    /// The largest message, in bytes; `None`: it announces none.
    pub size: Option<usize>,
    /// AUTH mechanisms, in upper case.
    pub auth: Vec<String>,
}

/// Talks to the relay as before a message.
///
/// # Errors
/// The relay's reply, or where the connection was lost.
pub async fn probe(relay: &SmtpRelay, authorities: &Authorities) -> Result<Probe, RelayTrouble> {
    let at_tls = |why: rustls::Error| RelayTrouble { phase: Phase::Tls, reply: no_reply(&why.to_string()) };
    let tls = TlsConnector::from(Arc::new(trust::client(authorities).map_err(at_tls)?));
    let limit = Duration::from_secs(15);
    let timeouts = Timeouts { connect: limit, greeting: limit, command: limit, ..Timeouts::default() };
    let opened = Session::open(&Relay::Smtp(relay.clone()), &tls, &timeouts).await;
    let mut session = opened.map_err(|ConnectError { phase, reply }| RelayTrouble { phase, reply })?;
    let probe = session.probe();
    session.quit().await;
    Ok(probe)
}

/// When a certificate ends: `notAfter` of RFC 5280 4.1.2.5. `None`: it cannot be read.
pub(super) fn end_of_certificate(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    // An explicit version, if there is one; then serial number, algorithm and issuer.
    let (tag, _, after) = element(rest)?;
    if tag == 0xa0 {
        rest = after;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, time, _) = element(after_begin)?;
    let text = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let (year, rest): (i32, &str) = match tag {
        // UTCTime: years from 1950 to 2049.
        0x17 => {
            let year: i32 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        0x18 => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |n: usize| rest.get(2 * n..2 * n + 2)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(year, part(0)?, part(1)?)?;
    let at: NaiveDateTime = date.and_hms_opt(part(2)?, part(3)?, part(4)?)?;
    Some(at.and_utc())
}

/// The first element of DER: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_from_it() {
        let key = rcgen::KeyPair::generate().unwrap();
        for (year, month, day) in [(2027, 7, 10), (2049, 12, 31), (2050, 1, 1)] {
            let mut parameters = rcgen::CertificateParams::new(vec!["mx.example".to_owned()]).unwrap();
            parameters.not_after = rcgen::date_time_ymd(year, month, day);
            let der = parameters.self_signed(&key).unwrap().der().to_vec();
            let end = end_of_certificate(&der).unwrap();
            assert_eq!(end.to_rfc3339(), format!("{year}-{month:02}-{day:02}T00:00:00+00:00"));
            for at in 0..der.len() {
                end_of_certificate(&der[..at]);
            }
        }
        assert_eq!(end_of_certificate(b"no certificate"), None);
    }
}
