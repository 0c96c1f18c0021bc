//! The command `ogygia`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use ogygia_cli::args::Arguments;
use ogygia_cli::error::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let code = ogygia_cli::run(&arguments, &mut out, &mut io::stderr())
        .and_then(|code| ogygia_cli::heard(out.flush().map_err(Failure::from), code));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if !matches!(failure, Failure::Unheard) {
                // Where nobody reads that either, the exit code has to do.
                let _ = writeln!(io::stderr(), "ogygia: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
