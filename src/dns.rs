//! Questions to the DNS: the only module that names `hickory_resolver`. Asks the DNS alone, never a file of hosts, and tells a
//! record that does not exist from a DNS that does not answer.

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// For one question, with its retries.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// For one datagram.
const FIRST_TRY: Duration = Duration::from_millis(2_400);

/// Why there is no answer to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists, without a record of this type.
    NoSuchRecord,
    /// The DNS said so, or nothing: whether there is a record is not known.
    Failed(String),
}

impl NoAnswer {
    /// Whether it is certain that there is no record.
    pub fn is_certain(&self) -> bool {
        !matches!(self, NoAnswer::Failed(_))
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::NoSuchName => f.write_str("the name does not exist (NXDOMAIN)"),
            NoAnswer::NoSuchRecord => f.write_str("there is no such record"),
            NoAnswer::Failed(why) => write!(f, "the DNS does not answer ({why})"),
        }
    }
}

/// A resolver.
#[derive(Clone)]
pub struct Dns(TokioResolver);

impl Dns {
    /// Asks the name servers of the system, or this one.
    ///
    /// # Errors
    /// When the system's settings cannot be read.
    pub fn new(nameserver: Option<SocketAddr>) -> Result<Self, String> {
        let mut builder = match nameserver {
            None => TokioResolver::builder_tokio().map_err(|why| why.to_string())?,
            Some(address) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                connections.iter_mut().for_each(|connection| connection.port = address.port());
                let server = NameServerConfig::new(address.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (FIRST_TRY, 1);
        options.use_hosts_file = ResolveHosts::Never;
        builder.build().map(Self).map_err(|why| why.to_string())
    }

    /// The texts of all TXT records, each with its strings joined.
    ///
    /// # Errors
    /// There is none, or the DNS does not answer.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, text).await
    }

    /// Mail servers by preference; the name without its last dot, so that of a null MX is empty.
    ///
    /// # Errors
    /// There is none, or the DNS does not answer.
    pub async fn mail_servers(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let server = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, plain(&mx.exchange))),
            _ => None,
        };
        let mut servers = self.ask(name, RecordType::MX, server).await?;
        servers.sort();
        Ok(servers.into_iter().map(|(_, name)| name).collect())
    }

    /// IPv4 addresses before IPv6 addresses.
    ///
    /// # Errors
    /// There is none of either kind, or the DNS does not answer.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        let address = |data: &RData| match data {
            RData::A(it) => Some(IpAddr::from(it.0)),
            RData::AAAA(it) => Some(IpAddr::from(it.0)),
            _ => None,
        };
        let (four, six) =
            tokio::join!(self.ask(name, RecordType::A, address), self.ask(name, RecordType::AAAA, address));
        match (four, six) {
            (Ok(four), six) => Ok(four.into_iter().chain(six.unwrap_or_default()).collect()),
            (Err(_), Ok(six)) => Ok(six),
            (Err(four), Err(six)) => Err(if four.is_certain() { six } else { four }),
        }
    }

    /// The names that an address has (PTR).
    ///
    /// # Errors
    /// There is none, or the DNS does not answer.
    pub async fn names_of(&self, address: IpAddr) -> Result<Vec<String>, NoAnswer> {
        let name = |data: &RData| match data {
            RData::PTR(ptr) => Some(plain(&ptr.0)),
            _ => None,
        };
        self.ask(&Name::from(address).to_ascii(), RecordType::PTR, name).await
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, NoAnswer> {
        let mut asked = Name::from_ascii(name).map_err(|why| NoAnswer::Failed(format!("{name} is no name: {why}")))?;
        asked.set_fqdn(true);
        let answer = match timeout(PATIENCE, self.0.lookup(asked, kind)).await {
            Err(_) => return Err(NoAnswer::Failed(format!("no answer within {} s", PATIENCE.as_secs()))),
            Ok(Err(error)) => return Err(of_error(&error)),
            Ok(Ok(answer)) => answer,
        };
        let found: Vec<T> = answer.answers().iter().filter_map(|record| read(&record.data)).collect();
        if found.is_empty() { Err(NoAnswer::NoSuchRecord) } else { Ok(found) }
    }
}

fn of_error(error: &NetError) -> NoAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => NoAnswer::NoSuchName,
            ResponseCode::NoError => NoAnswer::NoSuchRecord,
            other => NoAnswer::Failed(format!("it says {other}")),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => NoAnswer::Failed(format!("it says {code}")),
        NetError::Timeout => NoAnswer::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
        other => NoAnswer::Failed(other.to_string()),
    }
}

/// In lower case, without the last dot.
fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}
