//! Parse, run, end with the documented code.

use std::process::ExitCode;

use noentry::app;
use noentry::cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::typed() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too. Nothing better can be done if the
            // terminal does not take it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    app::run(&cli).into()
}
