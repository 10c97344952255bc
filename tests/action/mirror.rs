//! A server with archives in the layout of a release, and with the faults that a test asks for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a path is answered.
#[derive(Clone)]
pub enum Answer {
    /// Whole.
    File(Arc<Vec<u8>>),
    /// The length is that of the file, but only half of it comes.
    Half(Arc<Vec<u8>>),
    /// With this status and nothing else.
    Status(u16),
    /// The first requests are answered with 503, this many of them, then the file comes.
    Later(usize, Arc<Vec<u8>>),
}

/// The server; it ends with this value.
pub struct Mirror {
    address: SocketAddr,
    path: String,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Mirror {
    /// Answers requests for one path; every other one with 404.
    pub fn start(path: &str, answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (seen, stop) = (Arc::clone(&asked), Arc::clone(&over));
        let (path, served) = (path.to_owned(), path.to_owned());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away in the middle is its own affair.
                let _ = stream.and_then(|stream| serve(stream, &served, &answer, &seen));
            }
        });
        Self {
            address,
            path,
            asked,
            over,
            thread: Some(thread),
        }
    }

    /// For the input `mirror`, and a control that answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often its one path was asked for. As the API's host it is asked for other things too.
    pub fn downloads(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|path| **path == self.path).count()
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    path: &str,
    answer: &Answer,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(());
    };
    for line in lines.by_ref() {
        if line?.is_empty() {
            break;
        }
    }
    let wanted = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut asked = asked.lock().unwrap();
    asked.push(wanted.clone());
    let times = asked.iter().filter(|path| **path == wanted).count();
    drop(asked);
    let (status, length, body): (u16, usize, &[u8]) = match answer {
        _ if wanted != path => (404, 0, &[]),
        Answer::Status(status) => (*status, 0, &[]),
        Answer::Later(failures, _) if times <= *failures => (503, 0, &[]),
        Answer::Later(_, file) | Answer::File(file) => (200, file.len(), file),
        Answer::Half(file) => (200, file.len(), &file[..file.len() / 2]),
    };
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)
}
