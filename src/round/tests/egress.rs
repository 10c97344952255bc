//! The echo that tells where the round looks from.

use super::*;
use crate::domain::record::Record;
use crate::domain::report::Egress;
use crate::domain::target::Echo;

fn page(host: Host) -> Echo {
    Echo::Http(Url {
        text: format!("http://{host}/ip"),
        https: false,
        authority: host.to_string(),
        host,
        port: 80,
        path: "/ip".to_owned(),
    })
}

async fn told(world: &Fake, echo: Echo) -> Vec<Egress> {
    let mut plan = plan(vec![target("db", tcp("5.5.5.5", 5432), Barrier::Network)]);
    plan.vantage.egress = Some(echo);
    let report = undisturbed(world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked, "no verdict rests on it");
    report.vantage.egress
}

fn entry(family: Family, asked: &str, said: Result<&str, &str>) -> Egress {
    Egress {
        family,
        asked: asked.to_owned(),
        address: said.ok().map(|address| address.parse().unwrap()),
        error: said.err().map(str::to_owned),
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_asked_once_a_family_at_the_addresses_that_the_resolvers_gave() {
    let world = named(Fake::new(only_control_answers)).name(
        "1.1.1.1",
        "echo.example",
        addresses(&["5.5.0.7"]),
    );
    let asked = "http://echo.example/ip";
    assert_eq!(
        told(&world, page(Host::Name("echo.example".to_owned()))).await,
        [
            entry(Family::Ipv4, asked, Ok("5.5.0.7")),
            entry(Family::Ipv6, asked, Err("echo.example has no AAAA record")),
        ]
    );
    let asked = "http://[2a00::7]/ip";
    assert_eq!(
        told(&world, page(Host::Address("2a00::7".parse().unwrap()))).await,
        [entry(Family::Ipv6, asked, Ok("2a00::7"))]
    );
    let world = Fake::new(only_control_answers).name(
        "1.1.1.1",
        "echo.example",
        NameAnswer::Blind(Blind::ResolverRefused),
    );
    let told = told(&world, page(Host::Name("echo.example".to_owned()))).await;
    let refused = "the resolver answered REFUSED";
    assert_eq!(told[0].error.as_deref(), Some(refused));
}

#[tokio::test(start_paused = true)]
async fn each_name_server_is_asked_over_its_own_family() {
    let mut world = Fake::new(only_control_answers);
    world.says = Box::new(|server, question| {
        assert_eq!(question.authority, None);
        let answer = match (server, question.record.family()) {
            ("6.6.6.1", Some(Family::Ipv4)) => addresses(&["5.5.0.7"]),
            ("2a00::6", Some(Family::Ipv6)) => addresses(&["2a00::7"]),
            ("6.6.6.2", Some(_)) => NameAnswer::Blind(Blind::ResolverTimeout),
            _ => return None,
        };
        Some((answer, Vec::new()))
    });
    let servers = ["6.6.6.1:53", "[2a00::6]:53", "6.6.6.2:53", "6.6.6.3:5353"];
    let echo = |record| Echo::Dns {
        name: "whoami.example".to_owned(),
        record,
        servers: servers.map(|server| server.parse().unwrap()).to_vec(),
    };
    assert_eq!(
        told(&world, echo(None)).await,
        [
            entry(Family::Ipv4, servers[0], Ok("5.5.0.7")),
            entry(Family::Ipv6, servers[1], Ok("2a00::7")),
            entry(
                Family::Ipv4,
                servers[2],
                Err("the resolver did not answer in time")
            ),
            entry(
                Family::Ipv4,
                servers[3],
                Err("no address in the answer about A")
            ),
        ]
    );

    let mut world = Fake::new(only_control_answers);
    world.says = Box::new(|server, question| {
        let text = match server {
            "6.6.6.1" => "5.5.0.7",
            "2a00::6" => "you are \"2a00::7\"",
            "6.6.6.2" => "\u{202e}",
            _ => return None,
        };
        let records = vec![text.to_owned(), "edns0-client-subnet 5.5.0.0/24".to_owned()];
        (question.record == Record::TXT).then_some((NameAnswer::Records(records), Vec::new()))
    });
    let told = told(&world, echo(Some(Record::TXT))).await;
    let addresses: Vec<_> = told.iter().map(|e| e.address).collect();
    let parse = |text: &str| text.parse().ok();
    assert_eq!(addresses, [parse("5.5.0.7"), parse("2a00::7"), None, None]);
}
