//! Reading one answer strictly.
//!
//! What counts as "no such name" is decided here, after RFC 2308. What is not clearly an answer is
//! blindness; what a server sends is shown escaped and bounded.
//!
//! A server that says of its own answer that it is filtered, forged or stale (Extended DNS Errors,
//! RFC 8914) is believed in that alone. Limit: many that filter do not say so.

use std::fmt::Write as _;
use std::net::IpAddr;

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{self, Name, RData, RecordType};

use super::Question;
use crate::domain::address;
use crate::domain::endpoint::Family;
use crate::domain::finding::NameAnswer;
use crate::domain::observation::Blind;
use crate::domain::record::Record;
use crate::probe::text;

/// How many aliases one answer may hold before it is called an error.
const MAX_ALIASES: usize = 32;

/// The type of an alias for everything below a name (RFC 6672 section 2.1).
const DNAME: u16 = 39;

/// The EDNS option with an Extended DNS Error (RFC 8914 section 2).
const EXTENDED_ERROR: u16 = 15;

/// The codes of RFC 8914 section 4 with which a server says that its answer is not the zone's, or not
/// of today: Stale Answer, Forged Answer, Blocked, Censored, Filtered and Stale NXDOMAIN Answer.
const NOT_THE_ZONES: [u16; 6] = [3, 4, 15, 16, 17, 19];

/// Prohibited: this client may not ask. Section 4.19 puts it beside REFUSED, of which it says why.
const PROHIBITED: u16 = 18;

/// How many records of one answer are kept.
const MOST_RECORDS: usize = 16;

/// How many characters of one record are kept.
const LONGEST_RECORD: usize = 256;

/// What one response says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The answer, and the aliases on the way.
    Answer(NameAnswer, Vec<String>),
    /// The response ends with an alias that the resolver did not follow.
    Chase(Name, Vec<String>),
}

pub(super) fn read(asked: &Name, question: &Question<'_>, message: &Message) -> Reading {
    let blind = |cause| Reading::Answer(NameAnswer::Blind(cause), Vec::new());
    if message.message_type != MessageType::Response || message.op_code != OpCode::Query {
        return blind(Blind::ResolverError);
    }
    if is_filtered(message) {
        // No alias out of such an answer either: it would be followed.
        return blind(Blind::ResolverFilters);
    }
    let exists = match message.response_code {
        ResponseCode::NoError => true,
        ResponseCode::NXDomain => false,
        ResponseCode::ServFail => return blind(Blind::ResolverServfail),
        ResponseCode::Refused => return blind(Blind::ResolverRefused),
        _ => return blind(Blind::ResolverError),
    };
    // RFC 1035 section 4.1.1: AA speaks of the name that was asked for. Without it this is a referral,
    // something out of a cache, or an answer in somebody else's name.
    if question.authority.is_some() && !message.authoritative {
        return blind(Blind::ServerLame);
    }
    // Who asks for an alias wants the first one.
    let chain = if question.record == Record::CNAME {
        Some((asked.clone(), Vec::new()))
    } else {
        chain(asked, message)
    };
    let Some((last, aliases)) = chain else {
        return blind(Blind::ResolverError);
    };
    let found = match question.record.family() {
        Some(family) => NameAnswer::Addresses(addresses(&last, family, message)),
        None => NameAnswer::Records(records(&last, question.record, message)),
    };
    match &found {
        // 0.0.0.0 and :: lead nowhere; blocklists answer so for names that do exist. A zone's own
        // server keeps no such list.
        NameAnswer::Addresses(all)
            if question.authority.is_none() && all.iter().copied().any(address::is_null) =>
        {
            return Reading::Answer(NameAnswer::Blind(Blind::ResolverWithholds), aliases);
        }
        NameAnswer::Addresses(all) if all.is_empty() => {}
        NameAnswer::Records(all) if all.is_empty() => {}
        _ => return Reading::Answer(found, aliases),
    }
    // An answer in which nothing is about the name is none: some clients take whatever it holds.
    if message
        .answers
        .iter()
        .any(|r| is_astray(r, &last, question))
    {
        return Reading::Answer(NameAnswer::Blind(Blind::ResolverError), aliases);
    }
    // RFC 2308 section 2.1: the code speaks of the last name of the chain.
    if !exists {
        return Reading::Answer(NameAnswer::NxDomain, aliases);
    }
    let has = |record, above: &dyn Fn(&Name) -> bool| {
        let mut all = message.authorities.iter();
        all.any(|r| r.record_type() == record && above(&r.name))
    };
    // Section 2.2: the SOA is that of the last name's zone. One of the zone that an alias leads out of
    // says nothing about where it leads.
    if has(RecordType::SOA, &|zone| zone.zone_of(&last)) {
        Reading::Answer(NameAnswer::NoData, aliases)
    } else if has(RecordType::NS, &|_| true) {
        // RFC 2308 section 2.2: NS without SOA is a referral. This server does not know.
        Reading::Answer(NameAnswer::Blind(Blind::ResolverError), aliases)
    } else if !aliases.is_empty() {
        Reading::Chase(last, aliases)
    } else if message.authorities.is_empty() {
        Reading::Answer(NameAnswer::NoData, aliases)
    } else {
        // Section 2.2 knows of no data with a SOA, or with nothing at all.
        Reading::Answer(NameAnswer::Blind(Blind::ResolverError), aliases)
    }
}

/// Whether the server itself says that this is not what the zone says, whatever it says.
fn is_filtered(message: &Message) -> bool {
    let options = message.edns.iter().flat_map(|edns| {
        let options = edns.options();
        options.get_all(EdnsCode::Unknown(EXTENDED_ERROR))
    });
    options
        .filter_map(|option| match option {
            EdnsOption::Unknown(_, bytes) => bytes.first_chunk::<2>(),
            _ => None,
        })
        .map(|code| u16::from_be_bytes(*code))
        .any(|code| match code {
            PROHIBITED => message.response_code != ResponseCode::Refused,
            code => NOT_THE_ZONES.contains(&code),
        })
}

/// Whether an answer that has nothing for `last` holds this of the type that was asked for, or an alias
/// of all that lies below a name above it (RFC 6672), whose own line for `last` is missing.
fn is_astray(record: &rr::Record, last: &Name, question: &Question<'_>) -> bool {
    let kind = u16::from(record.record_type());
    let leads_away = kind == DNAME && record.name != *last && record.name.zone_of(last);
    kind == question.record.code() || leads_away
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

/// The records of one type that `owner` has, as text, sorted and without doubles.
fn records(owner: &Name, wanted: Record, message: &Message) -> Vec<String> {
    let mut found: Vec<String> = message
        .answers
        .iter()
        .filter(|record| record.name == *owner && u16::from(record.record_type()) == wanted.code())
        .map(|record| text::printable(shown(&record.data).as_bytes(), LONGEST_RECORD))
        .collect();
    found.sort_unstable();
    found.dedup();
    if found.len() > MOST_RECORDS {
        let more = found.len() - (MOST_RECORDS - 1);
        found.truncate(MOST_RECORDS - 1);
        found.push(format!("(and {more} more)"));
    }
    found
}

/// A record as text: as in a zone file, but for the quotes of strings. Of what is unknown, the bytes
/// in the notation of RFC 3597 section 5.
fn shown(data: &RData) -> String {
    let mut shown = String::new();
    // Writing to a String cannot fail; hickory has no text for what cannot be a record in a zone.
    let _ = match data {
        RData::NULL(bytes) | RData::Unknown { rdata: bytes, .. } => {
            let bytes = &bytes.anything;
            let _ = write!(shown, "\\# {} ", bytes.len());
            let mut some = bytes.iter().take(LONGEST_RECORD);
            some.try_for_each(|byte| write!(shown, "{byte:02x}"))
        }
        RData::OPT(_) => Ok(()),
        known => write!(shown, "{known}"),
    };
    shown
}

/// The name without its trailing dot. hickory escapes what is not printable.
fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::Edns;
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, NULL, SOA, TXT};

    use super::*;

    const A_RECORD: Question<'_> = Question {
        name: "a.example",
        record: Record::of(Family::Ipv4),
        authority: None,
    };

    const TXT_RECORD: Question<'_> = Question {
        record: Record::TXT,
        ..A_RECORD
    };

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn response(code: ResponseCode) -> Message {
        let mut message = Message::response(7, OpCode::Query);
        message.metadata.response_code = code;
        message
    }

    fn record(owner: &str, data: RData) -> rr::Record {
        rr::Record::from_rdata(name(owner), 60, data)
    }

    fn cname(owner: &str, target: &str) -> rr::Record {
        record(owner, RData::CNAME(CNAME(name(target))))
    }

    fn soa() -> rr::Record {
        let soa = SOA::new(name("ns.example."), name("admin.example."), 1, 2, 3, 4, 5);
        record("example.", RData::SOA(soa))
    }

    fn answer(message: &Message) -> NameAnswer {
        match read(&name("a.example."), &A_RECORD, message) {
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
            read(&name("a.example."), &A_RECORD, &message),
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
    fn an_answer_about_something_else_is_no_absence() {
        let blind = NameAnswer::Blind(Blind::ResolverError);
        let stranger = record("b.example.", RData::A(A::new(192, 0, 2, 1)));
        for code in [ResponseCode::NoError, ResponseCode::NXDomain] {
            let mut message = response(code);
            message.add_answer(stranger.clone());
            assert_eq!(answer(&message), blind, "{code}");
            message.add_authority(soa());
            assert_eq!(answer(&message), blind, "{code}");
        }
        // The alias of everything below a name, without the one that follows from it.
        let mut message = response(ResponseCode::NoError);
        let bytes = NULL::with(vec![0]);
        let rdata = RData::Unknown {
            code: RecordType::from(DNAME),
            rdata: bytes,
        };
        message.add_answer(record("example.", rdata));
        assert_eq!(answer(&message), blind);
        // Nothing in the answer, and no word on that of a zone that the name is in.
        let mut message = response(ResponseCode::NoError);
        let elsewhere = SOA::new(name("ns.test."), name("admin.test."), 1, 2, 3, 4, 5);
        message.add_authority(record("test.", RData::SOA(elsewhere)));
        assert_eq!(answer(&message), blind);
        let mut message = response(ResponseCode::NoError);
        message.add_authority(stranger);
        assert_eq!(answer(&message), blind);
        // Not the answer to a question at all.
        let mut message = Message::response(7, OpCode::Update);
        message.metadata.response_code = ResponseCode::NXDomain;
        assert_eq!(answer(&message), blind);
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

    fn with_errors(mut message: Message, codes: &[u16]) -> Message {
        let mut edns = Edns::new();
        for code in codes {
            let mut bytes = code.to_be_bytes().to_vec();
            bytes.extend(b"said why");
            let option = EdnsOption::Unknown(EXTENDED_ERROR, bytes);
            edns.options_mut().insert(option);
        }
        message.set_edns(edns);
        // As it comes over the wire.
        Message::from_vec(&message.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn an_answer_that_its_server_calls_filtered_forged_or_stale_is_none() {
        let filtered = NameAnswer::Blind(Blind::ResolverFilters);
        let mut given = response(ResponseCode::NoError);
        given.add_answer(cname("a.example.", "b.example."));
        given.add_answer(record("b.example.", RData::A(A::new(20, 0, 0, 1))));
        let own = Question {
            authority: Some("ns.example"),
            ..A_RECORD
        };
        for code in 0..=30 {
            let says_so = [3, 4, 15, 16, 17, 18, 19].contains(&code);
            for message in [
                given.clone(),
                response(ResponseCode::NXDomain),
                response(ResponseCode::NoError),
                response(ResponseCode::ServFail),
            ] {
                let mut message = with_errors(message, &[22, code]);
                assert_eq!(answer(&message) == filtered, says_so, "{code}: {message}");
                message.metadata.authoritative = true;
                assert_eq!(other(&own, &message) == filtered, says_so, "{code}");
            }
            // Who may not ask at all is told so by the code of the answer.
            let refused = with_errors(response(ResponseCode::Refused), &[code]);
            let expected = match code {
                18 => NameAnswer::Blind(Blind::ResolverRefused),
                _ if says_so => filtered.clone(),
                _ => NameAnswer::Blind(Blind::ResolverRefused),
            };
            assert_eq!(answer(&refused), expected, "{code}");
        }
        // Nothing of it is followed.
        let mut alias = response(ResponseCode::NoError);
        alias.add_answer(cname("a.example.", "elsewhere.test."));
        assert_eq!(
            read(
                &name("a.example."),
                &A_RECORD,
                &with_errors(alias, &[4, 4711])
            ),
            Reading::Answer(filtered, Vec::new())
        );
    }

    #[test]
    fn an_extended_error_without_a_code_says_nothing() {
        let mut message = response(ResponseCode::NXDomain);
        let mut edns = Edns::new();
        for bytes in [vec![], vec![0]] {
            let option = EdnsOption::Unknown(EXTENDED_ERROR, bytes);
            edns.options_mut().insert(option);
        }
        message.set_edns(edns);
        assert_eq!(answer(&message), NameAnswer::NxDomain);
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
            read(&name("a.example."), &A_RECORD, &message),
            Reading::Chase(name("elsewhere.test."), vec!["elsewhere.test".to_owned()])
        );
    }

    #[test]
    fn the_soa_of_the_zone_that_an_alias_leaves_is_not_read_as_no_data() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "elsewhere.test."));
        message.add_authority(soa());
        assert_eq!(
            read(&name("a.example."), &A_RECORD, &message),
            Reading::Chase(name("elsewhere.test."), vec!["elsewhere.test".to_owned()])
        );
        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "b.example."));
        message.add_authority(soa());
        assert_eq!(
            read(&name("a.example."), &A_RECORD, &message),
            Reading::Answer(NameAnswer::NoData, vec!["b.example".to_owned()])
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
            read(&name("a.example."), &A_RECORD, &message),
            Reading::Answer(NameAnswer::NxDomain, vec!["gone.example".to_owned()])
        );
    }

    #[test]
    fn a_query_sent_back_is_no_answer() {
        let mut message = response(ResponseCode::NXDomain);
        message.metadata.message_type = MessageType::Query;
        assert_eq!(answer(&message), NameAnswer::Blind(Blind::ResolverError));
    }

    fn other(question: &Question<'_>, message: &Message) -> NameAnswer {
        match read(&name("a.example."), question, message) {
            Reading::Answer(answer, _) => answer,
            Reading::Chase(next, _) => panic!("chases {next}"),
        }
    }

    #[test]
    fn records_of_the_type_asked_for_are_shown_escaped_sorted_and_bounded() {
        let mut message = response(ResponseCode::NoError);
        let hostile = TXT::new(vec!["v=\u{202e}evil\u{1b}[31m".to_owned(), "x".repeat(250)]);
        message.add_answer(record("a.example.", RData::TXT(hostile)));
        message.add_answer(record(
            "a.example.",
            RData::MX(MX::new(10, name("mx.example."))),
        ));
        let NameAnswer::Records(found) = other(&TXT_RECORD, &message) else {
            panic!("no records");
        };
        let [only] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert!(only.starts_with("v=\\u{202e}evil\\u{1b}[31mxxx"), "{only}");
        assert_eq!(only.chars().count(), LONGEST_RECORD);

        let mx = Question {
            record: Record::parse("MX").unwrap(),
            ..A_RECORD
        };
        let expected = NameAnswer::Records(vec!["10 mx.example.".to_owned()]);
        assert_eq!(other(&mx, &message), expected);

        for number in 0..40 {
            let text = TXT::new(vec![format!("{number:02}")]);
            message.add_answer(record("a.example.", RData::TXT(text)));
        }
        let NameAnswer::Records(found) = other(&TXT_RECORD, &message) else {
            panic!("no records");
        };
        assert_eq!(found.len(), MOST_RECORDS);
        assert_eq!(found.last().unwrap(), "(and 26 more)");
    }

    #[test]
    fn a_type_that_nobody_knows_is_shown_in_hex() {
        let question = Question {
            record: Record::parse("TYPE4711").unwrap(),
            ..A_RECORD
        };
        let mut message = response(ResponseCode::NoError);
        let rdata = NULL::with(vec![0xde, 0xad, 0]);
        let code = RecordType::Unknown(4711);
        message.add_answer(record("a.example.", RData::Unknown { code, rdata }));
        let expected = NameAnswer::Records(vec!["\\# 3 dead00".to_owned()]);
        assert_eq!(other(&question, &message), expected);
    }

    #[test]
    fn no_record_of_the_type_is_no_data_and_an_alias_is_followed_but_for_itself() {
        let mut message = response(ResponseCode::NoError);
        message.add_answer(record("a.example.", RData::A(A::new(20, 0, 0, 1))));
        assert_eq!(other(&TXT_RECORD, &message), NameAnswer::NoData);

        let mut message = response(ResponseCode::NoError);
        message.add_answer(cname("a.example.", "b.example."));
        message.add_answer(record(
            "b.example.",
            RData::TXT(TXT::new(vec!["text".to_owned()])),
        ));
        let expected = NameAnswer::Records(vec!["text".to_owned()]);
        assert_eq!(other(&TXT_RECORD, &message), expected);
        let alias = Question {
            record: Record::CNAME,
            ..A_RECORD
        };
        let expected = NameAnswer::Records(vec!["b.example.".to_owned()]);
        assert_eq!(other(&alias, &message), expected);
    }

    #[test]
    fn of_the_zones_own_servers_only_a_word_with_authority_counts() {
        let own = Question {
            authority: Some("ns.example"),
            ..A_RECORD
        };
        let lame = NameAnswer::Blind(Blind::ServerLame);
        for code in [ResponseCode::NoError, ResponseCode::NXDomain] {
            let mut message = response(code);
            message.add_authority(soa());
            assert_eq!(other(&own, &message), lame);
            message.add_answer(record("a.example.", RData::A(A::new(20, 0, 0, 1))));
            assert_eq!(other(&own, &message), lame);
            message.metadata.authoritative = true;
            let expected = NameAnswer::Addresses(vec!["20.0.0.1".parse().unwrap()]);
            assert_eq!(other(&own, &message), expected);
        }
        let mut message = response(ResponseCode::NXDomain);
        message.metadata.authoritative = true;
        assert_eq!(other(&own, &message), NameAnswer::NxDomain);
        // Published is published: a zone keeps no blocklist.
        let mut message = response(ResponseCode::NoError);
        message.metadata.authoritative = true;
        message.add_answer(record("a.example.", RData::A(A::new(0, 0, 0, 0))));
        let expected = NameAnswer::Addresses(vec!["0.0.0.0".parse().unwrap()]);
        assert_eq!(other(&own, &message), expected);
    }
}
