# For get.ps1: says that there is no noentry to run, in every place where a round would be reported.
# The same as told.sh, word for word where it is read by others.

# A path as the system takes it, from where this shell stands.
function Get-FullPath([string] $Path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

# UTF-8 without a byte order mark, and line feeds alone, as everything else writes.
function Write-Text([string] $Path, [string] $Text, [bool] $Append) {
    $full = Get-FullPath $Path
    $folder = [IO.Path]::GetDirectoryName($full)
    if ($folder) { [IO.Directory]::CreateDirectory($folder) | Out-Null }
    $bytes = (New-Object Text.UTF8Encoding $false).GetBytes($Text.Replace("`r`n", "`n"))
    $mode = if ($Append) { [IO.FileMode]::Append } else { [IO.FileMode]::Create }
    $file = New-Object IO.FileStream $full, $mode
    try { $file.Write($bytes, 0, $bytes.Length) } finally { $file.Dispose() }
}

# One line of plain characters, whatever it was made of: it goes into a log, XML and JSON.
function Get-Clean([string] $Text) {
    return ($Text -replace '[^\x20-\x7e]', '?') -replace '##\[', '## ['
}

# A path of an input, from the workspace. One that cannot be a file's is not taken.
function Get-Place([string] $Path, [string] $Default) {
    $folder = $env:NOENTRY_INPUT_WORKING_DIRECTORY
    # The last are what .NET refuses in any path, with an exception.
    if ($Path -eq '' -or $Path -eq '-' -or $Path -match '[/\\]$' -or $Path -match '[\x00-\x1f<>"|]') {
        $Path = $Default
    }
    if ([IO.Path]::IsPathRooted($Path)) { return $Path }
    if (-not $folder -or $folder -eq '.' -or $folder -eq './' -or $folder -match '[\x00-\x1f]') {
        return $Path
    }
    return $folder.TrimEnd('/') + '/' + $Path
}

# A path for a report: the input's, or where it is usually. The configuration is not written over.
function Get-ReportPlace([string] $Path, [string] $Default) {
    $place = Get-Place $Path $Default
    $config = if ($env:NOENTRY_INPUT_CONFIG) { $env:NOENTRY_INPUT_CONFIG } else { '.github/noentry.yml' }
    # A drive that is not there, as in https://..., is an exception too: Stop-Step must outlive it.
    try {
        foreach ($read in $config, 'noentry.yml') {
            if ((Get-FullPath $place) -eq (Get-FullPath (Get-Place $read $read))) {
                $place = Get-Place $Default $Default
            }
        }
    } catch { $place = Get-Place $Default $Default }
    return $place
}

# Takes away what an earlier round left where this one's reports will be: a job that is cancelled before
# there is a round must not keep them for its own. Where rounds are merged, they may be what is read.
function Clear-Reports {
    if ($env:NOENTRY_INPUT_MERGE) { return }
    $places = @(
        (Get-ReportPlace $env:NOENTRY_INPUT_REPORT 'noentry-reports/report.json'),
        (Get-ReportPlace $env:NOENTRY_INPUT_JUNIT 'noentry-reports/junit.xml'),
        (Get-ReportPlace $env:NOENTRY_INPUT_SUMMARY 'noentry-reports/summary.md')
    )
    foreach ($place in $places) {
        if (-not (Test-Path -LiteralPath $place -PathType Leaf)) { continue }
        try { [IO.File]::Delete((Get-FullPath $place)) } catch { [Console]::Out.WriteLine((Get-Clean "$_")) }
    }
}

# Ends the step.
function Stop-Step([string] $Message) {
    $Message = Get-Clean $Message
    $xml = $Message.Replace('&', '&amp;').Replace('<', '&lt;').Replace('>', '&gt;').Replace('"', '&quot;')
    $json = $Message.Replace('\', '\\').Replace('"', '\"')
    $number = if ($script:version) { $script:version } else { 'unknown' }
    $report = Get-ReportPlace $env:NOENTRY_INPUT_REPORT 'noentry-reports/report.json'
    $junit = Get-ReportPlace $env:NOENTRY_INPUT_JUNIT 'noentry-reports/junit.xml'
    $summary = Get-ReportPlace $env:NOENTRY_INPUT_SUMMARY 'noentry-reports/summary.md'
    [Console]::Out.WriteLine('::error title=noentry: nothing was checked::' + $Message.Replace('%', '%25'))
    $markdown = @"
## noentry: nothing was checked

There is no verdict: what is open and what is shut is not known.

    $Message

"@
    $texts = @(
        @($report, @"
{
  "error": "$json",
  "noentry": "$number",
  "verdict": "error",
  "version": 1
}

"@),
        @($junit, @"
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="noentry" tests="1" failures="0" errors="1">
  <testsuite name="noentry" tests="1" failures="0" errors="1" skipped="0" time="0">
    <testcase name="The round" classname="noentry-round" time="0">
      <error type="no_round" message="nothing was checked: $xml">$xml</error>
    </testcase>
  </testsuite>
</testsuites>

"@),
        @($summary, $markdown)
    )
    foreach ($text in $texts) {
        # Where a report cannot be written there is none, and the step fails all the same.
        try { Write-Text $text[0] $text[1] $false } catch { [Console]::Out.WriteLine((Get-Clean "$_")) }
    }
    if ($env:GITHUB_STEP_SUMMARY) { Write-Text $env:GITHUB_STEP_SUMMARY $markdown $true }
    if ($env:GITHUB_OUTPUT) {
        Write-Text $env:GITHUB_OUTPUT @"
verdict=error
exit-code=2
targets=0
exposed=0
waived=0
inconclusive=0
blocked=0
exposed-targets=[]
json-path=$report
junit-path=$junit
summary-path=$summary

"@ $true
    }
    exit 2
}
