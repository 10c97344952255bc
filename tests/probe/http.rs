//! TCP and HTTP against small servers that behave, and many that do not.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use noentry::domain::observation::{Caveat, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, HttpDenial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    LONG, SHORT, closed_port, evidence, http, listen, look, look_at, look_for, named, reach,
    stopped_by, tcp, url,
};

/// Reads until the blank line.
async fn request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// A server that answers with these bytes and closes.
async fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    listen(move |mut stream| {
        let answer = answer.clone();
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// A server that answers with these bytes and keeps the connection.
async fn stalling(answer: &'static [u8]) -> SocketAddr {
    listen(move |mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(answer).await;
        tokio::time::sleep(LONG).await;
    })
    .await
}

/// A server that speaks without being asked, and closes.
async fn speaking_first(banner: &'static [u8]) -> SocketAddr {
    listen(move |mut stream| async move {
        let _ = stream.write_all(banner).await;
        request(&mut stream).await;
    })
    .await
}

fn denial(status: &[u16], header: &[(&str, &str)], body: Option<&str>) -> HttpDenial {
    HttpDenial {
        status: status.iter().copied().collect::<BTreeSet<_>>(),
        header: header
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.map(str::to_owned),
    }
}

#[tokio::test]
async fn an_open_port_is_connected_and_a_closed_one_refused() {
    let open = listen(|_stream| async {}).await;
    let seen = look(&tcp(open), open, LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert_eq!(seen.evidence, None);

    let (_taken, closed) = closed_port();
    let seen = look(&tcp(closed), closed, LONG).await;
    assert_eq!(reach(&seen), Reach::Refused);
    assert_eq!(*stopped_by(&seen), StoppedBy::Reset);
}

#[tokio::test]
async fn a_handshake_in_the_last_instant_counts() {
    let open = listen(|_stream| async {}).await;
    // A deadline that is over before the reactor had a chance to look: the socket itself is asked.
    // A busy machine may deliver the SYN later than that, hence more than one try.
    let mut connected = false;
    for _ in 0..50 {
        connected |= reach(&look(&tcp(open), open, Duration::ZERO).await) == Reach::Connected;
    }
    assert!(connected);
}

#[tokio::test]
async fn ipv6_and_mapped_ipv4_are_dialled() {
    let listener = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
    let six = listener.local_addr().unwrap();
    assert_eq!(reach(&look(&tcp(six), six, LONG).await), Reach::Connected);

    let four = listen(|_stream| async {}).await;
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", four.port())
        .parse()
        .unwrap();
    assert_eq!(
        reach(&look(&tcp(mapped), mapped, LONG).await),
        Reach::Connected
    );
}

#[tokio::test]
async fn a_name_that_must_not_resolve_is_not_connected_to() {
    let kind = noentry::domain::target::TargetKind::Dns {
        record: None,
        name: "intranet.example.com".to_owned(),
    };
    let seen = look(&kind, "192.168.0.1:0".parse().unwrap(), SHORT).await;
    assert_eq!(reach(&seen), Reach::PrivateAddress);
    let seen = look(&kind, "1.1.1.1:0".parse().unwrap(), SHORT).await;
    assert_eq!(reach(&seen), Reach::PublicAddress);
}

#[tokio::test]
async fn an_answer_is_recorded_and_what_is_asked_is_plain() {
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(request(&mut stream).await);
            let _ = stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nX-Other: no\r\n\
                    Content-Type: text/html\r\nContent-Length: 26\r\n\r\n<title>Admin\x1b[2J</title>ab",
                )
                .await;
        }
    })
    .await;
    let kind = url("http", named(), server.port(), "/admin?a=b|c");
    let seen = look(&kind, server, LONG).await;
    assert_eq!(reach(&seen), Reach::Served);
    let http = http(&seen);
    assert_eq!((http.version.as_str(), http.status), ("HTTP/1.1", 200));
    assert_eq!(http.title.as_deref(), Some("Admin\\u{1b}[2J"));
    assert_eq!(
        http.headers,
        [
            ("server".to_owned(), "nginx".to_owned()),
            ("content-type".to_owned(), "text/html".to_owned())
        ]
    );
    assert_eq!((http.body_bytes, http.body_cut), (26, false));
    assert_eq!(http.body_sha256.as_ref().map(String::len), Some(64));
    assert_eq!(evidence(&seen).stopped_by, None);

    let asked = asked.recv().await.unwrap().to_lowercase();
    assert!(
        asked.starts_with("get /admin?a=b|c http/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains(&format!("host: door.example.com:{}\r\n", server.port())));
    assert!(asked.contains("user-agent: noentry/"));
    assert!(asked.contains("accept: */*\r\n"));
}

#[tokio::test]
async fn only_what_the_denial_accepts_is_denied() {
    for (status, expected) in [
        (200, Reach::Served),
        (302, Reach::Served),
        (401, Reach::Served),
        (403, Reach::Denied),
        (404, Reach::Denied),
        (500, Reach::Served),
        (101, Reach::Served),
        (999, Reach::Served),
    ] {
        let server = answering(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")).await;
        let seen = look_at("http", server, "/", LONG).await;
        assert_eq!(reach(&seen), expected, "{status}");
        assert_eq!(http(&seen).status, status);
    }
}

#[tokio::test]
async fn the_deniers_mark_is_demanded() {
    let server = answering(
        "HTTP/1.1 403 Forbidden\r\nServer: awselb/2.0\r\nContent-Length: 13\r\n\r\nblocked by us",
    )
    .await;
    let kind = url("http", named(), server.port(), "/");
    for (wanted, expected, unmet) in [
        (
            denial(&[403], &[("server", "awselb/2.0")], None),
            Reach::Denied,
            None,
        ),
        (
            denial(&[403], &[], Some("blocked by \\w+")),
            Reach::Denied,
            None,
        ),
        (
            denial(&[403], &[("x-waf", "1")], None),
            Reach::Served,
            Some("header x-waf: 1"),
        ),
        (
            denial(&[403], &[], Some("^nothing")),
            Reach::Served,
            Some("body ^nothing"),
        ),
        (denial(&[404], &[("x-waf", "1")], None), Reach::Served, None),
    ] {
        let seen = look_for(&wanted, &kind, server, LONG).await;
        assert_eq!(reach(&seen), expected, "{wanted:?}");
        assert_eq!(http(&seen).unmet.as_deref(), unmet);
    }
}

#[tokio::test]
async fn a_body_that_stalls_leaves_the_status_and_fails_a_demanded_mark() {
    let server = stalling(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nblock").await;
    let kind = url("http", named(), server.port(), "/");
    let seen = look(&kind, server, SHORT).await;
    assert_eq!(reach(&seen), Reach::Denied);
    assert_eq!((http(&seen).body_bytes, http(&seen).body_cut), (5, true));

    let seen = look_for(&denial(&[403], &[], Some("blocked")), &kind, server, SHORT).await;
    assert_eq!(reach(&seen), Reach::Served);
    assert_eq!(http(&seen).unmet.as_deref(), Some("body blocked"));
}

#[tokio::test]
async fn no_more_than_64_kib_of_a_body_are_read() {
    for (size, read, cut) in [
        (65_536, 65_536, false),
        (65_537, 65_536, true),
        (900_000, 65_536, true),
    ] {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + size, b'x');
        let seen = look_at("http", answering(answer).await, "/", LONG).await;
        assert_eq!(
            (http(&seen).body_bytes, http(&seen).body_cut),
            (read, cut),
            "{size}"
        );
    }
    // A body without an end.
    let server = listen(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    assert!(http(&look_at("http", server, "/", LONG).await).body_cut);
}

#[tokio::test]
async fn throttling_and_challenges_carry_a_caveat() {
    for (answer, caveat) in [
        ("429 Slow\r\n", Some(Caveat::Throttled)),
        (
            "403 No\r\ncf-mitigated: challenge\r\n",
            Some(Caveat::Challenged),
        ),
        (
            "202 No\r\nx-amzn-waf-action: challenge\r\n",
            Some(Caveat::Challenged),
        ),
        (
            "405 No\r\nx-amzn-waf-action: captcha\r\n",
            Some(Caveat::Challenged),
        ),
        (
            "429 No\r\nx-vercel-mitigated: challenge\r\n",
            Some(Caveat::Challenged),
        ),
        ("403 No\r\ncf-mitigated: other\r\n", None),
        ("403 No\r\nserver: cloudflare\r\n", None),
    ] {
        let server = answering(format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n")).await;
        let seen = look_at("http", server, "/", LONG).await;
        assert_eq!(seen.caveat(), caveat, "{answer}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_connected_and_kept() {
    for banner in [
        b"SSH-2.0-OpenSSH_9.2p1\r\n".as_slice(),
        b"220 mail ESMTP\r\n",
        b"<html>no head at all</html>",
        b"\x00\x01\x02\xff",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ] {
        for server in [speaking_first(banner).await, answering(banner).await] {
            let seen = look_at("http", server, "/", SHORT).await;
            assert_eq!(reach(&seen), Reach::Connected);
            let StoppedBy::NotHttp { first_bytes } = stopped_by(&seen) else {
                panic!("{seen:?}");
            };
            assert_eq!(*first_bytes, banner.escape_ascii().to_string());
        }
    }
}

#[tokio::test]
async fn silence_close_and_reset_after_the_handshake_are_told_apart() {
    let silent = listen(|mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let closing = listen(|mut stream| async move {
        request(&mut stream).await;
    })
    .await;
    let resetting = listen(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    for (server, timeout, expected) in [
        (silent, SHORT, StoppedBy::Silence),
        (closing, LONG, StoppedBy::Closed),
        (resetting, LONG, StoppedBy::Reset),
    ] {
        let seen = look_at("http", server, "/", timeout).await;
        assert_eq!(reach(&seen), Reach::Connected);
        assert_eq!(*stopped_by(&seen), expected);
    }
}

#[tokio::test]
async fn a_reset_at_the_door_is_no_stop() {
    // Accept and reset at once: the handshake was completed, however fast the reset.
    let server = listen(|stream| async move {
        let _ = stream.set_zero_linger();
    })
    .await;
    for _ in 0..50 {
        let seen = look_at("http", server, "/", LONG).await;
        assert_eq!(reach(&seen), Reach::Connected);
        assert_eq!(*stopped_by(&seen), StoppedBy::Reset);
        let seen = look(&tcp(server), server, LONG).await;
        assert_eq!(reach(&seen), Reach::Connected);
    }
}

#[tokio::test]
async fn an_answer_given_before_the_question_is_heard() {
    let server = speaking_first(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let seen = look_at("http", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Denied);
}

#[tokio::test]
async fn an_answer_followed_by_a_reset_is_heard() {
    let server = listen(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = stream.set_zero_linger();
    })
    .await;
    for _ in 0..50 {
        let seen = look_at("http", server, "/", LONG).await;
        // The reset may come so fast that the kernel throws the answer away; never a lower rung.
        assert!(
            [Reach::Served, Reach::Connected].contains(&reach(&seen)),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_answer_but_no_denial() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nServer: x", Reach::Served),
        ("HTTP/1.1 403 Forbidden\r\nServer: x", Reach::Connected),
    ] {
        let seen = look_at("http", answering(answer).await, "/", LONG).await;
        assert_eq!(reach(&seen), expected, "{answer}");
    }
    let server = stalling(b"HTTP/1.1 200 OK\r\n").await;
    assert_eq!(
        reach(&look_at("http", server, "/", SHORT).await),
        Reach::Served
    );
}

#[tokio::test]
async fn untidy_and_hostile_heads_are_borne() {
    let untidy =
        "HTTP/1.1 200 OK\r\nBad Header: x\r\nServer : y\r\n\x01: z\r\nContent-Length: 0\r\n\r\n";
    let seen = look_at("http", answering(untidy).await, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Served);

    let long = format!("HTTP/1.1 200 OK\r\nServer: {}\r\n\r\n", "x".repeat(60_000));
    let seen = look_at("http", answering(long).await, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Served);
    assert_eq!(http(&seen).headers[0].1.chars().count(), 200);

    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(5000));
    let seen = look_at("http", answering(many).await, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Served, "more fields than are read");

    // A head without an end.
    let server = listen(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"x: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    assert_eq!(
        reach(&look_at("http", server, "/", LONG).await),
        Reach::Served
    );
}

#[tokio::test]
async fn provisional_answers_are_skipped() {
    let server = answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
         HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(
        reach(&look_at("http", server, "/", LONG).await),
        Reach::Denied
    );

    let server = stalling(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    let seen = look_at("http", server, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert_eq!(*stopped_by(&seen), StoppedBy::Silence);

    // Nothing but provisional answers, without an end: the deadline holds.
    let server = listen(|mut stream| async move {
        request(&mut stream).await;
        while stream
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let begin = std::time::Instant::now();
    let seen = look_at("http", server, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn plain_http_on_an_https_port_is_served_whatever_its_status() {
    let server = listen(|mut stream| async move {
        let mut buffer = [0; 16];
        let _ = stream.read(&mut buffer).await;
        let _ = stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Served);
    assert!(http(&seen).plain_on_tls);
    assert_eq!(http(&seen).status, 403);
}

#[tokio::test]
async fn what_is_not_tls_is_connected_and_kept() {
    let garbage = speaking_first(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
    let seen = look_at("https", garbage, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert_eq!(
        *stopped_by(&seen),
        StoppedBy::NotTls {
            first_bytes: "SSH-2.0-OpenSSH_9.2p1\\r\\n".to_owned()
        }
    );

    let half = listen(|mut stream| async move {
        let _ = stream.write_all(b"+OK").await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let seen = look_at("https", half, "/", SHORT).await;
    assert!(
        matches!(stopped_by(&seen), StoppedBy::NotTls { .. }),
        "{seen:?}"
    );
}

#[tokio::test]
async fn tls_that_never_begins_is_connected() {
    let silent = listen(|stream| async move {
        tokio::time::sleep(LONG).await;
        drop(stream);
    })
    .await;
    let closing = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let resetting = listen(|stream| async move {
        let _ = stream.set_zero_linger();
    })
    .await;
    for (server, timeout, expected) in [
        (silent, SHORT, StoppedBy::Silence),
        (closing, LONG, StoppedBy::Closed),
        (resetting, LONG, StoppedBy::Reset),
    ] {
        let seen = look_at("https", server, "/", timeout).await;
        assert_eq!(reach(&seen), Reach::Connected);
        assert_eq!(*stopped_by(&seen), expected);
    }
}

#[tokio::test]
async fn an_address_as_host_works() {
    let server = answering("HTTP/1.0 200 OK\r\n\r\nhello").await;
    let kind = url("http", Host::Address(server.ip()), server.port(), "/");
    let seen = look(&kind, server, LONG).await;
    assert_eq!(reach(&seen), Reach::Served);
    assert_eq!(http(&seen).version, "HTTP/1.0");
    assert_eq!(http(&seen).body_bytes, 5);
}

/// Provisional answers without an end: always something to read, never an answer.
#[tokio::test]
async fn a_flood_of_provisional_answers_does_not_outlast_the_deadline() {
    let address = listen(|mut stream| async move {
        request(&mut stream).await;
        let flood = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(2_000);
        while stream.write_all(&flood).await.is_ok() {}
    })
    .await;
    let began = std::time::Instant::now();
    let seen = look_at("http", address, "/", Duration::from_secs(30)).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}
