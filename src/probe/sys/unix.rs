//! Error numbers of Unix systems.

use std::io;

use nix::errno::Errno;

use super::Cause;

/// What an error number says.
pub fn cause(errno: i32) -> Cause {
    match Errno::from_raw(errno) {
        Errno::ECONNREFUSED => Cause::Refused,
        Errno::ECONNRESET | Errno::EPIPE => Cause::Reset,
        Errno::ECONNABORTED => Cause::Aborted,
        Errno::ETIMEDOUT => Cause::TimedOut,
        Errno::EHOSTUNREACH | Errno::EHOSTDOWN => Cause::HostUnreachable,
        Errno::ENETUNREACH | Errno::ENETDOWN => Cause::NoRoute,
        Errno::EADDRNOTAVAIL | Errno::EADDRINUSE | Errno::EAGAIN => Cause::NoLocalPort,
        Errno::EPERM | Errno::EACCES => Cause::NotPermitted,
        Errno::EMFILE | Errno::ENFILE => Cause::TooManyFiles,
        Errno::ENOBUFS | Errno::ENOMEM => Cause::NoBuffers,
        Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT | Errno::EPFNOSUPPORT => Cause::NoFamily,
        _ => Cause::Other,
    }
}

/// Name and text of an error number, such as `EMFILE: Too many open files`.
pub fn name(errno: i32) -> String {
    Errno::from_raw(errno).to_string()
}

/// See [`in_progress`](super::in_progress).
pub fn in_progress(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .map(Errno::from_raw)
        .is_some_and(|errno| matches!(errno, Errno::EINPROGRESS | Errno::EINTR))
}
