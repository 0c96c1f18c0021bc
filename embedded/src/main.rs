//! The core of Ogygia without std: it links, it runs a transaction, and once warm it does not allocate.
//!
//! std cannot slip in unnoticed: it brings a panic handler and an allocator of its own, and two of either do not link.
//! The exit status tells what went wrong: see [`Failure`].

#![no_std]
#![no_main]

mod arena;
#[path = "../../crates/ogygia/benches/work/validation.rs"]
mod validation;

use core::ffi::{c_int, c_void};
use core::panic::PanicInfo;

use validation::{Peers, Wrong};

/// Exit statuses. A panic ends in an abort, which is none of them.
#[derive(Clone, Copy)]
enum Failure {
    WrongAnswer = 1,
    AllocatedWhenWarm = 2,
}

#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, _argv: *const *const u8) -> c_int {
    match run() {
        Ok(heap) => {
            report(heap);
            0
        }
        Err(failure) => failure as c_int,
    }
}

/// Validates with one card to warm up and with one more, and returns the heap that it takes: all that was handed out,
/// although growing vectors have given much of it back.
fn run() -> Result<usize, Failure> {
    let peers = Peers::new();
    let canned = arena::used();
    let mut transaction = validation::transaction(validation::card()?)?;
    peers.validate_and_look(&mut transaction)?;
    let warm = arena::used();
    validation::restart(&mut transaction)?;
    peers.validate_and_look(&mut transaction)?;
    if arena::used() == warm { Ok(warm - canned) } else { Err(Failure::AllocatedWhenWarm) }
}

impl From<Wrong> for Failure {
    fn from(_: Wrong) -> Self {
        Self::WrongAnswer
    }
}

/// Prints the heap used. Digits by hand: formatting would weigh more than what is measured.
fn report(heap: usize) {
    const LABEL: &[u8] = b"heap bytes ";
    let mut line = [b' '; 32];
    let mut at = line.len();
    let mut left = heap;
    let mut put = |byte| {
        at -= 1;
        line[at] = byte;
    };
    put(b'\n');
    loop {
        put(b'0' + (left % 10) as u8);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    LABEL.iter().rev().for_each(|&byte| put(byte));
    // SAFETY: the pointer and the length are those of a live slice.
    unsafe { write(1, line[at..].as_ptr().cast(), line.len() - at) };
}

#[link(name = "c")]
unsafe extern "C" {
    fn write(file: c_int, bytes: *const c_void, len: usize) -> isize;
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: takes nothing and does not return.
    unsafe { abort() }
}
