//! A small DNS server on UDP: answers from a zone, and misbehaves where the zone says so.

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, MX, PTR, TXT},
    },
};
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

#[derive(Clone)]
enum Entry {
    Data(RData),
    /// Answers SERVFAIL.
    Fails,
    /// Does not answer.
    Silent,
}

/// Names, without their last dot, and what is there.
#[derive(Clone, Default)]
pub struct Zone(Vec<(String, Entry)>);

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

fn key(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

impl Zone {
    fn with(mut self, at: &str, entry: Entry) -> Self {
        self.0.push((at.to_owned(), entry));
        self
    }

    /// One TXT record of these strings.
    pub fn txt(self, at: &str, strings: &[&str]) -> Self {
        self.with(at, Entry::Data(RData::TXT(TXT::new(strings.iter().map(ToString::to_string).collect()))))
    }

    pub fn mx(self, at: &str, server: &str) -> Self {
        self.with(at, Entry::Data(RData::MX(MX::new(10, name(server)))))
    }

    pub fn address(self, at: &str, address: &str) -> Self {
        let data = match address.parse().unwrap() {
            IpAddr::V4(it) => RData::A(A(it)),
            IpAddr::V6(it) => RData::AAAA(AAAA(it)),
        };
        self.with(at, Entry::Data(data))
    }

    pub fn reverse(self, address: &str, to: &str) -> Self {
        let at = key(&Name::from(address.parse::<IpAddr>().unwrap()));
        self.with(&at, Entry::Data(RData::PTR(PTR(name(to)))))
    }

    pub fn cname(self, at: &str, to: &str) -> Self {
        self.with(at, Entry::Data(RData::CNAME(CNAME(name(to)))))
    }

    /// SERVFAIL at this name, whatever else is there.
    pub fn fails(self, at: &str) -> Self {
        self.without(at).with(at, Entry::Fails)
    }

    /// No answer at this name, whatever else is there.
    pub fn silent(self, at: &str) -> Self {
        self.without(at).with(at, Entry::Silent)
    }

    pub fn without(mut self, at: &str) -> Self {
        self.0.retain(|(known, _)| known != at);
        self
    }

    /// `None`: silence.
    fn answer(&self, request: &Message) -> Option<Message> {
        let query = request.queries.first()?.clone();
        let (asked, kind) = (query.name().clone(), query.query_type());
        let mut reply = Message::response(request.metadata.id, OpCode::Query);
        (reply.metadata.recursion_desired, reply.metadata.recursion_available) = (true, true);
        reply.add_query(query);
        let mut at = asked;
        loop {
            let text = key(&at);
            let here: Vec<_> = self.0.iter().filter(|(known, _)| *known == text).map(|(_, entry)| entry).collect();
            let (mut records, mut alias) = (Vec::new(), None);
            for entry in &here {
                match entry {
                    Entry::Silent => return None,
                    Entry::Fails => {
                        reply.metadata.response_code = ResponseCode::ServFail;
                        return Some(reply);
                    }
                    Entry::Data(RData::CNAME(to)) if kind != RecordType::CNAME => alias = Some(to.0.clone()),
                    Entry::Data(data) if data.record_type() == kind => {
                        records.push(Record::from_rdata(at.clone(), 60, data.clone()));
                    }
                    Entry::Data(_) => {}
                }
            }
            if let Some(to) = alias {
                reply.add_answer(Record::from_rdata(at, 60, RData::CNAME(CNAME(to.clone()))));
                at = to;
                continue;
            }
            let is_above = self.0.iter().any(|(known, _)| known.ends_with(&format!(".{text}")));
            if here.is_empty() && !is_above {
                reply.metadata.response_code = ResponseCode::NXDomain;
            }
            records.into_iter().for_each(|record| {
                reply.add_answer(record);
            });
            return Some(reply);
        }
    }
}

/// The server; it ends when it is dropped.
pub struct DnsServer {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DnsServer {
    pub fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (address, is_over) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !ends.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let Ok(request) = Message::from_vec(&buffer[..length]) else { continue };
                if let Some(reply) = zone.answer(&request) {
                    socket.send_to(&reply.to_vec().unwrap(), from).unwrap();
                }
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
