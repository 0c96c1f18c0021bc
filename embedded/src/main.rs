//! The core of Ogygia without std: it links, it runs, and once warm it does not allocate.
//!
//! std cannot slip in unnoticed: it brings a panic handler and an allocator of its own, and two of either do not link.
//! The exit status tells what went wrong: see [`Failure`].

#![no_std]
#![no_main]

mod arena;

use core::ffi::{c_int, c_void};
use core::hint::black_box;
use core::panic::PanicInfo;

use ogygia::apdu::{Batch, Case, Header, Response, StatusWord, tlv};

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

/// Does the work once to warm up and once more, and returns the heap that it takes.
fn run() -> Result<usize, Failure> {
    let mut batch = Batch::new();
    work(&mut batch)?;
    let warm = arena::used();
    work(&mut batch)?;
    if arena::used() == warm { Ok(warm) } else { Err(Failure::AllocatedWhenWarm) }
}

/// What a terminal does with a card, as far as the core can do it today.
fn work(batch: &mut Batch) -> Result<(), Failure> {
    batch.clear();
    batch.push_with(|out| Header::new(0x00, 0xA4, 0x04, 0x00).write(Case::Four(0), b"1TIC.ICA", out));
    batch.push_with(|out| Header::new(0x00, 0xB2, 0x01, 0x3C).write(Case::Two(29), &[], out));

    let response = Response::parse(black_box(&SELECTED)).filter(|response| response.status == StatusWord::SUCCESS);
    let response = response.ok_or(Failure::WrongAnswer)?;
    let (mut name, mut serial) = (None, None);
    tlv::visit(response.data, &mut |tag, value| match tag {
        0x84 => name = Some(value),
        0xC7 => serial = Some(value),
        _ => {}
    })
    .map_err(|_| Failure::WrongAnswer)?;

    let right = name == Some(b"1TIC.ICA") && serial == Some(&[0, 0, 0, 0, 1, 2, 3, 4]) && batch.byte_len() == 19;
    if right { Ok(()) } else { Err(Failure::WrongAnswer) }
}

/// The answer to a selection, made up: a name, a serial number and startup information.
#[rustfmt::skip]
static SELECTED: [u8; 38] = [
    0x6F, 0x22,
        0x84, 0x08, b'1', b'T', b'I', b'C', b'.', b'I', b'C', b'A',
        0xA5, 0x16,
            0xBF, 0x0C, 0x13,
                0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04,
                0x53, 0x07, 0x0A, 0x3C, 0x22, 0x05, 0x14, 0x10, 0x01,
    0x90, 0x00,
];

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
