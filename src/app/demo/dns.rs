//! A tiny name server for the demo: a few names, all on 127.0.0.1, and nothing else exists.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// How long its answers may be kept, in seconds.
const TTL: u32 = 60;

/// A name server on loopback; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    _task: JoinSet<()>,
}

impl NameServer {
    /// Starts a server that knows `names` (ASCII, without a trailing dot).
    pub(super) async fn start(names: &[&str]) -> io::Result<Self> {
        let names: Vec<Name> = names
            .iter()
            .map(|name| Name::from_ascii(format!("{name}.")))
            .collect::<Result<_, _>>()
            .map_err(io::Error::other)?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut buffer = vec![0; 4096];
            loop {
                let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
                    continue;
                };
                let question = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = answer(&names, question) {
                    // Whoever asked may be gone by now.
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        Ok(Self {
            address,
            _task: task,
        })
    }
}

fn answer(names: &[Name], question: &[u8]) -> Option<Vec<u8>> {
    let request = Message::from_vec(question).ok()?;
    let query = request.queries.first()?.clone();
    if request.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::response(request.id, OpCode::Query);
    response.metadata.recursion_desired = request.recursion_desired;
    response.metadata.recursion_available = true;
    if !names.contains(query.name()) {
        response.metadata.response_code = ResponseCode::NXDomain;
        response.add_authority(soa());
    } else if query.query_type() == RecordType::A {
        let address = RData::A(A::from(Ipv4Addr::LOCALHOST));
        response.add_answer(Record::from_rdata(query.name().clone(), TTL, address));
    } else {
        response.add_authority(soa());
    }
    response.add_query(query);
    response.to_vec().ok()
}

fn soa() -> Record {
    let root = Name::root();
    let soa = SOA::new(root.clone(), root.clone(), 1, 3600, 600, 86400, 60);
    Record::from_rdata(root, TTL, RData::SOA(soa))
}
