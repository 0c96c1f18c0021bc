//! A minimal program with one transaction, to be weighed: `crates/ogygia/benches/measure-footprint` compares it with
//! `footprint_empty`, which is the same program without.

#[path = "work/resident.rs"]
mod resident;
#[path = "work/validation.rs"]
#[expect(dead_code, reason = "nothing is refused, and nothing measured, here")]
mod validation;

use std::process::ExitCode;
use std::time::Instant;

use validation::Peers;

fn main() -> ExitCode {
    let peers = Peers::new();
    let began = Instant::now();
    let validated = validation::card()
        .and_then(validation::transaction)
        .and_then(|mut transaction| peers.validate_and_look(&mut transaction));
    let took = began.elapsed();
    if let Err(wrong) = validated {
        eprintln!("{wrong}");
        return ExitCode::FAILURE;
    }
    resident::report(took);
    ExitCode::SUCCESS
}
