//! Tasks that not every build has.

/// A task that the browser's inference binary leaves out, and that of training runs. There it is a type without values, so that the compiler leaves out
/// whatever is done with one; in every other build it is the task itself.
#[cfg(not(any(
    all(feature = "web", not(feature = "graph")),
    all(feature = "runs", target_arch = "wasm32")
)))]
pub type Elsewhere<T> = T;

#[cfg(any(all(feature = "web", not(feature = "graph")), all(feature = "runs", target_arch = "wasm32")))]
pub use absent::Absent as Elsewhere;

#[cfg(any(all(feature = "web", not(feature = "graph")), all(feature = "runs", target_arch = "wasm32")))]
mod absent {
    use std::convert::Infallible;
    use std::marker::PhantomData;
    use std::ops::Deref;

    /// A `T` that there is not.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Absent<T>(Infallible, PhantomData<T>);

    impl<T> Deref for Absent<T> {
        type Target = T;

        fn deref(&self) -> &T {
            match self.0 {}
        }
    }
}
