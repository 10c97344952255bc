//! The real servers on the server side: nginx, OpenSSL's own server, BIND.
//!
//! Each answers on every address that leads to the server side. Certificates are made anew for each
//! laboratory.

use std::fmt::Write as _;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

use crate::lab::{DIR, Lab, Place};
use crate::zones;

/// Starts all of them and waits until they listen.
pub fn start(lab: &Lab) {
    certificates(lab);
    lab.write("nginx.conf", nginx());
    zones::write(lab);
    // nginx comes back when its sockets are open. BIND's and OpenSSL's are waited for below.
    //
    // BIND runs from a copy: Debian's and Ubuntu's AppArmor profiles are tied to its path, and deny
    // it every directory but its own.
    lab.sh(
        Place::Server,
        &format!(
            "cd {DIR}
            nginx -e {DIR}/nginx.log -c {DIR}/nginx.conf
            cp \"$(command -v named)\" {DIR}/named-copy
            ./named-copy -n 1 -c {DIR}/named.conf > named.log 2>&1
            for version in 2 3; do
              setsid openssl s_server -quiet -www -port 444$version -tls1_$version \\
                -cert server.pem -key server.key -CAfile server.pem -Verify 1 \\
                < /dev/null > openssl-$version.log 2>&1 &
            done"
        ),
    );
    lab.until_listening(
        Place::Server,
        &[
            "tcp 443",
            "tcp 4442",
            "tcp 4443",
            "tcp 9000",
            "udp 198.51.100.53:53",
            "tcp 198.51.100.59:53",
        ],
    );
}

fn certificates(lab: &Lab) {
    let names = ["lab.example", "*.lab.example"];
    certificate(lab, "server", "The laboratory", &names, 4096);
    // What a box on the way shows in everybody's name, and one whose time is over.
    certificate(
        lab,
        "foreign",
        "A filter",
        &["blocked.filter.example"],
        4096,
    );
    certificate(lab, "old", "The laboratory", &names, 2020);
}

fn certificate(lab: &Lab, file: &str, common: &str, names: &[&str], until: i32) {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    lab.write(&format!("{file}.pem"), certificate.pem());
    lab.write(&format!("{file}.key"), key.serialize_pem());
}

/// The answers that every web port gives.
const PAGES: &str = "
    default_type text/html;
    location /ip { default_type text/plain; return 200 '$remote_addr'; }
    location /ok { return 200 '<title>Back office</title>'; }
    location /login { return 302 /sign-in; }
    location /basic { add_header WWW-Authenticate 'Basic realm=lab' always; return 401; }
    location /denied { return 403; }
    location /waf { add_header X-Denied-By gatekeeper always; return 403 'Request blocked. Reference 1a2b'; }
    location /missing { return 404; }
    location /busy { return 429; }
    location /challenge { add_header cf-mitigated challenge always; return 403; }
    location /broken { return 500; }
    location /gateway { return 504; }
    location /proxy { return 407; }
    location /portal { return 511; }
    location /squid { add_header X-Squid-Error 'ERR_ACCESS_DENIED 0' always; return 403; }
    location /closed { return 444; }
";

fn nginx() -> String {
    let mut servers = String::new();
    let mut server = |ports: &[u16], options: &str, lines: &str| {
        servers.push_str("server {\n");
        for port in ports {
            let _ = writeln!(servers, "listen {port} {options};");
            let _ = writeln!(servers, "listen [::]:{port} {options} ipv6only=on;");
        }
        let _ = writeln!(servers, "{lines}\n{PAGES}\n}}");
    };
    let behind_the_firewall: Vec<u16> = (9000..=9016).filter(|port| *port != 9011).collect();
    server(&behind_the_firewall, "", "");
    server(&[25, 80], "", "");
    let identity =
        format!("ssl_certificate {DIR}/server.pem; ssl_certificate_key {DIR}/server.key;");
    let with = |more: &str| format!("{identity} {more}");
    server(&[443], "ssl http2", &with("ssl_protocols TLSv1.2 TLSv1.3;"));
    server(&[4431], "ssl", &with("ssl_protocols TLSv1.2;"));
    // nginx asks for a certificate, completes the handshake without one, and answers 400.
    let asks = format!("ssl_client_certificate {DIR}/server.pem; ssl_verify_client on;");
    server(
        &[4432],
        "ssl",
        &with(&format!("ssl_protocols TLSv1.2; {asks}")),
    );
    server(
        &[4433],
        "ssl",
        &with(&format!("ssl_protocols TLSv1.3; {asks}")),
    );
    server(&[4434], "ssl", "ssl_reject_handshake on;");
    for (port, file) in [(4435, "foreign"), (4436, "old")] {
        let identity =
            format!("ssl_certificate {DIR}/{file}.pem; ssl_certificate_key {DIR}/{file}.key;");
        server(&[port], "ssl", &identity);
    }
    format!(
        "user root;
        pid {DIR}/nginx.pid;
        error_log {DIR}/nginx.log;
        worker_processes 1;
        events {{ worker_connections 4096; }}
        http {{
          access_log off;
          server_tokens off;
          client_body_temp_path {DIR}/body;
          proxy_temp_path {DIR}/proxy;
          fastcgi_temp_path {DIR}/fastcgi;
          uwsgi_temp_path {DIR}/uwsgi;
          scgi_temp_path {DIR}/scgi;
          {servers}
        }}"
    )
}
