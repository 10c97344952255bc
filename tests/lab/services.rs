//! Servers that are started only where a scenario asks for them: one for each protocol that has a
//! probe of its own.
//!
//! All of them come from packages, listen on every address of the server side over IPv4 and IPv6,
//! and are given their whole configuration here; nothing below `/etc` is read that has to be
//! written first. They run as the only user that a laboratory is sure to have (user 0 inside it),
//! so each is told not to become another one.
//!
//! Some do not say from which of their addresses they answer. Those are behind a redirection in the
//! server's own firewall (`doors.nft`), which sends the answer from the address that was asked.
//!
//! `AppArmor` profiles of Debian and Ubuntu are tied to a program's path and deny it every directory
//! but its own, so the programs that have one run from a copy.

use crate::lab::{DIR, Lab, Place};

/// A server that a scenario can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// chrony: NTP on UDP 123.
    Chrony,
    /// snmpd: SNMP on UDP 161. It answers an `SNMPv3` engine discovery from everybody, and no
    /// community from outside.
    Snmp,
    /// memcached: UDP and TCP 11211.
    Memcached,
    /// coturn: STUN on UDP and TCP 3478.
    Stun,
    /// kamailio: SIP on UDP 5060. OPTIONS gets 200, all else 403.
    Sip,
    /// strongSwan's charon: `IKEv2` on UDP 500 and 4500.
    Ike,
    /// OpenSSL's server: DTLS on UDP 4444, first answer a `HelloVerifyRequest`. After a cookie came back it
    /// is busy with that client until the end of its handshake.
    Dtls,
    /// dnsmasq: TFTP on UDP 69. It has one file, `hello`.
    Tftp,
    /// rpcbind: portmap on UDP and TCP 111.
    Portmap,
    /// libcoap's server: `CoAP` on UDP 5683.
    Coap,
    /// `OpenVPN` without `tls-auth`: UDP 1194.
    OpenVpn,
    /// Caddy: HTTP/3 on UDP 4445 and, redirected to it, on UDP 443; HTTP/1.1 and HTTP/2 over TLS on
    /// TCP 4445.
    Http3,
    /// OpenSSH: TCP 22.
    Ssh,
    /// aiosmtpd: TCP 587.
    Smtp,
    /// Samba with an empty Active Directory, of which CLDAP alone is served: UDP 389. It takes some
    /// seconds to make.
    Directory,
}

impl Server {
    /// Every one of them.
    pub const ALL: [Self; 15] = [
        Self::Chrony,
        Self::Snmp,
        Self::Memcached,
        Self::Stun,
        Self::Sip,
        Self::Ike,
        Self::Dtls,
        Self::Tftp,
        Self::Portmap,
        Self::Coap,
        Self::OpenVpn,
        Self::Http3,
        Self::Ssh,
        Self::Smtp,
        Self::Directory,
    ];

    /// A shell script that starts it in the background, run in the laboratory's own directory.
    const fn script(self) -> &'static str {
        match self {
            Self::Chrony => {
                "cp \"$(command -v chronyd)\" chronyd-copy
                ./chronyd-copy -x -U -u root -F 0 -d -f \"$PWD/chrony.conf\" > chrony.log 2>&1 &"
            }
            // Without MIBS it would read, and complain about, files that Debian does not ship.
            Self::Snmp => {
                "mkdir snmp
                MIBS= SNMP_PERSISTENT_DIR=$PWD/snmp snmpd -f -Lo -C -c \"$PWD/snmpd.conf\" \\
                  -p \"$PWD/snmpd.pid\" -I -smux > snmpd.log 2>&1 &"
            }
            Self::Memcached => {
                "memcached -u root -m 8 -t 1 -p 11211 -U 11211 -l 0.0.0.0,:: > memcached.log 2>&1 &"
            }
            Self::Stun => {
                "mkdir turn
                turnserver -n -m 1 --stun-only --listening-port=3478 -L 0.0.0.0 -L :: --no-tls \\
                  --no-dtls --no-cli --simple-log --log-file=\"$PWD/turn.log\" \\
                  --pidfile=\"$PWD/turn.pid\" --db=\"$PWD/turn/db\" > turn.out 2>&1 &"
            }
            Self::Sip => {
                "mkdir sip
                kamailio -DD -E -m 16 -M 4 -f \"$PWD/kamailio.cfg\" -P \"$PWD/sip/pid\" \\
                  -Y \"$PWD/sip\" -w \"$PWD/sip\" > kamailio.log 2>&1 &"
            }
            // Without a connection it would answer every proposal with a refusal. Its control
            // socket has a name before anybody listens there: only who was let in knows.
            Self::Ike => {
                "cp /usr/lib/ipsec/charon charon-copy
                cp /usr/lib/ipsec/stroke stroke-copy
                STRONGSWAN_CONF=$PWD/strongswan.conf ./charon-copy > charon.log 2>&1 &
                for wait in $(seq 3000); do
                  if ./stroke-copy add lab @lab.example %any %any %any %dynamic %dynamic \\
                    > stroke.log 2>&1; then exit; fi
                  sleep 0.02
                done
                cat charon.log stroke.log >&2
                exit 1"
            }
            Self::Dtls => {
                "setsid openssl s_server -dtls -listen -quiet -port 4444 -cert server.pem \\
                  -key server.key < /dev/null > dtls.log 2>&1 &"
            }
            Self::Tftp => {
                "mkdir tftp
                echo hello > tftp/hello
                cp \"$(command -v dnsmasq)\" dnsmasq-copy
                ./dnsmasq-copy -d -C /dev/null -u root --port=0 --enable-tftp \\
                  --tftp-root=\"$PWD/tftp\" > dnsmasq.log 2>&1 &"
            }
            // rpcbind insists on becoming another user and on leaving all groups, and neither is
            // possible in an unprivileged user's namespace. So that user is 0 in the password file
            // that it sees, and the kernel's refusal about the groups is kept from it.
            Self::Portmap => {
                "printf 'root:x:0:0::/:\\n_rpc:x:0:0::/:\\n' > rpcbind.passwd
                unshare --mount sh -euc 'mount --bind rpcbind.passwd /etc/passwd
                  exec strace -f -qq -o /dev/null -e inject=setgroups:retval=0 rpcbind -f' \\
                  > rpcbind.log 2>&1 &"
            }
            Self::Coap => "coap-server-notls -A :: -p 5683 > coap.log 2>&1 &",
            Self::OpenVpn => {
                "openvpn --dev tun --server 198.18.4.0 255.255.255.0 --ifconfig-noexec \\
                  --route-noexec --proto udp6 --multihome --port 1194 --verb 3 --ca server.pem --cert server.pem --key server.key --dh none \\
                  > openvpn.log 2>&1 &"
            }
            Self::Http3 => {
                "HOME=$PWD caddy run --adapter caddyfile --config Caddyfile > caddy.log 2>&1 &"
            }
            Self::Ssh => {
                "mkdir -p /run/sshd
                test -e ssh.key || ssh-keygen -q -t ed25519 -N '' -f ssh.key
                \"$(command -v sshd)\" -D -e -f \"$PWD/sshd.conf\" > sshd.log 2>&1 &"
            }
            // Every real mail server of Debian would take the place of the machine's own.
            Self::Smtp => {
                "for any in 0.0.0.0 ::0; do
                  /usr/bin/python3 -m aiosmtpd -n -l \"$any:587\" > smtp.log 2>&1 &
                done"
            }
            // Made before it is started and not beside: on a busy machine it takes longer than anything
            // else here is waited for. The module comes from Debian's python3-samba, which another
            // Python does not have.
            Self::Directory => {
                "timeout 300 /usr/bin/python3 directory.py \"$PWD/directory\"
                samba -i -M single -s \"$PWD/directory/smb.conf\" > directory.log 2>&1 &"
            }
        }
    }

    /// A file that it needs: its name and its content.
    fn configuration(self) -> Option<(&'static str, String)> {
        let (name, content) = match self {
            Self::Chrony => (
                "chrony.conf",
                format!(
                    "local stratum 8\nallow all\ncmdport 0\nbindcmdaddress /\n\
                     pidfile {DIR}/chronyd.pid\n"
                ),
            ),
            Self::Snmp => (
                "snmpd.conf",
                "agentaddress udp:161,udp6:[::]:161\nrocommunity inside 127.0.0.1\n".to_owned(),
            ),
            Self::Sip => (
                "kamailio.cfg",
                "#!KAMAILIO
                debug=0
                log_stderror=yes
                children=1
                auto_aliases=no
                disable_tcp=yes
                listen=udp:0.0.0.0:5060
                listen=udp:[::]:5060
                loadmodule \"sl.so\"
                request_route {
                  if (method == \"OPTIONS\") { sl_send_reply(\"200\", \"OK\"); exit; }
                  sl_send_reply(\"403\", \"Forbidden\");
                }\n"
                .to_owned(),
            ),
            Self::Ike => (
                "strongswan.conf",
                // Debian and Ubuntu cut the cryptography into different plugins; those that are
                // not there are passed over.
                format!(
                    "charon {{
                      load = random nonce openssl aes sha1 sha2 hmac kdf gmp kernel-netlink socket-default stroke
                      install_routes = no
                      install_virtual_ip = no
                      threads = 8
                      filelog {{
                        lab {{
                          path = {DIR}/charon.out
                          default = 1
                        }}
                      }}
                    }}\n"
                ),
            ),
            Self::Http3 => (
                "Caddyfile",
                format!(
                    "{{
                      admin off
                      auto_https off
                      skip_install_trust
                      storage file_system {DIR}/caddy
                      servers {{
                        protocols h1 h2 h3
                      }}
                    }}
                    https://:4445 {{
                      tls {DIR}/server.pem {DIR}/server.key
                      respond /ok \"<title>Back office</title>\" 200
                      respond /denied 403
                      respond 404
                    }}\n"
                ),
            ),
            Self::Ssh => (
                "sshd.conf",
                format!("Port 22\nHostKey {DIR}/ssh.key\nPidFile {DIR}/sshd.pid\nUsePAM no\n"),
            ),
            Self::Directory => ("directory.py", include_str!("directory.py").to_owned()),
            Self::Memcached
            | Self::Stun
            | Self::Dtls
            | Self::Tftp
            | Self::Portmap
            | Self::Coap
            | Self::OpenVpn
            | Self::Smtp => return None,
        };
        Some((name, content))
    }

    /// What it listens on when it is ready.
    const fn sockets(self) -> &'static [&'static str] {
        match self {
            Self::Chrony => &["udp 0.0.0.0:123", "udp [::]:123"],
            Self::Snmp => &["udp 0.0.0.0:161", "udp [::]:161"],
            Self::Memcached => &["udp 0.0.0.0:11211", "udp [::]:11211"],
            Self::Stun => &["udp 0.0.0.0:3478", "udp *:3478"],
            Self::Sip => &["udp 0.0.0.0:5060", "udp *:5060"],
            Self::Ike => &["udp 0.0.0.0:500", "udp [::]:500"],
            Self::Dtls => &["udp *:4444"],
            Self::Tftp => &["udp 0.0.0.0:69", "udp [::]:69"],
            Self::Portmap => &["udp 0.0.0.0:111", "udp [::]:111"],
            Self::Coap => &["udp *:5683"],
            Self::OpenVpn => &["udp *:1194"],
            Self::Http3 => &["udp *:4445"],
            Self::Ssh => &["tcp 0.0.0.0:22", "tcp [::]:22"],
            Self::Smtp => &["tcp 0.0.0.0:587", "tcp [::]:587"],
            Self::Directory => &["udp 198.18.2.2:389", "udp [2001:db8:2::2]:389"],
        }
    }
}

/// Starts these and waits until they listen.
pub fn start(lab: &Lab, servers: &[Server]) {
    for server in servers {
        if let Some((name, content)) = server.configuration() {
            lab.write(name, content);
        }
        // The last word waits for nothing, so that all of them start at once.
        lab.sh(Place::Server, &format!("cd {DIR}\n{}", server.script()));
    }
    let sockets: Vec<_> = servers.iter().flat_map(|s| s.sockets()).copied().collect();
    if !sockets.is_empty() {
        lab.until_listening(Place::Server, &sockets);
    }
}
