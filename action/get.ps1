# Puts the path of a noentry into the file "binary" of the folder Work: the one that `binary-path` names,
# the one that the manifest pins for this platform, or one built from the action's own source.
# Windows; PowerShell 5.1 is enough. The same as get.sh, in the same order.
param([Parameter(Mandatory = $true)] [string] $Work)
$ErrorActionPreference = 'Stop'
# A progress bar makes Invoke-WebRequest many times slower.
$ProgressPreference = 'SilentlyContinue'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
. (Join-Path $PSScriptRoot 'told.ps1')
# Where something fails that never should, Stop-Step has the last word too.
trap { Stop-Step "noentry could not be brought to this runner: $_" }

function Write-Line([string] $Text) { [Console]::Out.WriteLine('noentry: ' + (Get-Clean $Text)) }

# What is odd about the manifest is not guessed at. All comparisons tell upper from lower case.
$version = ''
$releases = ''
$archive = ''
$digest = ''
function Read-Manifest([string] $Target) {
    $manifest = Join-Path $PSScriptRoot 'manifest'
    if (-not (Test-Path -LiteralPath $manifest -PathType Leaf)) {
        Stop-Step 'the action has no manifest: its checkout is not whole'
    }
    $seen = @()
    foreach ($line in [IO.File]::ReadAllLines($manifest)) {
        if ($line -eq '' -or $line.StartsWith('#')) { continue }
        if ($script:version -eq '' -and $line -cmatch '^version ([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)$') {
            $script:version = $Matches[1]
        } elseif ($script:releases -eq '' -and $line -cmatch '^releases (https://[A-Za-z0-9._/-]+)$') {
            $script:releases = $Matches[1]
        } elseif ($line -cmatch '^archive ([a-z0-9_-]+) ([0-9a-f]{64}) ([A-Za-z0-9][A-Za-z0-9._-]*)$' -and $seen -cnotcontains $Matches[1]) {
            $seen += $Matches[1]
            if ($Matches[1] -ceq $Target) {
                $script:digest = $Matches[2]
                $script:archive = $Matches[3]
            }
        } else {
            Stop-Step "the action's manifest is damaged in the line '$line': use another release of the action"
        }
    }
    if ($script:version -eq '' -or $script:releases -eq '') {
        Stop-Step "the action's manifest is damaged, it lacks its version or its releases: use another release of the action"
    }
}

function Get-Sha256([string] $Path) {
    return (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

# What may pass is tried four times.
function Save-Download([string] $Url, [string] $Path) {
    $shown = $Url -replace '//[^/]*@', '//***@'
    Write-Line "downloading $shown"
    $why = ''
    foreach ($pause in 1, 2, 4, 0) {
        $status = 0
        try {
            Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $Path -TimeoutSec 120
            return
        } catch {
            # Not the error itself: Windows PowerShell makes that of the answer's whole body.
            $why = $_.Exception.Message
            if ($_.Exception.PSObject.Properties['Response'] -and $_.Exception.Response) {
                $status = [int] $_.Exception.Response.StatusCode
            }
        }
        if ($status -ge 400 -and $status -lt 500 -and (406, 408, 429) -notcontains $status) {
            Stop-Step "$shown is not there (HTTP status $status): look at the release, or at the input mirror"
        }
        if ($pause -ne 0) {
            Write-Line "$why; once more in $pause s"
            Start-Sleep -Seconds $pause
        }
    }
    Stop-Step "$shown could not be downloaded in four tries, at last because of: $why. Run the job again, or set the input mirror or from-source"
}

# The archive that is pinned, from the tool cache or the network.
function Save-Archive([string] $Path) {
    $cache = ''
    if ($env:RUNNER_TOOL_CACHE) {
        $cache = [IO.Path]::Combine($env:RUNNER_TOOL_CACHE, 'noentry', $version, $target)
    }
    if ($cache -and (Test-Path -LiteralPath (Join-Path $cache $archive) -PathType Leaf)) {
        # What is used is the copy that was looked at: others may write to the cache. One that cannot be
        # read is none.
        $found = 'unknown'
        try {
            Copy-Item -LiteralPath (Join-Path $cache $archive) -Destination $Path
            $found = Get-Sha256 $Path
        } catch { Write-Line "the tool cache cannot be read: $_" }
        if ($found -ceq $digest) {
            Write-Line "$archive $version from the tool cache, SHA-256 $digest"
            return
        }
        [Console]::Out.WriteLine("::warning title=noentry::the tool cache holds another $archive (SHA-256 $found) than the action pins: it is not used")
    }
    $base = if ($mirror) { $mirror } else { $releases }
    Save-Download "$base/v$version/$archive" $Path
    $found = Get-Sha256 $Path
    if ($found -cne $digest) {
        Stop-Step "$archive $version has the SHA-256 $found, and the action pins ${digest}: it is not used. Look into it: the download, the mirror or the release was changed"
    }
    Write-Line "$archive $version, SHA-256 $digest"
    if ($cache) {
        # A cache that takes nothing is no trouble.
        try {
            New-Item -ItemType Directory -Force -Path $cache | Out-Null
            $half = Join-Path $cache ".$PID"
            Copy-Item -LiteralPath $Path -Destination $half
            Move-Item -Force -LiteralPath $half -Destination (Join-Path $cache $archive)
        } catch { Write-Line "not kept in the tool cache: $_" }
    }
}

# What the program says of itself; nothing if it does not run here, or is no noentry.
function Get-Answer([string] $Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return '' }
    try { $said = (& $Path --version | Out-String).Trim() } catch { return '' }
    if ($LASTEXITCODE -eq 0 -and $said -cmatch '^noentry [0-9]') { return $said }
    return ''
}

# Builds it. Every dependency is the one of Cargo.lock.
function Build-Program([string] $Why) {
    if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) {
        Stop-Step "$Why, and there is no cargo on this runner to build noentry with: install Rust (https://rustup.rs), or give binary-path"
    }
    $root = Split-Path -Parent $PSScriptRoot
    if (-not (Test-Path -LiteralPath (Join-Path $root 'Cargo.lock') -PathType Leaf)) {
        Stop-Step "$Why, and the action's checkout has no source to build noentry from: give binary-path"
    }
    [Console]::Out.WriteLine("::notice title=noentry::${Why}: building noentry $version from the action's own source, which takes some minutes")
    $folder = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { Join-Path (Split-Path -Parent $Work) 'noentry-build' }
    New-Item -ItemType Directory -Force -Path $folder | Out-Null
    $folder = (Resolve-Path -LiteralPath $folder).ProviderPath
    $env:CARGO_BUILD_TARGET = $null
    # In the action's folder: a checkout of somebody else's must not configure this build.
    Push-Location -LiteralPath $root
    try { & cargo build --release --locked --bin noentry --target-dir $folder } finally { Pop-Location }
    if ($LASTEXITCODE -ne 0) {
        Stop-Step 'noentry could not be built from source, see the log: Rust is too old, or its registry out of reach'
    }
    $script:binary = Join-Path $Work 'noentry.exe'
    Copy-Item -LiteralPath (Join-Path $folder 'release/noentry.exe') -Destination $binary
    if (-not (Get-Answer $binary)) { Stop-Step 'the noentry that was built does not run' }
}

function Get-Release {
    $file = Join-Path $Work $archive
    Save-Archive $file
    $unpacked = Join-Path $Work 'unpacked'
    try { Expand-Archive -LiteralPath $file -DestinationPath $unpacked } catch {
        Stop-Step "$archive cannot be unpacked here: set from-source, or give binary-path"
    }
    $script:binary = Join-Path $unpacked 'noentry.exe'
    if ((Get-Answer $binary) -cne "noentry $version") {
        Stop-Step "the noentry of $archive does not run here: set from-source, or give binary-path"
    }
}

# What the workflow asks for. Everything about the check itself is the program's to read.
$architecture = if ($env:RUNNER_ARCH) { $env:RUNNER_ARCH } else { $env:PROCESSOR_ARCHITECTURE }
$target = if ('X64', 'AMD64' -contains $architecture) { 'x86_64-pc-windows-msvc' } else { '' }
Clear-Reports
Read-Manifest $target
$binary = ''
$wanted = "$env:NOENTRY_INPUT_VERSION"
$given = "$env:NOENTRY_INPUT_BINARY_PATH"
$mirror = "$env:NOENTRY_INPUT_MIRROR"
$source = if ($env:NOENTRY_INPUT_FROM_SOURCE) { $env:NOENTRY_INPUT_FROM_SOURCE } else { 'false' }
$lines = @(@('version', $wanted), @('binary-path', $given), @('mirror', $mirror))
foreach ($line in $lines) {
    if ($line[1] -match '[\x00-\x1f]') { Stop-Step "input ``$($line[0])``: one line is expected" }
}
if ('true', 'false' -cnotcontains $source) {
    Stop-Step "input ``from-source``: '$source' is neither true nor false"
}
$wanted = $wanted -replace '^v', ''
if ($wanted -and $wanted -cne $version) {
    Stop-Step "input ``version``: the action pins noentry $version, not '$wanted': pin the action's release of that version, and leave this input out"
}
if ($given -and ($source -ceq 'true' -or $mirror)) {
    Stop-Step 'input `binary-path`: it names the program, so from-source and mirror must not be given'
}
if ($source -ceq 'true' -and $mirror) {
    Stop-Step 'input `mirror`: nothing is downloaded where from-source is true: give one of them'
}
if ($mirror -and $mirror -cnotmatch '^https?://[^/?#\s]+[^?#\s]*$') {
    # Not quoted: it may have a password in it.
    Stop-Step 'input `mirror`: it is no address that begins with https:// or http:// and has neither ? nor #'
}
$mirror = $mirror.TrimEnd('/')

if ($given) {
    $binary = Get-FullPath (Get-Place $given '')
    $answer = Get-Answer $binary
    if (-not $answer) { Stop-Step "input ``binary-path``: $given is not there, or no noentry that runs here" }
    Write-Line "$answer, as binary-path names it"
} elseif ($source -ceq 'true') {
    Build-Program 'from-source is true'
} elseif (-not $archive) {
    $named = if ($target) { $target } else { 'this platform' }
    Build-Program "the action pins no release for $named"
} else {
    Get-Release
}
[IO.File]::WriteAllText((Join-Path $Work 'binary'), $binary)
exit 0
