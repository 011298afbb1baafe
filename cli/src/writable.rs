//! Whether standard output can be written.
//!
//! Before `main` the standard library opens `/dev/null` in the place of a standard stream that is closed, and what is written
//! is lost there; what cannot be written to a descriptor that is for reading, it passes over. So the descriptor is looked at
//! before all that.

use crate::failure::Failure;

/// # Errors
/// Where the program was started without one, or with one that is for reading.
#[cfg(unix)]
pub(crate) fn check() -> Result<(), Failure> {
    let unwritable = at_start::UNWRITABLE.load(std::sync::atomic::Ordering::Relaxed);
    if unwritable { Err(std::io::Error::from_raw_os_error(libc::EBADF).into()) } else { Ok(()) }
}

#[cfg(not(unix))]
pub(crate) fn check() -> Result<(), Failure> {
    Ok(())
}

#[cfg(unix)]
mod at_start {
    use std::sync::atomic::{AtomicBool, Ordering};

    pub(super) static UNWRITABLE: AtomicBool = AtomicBool::new(false);

    /// Called before `main`, and before the standard library is ready for anything.
    #[used]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
    #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        // SAFETY: it asks for the flags of a descriptor, be it open or not.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
        UNWRITABLE.store(flags == -1 || flags & libc::O_ACCMODE == libc::O_RDONLY, Ordering::Relaxed);
    }
}
