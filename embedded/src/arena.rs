//! The simplest allocator that can serve the core: a pointer that moves up through a static array.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Far more than the core may need: `main` reports what was used.
const SIZE: usize = 64 * 1024;

#[global_allocator]
static ARENA: Arena = Arena { bytes: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

/// Bytes handed out so far. Nothing is ever given back, so a program that allocates in a loop shows here.
pub fn used() -> usize {
    ARENA.used.load(Ordering::Relaxed)
}

struct Arena {
    bytes: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: the bytes are only reached through blocks that `alloc` hands out, each once.
unsafe impl Sync for Arena {}

// SAFETY: blocks lie within the array, are aligned as asked, and never overlap, as `used` only grows.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.bytes.get().cast::<u8>();
        let mut block = ptr::null_mut();
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let padding = base.wrapping_add(used).align_offset(layout.align());
            let start = used.checked_add(padding)?;
            let end = start.checked_add(layout.size()).filter(|&end| end <= SIZE)?;
            block = base.wrapping_add(start);
            Some(end)
        });
        block
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
