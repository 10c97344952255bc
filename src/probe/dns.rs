//! Asking one name server one question, and reading the answer strictly (`read`).
//!
//! Messages, sockets, retransmission and the checks against forged answers are hickory's. Its cache
//! and its own answers for special names (`localhost`, `.invalid`) are left out on purpose: an answer
//! that no resolver gave is not an observation. Anything that is not clearly an answer is blindness.
//!
//! A resolver is asked to find out. One of a zone's own servers is asked without recursion (RFC 1034
//! section 4.3.1) and believed only where it says that it speaks for the zone (AA set).
//!
//! Every question has EDNS (RFC 6891): without it a server may not say that its answer is filtered.
//!
//! Limits: no DNSSEC; a forged answer that guesses port and number passes.

mod read;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::{Instant, timeout_at};

use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;
use crate::domain::record::Record;

use super::classify;
use read::{Reading, read};

/// How long to wait for an answer before the question is sent again. Four or five packets fit into
/// the default deadline of 4.8 s.
const RETRANSMIT_MS: u64 = 1_000;

/// How many times the question is sent again at most.
const RETRANSMITS: u8 = 6;

/// How much later than its own parts the whole exchange is given up.
const LATE: Duration = Duration::from_millis(50);

/// How many questions one chain of aliases may cost, where the resolver does not follow it itself.
const MAX_CHASES: usize = 8;

/// What is asked of a name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The name in ASCII, without a trailing dot; empty for the root.
    pub name: &'a str,
    /// The type of record.
    pub record: Record,
    /// The name of the server, where it is one of the zone's own; none for a resolver.
    pub authority: Option<&'a str>,
}

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

/// Asks `server`.
///
/// Never fails: what went wrong is in the answer, as blindness. The whole takes at most `timeout`,
/// retransmissions, a change to TCP after truncation and the following of aliases included.
///
/// Where one of the zone's own servers gives an alias and not its end, the answer is blind and holds
/// the alias: what lies behind it is for the resolvers to say.
pub async fn lookup(server: SocketAddr, question: &Question<'_>, timeout: Duration) -> NameQuery {
    let started = Instant::now();
    let (answer, cnames) = follow(server, question, started + timeout).await;
    NameQuery {
        resolver: server.to_string(),
        authority: question.authority.map(str::to_owned),
        record: question.record.to_string(),
        family: question.record.family(),
        answer,
        cnames,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

async fn follow(
    server: SocketAddr,
    question: &Question<'_>,
    deadline: Instant,
) -> (NameAnswer, Vec<String>) {
    let mut aliases = Vec::new();
    let Ok(mut name) = Name::from_ascii(format!("{}.", question.name)) else {
        return (NameAnswer::Blind(Blind::ResolverError), aliases);
    };
    for _ in 0..MAX_CHASES {
        let reading = match ask(server, &name, question, deadline).await {
            Ok(response) => read(&name, question, &response),
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
        if question.authority.is_some() {
            break;
        }
    }
    (NameAnswer::Blind(Blind::ResolverError), aliases)
}

async fn ask(
    server: SocketAddr,
    name: &Name,
    question: &Question<'_>,
    deadline: Instant,
) -> Result<DnsResponse, Blind> {
    let mut options = DnsRequestOptions::default();
    options.recursion_desired = question.authority.is_none();
    let record = RecordType::from(question.record.code());
    let request = DnsRequest::from_query(Query::query(name.clone(), record), options);
    let own = question.authority.is_some();
    let exchange = async {
        let left = deadline.saturating_duration_since(Instant::now());
        let response = ask_udp(server, request.clone(), left)
            .await
            .map_err(|error| blindness(&error, own))?;
        if !response.truncation {
            return Ok(response);
        }
        // Whatever keeps TCP from bringing the rest: a part is there, and the whole is not to be had.
        match timeout_at(deadline, ask_tcp(server, request, left)).await {
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
    server: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, NetError> {
    let mut stream = UdpClientStream::builder(server, TokioRuntimeProvider::default())
        .with_timeout(Some(timeout))
        .with_max_retries(RETRANSMITS)
        .with_retry_interval_floor(RETRANSMIT_MS)
        .build();
    let answer = stream.send_message(request).next().await;
    answer.unwrap_or(Err(NetError::Timeout))
}

async fn ask_tcp(
    server: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, NetError> {
    let provider = TokioRuntimeProvider::default();
    // The provider owns the task that carries the exchange: when it is dropped, so is the answer.
    let exchange = TcpClientStream::exchange(server, None, timeout, None, provider.clone()).await?;
    let answer = exchange.send(request).next().await;
    drop(provider);
    answer.unwrap_or(Err(NetError::Timeout))
}

/// What a failed exchange means. A server that cannot be spoken to is never an answer. Of a zone's own
/// servers it matters whether the failure is this machine's: they live on both families, and a
/// machine without IPv6 is no reason to doubt what the same server said over IPv4.
fn blindness(error: &NetError, own: bool) -> Blind {
    match error {
        NetError::Timeout => Blind::ResolverTimeout,
        NetError::Truncated => Blind::ResolverTruncated,
        NetError::Io(error) if own => classify::local(error).unwrap_or(Blind::ResolverError),
        _ => Blind::ResolverError,
    }
}
