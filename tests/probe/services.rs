//! UDP services that others made, on loopback: what they answer to our questions.
//!
//! Those that cannot be told a port have a network namespace of their own. Samba's CLDAP server wants a
//! whole directory and is in the laboratory.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use noentry::domain::observation::Outcome;
use noentry::domain::payload::{Payload, Protocol};
use noentry::domain::reach::Reach;
use noentry::probe::elicit::of;
use tempfile::TempDir;

use crate::support::{Running, free_port, missing};
use crate::udp::{HERE, answer, ask, udp_evidence};

/// How often a server that is starting is asked, each time for half a second.
const TRIES: u32 = 100;

/// One server, from its files to what it says of itself.
struct Service {
    protocol: Protocol,
    program: &'static str,
    /// The port, where it cannot be told one.
    port: Option<u16>,
    /// Its arguments. `PORT`, `DIR`, `USER`, `ADDRESS` and `FAMILY` (4 or 6) are replaced.
    arguments: &'static str,
    /// A file that it reads: its name and its content.
    file: Option<(&'static str, &'static str)>,
    /// Where it listens: one process for each.
    addresses: &'static [&'static str],
    /// What its answer says, in part.
    says: &'static str,
}

/// Where a program is. Some are not for everybody's `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/lib/ipsec"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|program| program.is_file())
}

fn start(service: &Service, program: &Path, folder: &Path, address: &str, port: u16) -> Running {
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let fill = |text: &str| {
        text.replace("PORT", &port.to_string())
            .replace("DIR", folder.to_str().unwrap())
            .replace("ADDRESS", address)
            .replace("FAMILY", if address.contains(':') { "6" } else { "4" })
            .replace("USER", user.trim())
    };
    if let Some((name, content)) = service.file {
        fs::write(folder.join(name), fill(content)).unwrap();
    }
    let log = fs::File::create(folder.join("log")).unwrap();
    // AppArmor's profiles are tied to a program's path and deny it every folder but its own. Another
    // process copies it: this one may be starting a program beside, which would hold what is written here
    // for a moment, and what is held open for writing cannot be run.
    let copy = folder.join("server");
    let copied = Command::new("cp").args([program, &copy]).status();
    assert!(copied.unwrap().success());
    let child = Command::new(copy)
        .args(fill(service.arguments).split_whitespace())
        .current_dir(folder)
        .env("MIBS", "")
        .env("SNMP_PERSISTENT_DIR", folder)
        // Kept open: at its end OpenSSL's server ends.
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        // Kamailio's workers outlive it otherwise.
        .process_group(0)
        .spawn()
        .unwrap();
    Running(child, Some(folder.join("log")))
}

/// Starts the server and asks it over both families.
async fn answers(service: Service) {
    let Some(program) = find(service.program) else {
        return missing(service.program);
    };
    for listen in service.addresses {
        let folder = TempDir::new().unwrap();
        identity(folder.path());
        let port = service.port.unwrap_or_else(free_port);
        let _running = start(&service, &program, folder.path(), listen, port);
        let payload = Payload::Protocol(service.protocol);
        for ip in HERE
            .iter()
            .filter(|ip| service.addresses.len() == 1 || *ip == listen)
        {
            let ip: IpAddr = ip.parse().unwrap();
            let address = SocketAddr::new(ip, port);
            let mut seen = ask(address, &payload, Duration::from_millis(500)).await;
            for _ in 0..TRIES {
                if seen.outcome == Outcome::Reached(Reach::Connected) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                seen = ask(address, &payload, Duration::from_millis(500)).await;
            }
            let log = fs::read_to_string(folder.path().join("log")).unwrap();
            let name = service.program;
            assert_eq!(
                seen.outcome,
                Outcome::Reached(Reach::Connected),
                "{name} {ip}: {log}"
            );
            let answer = answer(&seen);
            assert!(answer.expected, "{name} {ip}: {answer:?}");
            let says = answer.says.as_deref().unwrap_or_default();
            assert!(says.contains(service.says), "{name} {ip}: {says}");
            assert!(usize::try_from(answer.bytes).unwrap() <= of(service.protocol).bound);
            assert_eq!(udp_evidence(&seen).payload, service.protocol.as_str());
        }
    }
}

fn identity(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["door.example.com".to_owned()]).unwrap();
    fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn bind_refuses_strangers_in_words() {
    answers(Service {
        protocol: Protocol::Dns,
        program: "named",
        port: None,
        arguments: "-g -c DIR/named.conf",
        file: Some((
            "named.conf",
            r#"options {
                directory "DIR"; pid-file none; recursion no;
                listen-on port PORT { 127.0.0.1; }; listen-on-v6 port PORT { ::1; };
            };
            controls { };"#,
        )),
        addresses: &["any"],
        says: "REFUSED",
    })
    .await;
}

#[tokio::test]
async fn chrony_brings_our_timestamp_back() {
    answers(Service {
        protocol: Protocol::Ntp,
        program: "chronyd",
        port: None,
        arguments: "-x -U -u USER -F 0 -d -f DIR/chrony.conf",
        file: Some((
            "chrony.conf",
            "local stratum 8\nallow all\ncmdport 0\nbindcmdaddress /\nport PORT\n\
             pidfile DIR/chronyd.pid\n",
        )),
        addresses: &["any"],
        says: "version 4, stratum 8",
    })
    .await;
}

#[tokio::test]
async fn net_snmp_names_its_engine_to_everybody() {
    answers(Service {
        protocol: Protocol::Snmp,
        program: "snmpd",
        port: None,
        arguments: "-f -Lo -C -c DIR/snmpd.conf -p DIR/snmpd.pid -I -smux",
        file: Some((
            "snmpd.conf",
            "agentaddress udp:127.0.0.1:PORT,udp6:[::1]:PORT\nrocommunity inside 192.0.2.1\n",
        )),
        addresses: &["any"],
        says: "(enterprise 8072), boots ",
    })
    .await;
}

#[tokio::test]
async fn memcached_tells_its_version_in_whatever_it_speaks() {
    for arguments in [
        "-u USER -m 8 -t 1 -p 0 -U PORT -l 127.0.0.1,::1",
        "-B binary -u USER -m 8 -t 1 -p 0 -U PORT -l 127.0.0.1,::1",
    ] {
        answers(Service {
            protocol: Protocol::Memcached,
            program: "memcached",
            port: None,
            arguments,
            file: None,
            addresses: &["any"],
            says: "version 1.",
        })
        .await;
    }
}

#[tokio::test]
async fn coturn_says_where_it_sees_us() {
    answers(Service {
        protocol: Protocol::Stun,
        program: "turnserver",
        port: None,
        arguments: "-n -m 1 --stun-only --listening-port=PORT -L 127.0.0.1 -L ::1 --no-tls \
                    --no-dtls --no-cli --simple-log --log-file=DIR/turn.log \
                    --pidfile=DIR/turn.pid --db=DIR/turn.db",
        file: None,
        addresses: &["any"],
        says: "sees us at ",
    })
    .await;
}

#[tokio::test]
async fn kamailio_tells_its_options() {
    answers(Service {
        protocol: Protocol::Sip,
        program: "kamailio",
        port: None,
        arguments: "-DD -E -m 16 -M 4 -f DIR/kamailio.cfg -P DIR/pid -Y DIR -w DIR",
        file: Some((
            "kamailio.cfg",
            "#!KAMAILIO
            debug=0
            log_stderror=yes
            children=1
            auto_aliases=no
            disable_tcp=yes
            listen=udp:127.0.0.1:PORT
            listen=udp:[::1]:PORT
            loadmodule \"sl.so\"
            request_route {
              if (method == \"OPTIONS\") { sl_send_reply(\"200\", \"OK\"); exit; }
              sl_send_reply(\"403\", \"Forbidden\");
            }\n",
        )),
        addresses: &["any"],
        says: "200 OK, kamailio",
    })
    .await;
}

#[tokio::test]
async fn openssl_asks_for_a_cookie() {
    answers(Service {
        protocol: Protocol::Dtls,
        program: "openssl",
        port: None,
        arguments: "s_server -dtls -listen -FAMILY -accept PORT -cert DIR/certificate.pem \
                    -key DIR/key.pem",
        file: None,
        addresses: &["127.0.0.1", "::1"],
        says: "asks for a cookie",
    })
    .await;
}

#[tokio::test]
async fn libcoap_resets_a_ping() {
    answers(Service {
        protocol: Protocol::Coap,
        program: "coap-server-notls",
        port: None,
        arguments: "-A ADDRESS -p PORT",
        file: None,
        addresses: &["127.0.0.1", "::1"],
        says: "",
    })
    .await;
}

#[tokio::test]
async fn openvpn_acknowledges_our_session() {
    answers(Service {
        protocol: Protocol::Openvpn,
        program: "openvpn",
        port: None,
        arguments: "--dev null --tls-server --ifconfig-noexec --proto udpFAMILY --local ADDRESS \
                    --port PORT --ca DIR/certificate.pem --cert DIR/certificate.pem \
                    --key DIR/key.pem --dh none",
        file: None,
        addresses: &["127.0.0.1", "::1"],
        says: "without tls-auth",
    })
    .await;
}

/// These three listen on their own ports: each in a network of its own.
#[cfg(target_os = "linux")]
mod enclosed {
    use super::*;
    use crate::estate::{inside, sh};

    #[tokio::test]
    async fn tftp_has_no_such_file() {
        if !inside("services::enclosed::tftp_has_no_such_file") {
            return;
        }
        sh("ip link set lo up");
        answers(Service {
            protocol: Protocol::Tftp,
            program: "dnsmasq",
            port: Some(69),
            arguments: "-d -C /dev/null -u root --port=0 --enable-tftp --tftp-root=DIR",
            file: None,
            addresses: &["any"],
            says: " not found for ",
        })
        .await;
    }

    #[tokio::test]
    async fn rpcbind_answers_a_call_for_nothing() {
        if !inside("services::enclosed::rpcbind_answers_a_call_for_nothing") {
            return;
        }
        sh("ip link set lo up");
        if find("strace").is_none() {
            return missing("strace");
        }
        // rpcbind insists on leaving all groups, which an unprivileged user's namespace does not
        // allow, and on becoming a user, who is 0 in the password file that it sees.
        answers(Service {
            protocol: Protocol::Portmap,
            program: "sh",
            port: Some(111),
            arguments: "-eu DIR/run",
            file: Some((
                "run",
                "printf 'root:x:0:0::/:\\n_rpc:x:0:0::/:\\n' > DIR/passwd
                mount --bind DIR/passwd /etc/passwd
                mount -t tmpfs none /run
                mkdir /run/rpcbind
                exec unshare --pid --fork --kill-child strace -f -qq -o /dev/null \\
                  -e inject=setgroups:retval=0 rpcbind -f -w",
            )),
            addresses: &["any"],
            says: "",
        })
        .await;
    }

    #[tokio::test]
    async fn charon_answers_the_first_message() {
        if !inside("services::enclosed::charon_answers_the_first_message") {
            return;
        }
        sh("ip link set lo up");
        if find("charon").is_none() {
            return missing("charon");
        }
        answers(Service {
            protocol: Protocol::Ike,
            program: "sh",
            port: Some(500),
            arguments: "-eu DIR/run",
            file: Some((
                "run",
                "mount -t tmpfs none /run
                cp /usr/lib/ipsec/charon DIR/charon
                cat > DIR/strongswan.conf <<'END'
                charon {
                  load = random nonce openssl aes sha1 sha2 hmac kdf gmp kernel-netlink socket-default stroke
                  install_routes = no
                  install_virtual_ip = no
                  threads = 8
                }
END
                export STRONGSWAN_CONF=DIR/strongswan.conf
                exec DIR/charon",
            )),
            addresses: &["any"],
            says: "NO_PROPOSAL_CHOSEN",
        })
        .await;
    }
}
