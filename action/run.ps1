# Brings noentry to this runner (get.ps1) and runs the check. Windows; PowerShell 5.1 is enough.
$ErrorActionPreference = 'Stop'

$work = Join-Path $(if ($env:RUNNER_TEMP) { $env:RUNNER_TEMP } else { $env:TEMP }) ('noentry-' + [Guid]::NewGuid())
New-Item -ItemType Directory -Path $work | Out-Null

# The token is for the incidents alone: neither a download nor a build gets to see it, nor what else
# of the job's own opens doors.
$token = $env:NOENTRY_GITHUB_TOKEN
$other = $env:GITHUB_TOKEN
foreach ($name in 'NOENTRY_GITHUB_TOKEN', 'GITHUB_TOKEN', 'GH_TOKEN', 'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN') {
    [Environment]::SetEnvironmentVariable($name, $null)
}
& (Join-Path $PSScriptRoot 'get.ps1') -Work $work
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
$env:NOENTRY_GITHUB_TOKEN = $token
$env:GITHUB_TOKEN = $other

& ([IO.File]::ReadAllText((Join-Path $work 'binary'))) action
exit $LASTEXITCODE
