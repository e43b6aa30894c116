//! The HTTP client and the sources, against a misbehaving site. The ids are those of the fault list.

use crate::support::web;

mod client;
mod databases;
mod hostile;
mod listings;
mod news;
mod sources;

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use crate::support::web::Web;
use semainier::collect::fetch::{AllowedHosts, FetchLimits, Fetcher, KnownNames};

/// Small and impatient, so that what never ends ends soon.
fn short() -> FetchLimits {
    FetchLimits {
        connect: Duration::from_secs(5),
        idle: Duration::from_millis(150),
        total: Duration::from_millis(400),
        max_bytes: 64 << 10,
        max_redirects: 3,
    }
}

/// Patient: where an answer is expected, a busy machine must not make it an error.
fn patient() -> FetchLimits {
    FetchLimits { idle: Duration::from_secs(20), total: Duration::from_secs(20), ..short() }
}

/// A client that may go to `web`, and to no other local place. Made once for each: it reads every root certificate
/// of the machine, which is most of what a small test would cost.
fn fetcher_for(web: &Web, limits: FetchLimits) -> Fetcher {
    static MADE: Mutex<Vec<(String, FetchLimits, Fetcher)>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap();
    if let Some((_, _, fetcher)) = made.iter().find(|(host, other, _)| *host == web.host() && *other == limits) {
        return fetcher.clone();
    }
    let fetcher = Fetcher::new(limits, web.host().parse().unwrap(), "semainier-test").unwrap();
    made.push((web.host(), limits, fetcher.clone()));
    fetcher
}

/// A client that may go to every site of this machine: enough where nobody is to be refused.
fn local_fetcher() -> &'static Fetcher {
    static MADE: LazyLock<Fetcher> =
        LazyLock::new(|| Fetcher::new(patient(), "127.0.0.1".parse().unwrap(), "semainier-test").unwrap());
    &MADE
}

/// A client for which these names are on this machine; `allowed` as in the configuration.
fn fetcher_with_names(names: &[&str], allowed: &str) -> Fetcher {
    let here: IpAddr = [127, 0, 0, 1].into();
    let names: KnownNames = names.iter().map(|name| ((*name).to_owned(), vec![here])).collect();
    let allowed: AllowedHosts = allowed.parse().unwrap();
    Fetcher::with_names(patient(), allowed, "semainier-test", names).unwrap()
}
