//! What a program weighs that does nothing but tell its memory: see `footprint`.

#[path = "work/resident.rs"]
mod resident;

use std::time::Instant;

fn main() {
    resident::report(Instant::now().elapsed());
}
