//! Asking one resolver one question, and reading the answer strictly.
//!
//! Messages, sockets, retransmission and the checks against forged answers are hickory's. Its cache
//! and its own answers for special names (`localhost`, `.invalid`) are left out on purpose: an answer
//! that no resolver gave is not an observation. What counts as "no such name" is decided here, after
//! RFC 2308, and anything that is not clearly an answer is blindness.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender};
use hickory_resolver::proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Message, MessageType, Query, ResponseCode,
};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::{Instant, timeout_at};

use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;

/// How long to wait for an answer before the question is sent again. Four or five packets fit into
/// the default deadline of 4.8 s.
const RETRANSMIT_MS: u64 = 1_000;

/// How many times the question is sent again at most.
const RETRANSMITS: u8 = 6;

/// How much later than its own parts the whole exchange is given up.
const LATE: Duration = Duration::from_millis(50);

/// How many questions one chain of aliases may cost, where the resolver does not follow it itself.
const MAX_CHASES: usize = 8;

/// How many aliases one answer may hold before it is called an error.
const MAX_ALIASES: usize = 32;

/// The resolvers of the operating system, in its order.
///
/// # Errors
/// The system's own text, where its configuration cannot be read or names no resolver.
pub fn system_resolvers() -> Result<Vec<SocketAddr>, String> {
    let (config, _) =
        hickory_resolver::system_conf::read_system_conf().map_err(|error| error.to_string())?;
    let mut resolvers = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(53, |c| c.port);
        let resolver = SocketAddr::new(server.ip, port);
        if !resolvers.contains(&resolver) {
            resolvers.push(resolver);
        }
    }
    if resolvers.is_empty() {
        return Err("the system's configuration names no resolver".to_owned());
    }
    Ok(resolvers)
}

/// Asks `resolver` for the addresses of `name` (ASCII, without a trailing dot) in one family.
///
/// Never fails: what went wrong is in the answer, as blindness. The whole takes at most `timeout`,
/// retransmissions, a change to TCP after truncation and the following of aliases included.
pub async fn lookup(
    resolver: SocketAddr,
    name: &str,
    family: Family,
    timeout: Duration,
) -> NameQuery {
    let started = Instant::now();
    let (answer, cnames) = follow(resolver, name, family, started + timeout).await;
    NameQuery {
        resolver: resolver.to_string(),
        authority: None,
        record: family.record().to_owned(),
        family: Some(family),
        answer,
        cnames,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

async fn follow(
    resolver: SocketAddr,
    name: &str,
    family: Family,
    deadline: Instant,
) -> (NameAnswer, Vec<String>) {
    let mut aliases = Vec::new();
    let Ok(mut name) = Name::from_ascii(format!("{name}.")) else {
        return (NameAnswer::Blind(Blind::ResolverError), aliases);
    };
    for _ in 0..MAX_CHASES {
        let reading = match ask(resolver, &name, family, deadline).await {
            Ok(response) => read(&name, family, &response),
            Err(blind) => Reading::Answer(NameAnswer::Blind(blind), Vec::new()),
        };
        match reading {
            Reading::Answer(answer, more) => {
                aliases.extend(more);
                return (answer, aliases);
            }
            Reading::Chase(next, more) => {
                aliases.extend(more);
                name = next;
            }
        }
    }
    (NameAnswer::Blind(Blind::ResolverError), aliases)
}

async fn ask(
    resolver: SocketAddr,
    name: &Name,
    family: Family,
    deadline: Instant,
) -> Result<DnsResponse, Blind> {
    let record = match family {
        Family::Ipv4 => RecordType::A,
        Family::Ipv6 => RecordType::AAAA,
    };
    let request = DnsRequest::from_query(
        Query::query(name.clone(), record),
        DnsRequestOptions::default(),
    );
    let exchange = async {
        let left = deadline.saturating_duration_since(Instant::now());
        let response = ask_udp(resolver, request.clone(), left).await?;
        if !response.truncation {
            return Ok(response);
        }
        // Whatever keeps TCP from bringing the rest: a part is there, and the whole is not to be had.
        match timeout_at(deadline, ask_tcp(resolver, request, left)).await {
            Ok(Ok(response)) if !response.truncation => Ok(response),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(Blind::ResolverTruncated),
        }
    };
    // UDP has the same deadline by itself; this one is for what a forged flood might keep busy.
    timeout_at(deadline + LATE, exchange)
        .await
        .unwrap_or(Err(Blind::ResolverTimeout))
}

async fn ask_udp(
    resolver: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, Blind> {
    let mut stream = UdpClientStream::builder(resolver, TokioRuntimeProvider::default())
        .with_timeout(Some(timeout))
        .with_max_retries(RETRANSMITS)
        .with_retry_interval_floor(RETRANSMIT_MS)
        .build();
    let answer = stream.send_message(request).next().await;
    answer
        .unwrap_or(Err(NetError::Timeout))
        .map_err(|error| blindness(&error))
}

async fn ask_tcp(
    resolver: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, Blind> {
    let provider = TokioRuntimeProvider::default();
    // The provider owns the task that carries the exchange: when it is dropped, so is the answer.
    let exchange = TcpClientStream::exchange(resolver, None, timeout, None, provider.clone())
        .await
        .map_err(|error| blindness(&error))?;
    let answer = exchange.send(request).next().await;
    drop(provider);
    answer
        .unwrap_or(Err(NetError::Timeout))
        .map_err(|error| blindness(&error))
}

/// What a failed exchange means. A resolver that cannot be spoken to is never an answer.
fn blindness(error: &NetError) -> Blind {
    match error {
        NetError::Timeout => Blind::ResolverTimeout,
        NetError::Truncated => Blind::ResolverTruncated,
        _ => Blind::ResolverError,
    }
}

/// What one response says.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    /// The answer, and the aliases on the way.
    Answer(NameAnswer, Vec<String>),
    /// The response ends with an alias that the resolver did not follow.
    Chase(Name, Vec<String>),
}

fn read(asked: &Name, family: Family, message: &Message) -> Reading {
    let blind = |cause| Reading::Answer(NameAnswer::Blind(cause), Vec::new());
    if message.message_type != MessageType::Response {
        return blind(Blind::ResolverError);
    }
    let exists = match message.response_code {
        ResponseCode::NoError => true,
        ResponseCode::NXDomain => false,
        ResponseCode::ServFail => return blind(Blind::ResolverServfail),
        ResponseCode::Refused => return blind(Blind::ResolverRefused),
        _ => return blind(Blind::ResolverError),
    };
    let Some((last, aliases)) = chain(asked, message) else {
        return blind(Blind::ResolverError);
    };
    let addresses = addresses(&last, family, message);
    // 0.0.0.0 and :: lead nowhere; blocklists answer so for names that do exist.
    if addresses.iter().any(IpAddr::is_unspecified) {
        return Reading::Answer(NameAnswer::Blind(Blind::ResolverWithholds), aliases);
    }
    if !addresses.is_empty() {
        return Reading::Answer(NameAnswer::Addresses(addresses), aliases);
    }
    // RFC 2308 section 2.1: the code speaks of the last name of the chain.
    if !exists {
        return Reading::Answer(NameAnswer::NxDomain, aliases);
    }
    let has = |record| {
        message
            .authorities
            .iter()
            .any(|r| r.record_type() == record)
    };
    if has(RecordType::SOA) {
        Reading::Answer(NameAnswer::NoData, aliases)
    } else if has(RecordType::NS) {
        // RFC 2308 section 2.2: NS without SOA is a referral. This server does not know.
        Reading::Answer(NameAnswer::Blind(Blind::ResolverError), aliases)
    } else if aliases.is_empty() {
        Reading::Answer(NameAnswer::NoData, aliases)
    } else {
        Reading::Chase(last, aliases)
    }
}

/// The end of the chain of aliases that begins with `asked`, and the names on the way, or `None` if
/// it goes round in a circle or on for too long.
fn chain(asked: &Name, message: &Message) -> Option<(Name, Vec<String>)> {
    let mut last = asked.clone();
    let mut aliases = Vec::new();
    loop {
        let next = message
            .answers
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == last => Some(target.0.clone()),
                _ => None,
            });
        match next {
            None => return Some((last, aliases)),
            Some(_) if aliases.len() == MAX_ALIASES => return None,
            Some(next) => {
                aliases.push(plain(&next));
                last = next;
            }
        }
    }
}

/// The addresses of `owner`, sorted and without doubles.
fn addresses(owner: &Name, family: Family, message: &Message) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = message
        .answers
        .iter()
        .filter(|record| record.name == *owner)
        .filter_map(|record| match (&record.data, family) {
            (RData::A(address), Family::Ipv4) => Some(IpAddr::V4(address.0)),
            (RData::AAAA(address), Family::Ipv6) => Some(IpAddr::V6(address.0)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The name without its trailing dot. hickory escapes what is not printable.
fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::OpCode;
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, NS, SOA};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn response(code: ResponseCode) -> Message {
        let mut message = Message::response(7, OpCode::Query);
        message.metadata.response_code = code;
        message
    }

    fn record(owner: &str, data: RData) -> Record {
        Record::from_rdata(name(owner), 60, data)
    }

    fn cname(owner: &str, target: &str) -> Record {
        record(owner, RData::CNAME(CNAME(name(target))))
    }

    fn soa() -> Record {
        let soa = SOA::new(name("ns.example."), name("admin.example."), 1, 2, 3, 4, 5);
        record("example.", RData::SOA(soa))
    }

    fn answer(message: &Message) -> NameAnswer {
        match read(&name("a.example."), Family::Ipv4, message) {
            Reading::Answer(answer, _) => answer,
            Reading::Chase(next, _) => panic!("chases {next}"),
        }
    }

    #[test]
    fn addresses_at_the_end_of_the_chain_are_taken_and_strangers_are_not() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "b.example."));
        message.add_answer(record("b.example.", RData::A(A::new(192, 0, 2, 2))));
        message.add_answer(record("b.example.", RData::A(A::new(192, 0, 2, 1))));
        message.add_answer(record("other.example.", RData::A(A::new(192, 0, 2, 9))));
        let v6 = AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        message.add_answer(record("b.example.", RData::AAAA(v6)));
        assert_eq!(
            read(&name("a.example."), Family::Ipv4, &message),
            Reading::Answer(
                NameAnswer::Addresses(vec![
                    "192.0.2.1".parse().unwrap(),
                    "192.0.2.2".parse().unwrap()
                ]),
                vec!["b.example".to_owned()]
            )
        );
    }

    #[test]
    fn a_null_address_is_no_answer() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(record("a.example.", RData::A(A::new(0, 0, 0, 0))));
        let withheld = NameAnswer::Blind(Blind::ResolverWithholds);
        assert_eq!(answer(&message), withheld);
        message.add_answer(record("a.example.", RData::A(A::new(20, 0, 0, 1))));
        assert_eq!(answer(&message), withheld);
    }

    #[test]
    fn each_response_code_has_its_own_word() {
        for (code, expected) in [
            (ResponseCode::NXDomain, NameAnswer::NxDomain),
            (
                ResponseCode::ServFail,
                NameAnswer::Blind(Blind::ResolverServfail),
            ),
            (
                ResponseCode::Refused,
                NameAnswer::Blind(Blind::ResolverRefused),
            ),
            (
                ResponseCode::NotImp,
                NameAnswer::Blind(Blind::ResolverError),
            ),
            (
                ResponseCode::FormErr,
                NameAnswer::Blind(Blind::ResolverError),
            ),
        ] {
            assert_eq!(answer(&response(code)), expected, "{code:?}");
        }
    }

    #[test]
    fn no_data_is_told_from_a_referral() {
        let mut message = response(ResponseCode::NoError);
        assert_eq!(answer(&message), NameAnswer::NoData);
        message.add_authority(record("example.", RData::NS(NS(name("ns.example.")))));
        assert_eq!(answer(&message), NameAnswer::Blind(Blind::ResolverError));
        message.add_authority(soa());
        assert_eq!(answer(&message), NameAnswer::NoData);
    }

    #[test]
    fn an_alias_that_was_not_followed_is_chased_and_never_read_as_no_data() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "elsewhere.test."));
        assert_eq!(
            read(&name("a.example."), Family::Ipv4, &message),
            Reading::Chase(name("elsewhere.test."), vec!["elsewhere.test".to_owned()])
        );
    }

    #[test]
    fn a_circle_of_aliases_is_no_answer() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "b.example."));
        message.add_answer(cname("b.example.", "a.example."));
        assert_eq!(answer(&message), NameAnswer::Blind(Blind::ResolverError));
    }

    #[test]
    fn nxdomain_at_the_end_of_an_alias_keeps_the_alias() {
        let mut message = response(ResponseCode::NXDomain);
        message.add_answer(cname("a.example.", "gone.example."));
        assert_eq!(
            read(&name("a.example."), Family::Ipv4, &message),
            Reading::Answer(NameAnswer::NxDomain, vec!["gone.example".to_owned()])
        );
    }

    #[test]
    fn a_query_sent_back_is_no_answer() {
        let mut message = response(ResponseCode::NXDomain);
        message.metadata.message_type = MessageType::Query;
        assert_eq!(answer(&message), NameAnswer::Blind(Blind::ResolverError));
    }
}
