//! Servers that mean no good: garbage, floods, answers that never end.

use std::time::Duration;

use noentry::domain::observation::Outcome;
use noentry::domain::reach::Reach;
use tokio::net::UdpSocket;

use super::server::{Ask, config, serving};
use super::{knock, page, udp};
use crate::support::{LONG, http, reach};

const SOME: Duration = Duration::from_secs(1);

/// Bytes that nobody planned, the same every time (`SplitMix64`).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    std::iter::repeat_with(|| next().to_be_bytes())
        .flatten()
        .take(length)
        .collect()
}

/// The beginning of an answer: a field section with `:status 200` (RFC 9204 Appendix A, entry 25).
const OK: [u8; 5] = [1, 3, 0, 0, 0xc0 + 25];

#[tokio::test]
async fn garbage_on_every_stream_is_survived() {
    for seed in 0..60 {
        let server = serving(
            config(Ask::Nothing, &["h3"]),
            move |connection| async move {
                for kind in [vec![0], vec![0, 4, 0], vec![2], vec![3], noise(seed, 3)] {
                    if let Ok(mut uni) = connection.open_uni().await {
                        let _ = uni.write_all(&kind).await;
                        let _ = uni.write_all(&noise(seed, 300)).await;
                    }
                }
                if let Ok((mut send, _)) = connection.accept_bi().await {
                    let begin: &[u8] = if seed % 2 == 0 { &OK } else { &[1, 40] };
                    let _ = send.write_all(begin).await;
                    let _ = send.write_all(&noise(seed + 1000, 500)).await;
                    let _ = send.finish();
                }
                connection.closed().await;
            },
        );
        let seen = knock(&page(server.port(), "/"), server, SOME).await;
        assert!(
            matches!(
                seen.outcome,
                Outcome::Reached(Reach::TlsEstablished | Reach::Served | Reach::Denied)
            ),
            "{seed}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| async move {
        if let Ok((mut send, _)) = connection.accept_bi().await {
            let _ = send.write_all(&OK).await;
            // DATA frames of 16,383 bytes.
            let frame = [&[0, 0x7f, 0xff][..], &vec![b'x'; 16_383]].concat();
            while send.write_all(&frame).await.is_ok() {}
        }
    });
    let begin = std::time::Instant::now();
    let seen = knock(&page(server.port(), "/"), server, LONG).await;
    assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
    assert_eq!(http(&seen).body_bytes, 65_536);
    assert!(http(&seen).body_cut);
    assert!(begin.elapsed() < LONG / 2);
}

#[tokio::test]
async fn a_body_that_stalls_keeps_its_status() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| async move {
        if let Ok((mut send, _)) = connection.accept_bi().await {
            let _ = send.write_all(&OK).await;
            let _ = send.write_all(&[0, 10, b'h', b'a', b'l', b'f']).await;
            connection.closed().await;
        }
    });
    let seen = knock(&page(server.port(), "/"), server, SOME).await;
    assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
    assert_eq!(http(&seen).status, 200);
    assert_eq!(http(&seen).body_bytes, 4);
    assert!(http(&seen).body_cut);
}

/// A field section of a gigabyte: nobody waits for it, and nobody keeps it.
#[tokio::test]
async fn an_endless_head_ends_with_the_attempt() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| async move {
        if let Ok((mut send, _)) = connection.accept_bi().await {
            let _ = send.write_all(&[1, 0xc0, 0, 0, 0, 0x40, 0, 0, 0]).await;
            let block = vec![b'x'; 65_536];
            while send.write_all(&block).await.is_ok() {}
        }
    });
    let seen = knock(&page(server.port(), "/"), server, 2 * SOME).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished, "{seen:?}");
}

#[tokio::test]
async fn a_flood_of_datagrams_is_survived() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            for seed in 0..3000 {
                let _ = socket.try_send_to(&noise(seed, 1200), from);
                if seed % 20 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    let seen = knock(&page(address.port(), "/"), address, SOME).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert!(!udp(&seen).answer.as_ref().unwrap().expected);
}
