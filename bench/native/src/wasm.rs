//! What a host calls by number, without bindings: choose with [`prepare`], then time [`run`].

#![allow(unreachable_pub, reason = "the host reaches what is exported")]

use std::cell::RefCell;

use crate::silence::{self, Listener};
use crate::{Contestant, NETWORKS, SHAPES, roofline};

thread_local! {
    static CHOSEN: RefCell<Option<Contestant>> = const { RefCell::new(None) };
    static LISTENING: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Chooses a network and a shape; the work of one run in FLOP, or 0 if there is no such contestant.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(network: usize, shape: usize) -> f64 {
    let chosen = NETWORKS.get(network).zip(SHAPES.get(shape));
    let built = chosen.and_then(|(&network, &shape)| Contestant::new(network, shape).ok());
    let flops = built.as_ref().map_or(0.0, |contestant| contestant.flops() as f64);
    CHOSEN.with_borrow_mut(|chosen| *chosen = built);
    flops
}

/// Runs the contestant so many times; the sum of the last result, or NaN if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn run(times: usize) -> f32 {
    CHOSEN.with_borrow(|chosen| {
        let Some(contestant) = chosen else { return f32::NAN };
        (0..times).map(|_| contestant.run().unwrap_or(f32::NAN)).last().unwrap_or(f32::NAN)
    })
}

/// Chooses a network that listens ([`silence`]); the steps of its runs, or 0 if there is no such network.
#[unsafe(no_mangle)]
pub extern "C" fn prepare_to_listen(network: usize) -> usize {
    let built = silence::NETWORKS.get(network).and_then(|&network| Listener::new(network).ok());
    let steps = if built.is_some() { silence::STEPS } else { 0 };
    LISTENING.with_borrow_mut(|listening| *listening = built);
    steps
}

/// One run of steps with sound (1) or in silence (0); how many values are denormal after it, or NaN if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn listen(sound: u32) -> f32 {
    LISTENING.with_borrow_mut(|listening| {
        let denormal = listening.as_mut().and_then(|listener| listener.run(sound == 1).ok());
        denormal.map_or(f32::NAN, |count| count as f32)
    })
}

/// The FLOP of so many passes of the plain loop over so many bytes of weights ([`roofline::Plain`]).
#[unsafe(no_mangle)]
pub extern "C" fn plain(bytes: usize, times: usize) -> f64 {
    thread_local! {
        static LOOP: RefCell<(usize, Option<roofline::Plain>)> = const { RefCell::new((0, None)) };
    }
    LOOP.with_borrow_mut(|(made_for, made)| {
        if *made_for != bytes {
            (*made_for, *made) = (bytes, None);
        }
        let plain = made.get_or_insert_with(|| roofline::Plain::new(bytes));
        std::hint::black_box(plain.run(times));
        (times as u64 * plain.flops()) as f64
    })
}
