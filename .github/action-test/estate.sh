#!/usr/bin/env bash
# For the workflow "action": a folder with a configuration and two doors on loopback, of which one is open
# for as long as the job runs: estate.sh FOLDER.
set -euo pipefail

folder=$1
mkdir -p "$folder"
cd "$folder"
python=$(command -v python3 || command -v python)

# The port of the shut door is one that was free a moment ago. Nobody else is on this runner.
cat >door.py <<'END'
import os, socket, time
doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
ports = [str(door.getsockname()[1]) for door in doors]
doors.pop().close()
with open("ports.new", "w") as file:
    print(*ports, file=file)
os.replace("ports.new", "ports")
# The runner removes the folder with the job.
while os.path.exists("ports"):
    time.sleep(1)
END
nohup "$python" door.py >door.log 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -f ports ] && break
    sleep 1
done
read -r control open shut <ports

# The API's host is a control too, without being named.
cat >noentry.yml <<END
version: 1
vantage: { unfiltered: true } # loopback closes no port
defaults: { timeout: 4500ms, attempts: 1, probe_non_global: true, families: [ipv4] }
controls:
  - tcp: 127.0.0.1:$control
targets:
  - name: Shut
    tcp: 127.0.0.1:$shut
  - name: Open
    tcp: 127.0.0.1:$open
END
cat noentry.yml
