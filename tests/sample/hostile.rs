//! A round in which everything that somebody else chose attacks the format it is shown in.

use noentry::domain::endpoint::{Family, Transport};
use noentry::domain::finding::{Finding, NameAnswer, NameVerdict, Note};
use noentry::domain::observation::{
    Evidence, QuicEvidence, StoppedBy, TcpEvidence, UdpAnswer, UdpEvidence,
};
use noentry::domain::reach::{Layer, Reach};
use noentry::domain::report::{
    Coverage, Egress, Outside, ResolverReport, RoundReport, Sees, Side, Surface, Watch,
};
use noentry::domain::target::{Barrier, Denial};
use noentry::domain::verdict::{Reason, RestsOn, Verdict};
use noentry::domain::way::PortProof;

use super::{
    certificate, control, endpoint, http, of, past, silent, stopped, target, times, unsure, with,
};

const BANNER: &str = "\0\u{1b}[2J\u{ffff}]]></failure></testcase><testcase name=\"forged\" \
                  classname=\"noentry-url\"/><!-- \u{202e}evil\u{200b} ::error::x ##[error]y \
                  `x` | @octocat #1 ![i](https://evil.example/i.png) <img src=x onerror=y>\r\n\
                  ::set-output name=verdict::blocked\n##[command]z";

/// Everything that a server chooses is this text.
fn evidence(banner: &str) -> Evidence {
    let mut certificate = certificate("x");
    if let Some(own) = &mut certificate.certificate {
        own.names = vec![banner.to_owned()];
        banner.clone_into(&mut own.issuer);
        own.not_after = Some(banner.to_owned());
    }
    let mut answer = http(
        200,
        &[("server", banner), ("location", banner), ("via", banner)],
        Some(banner),
    );
    answer.unmet = Some(banner.to_owned());
    banner.clone_into(&mut answer.version);
    Evidence {
        stopped_by: Some(StoppedBy::NotHttp {
            first_bytes: banner.to_owned(),
        }),
        tls: Some(certificate),
        http: Some(answer),
        tcp: Some(TcpEvidence {
            syns: u8::MAX,
            banner: Some(banner.to_owned()),
            middlebox: vec![],
        }),
        udp: Some(UdpEvidence {
            payload: banner.to_owned(),
            sent: u32::MAX,
            answer: Some(UdpAnswer {
                bytes: u32::MAX,
                first_bytes: banner.to_owned(),
                expected: false,
                says: Some(banner.to_owned()),
            }),
        }),
        quic: Some(QuicEvidence {
            versions: vec![banner.to_owned(), banner.to_owned()],
            handshake: true,
            closed: Some(banner.to_owned()),
        }),
    }
}

/// A finding whose every text is an attack on the format it is shown in.
fn finding() -> Finding {
    let banner = BANNER;
    let mut finding = target(
        &format!("::warning::{banner}"),
        "url",
        &format!("https://evil.example/{banner}"),
        443,
        99,
    );
    finding.target.barrier = Barrier::Http;
    finding.target.denial = Denial::all_of(Barrier::Http);
    finding.target.denial.http.body = Some(banner.to_owned());
    banner.clone_into(&mut finding.target.position.file);
    let mut other = endpoint(
        "20.9.9.8",
        443,
        unsure(Reason::ControlLost {
            control: banner.to_owned(),
        }),
        times(
            1,
            Reach::TlsEstablished,
            stopped(StoppedBy::NotHttp {
                first_bytes: banner.to_owned(),
            }),
        ),
    );
    other.rests_on = Some(RestsOn {
        control: banner.to_owned(),
        port: PortProof::Control,
        own_path: true,
    });
    let mut finding = with(
        finding,
        vec![
            endpoint(
                "20.9.9.9",
                443,
                past(),
                times(1, Reach::Served, evidence(banner)),
            ),
            other,
        ],
    );
    for query in &mut finding.name.as_mut().unwrap().queries {
        query.cnames = vec![banner.to_owned()];
        query.authority = Some(banner.to_owned());
        query.answer = NameAnswer::Records(vec![banner.to_owned()]);
        banner.clone_into(&mut query.resolver);
        banner.clone_into(&mut query.record);
    }
    finding.target.payload = Some(banner.to_owned());
    finding.notes = vec![Note::DanglingAlias, Note::PossiblyMiddlebox];
    finding.name_verdicts = vec![NameVerdict {
        verdict: Verdict::Inconclusive,
        reason: Reason::SilenceTellsNothing {
            because: banner.to_owned(),
        },
        reach: None,
        rests_on: None,
        families: Family::ALL.to_vec(),
    }];
    finding
}

/// A round whose every text is hostile.
pub fn round() -> RoundReport {
    let finding = finding();
    let text = finding.target.name.clone();
    let mut report = of(vec![finding, silent()]);
    report.vantage.name = Some(text.clone());
    report.vantage.environment.clone_from(&text);
    report.vantage.system.clone_from(&text);
    report.config.clone_from(&text);
    report.noentry.clone_from(&text);
    let mut control = control();
    control.name.clone_from(&text);
    control.targets = vec![text.clone()];
    report.controls.push(control);
    report.vantage.sees = vec![Sees {
        transport: Transport::Udp,
        family: Family::Ipv6,
        layer: Layer::Http,
        control: text.clone(),
    }];
    report.vantage.egress = vec![Egress {
        family: Family::Ipv4,
        asked: text.clone(),
        address: None,
        error: Some(text.clone()),
    }];
    report.vantage.outside = Some(Outside {
        must_not_reach: text.clone(),
        side: Side::Outside,
        checks: vec![],
    });
    report.coverage = vec![Coverage {
        surface: Surface::Http3,
        family: None,
        watch: Watch::NotWatchable,
        reason: Some(Reason::Inside {
            reached: text.clone(),
        }),
        targets: vec![text.clone(), text.clone()],
    }];
    report.resolvers.push(ResolverReport {
        resolver: text,
        invents: true,
    });
    report
}
