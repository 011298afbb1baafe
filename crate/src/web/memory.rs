//! The module's memory.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which tells when memory is full: the calls that wait would otherwise never be answered.
struct Telling;

#[global_allocator]
static MEMORY: Telling = Telling;

fn tell(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        super::failed("out of memory");
    }
    memory
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        tell(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        tell(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        tell(unsafe { System.realloc(memory, layout, size) })
    }
}
