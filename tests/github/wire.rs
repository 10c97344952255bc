//! HTTP/1.1 as far as these tests need it: one request, one answer, bodies whole and bounded.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// The largest body and the longest head, in bytes.
const LIMIT: u64 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

pub type Headers = Vec<(String, String)>;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(status: u16, body: &Value) -> Self {
        let kind = "application/json; charset=utf-8".to_owned();
        Self {
            status,
            headers: vec![("content-type".to_owned(), kind)],
            body: body.to_string().into_bytes(),
        }
    }

    /// The body; null where it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A header's first value.
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

/// The next request of a connection; none at its end.
pub fn read_request(from: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some((first, headers)) = read_head(from)? else {
        return Ok(None);
    };
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::other(format!("not a request: {first}")));
    };
    let body = read_body(from, &headers)?.unwrap_or_default();
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
    }))
}

/// Sends a request on a connection of its own and reads the answer.
pub fn call(to: SocketAddr, request: &Request) -> io::Result<Response> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        let own = ["host", "content-length", "connection", "transfer-encoding"];
        if !own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let _ = write!(
        text,
        "host: {to}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        request.body.len()
    );
    (&stream).write_all(text.as_bytes())?;
    (&stream).write_all(&request.body)?;
    let mut from = BufReader::new(stream);
    let Some((first, headers)) = read_head(&mut from)? else {
        return Err(io::Error::other("no answer"));
    };
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = match read_body(&mut from, &headers)? {
        Some(body) => body,
        None if status == Some(204) => Vec::new(),
        None => {
            let mut body = Vec::new();
            from.take(LIMIT).read_to_end(&mut body)?;
            body
        }
    };
    Ok(Response {
        status: status.ok_or_else(|| io::Error::other(first))?,
        headers,
        body,
    })
}

/// Writes an answer.
pub fn write(to: &mut TcpStream, response: &Response) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {} -\r\n", response.status);
    for (name, value) in &response.headers {
        let own = [
            "content-length",
            "connection",
            "keep-alive",
            "transfer-encoding",
        ];
        if !own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let _ = write!(text, "content-length: {}\r\n\r\n", response.body.len());
    to.write_all(text.as_bytes())?;
    to.write_all(&response.body)
}

fn read_head(from: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Headers)>> {
    let mut lines = Vec::new();
    let mut left = from.take(1 << 20);
    loop {
        let mut line = String::new();
        if left.read_line(&mut line)? == 0 {
            if lines.is_empty() {
                return Ok(None);
            }
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let mut lines = lines.into_iter();
    let first = lines
        .next()
        .ok_or_else(|| io::Error::other("an empty head"))?;
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    Ok(Some((first, headers.collect())))
}

/// The body by its declared length; none where no length is declared.
fn read_body(from: &mut BufReader<TcpStream>, headers: &Headers) -> io::Result<Option<Vec<u8>>> {
    if header(headers, "transfer-encoding").is_some() {
        return read_chunks(from).map(Some);
    }
    let Some(length) = header(headers, "content-length") else {
        return Ok(None);
    };
    let length: u64 = length.parse().map_err(io::Error::other)?;
    let mut body = Vec::new();
    from.take(length.min(LIMIT)).read_to_end(&mut body)?;
    Ok(Some(body))
}

/// RFC 9112 section 7.1.
fn read_chunks(from: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.take(1 << 10).read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        from.take(size.min(LIMIT)).read_to_end(&mut body)?;
        from.take(1 << 10).read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}
