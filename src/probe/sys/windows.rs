//! Error numbers of Windows sockets ("Windows Sockets Error Codes", Winsock2 reference).

use std::io;
use std::net::IpAddr;

use super::{Cause, Route};

/// What an error number says.
pub fn cause(errno: i32) -> Cause {
    match errno {
        10_061 => Cause::Refused,
        10_054 | 10_058 => Cause::Reset,
        10_053 => Cause::Aborted,
        10_060 => Cause::TimedOut,
        10_064 | 10_065 => Cause::HostUnreachable,
        10_050 | 10_051 => Cause::NoRoute,
        10_048 | 10_049 => Cause::NoLocalPort,
        10_013 => Cause::NotPermitted,
        10_024 => Cause::TooManyFiles,
        10_055 => Cause::NoBuffers,
        10_043 | 10_046 | 10_047 => Cause::NoFamily,
        _ => Cause::Other,
    }
}

/// The system's text for an error number.
pub fn name(errno: i32) -> String {
    io::Error::from_raw_os_error(errno).to_string()
}

/// Not known.
///
/// # Errors
///
/// Always: this system is not asked.
pub fn route(_address: IpAddr, _: Option<super::Door>) -> io::Result<Option<Route>> {
    Err(io::ErrorKind::Unsupported.into())
}
