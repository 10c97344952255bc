//! Where the outside sees us come from, by the echo that the user named.
//!
//! It proves nothing about any target, and no verdict rests on it: it is written into the report, so
//! that a reader knows from where the round looked.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;

use super::names::{Asking, Names, union};
use super::schedule::Course;
use super::world::World;
use crate::domain::endpoint::Family;
use crate::domain::finding::NameAnswer;
use crate::domain::observation::Blind;
use crate::domain::record::Record;
use crate::domain::report::Egress;
use crate::domain::target::{Echo, Host, Url};
use crate::probe::dns::Question;
use crate::probe::egress::{EchoError, PATIENCE, address_in};

/// Asks the echo, if there is one: each name server over its own family, a page over each family that
/// its host has.
pub(crate) async fn ask<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    echo: Option<&Echo>,
) -> Vec<Egress> {
    match echo {
        None => Vec::new(),
        Some(Echo::Dns {
            name,
            record,
            servers,
        }) => {
            let all = servers.iter().map(|server| async move {
                let family = Family::of(server.ip());
                let record = record.unwrap_or(Record::of(family));
                let asking = ask_server(course, *server, name, record);
                told(family, server.to_string(), course.stop.or(asking).await)
            });
            join_all(all).await
        }
        Some(Echo::Http(url)) => {
            let all = families(url).into_iter().map(|family| async move {
                let asking = tokio::time::timeout(PATIENCE, ask_page(course, names, url, family));
                let said = course.stop.or(asking).await;
                let said = said.map(|said| said.unwrap_or(Err(EchoError::TimedOut.to_string())));
                told(family, url.text.clone(), said)
            });
            join_all(all).await
        }
    }
}

/// An entry of the report. `None` is a round that was ended meanwhile.
fn told(family: Family, asked: String, said: Option<Result<IpAddr, String>>) -> Egress {
    let said = said.unwrap_or_else(|| Err(Blind::Interrupted.to_string()));
    let (address, error) = match said {
        Ok(address) => (Some(address), None),
        Err(error) => (None, Some(error)),
    };
    Egress {
        family,
        asked,
        address,
        error,
    }
}

async fn ask_server<W: World>(
    course: &Course<'_, W>,
    server: SocketAddr,
    name: &str,
    record: Record,
) -> Result<IpAddr, String> {
    let question = Question {
        name,
        record,
        authority: None,
    };
    let query = course.world.lookup(server, &question, PATIENCE).await;
    match query.answer {
        NameAnswer::Addresses(all) => all.first().map(IpAddr::to_canonical),
        NameAnswer::Records(all) => all.iter().find_map(|text| address_in(text, None)),
        NameAnswer::NoData | NameAnswer::NxDomain => None,
        NameAnswer::Blind(cause) => return Err(cause.to_string()),
    }
    .ok_or_else(|| format!("no address in the answer about {record}"))
}

async fn ask_page<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    url: &Url,
    family: Family,
) -> Result<IpAddr, String> {
    let addresses = match &url.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => {
            let record = Record::of(family);
            let answers = names
                .shared(course, name, record, Asking::First, PATIENCE)
                .await;
            let found = union(answers.iter());
            let blind = answers.iter().find_map(|query| match query.answer {
                NameAnswer::Blind(cause) => Some(cause),
                NameAnswer::Addresses(_)
                | NameAnswer::Records(_)
                | NameAnswer::NoData
                | NameAnswer::NxDomain => None,
            });
            match (found.is_empty(), blind) {
                (false, _) => found,
                (true, Some(cause)) => return Err(cause.to_string()),
                (true, None) => return Err(format!("{name} has no {record} record")),
            }
        }
    };
    let said = course.world.echo(url, family, &addresses).await;
    said.map_err(|error| error.to_string())
}

/// The families over which a URL can be asked.
fn families(url: &Url) -> Vec<Family> {
    match &url.host {
        Host::Name(_) => Family::ALL.to_vec(),
        Host::Address(address) => vec![Family::of(*address)],
    }
}
