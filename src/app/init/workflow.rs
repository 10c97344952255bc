//! The workflow that `init` writes.
//!
//! What goes into it was checked letter by letter before (`cron`, `pin`), so that nothing needs to be
//! quoted.

use super::pin::{CHECKOUT, UPLOAD};

/// The whole file, for a schedule and the action to use.
pub(super) fn render(cron: &str, action: &str) -> String {
    format!(
        "\
# Looks from outside at what .github/noentry.yml names, and keeps an issue for what it can reach.
name: noentry

on:
  schedule:
    # In UTC. GitHub starts scheduled workflows late when it is busy and drops some, and it runs
    # them from the default branch only: count on no interval.
    - cron: '{cron}'
  # By hand, and by a clock or a deployment elsewhere that does not wait for GitHub's.
  workflow_dispatch:
  repository_dispatch:
    types: [noentry]

permissions: {{}}

# One round after the other: two at once would tell the same story twice.
concurrency:
  group: noentry
  cancel-in-progress: false

jobs:
  noentry:
    name: noentry
    runs-on: ubuntu-latest
    timeout-minutes: 15
    permissions:
      contents: read # the configuration
      issues: write # the incidents
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - uses: {action}
        with:
          config: .github/noentry.yml
          junit: noentry-reports/junit.xml
          report: noentry-reports/report.json
          summary: noentry-reports/summary.md
      # An exposure fails the step above, and that is when the reports matter.
      - if: always()
        uses: {UPLOAD}
        with:
          name: noentry
          path: noentry-reports/
          retention-days: 30
"
    )
}
