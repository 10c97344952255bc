//! The question and its answer, byte for byte.

use proptest::prelude::*;
use rustls::crypto::ring;

use super::*;

fn question() -> Question {
    Question::new(ring::default_provider().secure_random).unwrap()
}

/// What a server says to a question (RFC 9000 section 17.2.1).
fn answer(question: &Question, versions: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 0, 0];
    for id in [&question.ours, &question.theirs] {
        packet.push(u8::try_from(id.len()).unwrap());
        packet.extend(id);
    }
    packet.extend(versions.iter().flat_map(|version| version.to_be_bytes()));
    packet
}

#[test]
fn the_question_is_as_the_specification_has_it_and_never_the_same() {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let question = question();
        let packet = &question.packet;
        assert_eq!(packet.len(), 1200);
        assert_eq!(packet[0] & 0xf0, 0xc0);
        assert!(packet[1..5].iter().all(|byte| byte & 0x0f == 0x0a));
        assert!((8..=20).contains(&question.theirs.len()));
        assert!((8..=20).contains(&question.ours.len()));
        let ours = 6 + question.theirs.len();
        assert_eq!(usize::from(packet[5]), question.theirs.len());
        assert_eq!(&packet[6..ours], question.theirs);
        assert_eq!(usize::from(packet[ours]), question.ours.len());
        assert_eq!(
            &packet[ours + 1..=ours + question.ours.len()],
            question.ours
        );
        assert!(seen.insert(packet.clone()));
    }
}

/// The keys that a server would take open it (RFC 9001 section 5.2).
#[test]
fn but_for_its_version_the_question_is_a_first_packet() {
    let Question {
        packet,
        theirs,
        ours,
        ..
    } = &question();
    let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite();
    let keys = suite
        .unwrap()
        .keys(theirs, Side::Server, Version::V1Draft)
        .remote;
    let mut packet = packet.clone();
    let at = 7 + theirs.len() + ours.len();
    assert_eq!(packet[at], 0);
    let length = u16::from_be_bytes([packet[at + 1], packet[at + 2]]) & 0x3fff;
    let (header, protected) = packet.split_at_mut(at + 3);
    assert_eq!(usize::from(length), protected.len());
    let (number, body) = protected.split_at_mut(1);
    keys.header
        .decrypt_in_place(&body[3..19], &mut header[0], number)
        .unwrap();
    assert_eq!((header[0], number[0]), (0xc0, 0));
    let header = [&*header, &*number].concat();
    let payload = keys.packet.decrypt_in_place(0, &header, body).unwrap();
    assert_eq!(payload[0], 1);
    assert!(payload[1..].iter().all(|byte| *byte == 0));
}

#[test]
fn an_answer_is_read_and_anything_else_is_none() {
    let question = question();
    let good = answer(&question, &[1, 0x6b33_43cf]);
    assert_eq!(question.versions(&good), Some(vec![1, 0x6b33_43cf]));
    for cut in 0..good.len() {
        let expected = (cut == good.len() - 4).then(|| vec![1]);
        assert_eq!(question.versions(&good[..cut]), expected, "{cut}");
    }
    // An echo of the question, a short header, another version, another connection.
    assert_eq!(question.versions(&question.packet), None);
    for (at, byte) in [(0, 0x00), (4, 1), (5, 7), (6, good[6] ^ 1)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(question.versions(&bad), None, "{at}");
    }
    assert_eq!(question.versions(&answer(&self::question(), &[1])), None);
    let long: Vec<u32> = (0..1000).collect();
    let read = question.versions(&answer(&question, &long)).unwrap();
    assert_eq!(read, long[..16]);
}

#[test]
fn versions_are_named_and_reserved_ones_left_out() {
    assert_eq!(
        names(&[1, 0xff00_001d, 0x1a2a_3a4a, 0x6b33_43cf]),
        ["1", "0xff00001d", "0x6b3343cf"]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        prop_assert_eq!(question().versions(&bytes), None);
    }

    #[test]
    fn whatever_follows_our_ids_is_read_in_whole_versions(tail: Vec<u8>) {
        let question = question();
        let mut bytes = answer(&question, &[]);
        bytes.extend(&tail);
        let expected = !tail.is_empty() && tail.len() % 4 == 0;
        let versions = question.versions(&bytes);
        prop_assert_eq!(versions.is_some(), expected);
        prop_assert!(versions.is_none_or(|versions| versions.len() == (tail.len() / 4).min(16)));
    }
}
