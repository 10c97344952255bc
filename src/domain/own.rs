//! Whether the answer of a `url` control is the control's own.
//!
//! A control proves the way to where it stands. What a gateway, a proxy or a portal on our own side says
//! in its name proves the opposite, and such a device may answer with the uplink cut. So an answer counts
//! only if nothing says that it is another's; over `https` the certificate must speak for the host too.
//!
//! Limits: a device that forges a certificate for the name, or that answers over plain `http` with a
//! page of which nothing is known, cannot be told from the control. 429 is the control's own word: the
//! way there is proven, however unwelcome we are.

use std::fmt;

use super::observation::{Caveat, CertificateFlaw, Evidence, HttpEvidence};

/// Why an answer is not taken for the control's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOwn {
    /// Nothing was kept of it.
    Unknown,
    /// A status with which a gateway speaks for itself (RFC 9110 sections 15.6.3 to 15.6.5).
    Gateway(u16),
    /// The word of a proxy or a captive portal (RFC 9110 section 15.5.8, RFC 6585 section 6).
    Proxy(u16),
    /// The page of a known web filter or proxy.
    Filtered,
    /// A bot challenge, which an edge gives without asking the server behind it.
    Challenged,
    /// Plain text came back where TLS was asked for.
    Plain,
    /// The certificate does not speak for the host.
    Certificate(CertificateFlaw),
}

/// Why the answer that an attempt saw is not the control's own; `None` if it is.
#[must_use]
pub fn not_own(evidence: Option<&Evidence>) -> Option<NotOwn> {
    let Some((evidence, http)) = evidence.and_then(|e| Some((e, e.http.as_ref()?))) else {
        return Some(NotOwn::Unknown);
    };
    if http.plain_on_tls {
        return Some(NotOwn::Plain);
    }
    if let Some(tls) = &evidence.tls {
        let Some(certificate) = &tls.certificate else {
            return Some(NotOwn::Certificate(CertificateFlaw::Unreadable));
        };
        if let Some(flaw) = certificate.flaws.first() {
            return Some(NotOwn::Certificate(*flaw));
        }
    }
    by_answer(http)
}

fn by_answer(http: &HttpEvidence) -> Option<NotOwn> {
    match http.status {
        407 | 511 => return Some(NotOwn::Proxy(http.status)),
        502..=504 => return Some(NotOwn::Gateway(http.status)),
        _ => {}
    }
    match http.caveat {
        Some(Caveat::Filtered) => Some(NotOwn::Filtered),
        Some(Caveat::Challenged) => Some(NotOwn::Challenged),
        Some(Caveat::ForeignCertificate) => Some(NotOwn::Certificate(CertificateFlaw::OtherName)),
        Some(Caveat::Throttled) | None => None,
    }
}

impl fmt::Display for NotOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("nothing of the answer was kept"),
            Self::Gateway(status) => write!(f, "{status} is a gateway's word"),
            Self::Proxy(status) => write!(f, "{status} is the word of a proxy or a captive portal"),
            Self::Filtered => f.write_str("the page is a web filter's or proxy's"),
            Self::Challenged => f.write_str("a bot challenge is not the server's own answer"),
            Self::Plain => f.write_str("plain text came back where TLS was asked for"),
            Self::Certificate(flaw) => flaw.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::observation::{Certificate, TlsEvidence};
    use super::*;

    fn evidence(
        status: u16,
        caveat: Option<Caveat>,
        flaws: Option<&[CertificateFlaw]>,
    ) -> Evidence {
        let tls = flaws.map(|flaws| TlsEvidence {
            version: None,
            alpn: None,
            certificate_requested: false,
            certificate: Some(Certificate {
                subject: String::new(),
                issuer: String::new(),
                names: Vec::new(),
                not_after: None,
                flaws: flaws.to_vec(),
                sha256: String::new(),
            }),
        });
        Evidence {
            tls,
            http: Some(HttpEvidence {
                version: "HTTP/1.1".to_owned(),
                status,
                headers: Vec::new(),
                title: None,
                body_sha256: None,
                body_bytes: 0,
                body_cut: false,
                caveat,
                filter: None,
                plain_on_tls: false,
                unmet: None,
            }),
            ..Evidence::default()
        }
    }

    #[test]
    fn a_gateway_speaks_for_itself_and_a_server_for_the_way() {
        for (status, expected) in [
            (200, None),
            (302, None),
            (401, None),
            (403, None),
            (404, None),
            (407, Some(NotOwn::Proxy(407))),
            (429, None),
            (500, None),
            (501, None),
            (502, Some(NotOwn::Gateway(502))),
            (503, Some(NotOwn::Gateway(503))),
            (504, Some(NotOwn::Gateway(504))),
            (505, None),
            (511, Some(NotOwn::Proxy(511))),
        ] {
            assert_eq!(not_own(Some(&evidence(status, None, None))), expected);
            assert_eq!(not_own(Some(&evidence(status, None, Some(&[])))), expected);
        }
    }

    #[test]
    fn caveats_and_certificates_say_whose_word_it_is() {
        use CertificateFlaw::{Expired, NotYetValid, OtherName, Unreadable};
        for (caveat, expected) in [
            (Caveat::Throttled, None),
            (Caveat::Challenged, Some(NotOwn::Challenged)),
            (Caveat::Filtered, Some(NotOwn::Filtered)),
        ] {
            assert_eq!(not_own(Some(&evidence(200, Some(caveat), None))), expected);
        }
        for flaw in [Expired, NotYetValid, OtherName, Unreadable] {
            let seen = evidence(200, None, Some(&[flaw]));
            assert_eq!(not_own(Some(&seen)), Some(NotOwn::Certificate(flaw)));
        }
    }

    #[test]
    fn what_was_not_seen_is_nobodys_answer() {
        assert_eq!(not_own(None), Some(NotOwn::Unknown));
        assert_eq!(not_own(Some(&Evidence::default())), Some(NotOwn::Unknown));
        let mut plain = evidence(200, None, None);
        plain.http.as_mut().unwrap().plain_on_tls = true;
        assert_eq!(not_own(Some(&plain)), Some(NotOwn::Plain));
        let mut bare = evidence(200, None, Some(&[]));
        bare.tls.as_mut().unwrap().certificate = None;
        assert!(not_own(Some(&bare)).is_some());
    }
}
