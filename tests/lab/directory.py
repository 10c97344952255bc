"""Makes an empty Active Directory in the folder that is given, for Samba's CLDAP server alone.

`samba-tool domain provision` does the same, and then sets rights on files that nobody here needs and
that an unprivileged user's namespace cannot set.
"""

import logging
import os
import secrets
import sys

from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision

here = sys.argv[1]
settings = f"""[global]
netbios name = DC
workgroup = AD
realm = AD.LAB.EXAMPLE
server role = active directory domain controller
server services = cldap
private dir = {here}/private
lock directory = {here}
state directory = {here}
cache directory = {here}
pid directory = {here}
ncalrpc dir = {here}/ncalrpc
binddns dir = {here}/bind-dns
log file = {here}/log

[sysvol]
path = {here}/sysvol

[netlogon]
path = {here}/sysvol/scripts
"""
os.mkdir(here)
path = os.path.join(here, "smb.conf")
with open(path, "w", encoding="ascii") as file:
    file.write(settings)
parameters = LoadParm()
parameters.load(path)
provision(
    logging.getLogger(),
    system_session(),
    smbconf=path,
    lp=parameters,
    realm="AD.LAB.EXAMPLE",
    domain="AD",
    hostname="dc",
    hostip="198.18.2.2",
    hostip6="2001:db8:2::2",
    adminpass="Aa1-" + secrets.token_hex(16),
    serverrole="active directory domain controller",
    dns_backend="NONE",
    dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
    base_schema="2008_R2",
    backend_store_size=8 * 1024 * 1024,
    skip_sysvolacl=True,
)
