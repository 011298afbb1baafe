//! Tasks that not every build has.

/// A task that the browser's inference binary leaves out. There it is a type without values, so that the compiler leaves out
/// whatever is done with one; in every other build it is the task itself.
#[cfg(any(feature = "graph", not(feature = "web")))]
pub type Elsewhere<T> = T;

#[cfg(all(feature = "web", not(feature = "graph")))]
pub use absent::Absent as Elsewhere;

#[cfg(all(feature = "web", not(feature = "graph")))]
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
