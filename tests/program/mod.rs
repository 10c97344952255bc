//! The program as a user starts it, and a door that is open for it.

use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::sync::Arc;

use assert_cmd::Command;

/// noentry in a folder of its own, without anything of the CI that may run this test.
pub fn noentry(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("noentry").unwrap();
    command
        .current_dir(folder)
        .env_remove("CI")
        .env_remove("NOENTRY_GITHUB_TOKEN");
    for (key, _) in std::env::vars() {
        if key.starts_with("GITHUB_") || key.starts_with("RUNNER_") {
            command.env_remove(key);
        }
    }
    // For what hangs. On a machine that does much else, a minute is not much.
    command.timeout(std::time::Duration::from_mins(5));
    command
}

/// A door that is open as long as this value lives: a control, or an exposed door.
pub struct Door(Arc<TcpListener>);

impl Drop for Door {
    fn drop(&mut self) {
        // A program that a test beside is starting may hold the listener open for a moment. Shut down,
        // it listens for nobody. (Where that cannot be done, it is only closed.)
        let _ = socket2::SockRef::from(&*self.0).shutdown(Shutdown::Both);
    }
}

/// A door that is open, and its port.
pub fn door() -> (Door, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = Arc::new(listener);
    let own = Arc::clone(&listener);
    // Whoever came is let go: a control is tried so often that a queue would be full.
    std::thread::spawn(move || while own.accept().is_ok() {});
    (Door(listener), port)
}
