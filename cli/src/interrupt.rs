//! Ctrl-C asks a long command to stop cleanly; a second one ends it at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Sets the flag on Ctrl-C.
pub(crate) fn sets(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    let flag = Arc::clone(flag);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        // With standard error closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "stopping after this step; press Ctrl-C again to stop at once");
    };
    Ok(ctrlc::set_handler(handler)?)
}
