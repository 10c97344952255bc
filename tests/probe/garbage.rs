//! Random bytes from a server never break the climb and never pass for a stop.

use noentry::domain::reach::Reach;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{listen, look_at, reach};

/// Bytes that get past the first look of a parser more often than plain noise.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let heads: Vec<&'static [u8]> = vec![
        b"",
        b"HTTP/1.1 ",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 403 \r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x03",
        b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03",
        b"\x15\x03\x03\x00\x02",
    ];
    (
        prop::sample::select(heads),
        prop::collection::vec(any::<u8>(), 0..600),
    )
        .prop_map(|(head, noise)| [head, &noise].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_climb_bears_anything(bytes in hostile()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = listen(move |mut stream| {
                let bytes = bytes.clone();
                async move {
                    let _ = stream.read(&mut [0; 64]).await;
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            })
            .await;
            for scheme in ["http", "https"] {
                let seen = look_at(scheme, server, "/", std::time::Duration::from_secs(2)).await;
                // The handshake was completed: no rung below that is true.
                assert!(reach(&seen) >= Reach::Connected, "{scheme}: {seen:?}");
                assert_ne!(reach(&seen), Reach::TlsEstablished);
            }
        });
    }
}
