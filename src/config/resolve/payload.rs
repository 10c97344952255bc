//! `payload:` what is said to a UDP port, and what silence after it is worth.

use super::defaults;
use crate::config::field::Field;
use crate::config::file::PayloadText;
use crate::config::mistake::{Mistake, quoted};
use crate::config::problem::{any_of, near};
use crate::config::reader::{Reader, Spot};
use crate::domain::payload::{Mute, Payload, Protocol, Silence};
use crate::domain::target::TargetKind;

/// The most bytes that a payload may have: RFC 9000 section 14 takes 1,200 for what every path
/// carries in one piece.
const MAX_BYTES: usize = 1_200;

const EXPECTED: &str = "text (the word of a protocol, or `hex:` and bytes)";

/// Reads a payload, or chooses the one that is at home at the port. None without a port, too.
pub fn read(
    reader: &mut Reader<'_>,
    entry: &Spot<'_>,
    field: &Field<PayloadText>,
    port: Option<u16>,
) -> Option<Payload> {
    match field {
        Field::Given(_) | Field::Unfit(_) => {
            return reader.parsed(&entry.key("payload"), field, EXPECTED, parse);
        }
        Field::Absent => {}
    }
    let port = port?;
    let protocol = Protocol::at(port).map(Payload::Protocol);
    let chosen = protocol.or_else(|| Mute::at(port).map(Payload::Mute));
    if chosen.is_none() {
        // Without the number, which may have come in as a variable.
        let message = "no protocol is known at this UDP port, so nothing would make it answer";
        let help = format!("say what to send: {}", choices());
        reader.report(entry.key("udp").place(), message, [help]);
    }
    chosen
}

/// Refuses a place that answers on every port and does not say to what: a port would tell otherwise.
pub fn refuse_absent(reader: &mut Reader<'_>, entry: &Spot<'_>) {
    let message = "a place that answers on every UDP port must say to what";
    reader.report(entry.key("udp").place(), message, [choices()]);
}

/// Whether silence is accepted. Refuses a target of which silence says nothing unless it is, and one
/// of which silence says enough if it is.
pub fn accept_silence(
    reader: &mut Reader<'_>,
    entry: &Spot<'_>,
    kind: Option<&TargetKind>,
    field: &Field<bool>,
) -> bool {
    let spot = entry.key("accept_silence");
    let accepted = defaults::flag(reader, &spot, field).unwrap_or(false);
    let Some(TargetKind::Udp { payload, .. }) = kind else {
        return accepted;
    };
    match (payload, payload.silence()) {
        (Payload::Mute(mute), _) if !accepted && !matches!(field, Field::Unfit(_)) => {
            let message = format!("{}, so its silence proves nothing", mute.why());
            let help = [
                "`accept_silence: true` lets silence count as blocked all the same, and the report \
                 says so",
                "where something else listens there, say what with `payload:`",
            ];
            reader.report(said(entry).place(), message, help.map(str::to_owned));
        }
        (Payload::Protocol(protocol), Silence::Tells) if accepted => {
            let message = format!("`accept_silence` is needless for `{protocol}`");
            let help = "an open service must answer it, so silence counts as it is: remove the key";
            reader.report(spot.key_place(), message, [help.to_owned()]);
        }
        (Payload::Protocol(_) | Payload::Bytes(_) | Payload::Mute(_), _) => {}
    }
    accepted
}

/// Refuses a payload that is never answered, where an answer is what is looked for.
pub fn refuse_mute(reader: &mut Reader<'_>, entry: &Spot<'_>, kind: &TargetKind) {
    if let TargetKind::Udp {
        payload: Payload::Mute(mute),
        ..
    } = kind
    {
        let message = format!("{} must be able to answer: {}", entry.what, mute.why());
        let help = format!("choose another place, or say what to send: {}", choices());
        reader.report(said(entry).place(), message, [help]);
    }
}

/// Where it is said what is sent.
fn said<'n>(entry: &Spot<'n>) -> Spot<'n> {
    if entry.has("payload") {
        entry.key("payload")
    } else {
        entry.key("udp")
    }
}

fn choices() -> String {
    let words = Protocol::ALL.map(Protocol::as_str);
    format!(
        "`payload:` takes {}, or your own bytes as `hex:0102ff`",
        any_of(words)
    )
}

fn parse(text: &str) -> Result<Payload, Mistake> {
    if let Some(digits) = text.strip_prefix("hex:") {
        return bytes(digits).map(Payload::Bytes);
    }
    let protocols = Protocol::ALL.into_iter().find(|p| p.as_str() == text);
    let mute = Mute::ALL.into_iter().find(|m| m.as_str() == text);
    let known = protocols.map(Payload::Protocol).or(mute.map(Payload::Mute));
    known.ok_or_else(|| {
        let words = Protocol::ALL.map(Protocol::as_str);
        let mute = Mute::ALL.map(Mute::as_str);
        let help = match near(text, words.into_iter().chain(mute)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => choices(),
        };
        Mistake::new(format!("{} is no known protocol", quoted(text))).help(help)
    })
}

/// Reads bytes in hexadecimal; blanks may stand between them, not inside.
fn bytes(digits: &str) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::new();
    for group in digits.split_whitespace() {
        if let Some(character) = group.chars().find(|c| !c.is_ascii_hexdigit()) {
            let shown = quoted(&character.to_string());
            return Err(Mistake::new(format!("{shown} is no hexadecimal digit"))
                .help("write two digits a byte, such as `hex:0102ff`"));
        }
        if !group.len().is_multiple_of(2) {
            return Err(
                Mistake::new(format!("{} has an odd number of digits", quoted(group)))
                    .help("write two digits a byte, such as `hex:0102ff`"),
            );
        }
        let pairs = group.as_bytes().chunks(2);
        bytes.extend(pairs.filter_map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        }));
    }
    match bytes.len() {
        0 => Err(Mistake::new("there are no bytes after `hex:`")
            .help("write two digits a byte, such as `hex:0102ff`")),
        1..=MAX_BYTES => Ok(bytes),
        count => Err(Mistake::new(format!("these are {count} bytes"))
            .help(format!("one datagram takes at most {MAX_BYTES}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for protocol in Protocol::ALL {
            assert_eq!(parse(protocol.as_str()), Ok(Payload::Protocol(protocol)));
        }
        for mute in Mute::ALL {
            assert_eq!(parse(mute.as_str()), Ok(Payload::Mute(mute)));
        }
    }

    #[test]
    fn bytes_are_read_in_pairs_with_blanks_between_them() {
        for (text, expected) in [
            ("hex:00", vec![0]),
            ("hex:01fF", vec![1, 255]),
            ("hex: 01 02ab\n03 ", vec![1, 2, 0xab, 3]),
        ] {
            assert_eq!(parse(text), Ok(Payload::Bytes(expected)), "{text}");
        }
        let most = format!("hex:{}", "ff".repeat(MAX_BYTES));
        assert!(parse(&most).is_ok());
        for text in [
            "hex:", "hex:  ", "hex:0", "hex:0 1", "hex:0x01", "hex:é0", "HEX:00",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{most}00")).is_err());
    }
}
