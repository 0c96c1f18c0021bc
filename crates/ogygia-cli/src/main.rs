//! The command `ogygia`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use ogygia_cli::args::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let code =
        ogygia_cli::run(&arguments, &mut out, &mut io::stderr()).and_then(|code| Ok(out.flush().map(|()| code)?));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("ogygia: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
