//! What a pool looked like when somebody had waited in vain: what he is told, in words.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Stats;

/// What a pool looked like when a request had waited for too long.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Situation {
    /// The pool's [name](crate::Pool::name).
    pub name: Arc<str>,
    /// The pool was [suspended](crate::Pool::suspend), so that nobody was given anything.
    pub is_suspended: bool,
    /// The pool's numbers.
    pub pool: Stats,
    /// Those of the route that was asked for.
    pub route: Stats,
    /// How old the oldest lease of the pool was, to a few milliseconds; `None` where there was none.
    pub oldest: Option<Duration>,
    /// Where that one was asked for, in a pool that [notes](crate::Builder::note_callers) it.
    pub holder: Option<&'static Location<'static>>,
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = self.holder.map(|holder| holder as &dyn fmt::Display);
        let suspended = self.is_suspended;
        describe(
            f,
            &self.name,
            suspended,
            self.pool,
            self.route,
            self.oldest,
            holder,
        )
    }
}

/// The words for it, in every face.
pub fn describe(
    f: &mut dyn fmt::Write,
    name: &str,
    is_suspended: bool,
    pool: Stats,
    route: Stats,
    oldest: Option<Duration>,
    holder: Option<&dyn fmt::Display>,
) -> fmt::Result {
    let suspended = if is_suspended { ", suspended" } else { "" };
    write!(
        f,
        "{name}{suspended}: {}; to this route {}",
        Words(pool),
        Words(route)
    )?;
    if let Some(age) = oldest {
        write!(f, "; the oldest lease is {:.3} s old", age.as_secs_f64())?;
    }
    if let Some(holder) = holder.filter(|_| oldest.is_some()) {
        write!(f, ", held by {holder}")?;
    }
    Ok(())
}

struct Words(Stats);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats {
            leased,
            pending,
            available,
            max,
        } = self.0;
        write!(
            f,
            "{leased} of {max} leased, {available} idle, {pending} waiting"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_where_nothing_is_leased() {
        let situation = Situation {
            name: "a".into(),
            is_suspended: false,
            pool: Stats::default(),
            route: Stats::default(),
            oldest: None,
            holder: Some(Location::caller()),
        };
        let words =
            "a: 0 of 0 leased, 0 idle, 0 waiting; to this route 0 of 0 leased, 0 idle, 0 waiting";
        assert_eq!(situation.to_string(), words);
    }
}
