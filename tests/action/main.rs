//! The GitHub Action as a stranger uses it: act runs their workflow, which uses this action, which
//! downloads the program and looks at doors that are open and shut. Linux; see `support` for act.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod described;
mod examples;
mod fetched;
#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "this is only a part of what the tests of the trail use"
)]
mod github;
mod inputs;
mod merged;
mod mirror;
mod release;
mod rounds;
mod scripts;
mod shell;
mod source;
mod support;

use mirror::{Answer, Mirror};
use support::{World, archive, archive_path, pinning};

/// A world whose release is served by a mirror, and that mirror, which is a control as well.
fn with_release() -> Option<(World, Mirror)> {
    let mut world = World::new(&pinning(&archive().1))?;
    let mirror = Mirror::start(&archive_path(), Answer::File(archive().0.clone()));
    world.env.push(("GITHUB_API_URL".to_owned(), mirror.url()));
    Some((world, mirror))
}

/// A door that is open. Its port stays ours when it is shut, or another test might open it again.
struct Door {
    listener: socket2::Socket,
    port: socket2::Socket,
}

impl Door {
    /// Shuts it; what comes back keeps the port.
    fn shut(self) -> socket2::Socket {
        let Self { listener, port } = self;
        // A program that a test beside is starting may hold it open for a moment. Shut down, it listens
        // for nobody.
        listener.shutdown(std::net::Shutdown::Both).unwrap();
        port
    }
}

/// A port that is open as long as the door is.
fn open() -> (Door, u16) {
    let bound = |address: std::net::SocketAddr| {
        let kind = socket2::Type::STREAM;
        let socket = socket2::Socket::new(socket2::Domain::IPV4, kind, None).unwrap();
        // The two share the port, and only one of them listens.
        socket.set_reuse_port(true).unwrap();
        socket.bind(&address.into()).unwrap();
        socket
    };
    let port = bound("127.0.0.1:0".parse().unwrap());
    let address = port.local_addr().unwrap().as_socket().unwrap();
    let listener = bound(address);
    listener.listen(128).unwrap();
    (Door { listener, port }, address.port())
}

/// A port that is taken, and at which nobody listens.
fn shut() -> (socket2::Socket, u16) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// A port whose queue of connections is full: further ones hear nothing.
fn silent() -> (Vec<socket2::Socket>, u16) {
    let stream = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = stream().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = vec![listener];
    for _ in 0..3 {
        let client = stream().unwrap();
        client.set_nonblocking(true).unwrap();
        let _ = client.connect(&address);
        held.push(client);
    }
    (held, address.as_socket().unwrap().port())
}

/// A configuration with these TCP targets. The API's host is a control without being named.
fn config(targets: &[(&str, u16)]) -> String {
    use std::fmt::Write as _;
    let mut text =
        "version: 1\nvantage: { unfiltered: true }\ndefaults: { timeout: 900ms, attempts: 1, probe_non_global: true }\n\
                    targets:\n"
            .to_owned();
    for (name, port) in targets {
        writeln!(text, "  - {{ name: {name}, tcp: '127.0.0.1:{port}' }}").unwrap();
    }
    text
}
