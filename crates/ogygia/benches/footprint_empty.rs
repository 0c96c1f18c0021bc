//! What a program weighs that does nothing but tell its memory: see `footprint`.

#[path = "work/resident.rs"]
mod resident;

fn main() {
    resident::report();
}
