//! What the library has to say, through the `log` crate, or said to nobody where the feature of that name is left out.

#[cfg(feature = "log")]
pub(crate) use log::{Level, debug, error, log, warn};

#[cfg(not(feature = "log"))]
pub(crate) use nobody::{Level, debug, error, log, warn};

#[cfg(not(feature = "log"))]
mod nobody {
    /// How grave a line is.
    pub(crate) enum Level {
        Error,
        Warn,
        Debug,
    }

    /// Looks at the line as `log` would, so that both builds are right or wrong together.
    macro_rules! log {
        ($level:expr, $($line:tt)+) => {
            if false {
                let _: $crate::logging::Level = $level;
                let _ = format_args!($($line)+);
            }
        };
    }

    macro_rules! error {
        ($($line:tt)+) => { $crate::logging::log!($crate::logging::Level::Error, $($line)+) };
    }

    macro_rules! warning {
        ($($line:tt)+) => { $crate::logging::log!($crate::logging::Level::Warn, $($line)+) };
    }

    macro_rules! debug {
        ($($line:tt)+) => { $crate::logging::log!($crate::logging::Level::Debug, $($line)+) };
    }

    // A macro of the name `warn` would be taken for the attribute.
    pub(crate) use {debug, error, log, warning as warn};
}
