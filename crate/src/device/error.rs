//! What can go wrong between recording an expression and reading its value.

/// A number as a message shows it: `2`, `0.5`, `1e20`, `NaN`. As serde_json writes it, which the web build has anyway; the standard
/// library's printing of floating-point numbers would take several kB more.
pub(crate) fn number(value: impl Into<f64> + serde::Serialize + Copy) -> String {
    let wide: f64 = value.into();
    match serde_json::to_string(&value) {
        Ok(digits) if wide.is_finite() => digits.strip_suffix(".0").unwrap_or(&digits).into(),
        _ if wide.is_nan() => "NaN".into(),
        _ if wide < 0.0 => "-inf".into(),
        _ => "inf".into(),
    }
}

/// An error of the engine. Recording never fails: the graph keeps a mistake and returns it when a value is asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An operand has the wrong shape.
    #[error("{op}: {what}: expected {expected}, found {found}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// Which operand (counted from 0) or attribute.
        what: String,
        /// What it needs.
        expected: String,
        /// What it got.
        found: String,
    },
    /// An id or target is not below the number of rows or classes.
    #[error("{op}: index {index} is not below {bound}")]
    Index {
        /// The operation.
        op: &'static str,
        /// The offending index.
        index: u32,
        /// The exclusive bound.
        bound: usize,
    },
    /// The operation cannot do what was asked.
    #[error("{op}: {reason}")]
    Unsupported {
        /// The operation.
        op: &'static str,
        /// Why not, and what to use instead.
        reason: &'static str,
    },
    /// Numbers so large that the computation leaves the range of f32.
    #[error("{op}: a result is not a number: its operands are too large")]
    Overflow {
        /// The operation.
        op: &'static str,
    },
    /// The device failed, or has no room.
    #[error("{}: {reason}", .kind.title())]
    Device {
        /// In which way.
        kind: Failure,
        /// What the driver says.
        reason: String,
    },
    /// A gradient was asked of a graph that keeps nothing for it.
    #[error("this graph records for inference; gradients need a graph made with `Graph::training`")]
    NotTraining,
    /// A mistake in recording an operation.
    #[error("{error} (recorded at {location})")]
    Recorded {
        /// What is wrong.
        error: Box<EngineError>,
        /// The line that recorded the operation.
        location: &'static std::panic::Location<'static>,
    },
    /// A tensor with the name does not exist, or exists already.
    #[error("parameter {name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl EngineError {
    /// The error with the line that recorded the operation.
    pub(crate) fn at(self, location: &'static std::panic::Location<'static>) -> Self {
        match self {
            recorded @ Self::Recorded { .. } => recorded,
            error => Self::Recorded { error: Box::new(error), location },
        }
    }

    /// What is wrong, without the line that recorded it.
    pub fn without_location(&self) -> &Self {
        match self {
            Self::Recorded { error, .. } => error,
            error => error,
        }
    }

    /// A name for the kind of error that stays the same between versions: `DEVICE_LOST`, `DEVICE_MEMORY`,
    /// `DEVICE_FAILED`, `DEVICE_LIMIT`, `DEVICE_UNAVAILABLE`, `MODEL_OVERFLOW`, or `ENGINE` for a mistake in what was recorded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Device { kind, .. } => match kind {
                Failure::Lost => "DEVICE_LOST",
                Failure::OutOfMemory => "DEVICE_MEMORY",
                Failure::Invalid => "DEVICE_FAILED",
                Failure::TooLarge => "DEVICE_LIMIT",
                Failure::Unavailable => "DEVICE_UNAVAILABLE",
            },
            Self::Overflow { .. } => "MODEL_OVERFLOW",
            Self::Recorded { error, .. } => error.code(),
            _ => "ENGINE",
        }
    }

    /// No device of the kind that was asked for.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Device { kind: Failure::Unavailable, reason: reason.into() }
    }
}

/// Ways in which a device fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is gone: a driver that was reset, a tab in the background, hardware that was unplugged.
    Lost,
    /// Its memory is full.
    OutOfMemory,
    /// It refuses a command.
    Invalid,
    /// A value is larger than its buffers may be.
    TooLarge,
    /// There is none.
    Unavailable,
}

impl Failure {
    fn title(self) -> &'static str {
        match self {
            Failure::Lost => "the GPU was lost",
            Failure::OutOfMemory => "the GPU is out of memory",
            Failure::Invalid => "the GPU refused a command",
            Failure::TooLarge => "too large for the GPU",
            Failure::Unavailable => "there is no GPU",
        }
    }
}
